"""The charts of the pages, as inline SVG.

Drawn here, since these drawings take the page's colors (and so follow light, dark and print), show each value on
pointing at it, weigh a few kilobytes and can be saved as SVG or PNG (page.js); a library's page would carry megabytes.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from aplt.display import counted, share_text
from aplt.report.html import Html, el, join
from aplt.report.words import Spread, number, percent

WIDTH, HEIGHT = 520, 280
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 40
COLORS = 6
# Dash and marker tell two curves apart where color cannot: in print, and for the color-blind.
# A seventh curve has the first one's color again but not its dash.
DASHES = (None, "7 4", "2 3", "9 3 2 3", "12 4", "4 2")
MARKERS = {  # None: a circle
    0: None,
    1: ((-3.1, -3.1), (3.1, -3.1), (3.1, 3.1), (-3.1, 3.1)),
    2: ((0, -4.2), (4.2, 3.2), (-4.2, 3.2)),
    3: ((0, -4.6), (4.6, 0), (0, 4.6), (-4.6, 0)),
}
MOST_CURVES = 8  # more in one chart cannot be hover apart
MARKED_ROUNDS = 40  # with more the markers would hide the curve
DODGE = 5.0  # between the bars of neighboring methods at one share, so that none hides another
ROW = 24.0
LETTER = 6.3  # width of a letter at the labels' size of 11, in units of the drawing
BOUND = "all labels"


@dataclass(frozen=True)
class Curve:
    """A name and its points (round, value); values that are not finite are left out."""

    name: str
    points: list[tuple[int, float]]

    @classmethod
    def of(cls, name: str, values: Iterable[tuple[int, float | None]]) -> "Curve":
        """Returns a curve of the values that exist."""
        return cls(name, [(x, float(y)) for x, y in values if y is not None and math.isfinite(y)])


@dataclass(frozen=True)
class Series:
    """A method's accuracy by share of labels, ascending; `place` is that of its color among all methods."""

    name: str
    place: int
    points: list[tuple[float, Spread]]


@dataclass(frozen=True)
class Plane:
    """The area of a chart between its axes: x from `first` to `last` between margins, y over the ticks."""

    first: float
    last: float
    ticks: Sequence[float]
    margin: float = 0.0

    def x(self, value: float) -> float:
        """Returns the place of a value on the horizontal axis."""
        across = (value - self.first) / (self.last - self.first)
        return LEFT + self.margin + across * (WIDTH - LEFT - RIGHT - 2 * self.margin)

    def y(self, value: float) -> float:
        """Returns the place of a value on the vertical axis."""
        up = (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])
        return HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    def axes(self, labels: Sequence[tuple[float, str]], name: str, write: Callable[[float], str]) -> Html:
        """Returns the lines at the ticks with their values, the labels (x, text) below, and the axis' name."""
        parts = []
        for tick in self.ticks:
            y = self.y(tick)
            parts.append(el("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"))
            parts.append(el("text", write(tick), x=LEFT - 8, y=y + 4, text_anchor="end"))
        low = self.y(self.ticks[0]) + 17
        for value, text in labels:
            inside = WIDTH - LETTER * (len(text) + 1) / 2  # else the last one would be cut
            parts.append(el("text", text, x=min(self.x(value), inside), y=low, text_anchor="middle"))
        middle = (LEFT + WIDTH - RIGHT) / 2
        return join([*parts, el("text", name, x=middle, y=HEIGHT - 5, text_anchor="middle", class_="axis")])


