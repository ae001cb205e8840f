"""The report of one run: report.html in its folder, written by `aplt report runs/NAME` and at a run's end."""

import shlex
from pathlib import Path

import numpy as np

from aplt.clips import ROLES
from aplt.display import counted
from aplt.figures import MAIN_FIGURES
from aplt.record import PHASES, Result
from aplt.report.heatmaps import confusion_map, scale
from aplt.report.html import (
    Cell,
    Html,
    el,
    facts,
    figure,
    fixed_cell,
    heading,
    join,
    number_cell,
    page,
    share_cell,
    table,
    tile,
)
from aplt.report.rounds import curves, thresholds
from aplt.report.run import Run, read_run
from aplt.report.words import ABSENT, duration, fixed, percent, share, wilson
from aplt.storage import write_alone

MOST_MISTAKES = 20
MOST_CONFUSIONS = 10


def write_report(run: Path) -> Path:
    """Writes report.html into a run folder, finished or not, and returns its path."""
    read = read_run(run)
    write_alone(read.folder.report, report_html(read))
    return read.folder.report


def report_html(run: Run) -> str:
    """Returns the whole page."""
    parts = [
        ("curves", "Learning, round by round", curves(run)),
        ("thresholds", "Thresholds", thresholds(run)),
        ("classes", "Classes", _classes(run)),
        ("confusions", "Confusions", _confusions(run)),
        ("mistakes", "Most confident mistakes", _mistakes(run)),
        ("settings", "Settings and origin", _settings(run)),
    ]
    lines = [f"{run.told('method')} on {run.told('encoder')}", f"seed {run.told('seed')}"]
    if run.counts:
        lines.append(f"{run.counts['labeled']:,d} labeled of {counted(sum(run.counts.values()), 'clip')}")
    notice = None
    if run.result is None:
        notice = el("p", el("strong", "This run is unfinished: "), _progress(run), class_="notice")
    summary = [el("dl", *_tiles(run), class_="tiles"), _roles(run), facts(_facts(run))]
    title = f"{run.name} – aplt report"  # noqa: RUF001
    return page(title, heading("aplt run report", run.name, lines, notice), parts, summary)


def _progress(run: Run) -> str:
    """Returns how far an unfinished run is, as the rest of a sentence, and how it goes on."""
    planned = f" of {run.planned_rounds}" if run.planned_rounds else ""
    done = len(run.rounds)
    verb = "round is" if (run.planned_rounds or done) == 1 else "rounds are"
    rest = f"If it was stopped, aplt train --resume {shlex.quote(str(run.folder.path))} continues it."
    return f"{done}{planned} {verb} done and there is no result.json; this is what the folder holds so far. {rest}"


def _tiles(run: Run) -> list[Html]:
    tiles = []
    if run.result is not None:
        tiles += _test_tiles(run.result)
    elif run.last_watched is not None:
        note = f"on the {run.last_watched.role} clips, after the last round so far"
        tiles += [
            tile(f"Watched {figure.title}", percent(value), note) for figure, value in run.last_watched.figures.shown()
        ]
    pseudo = run.last_pseudo
    if pseudo is not None:
        accepted, known = sum(pseudo.accepted), sum(pseudo.known)
        note = f"{counted(accepted, 'pseudo-label')} accepted in the last round"
        if known < accepted:
            note += f"; {known:,d} of them with a known truth" if known else "; hidden truth unknown"
        tiles.append(tile("Pseudo-label precision", percent(pseudo.precision), note))
        tiles.append(tile("Pseudo-label coverage", percent(pseudo.coverage), "of the unlabeled clips, last round"))
    spent = run.seconds
    note = f"{percent(share(spent.offline, spent.total))} of it offline" if spent.offline else "no offline phase"
    tiles.append(tile("Time", duration(spent.total), note))
    return tiles


def _test_tiles(result: Result) -> list[Html]:
    figures = result.test
    if figures is None or not figures.clips:
        missing = "no test clip has a label" if result.counts.test else "this run has no test clips"
        return [tile("Test top-1", ABSENT, missing)]
    low, high = wilson(figures.top1, figures.clips)
    notes = {
        "top1": f"95\u00a0% interval {low * 100:.1f} to {percent(high)}, {counted(figures.clips, 'clip')}",
        "top5": f"{result.counts.classes} classes",
        "macro_f1": "mean F1 over classes",
        "group_top1": "the class's group is right",
        "f1_mean": "of classes and groups, macro and micro",
    }
    if unscored := result.counts.test - figures.clips:
        notes["top1"] += f"; {unscored:,d} more without a label"
    values = {name: getattr(figures, name) for name in MAIN_FIGURES}
    return [
        tile(f"Test {MAIN_FIGURES[name].title}", percent(value), notes.get(name, ""))
        for name, value in values.items()
        if value is not None
    ]


def _roles(run: Run) -> Html | None:
    counts = run.counts
    if not counts or not sum(counts.values()):
        return None
    shown = [role for role in ROLES if counts[role]]
    track = [el("span", class_=role, style=f"flex-grow:{counts[role]}") for role in shown]
    items = [el("li", f"{role} {counts[role]:,d}", class_=role) for role in shown]
    bar = el("div", *track, class_="track", aria_hidden="true")
    return el("div", bar, el("ul", *items, aria_label="Clips by role"), class_="roles")


