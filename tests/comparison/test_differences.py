"""What a comparison says of the reference's gains, from its folder's files alone."""

from pathlib import Path

import pandas as pd
import pytest

from aplt.comparison.page import write_comparison
from aplt.comparison.record import CompareDir
from aplt.comparison.results import read_comparison
from aplt.storage import write_csv

from .fake_comparison import fake_comparison


def test_p_values_are_corrected_for_a_whole_table_of_the_plan_however_much_of_it_is_done(tmp_path: Path) -> None:
    folder = CompareDir(fake_comparison(tmp_path / "study", datasets=("tiny", "small")))
    whole = read_comparison(folder.path).differences["top1"]
    by_place = [one for one in whole if one.group is not None]
    over_all = [one for one in whole if one.group is None]
    assert (len(by_place), len(over_all)) == (8, 2)  # two methods, in two data sets at two shares
    for table in (by_place, over_all):
        best = min(table, key=lambda one: one.t_test or 1)
        assert best.holm == pytest.approx(len(table) * (best.t_test or 0))
    rows = pd.read_csv(folder.cells)
    here = (rows["dataset"] == "small") & (rows["labeled"] == 0.05)
    write_csv(folder.cells, rows[here & rows["method"].isin(["aplt", "supervised"])])
    (one,) = read_comparison(folder.path).differences["top1"]
    assert one.holm == pytest.approx(8 * (one.t_test or 0))


@pytest.mark.parametrize("unfinished", ["aplt", "fixmatch"])
def test_no_p_value_before_all_planned_cells_of_both_methods_are_done(study: Path, unfinished: str) -> None:
    folder = CompareDir(study)
    rows = pd.read_csv(folder.cells)
    write_csv(folder.cells, rows[(rows["method"] != unfinished) | (rows["labeled"] != 0.2) | (rows["seed"] != 2)])
    told = {
        (one.other, one.group) for one in read_comparison(folder.path).differences["top1"] if one.t_test is not None
    }
    at_five = {("supervised", ("tiny", 0.05)), ("fixmatch", ("tiny", 0.05))}
    others = {("supervised", ("tiny", 0.2)), ("supervised", None)}
    assert told == (at_five if unfinished == "aplt" else at_five | others)


def test_gains_over_several_data_sets_have_a_column_a_place(tmp_path: Path) -> None:
    folder = CompareDir(fake_comparison(tmp_path / "study", datasets=("tiny", "small")))
    write_comparison(folder.path)
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in folder.table.read_text().splitlines()]
    headers = [line for line in lines if line[0] == "Against"]
    assert len(headers) == 3  # of top-1, macro F1, and top-1 on unlabeled clips
    for header in headers:
        assert header[1:4] == ["Gain", "Won", "Better in"]
        assert header[-4:] == ["tiny 5%", "tiny 20%", "small 5%", "small 20%"]
    rows = [line[2:4] for line in lines if line[0] == "fixmatch" and len(line) > 7]
    level = ["0 of 12, 12 level", "0 of 4"]
    assert rows == [["12 of 12", "4 of 4"], level, level]


def test_level_cells_are_told_beside_those_won(study: Path) -> None:
    folder = CompareDir(study)
    rows = pd.read_csv(folder.cells)
    few = (rows["labeled"] == 0.05) & (rows["seed"] > 0) & rows["method"].isin(["aplt", "fixmatch"])
    write_csv(folder.cells, rows.assign(top1=rows["top1"].where(~few, 0.6)))
    write_comparison(folder.path)
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in folder.table.read_text().splitlines()]
    assert [line[3] for line in lines if line[:3] == ["tiny", "5%", "fixmatch"]] == ["1 of 3, 2 level"]
    assert [line[2] for line in lines if line[0] == "fixmatch" and " of " in line[2]] == [
        "4 of 6, 2 level",
        *2 * ["0 of 6, 6 level"],
    ]


def test_macro_f1_and_unlabeled_clips_have_gains_and_tests_of_their_own_figures(study: Path) -> None:
    folder = CompareDir(study)
    rows = pd.read_csv(folder.cells)
    behind = rows["method"] == "aplt"
    low = 0.1 + rows["seed"] / 100
    write_csv(folder.cells, rows.assign(macro_f1=rows["macro_f1"].where(~behind, low), unlabeled_top1=None))
    write_comparison(folder.path)
    by_figure = read_comparison(folder.path).differences
    assert by_figure["unlabeled_top1"] == []  # clips without any known label: no table
    assert {one.gain.mean > 0 for one in by_figure["top1"]} == {True}
    assert {one.gain.mean < 0 for one in by_figure["macro_f1"]} == {True}
    assert all(one.holm is not None for one in by_figure["macro_f1"])
    titles = [f"Gain over all cells, and by data set and share: test {name}" for name in ("top-1", "macro F1")]
    written = [line for line in folder.table.read_text().splitlines() if "Gain over all" in line]
    assert written == [f"### {titles[0]}", f"<summary>{titles[1]}</summary>"]
    page = folder.report.read_text()
    section = page[page.index('id="differences"') : page.index('id="labels"')]
    assert section.index(titles[0]) < section.index("The same: test macro F1") < section.index(titles[1])
    assert "unlabeled" not in section