def line_chart(
    curves: Sequence[Curve],
    *,
    title: str,
    in_percent: bool,
    warm_up: int = 0,
    pale: Sequence[Curve] = (),
    level: tuple[str, float] | None = None,
    by: str = "round",
    from_zero: bool = True,
) -> Html:
    """Returns a legend and a chart of curves, by round or what else is counted.

    Args:
        curves: at least one point among them; those without any keep their place in colors but are not drawn.
        title: what is drawn, for the text alternative.
        in_percent: the values are shares, 0 to 1.
        warm_up: how many first rounds to shade.
        pale: drawn behind as thin gray lines that show their names on pointing at them.
        level: the name and the place of a dashed line across.
        by: what the horizontal axis counts.
        from_zero: the vertical axis begins at zero, or lower, rather than near the lowest value.
    """
    points = [point for curve in (*curves, *pale) for point in curve.points]
    first, last = min(1, *(x for x, _ in points)), max(x for x, _ in points)
    half = 0.5 if first == last else 0.0
    heights = [y for _, y in points] + ([] if level is None else [level[1]])
    # A level curve has a range, too.
    ticks = nice_ticks(min(*heights, 0.0 if from_zero else max(heights) - 0.01), max(heights))
    plane = Plane(first - half, last + half, ticks)
    write: Callable[[float], str] = percent if in_percent else number
    most = min(12, int((WIDTH - LEFT - RIGHT) / (LETTER * (len(f"{last:,d}") + 2))))
    step = next(s for power in count() for s in (10**power, 2 * 10**power, 5 * 10**power) if last - first <= most * s)
    labels = [(float(x), f"{x:,d}") for x in range(first + -first % step, last + 1, step)]
    drawn = [(place, curve) for place, curve in enumerate(curves) if curve.points]
    behind = [curve for curve in pale if curve.points]
    shade = None
    if warm_up and first - half < warm_up + 0.5:
        # The boundary is between the last warm-up round and the next.
        end = min(plane.x(warm_up + 0.5), WIDTH - RIGHT) - LEFT
        shade = el("rect", x=LEFT, y=TOP, width=end, height=HEIGHT - TOP - BOTTOM, class_="warm-up")
    body = [shade, plane.axes(labels, by, tick_percent if in_percent else number)]
    if level is not None:
        body.append(_level(*level, f"M{LEFT} {plane.y(level[1]):.1f}H{WIDTH - RIGHT}"))
    body += [
        _pale_line(_spoken(curve, write, by), [(plane.x(x), plane.y(y)) for x, y in curve.points]) for curve in behind
    ]
    for place, curve in drawn:
        places = [(plane.x(x), plane.y(y)) for x, y in curve.points]
        shape = place if len(curve.points) <= MARKED_ROUNDS else None
        hover = [f"{curve.name}, {by} {x}: {write(y)}" for x, y in curve.points]
        marks = [_point(text, shape, *where) for text, where in zip(hover, places, strict=True)]
        body.append(el("g", _line(place, _path(places)), *marks, class_=f"s{place % COLORS}"))
    spoken = "; ".join(_spoken(curve, write, by) for curve in (*(curve for _, curve in drawn), *behind))
    shaded = [el("li", el("span", class_="swatch shade"), "warm-up")] if warm_up else []
    items = [*_others(len(behind)), *_level_item(level[0] if level else None), *shaded]
    svg = drawing(body, WIDTH, HEIGHT, f"{title} by {by}. {spoken}.", "curves")
    return join([_legend([(place, curve.name) for place, curve in drawn], *items), svg])


