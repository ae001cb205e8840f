"""The pieces of a page: markup that cannot forget to escape, the document around it, figures, tables, tiles.

A plain string becomes text; only `Html`, made by `el` and `join`, is markup.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from aplt.display import plain
from aplt.report.words import fixed, known, number, percent

VOID = frozenset({"meta", "link", "img", "line", "rect", "path", "circle"})
# The page may not ask the network for anything, whatever a file in the run folder says.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
FILMS = "; media-src 'self' file:"


class Html(str):
    """Text that is markup already; made by `el` and `join`, never from what a user wrote."""

    __slots__ = ()


def render(child: str | None) -> str:
    """Returns markup unchanged, any other text escaped, and nothing for None."""
    if child is None:
        return ""
    return child if isinstance(child, Html) else _text(child)


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
        f' {key.rstrip("_").replace("_", "-")}="{_text(value if isinstance(value, str) else f"{value:.6g}")}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID and not children:
        return Html(f"<{name}{written}/>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def asset(name: str) -> Html:
    """Returns a file of this package (style sheet, script) to be put into the page as it is."""
    return Html(files("aplt.report").joinpath(name).read_text(encoding="utf-8"))


def _text(value: str) -> str:
    return escape(plain(value, keep="\n\t"))


@dataclass(frozen=True)
class Cell:
    """One table cell: what it says, what it sorts by, how long its bar is (0 to 1), and a picture below."""

    text: str
    value: float | None = None
    bar: float | None = None
    picture: Html | None = None


def document(title: str, *sections: str | None, media: bool = False) -> str:
    """Returns a whole page that needs nothing but itself; with `media` it may play films that lie beside it."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=POLICY + FILMS * media),
        el("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name_="color-scheme", content="light dark"),
        el("title", title),
        el("link", rel="icon", href="data:,"),
        el("style", asset("style.css")),
    )
    body = el("body", el("main", *sections), el("script", asset("page.js")))
    return f"<!DOCTYPE html>\n{el('html', head, body, lang='en')}\n"


def page(
    title: str, header: Html, parts: Sequence[tuple[str, str, Html | None]], summary: Sequence[Html | None] = ()
) -> str:
    """Returns a whole page: links to the parts (anchor, title, content), a summary, and the parts that have content."""
    present = [(anchor, heading, content) for anchor, heading, content in parts if content is not None]
    links = (el("li", el("a", heading, href=f"#{anchor}")) for anchor, heading, _ in present)
    nav = el("nav", el("ul", *links), aria_label="Sections")
    return document(title, header, nav, *summary, *(section(*one) for one in present))


def heading(kind: str, name: str, words: Sequence[str] = (), notice: Html | None = None) -> Html:
    """Returns the top of a page: what kind it is of, its name, a line of words, and what must be said at once."""
    subtitle = el("p", " · ".join(words), class_="subtitle") if words else None
    return el("header", el("p", kind, class_="kind"), el("h1", name), subtitle, notice)


def section(anchor: str, title: str, *content: str | None) -> Html:
    """Returns a part of the page with a heading that can be linked to."""
    return el("section", el("h2", title), *content, id=anchor)


def figure(title: str, body: str, caption: str, *, wide: bool = False) -> Html:
    """Returns a figure under its title, with its caption; a wide one scrolls sideways on a small screen."""
    inner = scrolled(body, title) if wide else body
    return el("figure", el("h3", title), inner, el("figcaption", caption), class_="wide" if wide else None)


def absent(title: str, why: str) -> Html:
    """Returns a figure's title with the reason why there is nothing to draw."""
    return el("div", el("h3", title), el("p", why, class_="missing"), class_="absent")


def scrolled(body: str, name: str) -> Html:
    """Returns content that scrolls sideways by itself, also by keyboard, where the screen is too narrow."""
    return el("div", body, class_="scroll", role="region", aria_label=name, tabindex="0")


def tile(label: str, value: str, note: str) -> Html:
    """Returns one headline figure."""
    return el("div", el("dt", label), el("dd", value, class_="value"), el("dd", note, class_="note"), class_="tile")


def facts(pairs: Sequence[tuple[str, str | None]]) -> Html:
    """Returns a list of names and what they are; a pair without a value is left out."""
    items = (join([el("dt", key), el("dd", text)]) for key, text in pairs if text is not None)
    return el("dl", *items, class_="facts")


def table(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    texts: int = 1,
    kind: str | None = None,
) -> Html:
    """Returns a table under its caption, whose headers sort it; a column without any value is left out.

    Rows have as many cells as there are columns, the first of which heads the row. The first `texts` columns hold
    words, the others numbers. `kind` is the table's class in the style sheet.
    """
    kept = valued(columns, rows, texts)
    head = [
        el("th", el("button", columns[k], type="button"), scope="col", class_="n" if k >= texts else None) for k in kept
    ]
    body = [el("tr", *(_cell(k, row[k], texts) for k in kept)) for row in rows]
    whole = el(
        "table", el("caption", el("span", caption)), el("thead", el("tr", *head)), el("tbody", *body), class_=kind
    )
    return scrolled(whole, caption)


def valued(columns: Sequence[str], rows: Sequence[Sequence[Cell]], texts: int) -> list[int]:
    """Returns which columns of a table have any value; the first `texts` columns hold words and always count."""
    return [k for k in range(len(columns)) if k < texts or any(known(row[k].value) for row in rows)]


def number_cell(value: float | None) -> Cell:
    """Returns a cell with a count, or with a figure three digits long."""
    return Cell(number(value), value)


def fixed_cell(value: float | None) -> Cell:
    """Returns a cell with a figure, three decimals long."""
    return Cell(fixed(value), value)


def share_cell(value: float | None, *, bar: bool = False) -> Cell:
    """Returns a cell with a share, with a bar behind it if asked."""
    return Cell(percent(value), value, value if bar else None)


def _cell(place: int, cell: Cell, texts: int) -> Html:
    return el(
        "th" if place == 0 else "td",
        *([cell.text] if cell.picture is None else [el("span", cell.text, class_="said"), cell.picture]),
        scope="row" if place == 0 else None,
        class_=" ".join([*(["n"] if place >= texts else []), *(["bar"] if cell.bar is not None else [])]) or None,
        data_value=repr(float(cell.value)) if cell.value is not None and known(cell.value) else None,
        style=f"--bar-end:{cell.bar * 100:.1f}%" if cell.bar is not None and known(cell.bar) else None,
    )
