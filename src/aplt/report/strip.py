"""The page of recordings: for each its video and, below it, a strip chart of what happens when.

A click on the chart moves the video there (strip.js); the chart needs no video, and the page no network.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from aplt.display import counted
from aplt.report.charts import LETTER
from aplt.report.html import Cell, Html, asset, document, el, fixed_cell, heading, scrolled, section, share_cell, table
from aplt.report.words import clock

WIDE, PER_MINUTE = 1000.0, 60.0
"""Units of the drawing: the least for the time axis, and what a minute takes at least."""
ROW, BAR, AXIS = 30.0, 10.0, 26.0
TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
MOST_TICKS = 90.0
"""Units between two ticks, at least."""


@dataclass(frozen=True)
class Strip:
    """A recording on the page; events have the columns start, end and label, predicted ones score and reliability."""

    name: str
    video: str | None
    """Where it is, from the page; None where it is no video."""
    start: float
    """Of the part that is shown, in seconds of the file."""
    seconds: float
    predicted: pd.DataFrame
    annotated: pd.DataFrame | None
    """None where nobody has annotated it."""


def strip_page(strips: Sequence[Strip]) -> str:
    """Returns the page of recordings and their events."""
    return document(
        "Events – aplt",  # noqa: RUF001
        heading("aplt events", counted(len(strips), "recording")),
        *(section(f"recording-{number}", one.name, *_content(one)) for number, one in enumerate(strips, start=1)),
        el("script", asset("strip.js")),
        media=True,
    )


def _content(strip: Strip) -> list[Html | None]:
    video = None
    if strip.video is not None:
        missing = "This browser cannot play the file, or it is not there; the chart does without it."
        player = el("video", "", src=strip.video, controls="controls", preload="metadata")
        video = el("div", player, el("p", missing, class_="missing", hidden="hidden"), class_="film")
    keys = [el("li", el("span", class_="swatch predicted"), "predicted, paler where the score is low")]
    if strip.annotated is not None:
        keys.append(el("li", el("span", class_="swatch annotated"), "annotated"))
    chart = scrolled(_chart(strip), f"Events of {strip.name} over time")
    body = el("div", video, el("ul", *keys, class_="legend"), chart, class_="strip")
    return [body, _table(strip)]


def _chart(strip: Strip) -> Html:
    """Returns a row per class: annotated events above, predicted ones below."""
    shown = [strip.predicted, *([] if strip.annotated is None else [strip.annotated])]
    names = sorted({name for events in shown for name in events["label"]})
    left = max((len(name) for name in names), default=0) * LETTER * 1.1 + 16
    wide = max(WIDE, PER_MINUTE * strip.seconds / 60)
    low = len(names) * ROW + 8
    scale = wide / strip.seconds

    def x(moment: float) -> float:
        return left + (moment - strip.start) * scale

    step = next((tick for tick in TICKS if tick * scale >= MOST_TICKS), TICKS[-1])
    parts: list[Html] = []
    for count in range(int(strip.seconds // step) + 1):
        moment = strip.start + count * step
        parts.append(el("line", x1=x(moment), x2=x(moment), y1=4, y2=low, class_="grid"))
        parts.append(el("text", clock(moment), x=x(moment), y=low + 16, text_anchor="middle"))
    for row, name in enumerate(names):
        top = 8 + row * ROW
        parts.append(el("text", name, x=left - 10, y=top + BAR + 4, text_anchor="end", class_="strong"))
        for kind, events in zip(("predicted", "annotated"), shown, strict=False):
            y = top + (BAR + 2 if kind == "predicted" else 0)
            own = events[events["label"] == name].to_dict("records")
            parts += [_bar(event, kind, x(event["start"]), x(event["end"]), y) for event in own]
    head = el("line", x1=left, x2=left, y1=4, y2=low, class_="playhead")
    return el(
        "svg",
        *parts,
        head,
        class_="events",
        viewBox=f"0 0 {left + wide + 30:.0f} {low + AXIS:.0f}",
        style=f"min-width:{min(left + wide, 1060) if wide == WIDE else left + wide:.0f}px",
        role="img",
        aria_label=f"{counted(len(strip.predicted), 'predicted event')} in {clock(strip.seconds)}",
        data_left=left,
        data_scale=scale,
        data_start=strip.start,
    )


def _bar(event: dict[str, float | str], kind: str, first: float, last: float, y: float) -> Html:
    score = float(event["score"]) if kind == "predicted" else 1.0
    said = f", score {score:.2f}" if kind == "predicted" else ""
    hover = f"{kind}: {event['label']}, {clock(float(event['start']))} to {clock(float(event['end']))}{said}"
    shape = el("rect", x=first, y=y, width=max(last - first, 1.5), height=BAR, fill_opacity=0.25 + 0.75 * score)
    return el("g", el("title", hover), shape, class_=kind)


def _table(strip: Strip) -> Html:
    rows = [
        [
            Cell(f"{clock(event['start'])} – {clock(event['end'])}", event["start"]),  # noqa: RUF001
            Cell(str(event["label"])),
            fixed_cell(event["score"]),
            share_cell(event["reliability"]),
        ]
        for event in strip.predicted.to_dict("records")
    ]
    made = table("Predicted events", ["time", "class", "score", "reliability"], rows, texts=2)
    return el("details", el("summary", f"{counted(len(rows), 'predicted event')} as a table"), made)