def efficiency_chart(
    series: Sequence[Series], bound: Spread | None, *, title: str, pale: Sequence[Series] = ()
) -> Html:
    """Returns a legend and accuracies with their deviations by share on a log axis; the bound is a dashed line.

    The `pale` series are drawn behind as thin gray means that show their names on pointing at them.
    """
    shares = sorted({share for one in [*series, *pale] for share, _ in one.points})
    means = [Spread(spread.mean, None, spread.count) for one in pale for _, spread in one.points]
    ticks = _spread_ticks([*means, *(spread for one in series for _, spread in one.points)], bound)
    plane = Plane(math.log(shares[0]), math.log(shares[-1]), ticks, margin=DODGE * len(series) / 2 + 12)
    labels = [(math.log(share), share_text(share)) for share in shares]
    body = [plane.axes(labels, "share of labels asked for", tick_percent)]
    if bound is not None:
        body.append(_level(BOUND, bound.mean, f"M{LEFT} {plane.y(bound.mean):.1f}H{WIDTH - RIGHT}"))
    for one in pale:
        places = [(plane.x(math.log(share)), plane.y(spread.mean)) for share, spread in one.points]
        body.append(_pale_line(f"{one.name}: {_by_share(one)}", places))
    for number_, one in enumerate(series):
        shift = (number_ - (len(series) - 1) / 2) * DODGE
        places = [(plane.x(math.log(share)) + shift, plane.y(spread.mean)) for share, spread in one.points]
        marks = []
        for (share, spread), (x, y) in zip(one.points, places, strict=True):
            reach = spread.deviation or 0.0
            ends = plane.y(spread.mean - reach), plane.y(spread.mean + reach)
            whisker = el("path", d=f"M{x:.1f} {ends[0]:.1f}V{ends[1]:.1f}", class_="whisker")
            hover = f"{one.name}, {share_text(share)} labeled: {spread.text()} % ({spread.count})"
            marks.append(_point(hover, one.place, x, y, whisker))
        body.append(el("g", _line(one.place, _path(places)), *marks, class_=f"s{one.place % COLORS}"))
    spoken = "; ".join(f"{one.name}: {_by_share(one)}" for one in [*series, *pale])
    items = [*_others(len(pale)), *_level_item(BOUND if bound else None)]
    svg = drawing(body, WIDTH, HEIGHT, f"{title} by share of labels, in percent. {spoken}.", "curves")
    return join([_legend([(one.place, one.name) for one in series], *items), svg])


def method_chart(
    rows: Sequence[tuple[str, Spread, Sequence[float]]], bound: Spread | None, reference: str, *, title: str
) -> Html:
    """Returns one row per method (name, spread, accuracies): mean, deviation, and each cell as a small ring.

    The bound, that of all labels, is a dashed line; the mean of the reference is drawn through all rows.
    """
    single = [Spread(value, None, 1) for _, _, values in rows for value in values]
    ticks = _spread_ticks([*single, *(spread for _, spread, _ in rows)], bound)
    left = max(len(name) for name, _, _ in rows) * LETTER * 1.1 + 16
    width, height = left + 620.0, len(rows) * ROW + 46
    low = height - 34

    def x_of(accuracy: float) -> float:
        return left + (accuracy - ticks[0]) / (ticks[-1] - ticks[0]) * (width - left - 24)

    body = []
    for tick in ticks:
        body.append(el("line", x1=x_of(tick), x2=x_of(tick), y1=8, y2=low, class_="grid"))
        body.append(el("text", tick_percent(tick), x=x_of(tick), y=height - 18, text_anchor="middle"))
    for name, spread, _ in rows:
        if name == reference:
            body.append(el("path", d=f"M{x_of(spread.mean):.1f} 8V{low:.1f}", class_="reference"))
    if bound is not None:
        body.append(_level(BOUND, bound.mean, f"M{x_of(bound.mean):.1f} 8V{low:.1f}"))
    for number_, (name, spread, values) in enumerate(rows):
        y, reach = 8 + (number_ + 0.5) * ROW, spread.deviation or 0.0
        ends = x_of(spread.mean - reach), x_of(spread.mean + reach)
        rings = [el("circle", cx=x_of(value), cy=y, r=2.6, class_="ring") for value in values]
        bar = el("path", d=f"M{ends[0]:.1f} {y:.1f}H{ends[1]:.1f}", class_="whisker")
        hover = el("title", f"{name}: {spread.text()} % ({spread.count})")
        mark = _marker(0, x_of(spread.mean), y)
        body.append(el("text", name, x=left - 10, y=y + 4, text_anchor="end", class_="strong"))
        body.append(el("g", hover, *rings, bar, mark, class_="s1" if name == reference else "s0"))
    spoken = "; ".join(f"{name}: {spread.text()}" for name, spread, _ in rows)
    items = [el("li", el("span", class_="swatch reference"), reference), *_level_item(BOUND if bound else None)]
    svg = drawing(body, width, height, f"{title} by method, in percent. {spoken}.", "methods")
    return join([_legend([], *items), svg])


