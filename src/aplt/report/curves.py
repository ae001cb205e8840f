"""Curves by round as inline SVG.

Drawn here rather than by matplotlib, whose import alone costs a second and whose drawings carry fixed colors: these
take the page's colors (so they follow light and dark) and tell each value on hovering.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aplt.display import counted
from aplt.report.markup import Html, el, join
from aplt.report.words import number, percent

WIDTH, HEIGHT = 520, 280
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 40
COLORS = 6
# Dash and marker tell two curves apart where color cannot: in print, and for the color-blind.
# A seventh curve has the first one's color again but not its dash.
DASHES = (None, "7 4", "2 3", "9 3 2 3", "12 4", "4 2")
MARKERS = ("circle", "square", "triangle", "diamond")
# Beyond this many curves a figure's cannot be told apart.
MOST_CURVES = 8
# Beyond this many rounds the markers would hide the curve.
MARKED_ROUNDS = 40


@dataclass(frozen=True)
class Curve:
    """One curve: a name and its points (round, value); values that are not finite are left out."""

    name: str
    points: list[tuple[int, float]]

    @classmethod
    def of(cls, name: str, values: Sequence[tuple[int, float | None]]) -> "Curve":
        """Returns a curve of the values that exist."""
        return cls(name, [(x, float(y)) for x, y in values if y is not None and math.isfinite(y)])


def line_chart(
    curves: Sequence[Curve], *, title: str, in_percent: bool, warm_up: int = 0, pale: Sequence[Curve] = ()
) -> Html:
    """Returns a legend and a chart of curves by round.

    Args:
        curves: at least one point among them; those without any keep their place in colors but are not drawn.
        title: what is drawn, for the text alternative.
        in_percent: the values are shares, 0 to 1.
        warm_up: how many first rounds to shade.
        pale: drawn behind as thin gray lines that tell their names on hovering.
    """
    points = [point for curve in (*curves, *pale) for point in curve.points]
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    first = min(first, 1)
    ticks = nice_ticks(min(0.0, *(y for _, y in points)), max(y for _, y in points))
    left, right = (first - 0.5, last + 0.5) if first == last else (first, last)

    def at(x: float, y: float) -> tuple[float, float]:
        across = (x - left) / (right - left)
        up = (y - ticks[0]) / (ticks[-1] - ticks[0])
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    write: Callable[[float], str] = percent if in_percent else number
    drawn = [(place, curve) for place, curve in enumerate(curves) if curve.points]
    marked = last - first <= MARKED_ROUNDS
    body = [
        _warm_up(at, left, warm_up, ticks),
        grid(at, ticks, in_percent),
        _rounds(at, first, last, ticks[0]),
    ]
    behind = [curve for curve in pale if curve.points]
    body += [pale_line(_spoken(curve, write), [at(x, y) for x, y in curve.points]) for curve in behind]
    body += [_curve(place, curve, at, write, marked) for place, curve in drawn]
    spoken = "; ".join(_spoken(curve, write) for curve in (*(curve for _, curve in drawn), *behind))
    svg = el(
        "svg",
        *body,
        class_="curves",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=f"{title} by round. {spoken}.",
    )
    shaded = [el("li", el("span", class_="swatch shade"), "warm-up")] if warm_up else []
    return join([legend([(place, curve.name) for place, curve in drawn], *others_item(len(behind)), *shaded), svg])


def pale_line(told: str, places: Sequence[tuple[float, float]]) -> Html:
    """Returns a thin gray line through these places that tells something on hovering."""
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    return el("g", el("title", told), el("path", d=path, class_="curve"), class_="pale")


def others_item(count: int) -> list[Html]:
    """Returns the legend's item of so many pale lines, if there are any."""
    return [el("li", el("span", class_="swatch others"), counted(count, "other method"))] if count else []


def nice_ticks(low: float, high: float) -> list[float]:
    """Returns evenly spaced round numbers, at least two, that span low to high."""
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / 4))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if span / (power * factor) <= 5)
    # A value a rounding error beyond a tick needs no further tick.
    start, stop = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    stop = max(stop, start + 1)
    return [round(k * step, 12) for k in range(start, stop + 1)]


