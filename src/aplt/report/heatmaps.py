"""Heat maps as inline SVG: the confusion matrix, and thresholds by class and round."""

import math
from collections.abc import Sequence

import numpy as np

from aplt.display import counted
from aplt.report.charts import LETTER, drawing
from aplt.report.html import Html, el
from aplt.report.words import fixed, percent

LONGEST = 30  # letters of a label; longer ones are cut, and whole on pointing at them


def confusion_map(matrix: np.ndarray, names: Sequence[str]) -> Html:
    """Returns a confusion matrix [K, K], true class down and predicted across, colored by the row's share."""
    count = len(names)
    cell = 56.0 if count <= 8 else 34.0 if count <= 20 else 17.0
    letters = max(len(_cut(name)) for name in names)
    left, slanted = letters * LETTER + 14, count <= 20
    # Names above the columns are upright, or lean to the right where the cells leave room to read them.
    top = letters * LETTER * (0.72 if slanted else 1.0) + 20
    width = left + count * cell + (letters * LETTER * 0.72 if slanted else 8)
    totals = matrix.sum(axis=1)
    parts = [_lattice(count, count, left, top, cell, cell)]
    for k, name in enumerate(names):
        middle = (k + 0.5) * cell
        turn = f"translate({left + middle + 4:.1f} {top - 8:.1f}) rotate({-45 if slanted else -90})"
        parts.append(_label(name, x=left - 8, y=top + middle + 4, text_anchor="end"))
        parts.append(_label(name, transform=turn))
    for row, column in np.argwhere(matrix).tolist():
        hits, part = matrix[row, column], matrix[row, column] / totals[row]
        hover = f"{names[row]} → {names[column]}: {hits} of {counted(totals[row], 'clip')} ({percent(part)})"
        parts.append(_cell(left + column * cell, top + row * cell, cell, cell, part, hover, str(hits)))
    tested = counted(totals.sum(), "test clip")
    spoken = (
        f"Confusion matrix of {counted(count, 'class', 'classes')}: {np.trace(matrix)} of {tested} on the diagonal."
    )
    return drawing(parts, width, top + count * cell + 8, spoken, "heat")


def threshold_map(values: np.ndarray, rounds: Sequence[int], names: Sequence[str]) -> Html:
    """Returns thresholds [K, rounds], any of them finite, by class and round, with the last round's as text."""
    count, columns = values.shape
    finite = values[np.isfinite(values)]
    low, high = float(finite.min()), float(finite.max())
    tall, wide = 26.0 if count <= 12 else 17.0, min(64.0, max(9.0, 620 / columns))
    left, top = max(len(_cut(name)) for name in names) * LETTER + 14, 26.0
    right, height = left + columns * wide, top + count * tall + 26
    parts = [_lattice(count, columns, left, top, tall, wide)]
    for column in range(0, columns, math.ceil(26 / wide)):
        middle = left + (column + 0.5) * wide
        parts.append(el("text", str(rounds[column]), x=middle, y=top - 8, text_anchor="middle"))
    parts.append(el("text", "last", x=right + 10, y=top - 8, class_="axis"))
    parts.append(el("text", "round", x=(left + right) / 2, y=height - 8, text_anchor="middle", class_="axis"))
    for row, name in enumerate(names):
        base = top + (row + 0.5) * tall + 4
        parts.append(_label(name, x=left - 8, y=base, text_anchor="end"))
        parts.append(el("text", fixed(values[row, -1]), x=right + 10, y=base, class_="strong"))
        for column in np.flatnonzero(np.isfinite(values[row])).tolist():
            value = float(values[row, column])
            part = (value - low) / (high - low) if high > low else 0.5
            hover = f"{name}, round {rounds[column]}: {fixed(value)}"
            parts.append(_cell(left + column * wide, top + row * tall, wide, tall, part, hover))
    of = f"{counted(count, 'class', 'classes')} over {counted(columns, 'round')}"
    return drawing(parts, right + 64, height, f"Thresholds of {of}, from {fixed(low)} to {fixed(high)}.", "heat")


def scale(low: str, high: str) -> Html:
    """Returns the legend of a heat map: five cells between the words for its ends."""
    cells = [el("span", class_="heat-cell", style=f"opacity:{_opacity(k / 4):.2f}") for k in range(5)]
    return el("p", low, *cells, high, class_="scale")


def _opacity(part: float) -> float:
    # One hue at an opacity works on light and dark paper and for the color-blind. Never quite empty: one clip in a
    # hundred must still be seen.
    return 0.1 + 0.9 * part


def _cell(x: float, y: float, width: float, height: float, part: float, hover: str, text: str | None = None) -> Html:
    opacity = _opacity(part)
    box = {"x": x + 0.5, "y": y + 0.5, "width": width - 1, "height": height - 1}
    shape = el("rect", class_="cell", fill_opacity=round(opacity, 3), **box)
    words = None
    if text is not None:
        # Three digits must fit in a cell of the largest matrix.
        size = min(14.0, width * 0.5, width * 1.5 / max(len(text), 2))
        where = {"x": x + width / 2, "y": y + height / 2 + size * 0.36}
        kind = "on-heat" if opacity > 0.6 else "off-heat"
        words = el("text", text, class_=kind, text_anchor="middle", style=f"font-size:{size:.1f}px", **where)
    return el("g", el("title", hover), shape, words)


def _lattice(rows: int, columns: int, left: float, top: float, tall: float, wide: float) -> Html:
    # Faint lines lead the eye from a cell to its names.
    right, bottom = left + columns * wide, top + rows * tall
    across = "".join(f"M{left:g} {top + k * tall:g}H{right:g}" for k in range(rows + 1))
    down = "".join(f"M{left + k * wide:g} {top:g}V{bottom:g}" for k in range(columns + 1))
    return el("path", d=across + down, class_="lattice")


def _label(name: str, **attributes: str | float) -> Html:
    return el("text", el("title", name), _cut(name), **attributes)


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1].rstrip()}…"