def nice_ticks(low: float, high: float) -> list[float]:
    """Returns evenly spaced round numbers, at least two, that span low to high."""
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / 4))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if span / (power * factor) <= 5)
    # A value a rounding error beyond a tick needs no further tick.
    start, stop = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 12) for k in range(start, max(stop, start + 1) + 1)]


def tick_percent(tick: float) -> str:
    """Returns the label of a tick, with as many decimals as it has."""
    whole = round(tick * 100, 6)
    return percent(tick, next(digits for digits in range(7) if round(whole, digits) == whole))


def drawing(parts: Iterable[Html | None], width: float, height: float, spoken: str, kind: str) -> Html:
    """Returns the drawing of parts, with what it shows in words."""
    style = None
    if kind == "heat":  # at its natural size where there is room; well below it the page scrolls it sideways
        style = f"max-width:{width:.0f}px;min-width:min({width:.0f}px,{max(300.0, width * 0.85):.0f}px)"
    box = f"0 0 {width:.0f} {height:.0f}"
    return el("svg", *parts, class_=kind, viewBox=box, role="img", aria_label=spoken, style=style)


def _path(places: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)


def _line(place: int, path: str) -> Html:
    return el("path", d=path, class_="curve", stroke_dasharray=DASHES[(place + place // COLORS) % len(DASHES)])


def _pale_line(hover: str, places: Iterable[tuple[float, float]]) -> Html:
    return el("g", el("title", hover), el("path", d=_path(places), class_="curve"), class_="pale")


def _level(name: str, value: float, path: str) -> Html:
    return el("g", el("title", f"{name}: {percent(value)}"), el("path", d=path, class_="bound"))


def _marker(place: int, x: float, y: float) -> Html:
    corners = MARKERS[place % len(MARKERS)]
    if corners is None:
        return el("circle", cx=x, cy=y, r=3.4, class_="mark")
    return el("path", d=_path((x + dx, y + dy) for dx, dy in corners) + "Z", class_="mark")


def _point(hover: str, place: int | None, x: float, y: float, behind: Html | None = None) -> Html:
    """Returns a point that says something on pointing near it, with the marker of a place unless that is None."""
    marker = None if place is None else _marker(place, x, y)
    return el("g", el("title", hover), behind, marker, el("circle", cx=x, cy=y, r=9, class_="target"))


def _legend(names: Sequence[tuple[int, str]], *more: Html) -> Html:
    items = []
    for place, name in names:
        sign = el("g", _line(place, "M1 7L33 7"), _marker(place, 17, 7), class_=f"s{place % COLORS}")
        items.append(el("li", el("svg", sign, class_="swatch", viewBox="0 0 34 14", aria_hidden="true"), name))
    return el("ul", *items, *more, class_="legend")


def _others(count: int) -> list[Html]:
    return [el("li", el("span", class_="swatch others"), counted(count, "other method"))] if count else []


def _level_item(name: str | None) -> list[Html]:
    return [] if name is None else [el("li", el("span", class_="swatch bound"), name)]


def _spoken(curve: Curve, write: Callable[[float], str], by: str) -> str:
    (first, start), (last, end) = curve.points[0], curve.points[-1]
    return f"{curve.name}: {write(start)} in {by} {first}, {write(end)} in {by} {last}"


def _by_share(one: Series) -> str:
    return ", ".join(f"{spread.text()} at {share_text(share)}" for share, spread in one.points)


def _spread_ticks(spreads: Sequence[Spread], bound: Spread | None) -> list[float]:
    reaches = [(spread.mean, spread.deviation or 0.0) for spread in spreads]
    reaches += [] if bound is None else [(bound.mean, 0.0)]
    return nice_ticks(min(mean - reach for mean, reach in reaches), max(mean + reach for mean, reach in reaches))