def grid(at: Callable[[float, float], tuple[float, float]], ticks: list[float], in_percent: bool) -> Html:
    """Returns the horizontal lines at the ticks and their labels; `at` gives the place of (x, y)."""
    lines = []
    for tick in ticks:
        _, y = at(0, tick)
        label = tick_percent(tick) if in_percent else number(tick)
        lines.append(el("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"))
        lines.append(el("text", label, x=LEFT - 8, y=y + 4, text_anchor="end"))
    return join(lines)


def tick_percent(tick: float) -> str:
    """Returns the label of a tick, with as many decimals as it has."""
    whole = round(tick * 100, 6)
    return percent(tick, next(digits for digits in range(7) if round(whole, digits) == whole))


def _rounds(at: Callable[[float, float], tuple[float, float]], first: int, last: int, bottom: float) -> Html:
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10**9) if (last - first) / s <= 12)
    labels = []
    for x in range(first, last + 1):
        if x % step == 0:
            px, py = at(x, bottom)
            labels.append(el("text", str(x), x=px, y=py + 17, text_anchor="middle"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    return join([*labels, el("text", "round", x=middle, y=HEIGHT - 5, text_anchor="middle", class_="axis")])


def _warm_up(
    at: Callable[[float, float], tuple[float, float]], left: float, warm_up: int, ticks: list[float]
) -> Html | None:
    if not warm_up:
        return None
    # The boundary lies between the last warm-up round and the next.
    (start, top), (stop, bottom) = at(left, ticks[-1]), at(warm_up + 0.5, ticks[0])
    stop = min(stop, WIDTH - RIGHT)
    if stop <= start:
        return None
    return el("rect", x=start, y=top, width=stop - start, height=bottom - top, class_="warm-up")


def _spoken(curve: Curve, write: Callable[[float], str]) -> str:
    (first, start), (last, end) = curve.points[0], curve.points[-1]
    return f"{curve.name}: {write(start)} in round {first}, {write(end)} in round {last}"


def _curve(
    place: int,
    curve: Curve,
    at: Callable[[float, float], tuple[float, float]],
    write: Callable[[float], str],
    marked: bool,
) -> Html:
    places = [at(x, y) for x, y in curve.points]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    marks = [
        el(
            "g",
            el("title", f"{curve.name}, round {x}: {write(y)}"),
            marker(place, px, py) if marked else None,
            el("circle", cx=px, cy=py, r=9, class_="target"),
        )
        for (x, y), (px, py) in zip(curve.points, places, strict=True)
    ]
    return el("g", line(place, path), *marks, class_=f"s{place % COLORS}")


def line(place: int, path: str) -> Html:
    """Returns the line of the curve at this place among all, along an SVG path."""
    return el("path", d=path, class_="curve", stroke_dasharray=DASHES[(place + place // COLORS) % len(DASHES)])


def marker(place: int, x: float, y: float) -> Html:
    """Returns the sign of a point of the curve at this place."""
    kind = MARKERS[place % len(MARKERS)]
    if kind == "circle":
        return el("circle", cx=x, cy=y, r=3.4, class_="mark")
    corners = {
        "square": ((-3.1, -3.1), (3.1, -3.1), (3.1, 3.1), (-3.1, 3.1)),
        "triangle": ((0, -4.2), (4.2, 3.2), (-4.2, 3.2)),
        "diamond": ((0, -4.6), (4.6, 0), (0, 4.6), (-4.6, 0)),
    }[kind]
    path = "M" + "L".join(f"{x + dx:.1f} {y + dy:.1f}" for dx, dy in corners) + "Z"
    return el("path", d=path, class_="mark")


def legend(names: Sequence[tuple[int, str]], *more: Html) -> Html:
    """Returns the legend of curves, given as (place, name), and `more` items."""
    items = []
    for place, name in names:
        swatch = el(
            "svg",
            el("g", line(place, "M1 7L33 7"), marker(place, 17, 7), class_=f"s{place % COLORS}"),
            class_="swatch",
            viewBox="0 0 34 14",
            aria_hidden="true",
        )
        items.append(el("li", swatch, name))
    return el("ul", *items, *more, class_="legend")