def _facts(run: Run) -> list[tuple[str, str | None]]:
    result, counts, spent = run.result, run.counts, run.seconds
    labeled = None
    if counts:
        training = counts["labeled"] + counts["unlabeled"]
        labeled = f"{counts['labeled']:,d} of {counted(training, 'clip')} for training"
        labeled += f" ({percent(share(counts['labeled'], training))})"
    phases = ", ".join(
        f"{phase} {duration(seconds)} ({percent(share(seconds, spent.total))})"
        for phase in PHASES
        if (seconds := getattr(spent, phase))
    )
    found: list[tuple[str, str | None]] = [("Labels", labeled), ("Time by phase", phases or None)]
    if result is None:
        return found
    labeled = f"{labeled}, {percent(result.labeled_fraction)} of those whose label is known"
    if result.labeled_asked is not None:
        labeled += f"; asked for {percent(result.labeled_asked)}"
    others = [
        ("Test, besides", result.test, False),
        ("Validation", result.val, True),
        ("Unlabeled clips of known label", result.unlabeled, True),
    ]
    each = {
        title: ", ".join(
            f"{figure.title} {percent(value) if figure.share else fixed(value)}"
            for figure, value in figures.shown(main=main)
        )
        for title, figures, main in others
        if figures is not None
    }
    interval = "Wilson's, for these test clips; it knows nothing of other seeds, nor that one person's clips are alike"
    return [
        ("Labels", labeled),
        *each.items(),
        ("Time by phase", phases or None),
        ("Model", f"{counted(result.parameters, 'parameter')}, {counted(result.steps, 'step')}"),
        ("95\u00a0% interval", interval if result.test else None),
    ]


def _classes(run: Run) -> Html | None:
    if not run.classes:
        return None
    result, pseudo = run.result, run.last_pseudo
    scored = {one.name: one for one in result.test.per_class} if result and result.test else {}
    cells = [
        [
            Cell(name),
            number_cell(result.labeled_per_class[k] if result else None),
            number_cell(getattr(scored.get(name), "clips", None)),
            *(share_cell(getattr(scored.get(name), figure, None)) for figure in ("precision", "recall")),
            share_cell(getattr(scored.get(name), "f1", None), bar=True),
            number_cell(pseudo.accepted[k] if pseudo else None),
            share_cell(share(pseudo.correct[k], pseudo.known[k]) if pseudo else None, bar=True),
            fixed_cell(pseudo.threshold[k] if pseudo else None),
        ]
        for k, name in enumerate(run.classes)
    ]
    columns = ["Class", "Labeled clips", "Test clips", "Precision", "Recall", "F1"]
    columns += ["Accepted pseudo-labels", "Their precision", "Threshold"]
    caption = "Labels used, test figures and pseudo-labels of the last round by class; click a header to sort."
    if result is None:
        caption += " Class names follow when the run is finished."
    return table(caption, columns, cells, kind="by-class")


def _confusions(run: Run) -> Html | None:
    matrix = run.confusion
    if matrix is None:
        return None
    caption = (
        "Test clips by true class (down) and predicted class (across), counted in predictions.csv; the color is "
        "the share of the true class's clips, so a perfect model colors the diagonal only."
    )
    drawn = join([scale("0\u00a0%", "100\u00a0% of the true class"), confusion_map(matrix, run.classes)])
    return join([figure("Confusion matrix", drawn, caption, wide=True), _pairs(run, matrix)])


def _pairs(run: Run, matrix: np.ndarray) -> Html | None:
    off = matrix * (1 - np.eye(len(matrix), dtype=matrix.dtype))
    order = np.argsort(-off, axis=None, kind="stable")[:MOST_CONFUSIONS]
    places = [np.unravel_index(place, off.shape) for place in order if off.flat[place]]
    if not places:
        return None
    totals = matrix.sum(axis=1)
    rows = [
        [
            Cell(run.classes[truth]),
            Cell(run.classes[guess]),
            number_cell(int(off[truth, guess])),
            share_cell(float(off[truth, guess] / totals[truth])),
        ]
        for truth, guess in places
    ]
    columns = ["True class", "Taken for", "Clips", "Share of the true class"]
    return table("The most frequent confusions of the matrix.", columns, rows, texts=2)


def _mistakes(run: Run) -> Html | None:
    found = run.predictions
    if found is None or found.empty:
        return None
    wrong = found[found["truth"] != found["prediction_1"]].sort_values("score_1", ascending=False, kind="stable")
    if wrong.empty:
        return el("p", "Every test clip was recognized.", class_="missing")
    guesses = [name for name in wrong.columns if name.startswith("prediction_")]
    rows = []
    for row in wrong.head(MOST_MISTAKES).to_dict("records"):
        rank = next((place for place, name in enumerate(guesses, 1) if row[name] == row["truth"]), None)
        guess = Cell(f"guess {rank}" if rank else "not among them", rank or np.inf)
        named = [Cell(row[name]) for name in ("id", "truth", "prediction_1")]
        rows.append([*named, fixed_cell(float(row["score_1"])), guess])
    caption = (
        "Wrong predictions with the highest scores on the test clips, from predictions.csv: worth a look, because "
        "a wrong label in the index shows up here first."
    )
    columns = ["Clip", "Truth", "Prediction", "Score", "Truth among the top guesses"]
    return table(caption, columns, rows, texts=3)


def _settings(run: Run) -> Html | None:
    parts: list[Html] = []
    if run.config_text is not None:
        summary_ = el("summary", "config.yaml: every setting; ", el("code", "aplt train"), " on it repeats the run")
        parts.append(el("details", summary_, el("pre", el("code", run.config_text))))
    if run.result is not None:
        for title, pairs in (("Versions", run.result.versions), ("Digests", run.result.digests)):
            parts.append(el("div", el("h3", title), facts(list(pairs.items()))))
    return join(parts) if parts else None
