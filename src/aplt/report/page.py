"""The report of one run: report.html in its folder, written by `aplt report runs/NAME` and at a run's end."""

from pathlib import Path

import numpy as np

from aplt.report.curves import Curve, line_chart
from aplt.report.heat import confusion_map, scale, threshold_map
from aplt.report.layout import (
    Cell,
    absent,
    count_cell,
    document,
    facts,
    figure,
    fixed_cell,
    number_cell,
    section,
    share_cell,
    table,
)
from aplt.report.markup import Html, el, join
from aplt.report.summary import headline, summary
from aplt.report.tables import Run, read_run
from aplt.report.words import duration, fixed
from aplt.rundir import write_text

MOST_MISTAKES = 20
MOST_CONFUSIONS = 10


def write_report(run: Path) -> Path:
    """Writes report.html into a run folder, finished or not, and returns its path.

    Raises:
        InputError: no run folder, or a file in it that cannot be read.
    """
    read = read_run(run)
    write_text(read.folder.report, report_html(read))
    return read.folder.report


def report_html(run: Run) -> str:
    """Returns the whole page."""
    parts = [
        ("curves", "Learning, round by round", _curves(run)),
        ("thresholds", "Thresholds", _thresholds(run)),
        ("classes", "Classes", _classes(run)),
        ("confusions", "Confusions", _confusions(run)),
        ("mistakes", "Most confident mistakes", _mistakes(run)),
        ("settings", "Settings and origin", _settings(run)),
    ]
    present = [(anchor, title, content) for anchor, title, content in parts if content is not None]
    links = (el("li", el("a", title, href=f"#{anchor}")) for anchor, title, _ in present)
    return document(
        f"{run.name} – aplt report",  # noqa: RUF001
        headline(run),
        el("nav", el("ul", *links), aria_label="Sections"),
        summary(run),
        *(section(anchor, title, content) for anchor, title, content in present),
    )


def _curves(run: Run) -> Html:
    if not run.rounds:
        return el("p", "No round is done yet, so there is nothing to draw.", class_="missing")
    figures = [_watched(run), _pseudo(run), _losses(run), _time(run)]
    return join([el("div", *figures, class_="figures"), _rounds(run)])


def _watched(run: Run) -> Html:
    title = "Watched accuracy"
    if run.watched_role is None:
        return absent(title, "No clips were watched during training: the run has neither val nor test clips.")
    watched = [(line["round"], line["watched"]) for line in run.rounds if line.get("watched")]
    curves = [
        Curve.of("top-1 accuracy", [(x, entry["top1"]) for x, entry in watched]),
        Curve.of("macro F1", [(x, entry.get("macro_f1")) for x, entry in watched]),
    ]
    if run.watched_role == "test":
        whose = "the test clips, for want of a validation split (watched only, never used to choose a model)"
    else:
        whose = "the validation clips"
    caption = (
        f"Share of clips recognized (top-1) and mean F1 over classes, measured after each round on {whose}; "
        "a curve that still rises at the end asks for more rounds."
    )
    return _chart(title, curves, caption, run, in_percent=True)


def _pseudo(run: Run) -> Html:
    title = "Pseudo-labels: precision and coverage"
    names = {
        ("pseudo", "precision"): "precision of the accepted",
        ("pseudo", "coverage"): "coverage",
        ("pseudo", "rejected_precision"): "precision of the screened-out",
        ("pseudo", "all_precision"): "precision of all",
        ("online", "precision"): "precision, made online",
        ("online", "coverage"): "coverage, made online",
    }
    made = {group for group, _ in names if any(line.get(group) for line in run.rounds)}
    if not made:
        return absent(title, "No round has made pseudo-labels so far, or the method makes none.")
    curves = [
        Curve.of(name, [(line["round"], line[group].get(key)) for line in run.rounds if line.get(group)])
        for (group, key), name in names.items()
        if group in made
    ]
    caption = (
        "Coverage is the share of unlabeled clips whose pseudo-label was accepted in a round, and precision "
        "the share of pseudo-labels that are right; those made online are the method's own predictions of the weak "
        "views, step by step. "
    )
    if any(curve.points for curve in curves if "precision" in curve.name):
        caption += (
            "Precision can only be computed where the index holds the hidden truth, which the training never "
            "sees, and the screening helps where the accepted lie above the screened-out."
        )
    else:
        caption += "Precision is unknown here because the index does not hold the hidden truth."
    return _chart(title, curves, caption, run, in_percent=True)


def _losses(run: Run) -> Html:
    parts = list(dict.fromkeys(part for line in run.rounds for part in line["loss"]))
    curves = [Curve.of(part, [(line["round"], line["loss"].get(part)) for line in run.rounds]) for part in parts]
    caption = (
        "Training loss of each round in total and by part, named as in the method's documentation; parts that "
        "need unlabeled clips begin after the warm-up, so the total may rise there."
    )
    return _chart("Loss", curves, caption, run, in_percent=False)


def _time(run: Run) -> Html:
    phases = [phase for phase in ("offline", "online", "evaluation") if run.seconds.get(phase)]
    curves = [Curve.of(phase, [(line["round"], line["seconds"].get(phase)) for line in run.rounds]) for phase in phases]
    caption = (
        "Seconds that each round spent looking at the clips (offline), learning (online) and being evaluated; "
        "where offline lies far below online, shorter rounds would cost little."
        if "offline" in phases
        else "Seconds that each round spent learning (online) and being evaluated."
    )
    return _chart("Seconds a round", curves, caption, run, in_percent=False)


