"""Whether the unlabeled clips helped: a run beside one of the same budget that did without them."""

import math
import shlex
from pathlib import Path

from aplt.errors import InputError
from aplt.figures import MAIN_FIGURES
from aplt.report.html import Cell, Html, el, join, share_cell, table
from aplt.report.run import Run
from aplt.report.words import Z
from aplt.storage import neighbor


def helped(run: Run, beside: Run | None) -> Html | None:
    """Returns what a run gained on its test clips over the one beside it, or how to find out; else None."""
    if beside is not None:
        return _gain(run, beside)
    if (
        run.result is None
        or run.result.test is None
        or run.result.method == "supervised"
        or not run.result.counts.unlabeled
    ):
        return None
    folder, other = run.folder.path, neighbor(run.folder.path, "-supervised")
    runs = "" if other.parent == Path("runs") else f" --runs {shlex.quote(str(other.parent))}"
    words = (
        f"aplt train {shlex.quote(str(run.folder.config))} --method supervised --name {shlex.quote(other.name)}{runs}",
        f"aplt report {shlex.quote(str(folder))} --beside {shlex.quote(str(other))}",
    )
    told = "This page cannot say yet. A training with the labels alone, of as many steps, shows it:"
    return join([el("p", told, class_="missing"), el("pre", el("code", "\n".join(words)))])


def _gain(run: Run, beside: Run) -> Html:
    mine, other = _right(run), _right(beside)
    if mine.keys() != other.keys():
        raise InputError(f"{beside.folder.path}: its test clips are not those of {run.folder.path}")
    won = sum(mine[id_] and not other[id_] for id_ in mine)
    lost = sum(other[id_] and not mine[id_] for id_ in mine)
    low, high = paired_interval(won, lost, len(mine))
    gain = 100 * (won - lost) / len(mine)
    answer = "These test clips cannot tell: " if low <= 0 <= high else "Yes: " if low > 0 else "No, they did harm: "
    told = (
        f"{gain:+.1f} points of top-1 over {beside.name} (95\u00a0% interval {100 * low:+.1f} to {100 * high:+.1f}). "
        f"Of {len(mine):,d} test clips {won:,d} are right only here, {lost:,d} only there. One training each; "
        "aplt compare repeats them with other seeds and splits."
    )
    rows = []
    for name, figure in MAIN_FIGURES.items():
        values = [getattr(one.result.test, name) for one in (run, beside) if one.result and one.result.test]
        if None not in values:
            more = 100 * (values[0] - values[1])
            rows.append([Cell(figure.title), *map(share_cell, values), Cell(f"{more:+.1f}", more)])
    columns = ["On the test clips", run.name, beside.name, "Difference in points"]
    shown = table(f"{run.name} and, beside it, {beside.name} ({beside.told('method')}).", columns, rows)
    return join([el("p", el("strong", answer), told), _unlike(run, beside), shown])


def paired_interval(won: int, lost: int, clips: int) -> tuple[float, float]:
    """Returns the 95 % interval of the difference of two shares of the same clips, right in one of them `won`, `lost`.

    Source: A. Agresti, Y. Min, Simple improved confidence intervals for comparing matched proportions, Statistics in
    Medicine 2005: Wald's with half a clip more in each cell of the table.
    """
    b, c, n = won + 0.5, lost + 0.5, clips + 2
    center = (b - c) / n
    half = Z * math.sqrt(b + c - (b - c) ** 2 / n) / n
    return center - half, center + half


def _right(run: Run) -> dict[tuple[str, str], bool]:
    """Returns whether each test clip of known label, by id and label, is right."""
    if run.result is None or run.predictions is None or run.predictions.empty:
        raise InputError(f"{run.folder.path}: no test clips of known label to compare; is it finished?")
    found = run.predictions
    right = (found["truth"] == found["prediction_1"]).tolist()
    return dict(zip(zip(found["id"], found["truth"], strict=True), right, strict=True))


def _unlike(run: Run, beside: Run) -> Html | None:
    """Returns what else than the method the two runs differ in, as far as it is told; None: nothing."""
    if run.result is None or beside.result is None:
        return None
    one, other = run.result, beside.result
    values = {name: (getattr(one, name), getattr(other, name)) for name in ("encoder", "seed", "steps")}
    unlike = [f"{name} ({mine} and {theirs})" for name, (mine, theirs) in values.items() if mine != theirs]
    if one.digests.get("split") != other.digests.get("split"):
        unlike.append("which clips are labeled")
    told = f"The two differ in more than the method: {', '.join(unlike)}; so the difference is not the method's alone."
    return el("p", told, class_="missing") if unlike else None
