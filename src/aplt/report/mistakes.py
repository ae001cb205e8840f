"""What a run got wrong, and what it may have been told wrong: confusions, mistakes, suspected labels."""

import shlex

import numpy as np

from aplt.display import counted
from aplt.report.heatmaps import confusion_map, scale
from aplt.report.html import Cell, Html, el, figure, fixed_cell, join, number_cell, share_cell, table
from aplt.report.pictures import Album, Clips
from aplt.report.run import Run

MOST_CONFUSIONS = 10
MOST_MISTAKES = 20
MOST_SUSPECTED = 10


def confusions(run: Run, album: Album) -> Html | None:
    """Returns the confusion matrix and the most frequent confusions; None without test clips."""
    matrix = run.confusion
    if matrix is None:
        return None
    caption = (
        "Test clips by true class (down) and predicted class (across), counted in predictions.csv; the color is "
        "the share of the true class's clips, so a perfect model colors the diagonal only."
    )
    drawn = join([scale("0\u00a0%", "100\u00a0% of the true class"), confusion_map(matrix, run.classes)])
    return join([figure("Confusion matrix", drawn, caption, wide=True), _pairs(run, matrix, album)])


def _pairs(run: Run, matrix: np.ndarray, album: Album) -> Html | None:
    off = matrix * (1 - np.eye(len(matrix), dtype=matrix.dtype))
    order = np.argsort(-off, axis=None, kind="stable")[:MOST_CONFUSIONS]
    places = [np.unravel_index(place, off.shape) for place in order if off.flat[place]]
    if not places or run.mistakes is None:
        return None
    totals, surest = matrix.sum(axis=1), run.mistakes.groupby(["truth", "prediction_1"])["id"].first()
    rows = []
    for truth, guess in places:
        names = run.classes[truth], run.classes[guess]
        share = share_cell(float(off[truth, guess] / totals[truth]))
        rows.append([*map(Cell, names), _clip(surest[names], album), number_cell(int(off[truth, guess])), share])
    columns = ["True class", "Taken for", "Its surest clip", "Clips", "Share of the true class"]
    first, second = (run.classes[k] for k in places[0])
    shown = table("The most frequent confusions of the matrix.", columns, rows, texts=3)
    told = "Training clips of two classes, side by side, to see whether their labels are apart:"
    return join([shown, _review(run, told, f"--class {shlex.quote(first)} --class {shlex.quote(second)}")])


def mistakes(run: Run, album: Album) -> Html | None:
    """Returns the wrong predictions of the test clips with the highest scores; None without test clips."""
    wrong = run.mistakes
    if wrong is None:
        return None
    if wrong.empty:
        return el("p", "Every test clip was recognized.", class_="missing")
    guesses = [name for name in wrong.columns if name.startswith("prediction_")]
    rows = []
    for row in wrong.head(MOST_MISTAKES).to_dict("records"):
        rank = next((place for place, name in enumerate(guesses, 1) if row[name] == row["truth"]), None)
        guess = Cell(f"guess {rank}" if rank else "not among them", rank or np.inf)
        named = [Cell(row[name]) for name in ("truth", "prediction_1")]
        rows.append([_clip(row["id"], album), *named, fixed_cell(float(row["score_1"])), guess])
    caption = (
        "Wrong predictions with the highest scores on the test clips, from predictions.csv: worth a look, because "
        "a wrong label in the index shows up here first."
    )
    columns = ["Clip", "Truth", "Prediction", "Score", "Truth among the top guesses"]
    return table(caption, columns, rows, texts=3)


def suspected(run: Run, clips: Clips | None, album: Album) -> Html | None:
    """Returns the labeled clips that the model takes for another class than was given; None where no label is known."""
    bank = run.bank
    if bank is None or clips is None or not clips.given:
        return None
    unseen = run.folder.read_unseen()
    labels, scores = unseen["label"].to_dict(), unseen["score"].to_dict()
    found = []
    for id_, probability in zip(bank.ids[: bank.labeled], bank.probability, strict=False):
        best = int(probability.argmax())
        other, score = labels.get(id_, run.classes[best]), float(scores.get(id_, probability[best]))
        if other != clips.given[id_]:
            found.append((score, id_, other))
    how = f"aplt labels {shlex.quote(str(run.folder.path))} --folds 4"
    told = (
        "That is by models which did not know these labels."
        if labels
        else f"But this model has learned these labels, so it doubts few; {how} asks models that have not."
    )
    if not found:
        text = f"None of the {counted(bank.labeled, 'labeled clip')} is taken for another class. {told}"
        return el("p", text, class_="missing")
    rows = [
        [_clip(id_, album), Cell(clips.given[id_]), Cell(other), fixed_cell(score)]
        for score, id_, other in sorted(found, key=lambda one: -one[0])[:MOST_SUSPECTED]
    ]
    caption = (
        "Labeled training clips that are taken for another class than they were given, the surest first, of "
        f"{len(found):,d} in all: the label may be wrong, or the clip hard. {told}"
    )
    shown = table(caption, ["Clip", "Given label", "Taken for", "Score"], rows, texts=3)
    return join([shown, _review(run, "All of them, to be accepted or corrected:", "--show suspected")])


def _clip(id_: str, album: Album) -> Cell:
    return Cell(id_, picture=album.show(id_))


def _review(run: Run, told: str, options: str) -> Html:
    command = f"aplt review {shlex.quote(str(run.folder.path))} {options}"
    return el("div", el("p", told), el("pre", el("code", command)), class_="command")
