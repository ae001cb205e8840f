"""What is read of a comparison's folder, and what is refused."""

from pathlib import Path

import pandas as pd
import pytest

from aplt.comparison.page import write_comparison
from aplt.comparison.record import CompareDir
from aplt.comparison.results import read_comparison
from aplt.comparison.tables import gains
from aplt.errors import InputError
from aplt.storage import write_csv

from .fake_comparison import fake_comparison


def test_damaged_folders_are_a_sentence(study: Path) -> None:
    folder = CompareDir(study)
    folder.cells.write_text("dataset,fold\n")
    with pytest.raises(InputError, match=r"compare.csv: column .* is missing"):
        write_comparison(folder.path)
    folder.plan.write_text("methods: aplt\n")
    with pytest.raises(InputError, match=r"compare.yaml: setting 'datasets' is missing"):
        write_comparison(folder.path)


def test_a_plan_may_be_written_by_hand(study: Path) -> None:
    folder = CompareDir(study)
    folder.plan.write_text(
        "datasets: {tiny: {clips: a.csv}}\nmethods: supervised, fixmatch, aplt\nlabeled: 5%,20%\nseeds: 3\n"
    )
    write_comparison(folder.path)
    assert "over 3 seeds" in folder.table.read_text()


def test_folds_are_cells_of_their_own(tmp_path: Path) -> None:
    folder = CompareDir(fake_comparison(tmp_path / "study", folds=2))
    rows = pd.read_csv(folder.cells, dtype=str)
    write_csv(folder.cells, rows[::-1])
    write_comparison(folder.path)
    comparison = read_comparison(folder.path)
    assert (comparison.planned, comparison.unfinished) == (42, None)
    assert "over 3 seeds and 2 folds" in folder.table.read_text()
    figures = rows.set_index(["method", "labeled", "fold", "seed"])["top1"].astype(float)
    gain = (figures.xs("aplt") - figures.xs("fixmatch")).xs("0.05").sort_index()
    (one,) = (one for one in comparison.differences["top1"] if (one.group, one.other) == (("tiny", 0.05), "fixmatch"))
    assert one.each == pytest.approx(gain.to_numpy())
    assert len(one.each) == 6
    assert one.t_test is not None
    write_csv(folder.cells, rows[(rows["fold"] != "1") | (rows["seed"] != "0") | (rows["method"] != "fixmatch")])
    lacking = read_comparison(folder.path)
    (one,) = (one for one in lacking.differences["top1"] if (one.group, one.other) == (("tiny", 0.05), "fixmatch"))
    assert one.each == pytest.approx(gain.to_numpy()[1:])
    assert (one.t_test, lacking.unfinished) == (None, "40 of 42 cells are done; the figures are of these.")


def test_a_mean_that_is_level_but_for_rounding_is_not_ahead(study: Path) -> None:
    folder = CompareDir(study)
    rows = pd.read_csv(folder.cells, dtype=str)
    of_one_share = rows["labeled"] == "0.05"
    for method, right in (("fixmatch", (20, 19, 21)), ("aplt", (19, 21, 20))):
        rows.loc[of_one_share & (rows["method"] == method), "top1"] = [str(count / 48) for count in right]
    write_csv(folder.cells, rows)
    table = gains(read_comparison(folder.path), "top1")
    assert table is not None
    (line,) = (line for line in table.rows if line[0].text == "fixmatch")
    assert [line[k].text for k in (2, 3)] == ["4 of 6", "1 of 2"]


def test_rows_that_are_not_one_of_each_planned_cell_are_a_sentence(study: Path) -> None:
    folder = CompareDir(study)
    rows = pd.read_csv(folder.cells, dtype=str, keep_default_na=False)
    # As many rows as cells: one is there twice, and another lacks.
    write_csv(folder.cells, pd.concat([rows[1:], rows[4:5]]))
    told = (
        "compare.csv row 21: tiny, fixmatch, 20% labeled, seed 0: the same cell as row 4; `aplt compare .*yaml` keeps"
    )
    with pytest.raises(InputError, match=told):
        read_comparison(folder.path)
    for column, value, name in (
        ("method", "uda", "tiny, uda, 5% labeled, seed 0"),
        ("fold", "1", "tiny fold 1, supervised, 5% labeled, seed 0"),
        ("seed", "7", "tiny, supervised, 5% labeled, seed 7"),
        ("labeled", "0.5", "tiny, supervised, 50% labeled, seed 0"),
    ):
        changed = rows.copy()
        changed.loc[0, column] = value
        write_csv(folder.cells, changed)
        with pytest.raises(InputError, match=f"compare.csv row 1: {name}: no cell of compare.yaml"):
            read_comparison(folder.path)
    changed = rows.copy()
    changed.loc[2, "pseudo_by_round"] = "4 0.8125; 5 0.8 0.7"
    write_csv(folder.cells, changed)
    with pytest.raises(
        InputError, match=r"compare.csv row 3: expected a round, .* as pseudo_by_round, found '4 0.8125"
    ):
        read_comparison(folder.path)
