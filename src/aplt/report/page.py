"""The report of one run: report.html in its folder, written by `aplt report runs/NAME` and at a run's end."""

from pathlib import Path

import numpy as np

from aplt.report.heat import confusion_map, scale
from aplt.report.layout import (
    Cell,
    count_cell,
    document,
    facts,
    figure,
    fixed_cell,
    section,
    share_cell,
    table,
)
from aplt.report.markup import Html, el, join
from aplt.report.rounds import curves, thresholds
from aplt.report.summary import headline, summary
from aplt.report.tables import Run, read_run
from aplt.storage import write_text

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
        ("curves", "Learning, round by round", curves(run)),
        ("thresholds", "Thresholds", thresholds(run)),
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
    return table("The most frequent confusions of the matrix.", columns, rows, texts=2)


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
        summary_ = el("summary", "config.yaml: every setting; ", el("code", "aplt train"), " on it repeats the run")
        parts.append(el("details", summary_, el("pre", el("code", run.config_text))))
    for title, key in (("Versions", "versions"), ("Digests", "digests")):
        if result.get(key):
            pairs = [(str(name), str(value)) for name, value in result[key].items()]
            parts.append(el("div", el("h3", title), facts(pairs)))
    return join(parts) if parts else None
