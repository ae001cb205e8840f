"""The page of a loop of labeling and training: accuracy by labels so far."""

from collections.abc import Sequence

from aplt.display import counted
from aplt.figures import MAIN_FIGURES
from aplt.record import Result
from aplt.report.charts import Curve, line_chart
from aplt.report.html import Cell, Html, absent, figure, heading, number_cell, page, share_cell, table
from aplt.report.words import duration


def loop_page(name: str, turns: Sequence[tuple[str, Result]]) -> str:
    """Returns the page of a first run and the turns after it, each with its name, in order."""
    lines = [f"{counted(len(turns) - 1, 'turn')} after {turns[0][0]}", counted(turns[-1][1].counts.labeled, "label")]
    parts = [("accuracy", "Accuracy by labels so far", _accuracy(turns)), ("turns", "Turns", _table(turns))]
    return page(f"{name} – aplt loop", heading("aplt loop", name, lines), parts)  # noqa: RUF001


def _accuracy(turns: Sequence[tuple[str, Result]]) -> Html:
    title = "Test accuracy"
    points = [(result.counts.labeled, result.test.top1) for _, result in turns if result.test is not None]
    if not points:
        return absent(title, "The run has no test clips with a label, by which accuracy would be told.")
    chart = line_chart([Curve("top-1", points)], title=title, in_percent=True, by="labels")
    return figure(title, chart, "The test clips are the first run's in all turns.")


def _table(turns: Sequence[tuple[str, Result]]) -> Html:
    columns = ["run", "labels", *(one.title for one in MAIN_FIGURES.values()), "time"]
    rows = []
    for name, result in turns:
        figures = [(one, getattr(result.test, field, None)) for field, one in MAIN_FIGURES.items()]
        cells = [share_cell(value) if one.share else number_cell(value) for one, value in figures]
        seconds = result.seconds.total
        rows.append([Cell(name), number_cell(result.counts.labeled), *cells, Cell(duration(seconds), seconds)])
    return table("Each turn begins with the weights of the one before", columns, rows)
