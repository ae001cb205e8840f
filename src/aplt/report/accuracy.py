"""Accuracy by share of labels, and by method where there is one share, as inline SVG."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aplt.report.curves import (
    BOTTOM,
    COLORS,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    grid,
    legend,
    line,
    marker,
    nice_ticks,
    others_item,
    pale_line,
    tick_percent,
)
from aplt.report.heat import LETTER
from aplt.report.markup import Html, el, join
from aplt.report.words import Spread, percent, share_text

DODGE = 5.0
"""Distance between neighboring methods' bars at one share, so that none hides another."""
ROW = 24.0
BOUND = "all labels"


@dataclass(frozen=True)
class Series:
    """A method's accuracy by share of labels, ascending; `place` is that of its color among all methods."""

    name: str
    place: int
    points: list[tuple[float, Spread]]


def efficiency_chart(
    series: Sequence[Series], bound: Spread | None, *, title: str, pale: Sequence[Series] = ()
) -> Html:
    """Returns a legend and accuracies with their deviations by share on a log axis; the bound is a dashed line.

    Args:
        series: at least one.
        bound: that of all labels.
        title: what is drawn, for the text alternative.
        pale: drawn behind as thin gray means that tell their names on hovering.
    """
    shares = sorted({share for one in [*series, *pale] for share, _ in one.points})
    means = [Spread(spread.mean, None, spread.count) for one in pale for _, spread in one.points]
    ticks = _ticks([*means, *(spread for one in series for _, spread in one.points)], bound)
    margin = DODGE * len(series) / 2 + 12
    first, last = math.log(shares[0]), math.log(shares[-1])

    def at(share: float, accuracy: float) -> tuple[float, float]:
        across = (math.log(share) - first) / (last - first)
        up = (accuracy - ticks[0]) / (ticks[-1] - ticks[0])
        x = LEFT + margin + across * (WIDTH - LEFT - RIGHT - 2 * margin)
        return x, HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    axis = [
        el("text", share_text(share), x=x, y=y + 17, text_anchor="middle")
        for share in shares
        for x, y in [at(share, ticks[0])]
    ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    axis.append(el("text", "share of labels asked for", x=middle, y=HEIGHT - 5, text_anchor="middle", class_="axis"))
    drawn = [grid(lambda _, y: at(shares[0], y), ticks, True), *axis]
    if bound is not None:
        height = at(shares[0], bound.mean)[1]
        told = el("title", f"{BOUND}: {percent(bound.mean)}")
        drawn.append(el("g", told, el("path", d=f"M{LEFT} {height:.1f}H{WIDTH - RIGHT}", class_="bound")))
    for one in pale:
        places = [at(share, spread.mean) for share, spread in one.points]
        drawn.append(pale_line(f"{one.name}: {_spoken(one)}", places))
    for number, one in enumerate(series):
        shift = (number - (len(series) - 1) / 2) * DODGE
        shifted = [(at(share, spread.mean)[0] + shift, share, spread) for share, spread in one.points]
        path = "M" + "L".join(f"{x:.1f} {at(share, spread.mean)[1]:.1f}" for x, share, spread in shifted)
        marks = [_point(one, x, at, share, spread) for x, share, spread in shifted]
        drawn.append(el("g", line(one.place, path), *marks, class_=f"s{one.place % COLORS}"))
    spoken = "; ".join(f"{one.name}: {_spoken(one)}" for one in [*series, *pale])
    items = [*others_item(len(pale)), *([_bound_item()] if bound is not None else [])]
    svg = _drawing(drawn, WIDTH, HEIGHT, f"{title} by share of labels, in percent. {spoken}.", "curves")
    return join([legend([(one.place, one.name) for one in series], *items), svg])


def method_chart(
    rows: Sequence[tuple[str, Spread, Sequence[float]]], bound: Spread | None, reference: str, *, title: str
) -> Html:
    """Returns a row a method: its mean and deviation, and each cell's accuracy as a small ring.

    Args:
        rows: name, spread and the accuracies it is made of.
        bound: that of all labels, a dashed line.
        reference: the method whose mean is drawn through all rows.
        title: what is drawn, for the text alternative.
    """
    single = [Spread(value, None, 1) for _, _, values in rows for value in values]
    ticks = _ticks([*single, *(spread for _, spread, _ in rows)], bound)
    left = max(len(name) for name, _, _ in rows) * LETTER * 1.1 + 16
    width, height = left + 620.0, len(rows) * ROW + 46

    def x_of(accuracy: float) -> float:
        return left + (accuracy - ticks[0]) / (ticks[-1] - ticks[0]) * (width - left - 24)

    drawn = []
    for tick in ticks:
        drawn.append(el("line", x1=x_of(tick), x2=x_of(tick), y1=8, y2=height - 34, class_="grid"))
        drawn.append(el("text", tick_percent(tick), x=x_of(tick), y=height - 18, text_anchor="middle"))
    for name, spread, _ in rows:
        if name == reference:
            drawn.append(el("path", d=f"M{x_of(spread.mean):.1f} 8V{height - 34:.1f}", class_="reference"))
    if bound is not None:
        all_labels = el("title", f"{BOUND}: {percent(bound.mean)}")
        drawn.append(el("g", all_labels, el("path", d=f"M{x_of(bound.mean):.1f} 8V{height - 34:.1f}", class_="bound")))
    for number, (name, spread, values) in enumerate(rows):
        y = 8 + (number + 0.5) * ROW
        reach = spread.deviation or 0.0
        ends = x_of(spread.mean - reach), x_of(spread.mean + reach)
        drawn.append(el("text", name, x=left - 10, y=y + 4, text_anchor="end", class_="strong"))
        rings = [el("circle", cx=x_of(value), cy=y, r=2.6, class_="ring") for value in values]
        bar = el("path", d=f"M{ends[0]:.1f} {y:.1f}H{ends[1]:.1f}", class_="whisker")
        color = "s1" if name == reference else "s0"
        told = el("title", f"{name}: {spread.text()} % ({spread.count})")
        drawn.append(el("g", told, *rings, bar, marker(0, x_of(spread.mean), y), class_=color))
    spoken = "; ".join(f"{name}: {spread.text()}" for name, spread, _ in rows)
    items = [el("li", el("span", class_="swatch reference"), reference)]
    if bound is not None:
        items.append(_bound_item())
    svg = _drawing(drawn, width, height, f"{title} by method, in percent. {spoken}.", "methods")
    return join([legend([], *items), svg])


def _spoken(one: Series) -> str:
    return ", ".join(f"{spread.text()} at {share_text(share)}" for share, spread in one.points)


def _point(
    one: Series, x: float, at: Callable[[float, float], tuple[float, float]], share: float, spread: Spread
) -> Html:
    y = at(share, spread.mean)[1]
    reach = spread.deviation or 0.0
    low, high = at(share, spread.mean - reach)[1], at(share, spread.mean + reach)[1]
    return el(
        "g",
        el("title", f"{one.name}, {share_text(share)} labeled: {spread.text()} % ({spread.count})"),
        el("path", d=f"M{x:.1f} {low:.1f}V{high:.1f}", class_="whisker"),
        marker(one.place, x, y),
        el("circle", cx=x, cy=y, r=9, class_="target"),
    )


def _ticks(spreads: Sequence[Spread], bound: Spread | None) -> list[float]:
    reaches = [(spread.mean, spread.deviation or 0.0) for spread in spreads]
    if bound is not None:
        reaches.append((bound.mean, 0.0))
    return nice_ticks(min(mean - reach for mean, reach in reaches), max(mean + reach for mean, reach in reaches))


def _bound_item() -> Html:
    return el("li", el("span", class_="swatch bound"), BOUND)


def _drawing(parts: Sequence[Html], width: float, height: float, spoken: str, kind: str) -> Html:
    return el("svg", *parts, class_=kind, viewBox=f"0 0 {width:.0f} {height:.0f}", role="img", aria_label=spoken)
