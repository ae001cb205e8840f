"""What a run's report shows of its rounds: curves, thresholds, and the figures behind them."""

import numpy as np

from aplt.figures import MAIN_FIGURES
from aplt.record import PHASES
from aplt.report.charts import Curve, line_chart
from aplt.report.heatmaps import scale, threshold_map
from aplt.report.html import Cell, Html, absent, el, figure, join, number_cell, share_cell, table
from aplt.report.run import Run
from aplt.report.words import duration, fixed


def curves(run: Run, beside: Run | None = None) -> Html:
    """Returns accuracy, pseudo-labels, loss and seconds by round, as curves and as a table.

    The top-1 of the run `beside` it is among the accuracies.
    """
    if not run.rounds:
        return el("p", "No round is done yet, so there is nothing to draw.", class_="missing")
    figures = [_watched(run, beside), _pseudo(run), _losses(run), _time(run)]
    return join([el("div", *figures, class_="figures"), _rounds(run)])


def _watched(run: Run, beside: Run | None) -> Html:
    title = "Watched accuracy"
    if run.last_watched is None:
        return absent(title, "No clips were watched during training: the run has neither val nor test clips.")
    watched = [(line.round, line.watched.figures) for line in run.rounds if line.watched]
    curves = [
        Curve.of(figure.title, [(x, getattr(figures, name)) for x, figures in watched])
        for name, figure in MAIN_FIGURES.items()
        if any(getattr(figures, name) is not None for _, figures in watched)
    ]
    if beside is not None:
        others = [(line.round, line.watched.figures.top1 if line.watched else None) for line in beside.rounds]
        curves.append(Curve.of(f"top-1 of {beside.name}", others))
    if run.last_watched.role == "test":
        whose = "the test clips, since there is no validation split (watched only, never used to choose a model)"
    else:
        whose = "the validation clips"
    caption = (
        f"How well clips were recognized after each round, on {whose}; "
        "a curve that still rises at the end asks for more rounds."
    )
    chance = None
    if run.classes:
        chance = ("chance", 1 / len(run.classes))
        caption += f" Chance is what naming classes blindly gets: 1 of {len(run.classes)}."
    return _chart(title, curves, caption, run, in_percent=True, level=chance)


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
    made = {group for group, _ in names if any(getattr(line, group) for line in run.rounds)}
    if not made:
        why = "no round is done, the method makes none, or no clip is unlabeled"
        return absent(title, f"No round has made pseudo-labels so far: {why}.")
    curves = [
        Curve.of(name, [(line.round, getattr(found, key)) for line in run.rounds if (found := getattr(line, group))])
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
    parts = list(dict.fromkeys(part for line in run.rounds for part in line.loss))
    curves = [Curve.of(part, [(line.round, line.loss.get(part)) for line in run.rounds]) for part in parts]
    caption = (
        "Training loss of each round in total and by part, named as in the method's documentation; parts that "
        "need unlabeled clips begin after the warm-up, so the total may rise there."
    )
    return _chart("Loss", curves, caption, run, in_percent=False)


def _time(run: Run) -> Html:
    phases = [phase for phase in PHASES if getattr(run.seconds, phase)]
    curves = [Curve.of(phase, [(line.round, getattr(line.seconds, phase)) for line in run.rounds]) for phase in phases]
    caption = (
        "Seconds that each round spent looking at the clips (offline), learning (online) and being evaluated; "
        "where offline is far below online, shorter rounds would cost little."
        if "offline" in phases
        else "Seconds that each round spent learning (online) and being evaluated."
    )
    return _chart("Seconds per round", curves, caption, run, in_percent=False)


def _chart(
    title: str,
    curves: list[Curve],
    caption: str,
    run: Run,
    *,
    in_percent: bool,
    level: tuple[str, float] | None = None,
) -> Html:
    if not any(curve.points for curve in curves):
        return absent(title, "None of the recorded values is a finite number.")
    chart = line_chart(curves, title=title, in_percent=in_percent, warm_up=run.warm_up, level=level)
    return figure(title, chart, caption)


def _rounds(run: Run) -> Html:
    rows = []
    for line in run.rounds:
        pseudo, figures = line.pseudo, line.watched.figures if line.watched else None
        rows.append(
            [
                Cell(f"{line.round}{' (warm-up)' if line.warm_up else ''}"),
                number_cell(line.steps_done),
                number_cell(line.learning_rate),
                number_cell(line.loss.get("total")),
                *(share_cell(getattr(pseudo, name, None)) for name in ("coverage", "precision", "rejected_precision")),
                *(share_cell(getattr(figures, name, None)) for name in MAIN_FIGURES),
                Cell(duration(line.seconds.total), line.seconds.total),
            ]
        )
    columns = ["Round", "Steps done", "Learning rate", "Loss", "Coverage", "Precision", "Precision of the screened-out"]
    columns += [*(f"Watched {figure.title}" for figure in MAIN_FIGURES.values()), "Time"]
    caption = "The figures behind the curves, from metrics.jsonl."
    return el("details", el("summary", "All rounds as numbers"), table(caption, columns, rows))


def thresholds(run: Run) -> Html | None:
    """Returns the map of thresholds by class and round; None where there was no offline phase."""
    lines = [(line.round, line.pseudo.threshold) for line in run.rounds if line.pseudo]
    if not lines or not run.classes:
        return None
    values = np.array([threshold for _, threshold in lines], dtype=np.float64).T
    finite = values[np.isfinite(values)]
    if not finite.size:
        return el("p", "No class has a threshold: every pseudo-label is accepted.", class_="missing")
    caption = (
        "Largest distance at which a clip's pseudo-label is accepted, by class and round, from metrics.jsonl: to the "
        "class center, or, where clusters are refined by neighbors, what its membership lacks to 1. The stronger "
        "the color, the larger; a class whose row stands out is looser or tighter than the others."
    )
    legend = scale(fixed(float(finite.min())), fixed(float(finite.max())))
    drawn = threshold_map(values, [round_ for round_, _ in lines], run.classes)
    return figure("Threshold of each class over the rounds", join([legend, drawn]), caption, wide=True)
