"""A page that sets a few runs side by side."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aplt.display import counted
from aplt.errors import InputError
from aplt.report.curves import Curve, line_chart
from aplt.report.layout import Cell, absent, count_cell, document, figure, section, share_cell, table
from aplt.report.markup import el, join
from aplt.report.summary import progress
from aplt.report.tables import Run, read_run
from aplt.report.words import duration, percent, wilson
from aplt.storage import write_text


def write_overview(runs: Sequence[Path], output: Path, title: str) -> Path:
    """Writes a page comparing runs, finished or not, and returns its path.

    Each run's name links to its report.html, relative to the page, where that has been written before.

    Raises:
        InputError: no runs, no run folder among them, or a file in one that cannot be read.
    """
    if not runs:
        raise InputError(f"{output}: an overview needs at least one run folder")
    write_text(output, overview_html([read_run(run) for run in runs], output, title))
    return output


def overview_html(runs: Sequence[Run], output: Path, title: str) -> str:
    """Returns the whole page."""
    names = _names(runs)
    return document(
        title,
        el(
            "header",
            el("p", f"aplt, {counted(len(runs), 'run')} side by side", class_="kind"),
            el("h1", title),
            *(
                el("p", el("strong", f"{name} is unfinished: "), progress(run), class_="notice")
                for name, run in zip(names, runs, strict=True)
                if run.result is None
            ),
        ),
        section("runs", "Final figures", _table(runs, names, output)),
        section("curves", "Learning, round by round", el("div", *_figures(runs, names), class_="figures three")),
    )


def _names(runs: Sequence[Run]) -> list[str]:
    seen = Counter(run.name for run in runs)
    return [run.name if seen[run.name] == 1 else f"{run.folder.path.resolve().parent.name}/{run.name}" for run in runs]


def _table(runs: Sequence[Run], names: Sequence[str], output: Path) -> str:
    rows = []
    for run, name in zip(runs, names, strict=True):
        result, pseudo = run.result or {}, run.last_pseudo or {}
        seconds = run.seconds["total"]
        rows.append(
            [
                Cell(_link(run, name, output)),
                Cell(run.method),
                count_cell(run.counts["labeled"] if run.counts else None),
                _accuracy(run, result),
                share_cell(result.get("macro_f1")),
                share_cell(pseudo.get("precision")),
                share_cell(pseudo.get("coverage")),
                Cell(duration(seconds), seconds),
            ]
        )
    columns = [
        "Run",
        "Method",
        "Labeled clips",
        "Test top-1",
        "Test macro F1",
        "Pseudo-label precision",
        "Pseudo-label coverage",
        "Time",
    ]
    caption = (
        "Test figures with the 95 % interval for the test clips as drawn (Wilson), and pseudo-labels of the "
        "last round; click a header to sort, a run's name for its own report."
    )
    return table(caption, columns, rows, texts=2)


def _link(run: Run, name: str, output: Path) -> str:
    report = run.folder.report
    if not report.exists():
        return name
    relative = Path(os.path.relpath(report.resolve(), output.resolve().parent)).as_posix()
    return el("a", name, href=quote(relative))


def _accuracy(run: Run, result: dict[str, Any]) -> Cell:
    top1 = result.get("top1")
    if top1 is None:
        return share_cell(top1)
    low, high = wilson(top1, run.scored)
    spread = el("small", f" {low * 100:.1f} to {high * 100:.1f}")
    return Cell(join([percent(top1), spread]), top1)


def _figures(runs: Sequence[Run], names: Sequence[str]) -> list[str]:
    roles = {run.watched_role for run in runs} - {None}
    if roles == {"test"}:
        whose = "on the test clips, which are watched for want of a validation split and never choose a model"
    elif roles == {"val"}:
        whose = "on the validation clips"
    else:
        whose = "on each run's validation clips, or its test clips where it has none"
    last = "a curve that still rises at the end asks for more rounds."
    hidden = "it can only be computed where the index holds the hidden truth, which the training never sees."
    return [
        _figure("Watched accuracy", f"Top-1 accuracy by round {whose}; {last}", runs, names, ["watched"], "top1"),
        _figure(
            "Pseudo-label precision",
            f"Share of the accepted pseudo-labels that are right, by round: the offline phase's where the method has "
            f"one, else those that it makes step by step; {hidden}",
            runs,
            names,
            ["pseudo", "online"],
            "precision",
        ),
        _figure(
            "Pseudo-label coverage",
            "Share of the unlabeled clips whose pseudo-label was accepted, by round; more of it at the same "
            "precision means more to learn from.",
            runs,
            names,
            ["pseudo", "online"],
            "coverage",
        ),
    ]


def _figure(
    title: str, caption: str, runs: Sequence[Run], names: Sequence[str], groups: Sequence[str], key: str
) -> str:
    """Returns the curves of `key` in the first of the groups that a run's rounds have."""
    curves = []
    for run, name in zip(runs, names, strict=True):
        group = next((group for group in groups if any(line.get(group) for line in run.rounds)), groups[0])
        points = [(line["round"], (line.get(group) or {}).get(key)) for line in run.rounds]
        curves.append(Curve.of(name, points))
    if not any(curve.points for curve in curves):
        return absent(title, "None of these runs recorded it.")
    return figure(title, line_chart(curves, title=title, in_percent=True), caption)