def _chart(title: str, curves: list[Curve], caption: str, run: Run, *, in_percent: bool) -> Html:
    if not any(curve.points for curve in curves):
        return absent(title, "None of the recorded values is a finite number.")
    chart = line_chart(curves, title=title, in_percent=in_percent, warm_up=run.warm_up)
    return figure(title, chart, caption)


def _rounds(run: Run) -> Html:
    rows = []
    for line in run.rounds:
        pseudo, watched = line.get("pseudo") or {}, line.get("watched") or {}
        seconds = sum(line["seconds"].values())
        rows.append(
            [
                Cell(f"{line['round']}{' (warm-up)' if line.get('warm_up') else ''}"),
                count_cell(line["steps_done"]),
                number_cell(line["learning_rate"]),
                number_cell(line["loss"].get("total")),
                share_cell(pseudo.get("coverage")),
                share_cell(pseudo.get("precision")),
                share_cell(pseudo.get("rejected_precision")),
                share_cell(watched.get("top1")),
                share_cell(watched.get("macro_f1")),
                Cell(duration(seconds), seconds),
            ]
        )
    columns = [
        "Round",
        "Steps done",
        "Learning rate",
        "Loss",
        "Coverage",
        "Precision",
        "Precision of the screened-out",
        "Watched top-1",
        "Watched macro F1",
        "Time",
    ]
    caption = "The figures behind the curves, from metrics.jsonl."
    return el("details", el("summary", "All rounds as numbers"), table(caption, columns, rows))


def _thresholds(run: Run) -> Html | None:
    lines = [(line["round"], line["pseudo"]["threshold"]) for line in run.rounds if line.get("pseudo")]
    if not lines or not run.classes:
        return None
    values = np.array([threshold for _, threshold in lines], dtype=np.float64).T
    finite = values[np.isfinite(values)]
    if not finite.size:
        return el("p", "No class has a threshold: every pseudo-label is accepted.", class_="missing")
    caption = (
        "Largest distance from its class center at which a clip's pseudo-label is accepted, by class and round, "
        "from metrics.jsonl: the stronger the color, the larger, and a class whose row stands out is looser or "
        "tighter in feature space than the others."
    )
    legend = scale(fixed(float(finite.min())), fixed(float(finite.max())))
    drawn = threshold_map(values, [round_ for round_, _ in lines], run.classes)
    return figure("Threshold of each class over the rounds", join([legend, drawn]), caption, wide=True)


def _classes(run: Run) -> Html | None:
    rows = run.class_rows()
    if not rows:
        return None
    columns = [
        "Class",
        "Labeled clips",
        "Test clips",
        "Precision",
        "Recall",
        "F1",
        "Accepted pseudo-labels",
        "Their precision",
        "Threshold",
    ]
    cells = [
        [
            Cell(row.name),
            count_cell(row.labeled),
            count_cell(row.clips),
            share_cell(row.precision),
            share_cell(row.recall),
            share_cell(row.f1, bar=True),
            count_cell(row.accepted),
            share_cell(row.accepted_precision, bar=True),
            fixed_cell(row.threshold),
        ]
        for row in rows
    ]
    caption = "Labels used, test figures and pseudo-labels of the last round by class; click a header to sort."
    if run.result is None:
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
            count_cell(int(off[truth, guess])),
            share_cell(float(off[truth, guess] / totals[truth])),
        ]
        for truth, guess in places
    ]
    columns = ["True class", "Taken for", "Clips", "Share of the true class"]
    return table(f"The {len(rows)} most frequent confusions of the matrix.", columns, rows, texts=2)


def _mistakes(run: Run) -> Html | None:
    if run.predictions is None or run.predictions.empty:
        return None
    mistakes = run.mistakes(MOST_MISTAKES)
    if not mistakes:
        return el("p", "Every test clip was recognized.", class_="missing")
    rows = [
        [
            Cell(mistake.id),
            Cell(mistake.truth),
            Cell(mistake.prediction),
            fixed_cell(mistake.score),
            Cell(f"guess {mistake.rank}" if mistake.rank else "not among them", mistake.rank or np.inf),
        ]
        for mistake in mistakes
    ]
    caption = (
        "Wrong predictions with the highest scores on the test clips, from predictions.csv: worth a look, because "
        "a wrong label in the index shows up here first."
    )
    columns = ["Clip", "Truth", "Prediction", "Score", "Truth among the top guesses"]
    return table(caption, columns, rows, texts=3)


def _settings(run: Run) -> Html | None:
    result = run.result or {}
    parts: list[Html] = []
    if run.config_text is not None:
        summary_ = el("summary", "config.yaml: every setting; `aplt train` on it repeats the run")
        parts.append(el("details", summary_, el("pre", el("code", run.config_text))))
    for title, key in (("Versions", "versions"), ("Digests", "digests")):
        if result.get(key):
            pairs = [(str(name), str(value)) for name, value in result[key].items()]
            parts.append(el("div", el("h3", title), facts(pairs)))
    return join(parts) if parts else None
