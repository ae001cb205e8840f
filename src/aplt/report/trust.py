"""How far scores can be trusted: a reliability diagram of the clips that training did not know."""

import numpy as np

from aplt.display import counted
from aplt.report.charts import HEIGHT, Plane, drawing, tick_percent
from aplt.report.html import Html, el, figure
from aplt.report.run import Run
from aplt.report.words import percent, wilson

BINS = 10
WHOSE = {"val": "validation clips", "test": "test clips"}
CAPTION = (
    "Of the {whose}, which training did not know: how many were right (up) at which score of the best class (across), "
    "in ten equal ranges, with 95\u00a0% intervals; the small numbers count clips. On the dashed line a score says how "
    "often it is right; below it, scores claim too much. The reliability of a label is what is read off such a curve "
    "at its score, made smooth so that it never falls: how often labels like it are right. The calibration error is "
    "the mean distance from the dashed line, each clip counted once. Of clips of no trained class it says nothing."
)


def reliability(run: Run) -> Html | None:
    """Returns the diagram of stated score against how often it is right; None where no clip was held out."""
    held = run.held_out
    if held is None or held.empty:
        return None
    score, right = held["score"].to_numpy(dtype=np.float64), (held["truth"] == held["label"]).to_numpy()
    bins = np.minimum((score * BINS).astype(np.int64), BINS - 1)
    plane = Plane(0.0, 1.0, [k / 5 for k in range(6)])
    across = [(k / 5, tick_percent(k / 5)) for k in range(6)]
    body = [plane.axes(across, "score of the best class", tick_percent)]
    line = f"M{plane.x(0):.1f} {plane.y(0):.1f}L{plane.x(1):.1f} {plane.y(1):.1f}"
    body.append(el("path", d=line, class_="bound"))
    spoken = []
    for k in np.unique(bins).tolist():
        own = bins == k
        clips, stated, rate = int(own.sum()), float(score[own].mean()), float(right[own].mean())
        low, high = wilson(rate, clips)
        said = f"score {percent(stated)} on average: {percent(rate)} of {counted(clips, 'clip')} right"
        spoken.append(said)
        x = plane.x(stated)
        body.append(
            el(
                "g",
                el("title", f"{said} (95\u00a0% interval {percent(low)} to {percent(high)})"),
                el("path", d=f"M{x:.1f} {plane.y(low):.1f}V{plane.y(high):.1f}", class_="whisker"),
                el("circle", cx=x, cy=plane.y(rate), r=3.4, class_="mark"),
                el("text", f"{clips:,d}", x=x + 7, y=plane.y(rate) - 6),
                el("circle", cx=x, cy=plane.y(rate), r=9, class_="target"),
                class_="s0",
            )
        )
    whose = WHOSE.get(held["of"].iloc[0], "labeled clips by folds")
    title = "Score and how often it is right"
    svg = drawing(body, plane.x(1) + 14, HEIGHT, f"{title}. {'; '.join(spoken)}.", "curves")
    return el("div", figure(title, svg, CAPTION.format(whose=f"{len(held):,d} {whose}")), class_="figures")
