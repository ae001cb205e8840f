"""HTML and SVG that cannot forget to escape: a plain string becomes text, only `Html` is markup."""

from collections.abc import Iterable
from html import escape
from importlib.resources import files

VOID = frozenset({"meta", "link", "line", "rect", "path", "circle"})


class Html(str):
    """Text that is markup already; made by `el` and `join`, never from what a user wrote."""

    __slots__ = ()


def render(child: str | None) -> str:
    """Returns markup unchanged, any other text escaped, and nothing for None."""
    if child is None:
        return ""
    return child if isinstance(child, Html) else escape(child)


def join(children: Iterable[str | None]) -> Html:
    """Returns the children one after the other, escaped where they are plain text."""
    return Html("".join(map(render, children)))


def el(name: str, *children: str | None, **attributes: str | float | None) -> Html:
    """Returns one element.

    Args:
        name: the tag.
        children: text (escaped) or markup; None is left out.
        attributes: values (escaped); None is left out. A trailing underscore avoids Python's keywords and the
            others become hyphens, except in SVG's viewBox: `class_`, `data_value`, `stroke_width`.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_short(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID and not children:
        return Html(f"<{name}{written}/>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def asset(name: str) -> Html:
    """Returns a file of this package (style sheet, script) to be put into the page as it is."""
    return Html(files("aplt.report").joinpath(name).read_text(encoding="utf-8"))


def _short(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
