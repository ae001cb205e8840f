"""The pieces every report page is made of: the document around it, figures, tables, headline tiles."""

from collections.abc import Sequence
from dataclasses import dataclass

from aplt.report.markup import Html, asset, el, join
from aplt.report.words import fixed, known, number, percent

# The page may not ask the network for anything, whatever a file in the run folder says.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


@dataclass(frozen=True)
class Cell:
    """One table cell: what it says, what it sorts by, and how long its bar is (0 to 1)."""

    text: str
    value: float | None = None
    bar: float | None = None


def document(title: str, *sections: str | None) -> str:
    """Returns a whole page that needs nothing but itself."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=POLICY),
        el("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name_="color-scheme", content="light dark"),
        el("title", title),
        el("link", rel="icon", href="data:,"),
        el("style", asset("style.css")),
    )
    body = el("body", el("main", *sections), el("script", asset("page.js")))
    return f"<!DOCTYPE html>\n{el('html', head, body, lang='en')}\n"


def section(anchor: str, title: str, *content: str | None) -> Html:
    """Returns a part of the page with a heading that can be linked to."""
    return el("section", el("h2", title), *content, id=anchor)


def figure(title: str, body: str, caption: str, *, wide: bool = False) -> Html:
    """Returns a figure under its title, with its caption; a wide one scrolls sideways on a small screen."""
    inner = scrolled(body, title) if wide else body
    return el("figure", el("h3", title), inner, el("figcaption", caption), class_="wide" if wide else None)


def absent(title: str, why: str) -> Html:
    """Returns what stands in a figure's place where there is nothing to draw."""
    return el("div", el("h3", title), el("p", why, class_="missing"), class_="absent")


def scrolled(body: str, name: str) -> Html:
    """Returns content that scrolls sideways by itself, also by keyboard, where the screen is too narrow."""
    return el("div", body, class_="scroll", role="region", aria_label=name, tabindex="0")


def tile(label: str, value: str, note: str) -> Html:
    """Returns one headline figure."""
    return el("div", el("dt", label), el("dd", value, class_="value"), el("dd", note, class_="note"), class_="tile")


def facts(pairs: Sequence[tuple[str, str | None]]) -> Html:
    """Returns a list of names and what they are; a pair without a value is left out."""
    return el(
        "dl",
        *(join([el("dt", key), el("dd", text)]) for key, text in pairs if text is not None),
        class_="facts",
    )


def table(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    texts: int = 1,
    kind: str | None = None,
) -> Html:
    """Returns a table whose headers sort it; a column in which no row says anything is left out.

    Args:
        caption: what the table shows, above it.
        columns: the headers.
        rows: as many cells each as there are headers; the first is the row's header.
        texts: how many columns at the left hold words; the others hold numbers.
        kind: the table's class in the style sheet.
    """
    kept = [k for k in range(len(columns)) if k < texts or any(known(row[k].value) for row in rows)]
    head = [
        el("th", el("button", columns[k], type="button"), scope="col", class_="n" if k >= texts else None) for k in kept
    ]
    body = [el("tr", *(_cell(k, row[k], texts) for k in kept)) for row in rows]
    whole = el(
        "table", el("caption", el("span", caption)), el("thead", el("tr", *head)), el("tbody", *body), class_=kind
    )
    return scrolled(whole, caption)


def count_cell(value: int | None) -> Cell:
    """Returns a cell with a count."""
    return Cell(number(value), value)


def number_cell(value: float | None) -> Cell:
    """Returns a cell with a figure, three digits long."""
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
        cell.text,
        scope="row" if place == 0 else None,
        class_=" ".join([*(["n"] if place >= texts else []), *(["bar"] if cell.bar is not None else [])]) or None,
        data_value=repr(float(cell.value)) if cell.value is not None and known(cell.value) else None,
        style=f"--bar-end:{cell.bar * 100:.1f}%" if cell.bar is not None and known(cell.bar) else None,
    )
