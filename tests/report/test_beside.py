"""Whether the unlabeled clips helped, by a run beside."""

from pathlib import Path

import pandas as pd
import pytest

from aplt.errors import InputError
from aplt.report.beside import paired_interval
from aplt.rundir import RunDir

from .fake_run import edit_json, edit_last_round, fake_run
from .reading import page_of


def test_the_interval_is_agresti_and_min_s() -> None:
    # By hand: (10.5 - 2.5) / 52 and 1.96 * sqrt(10.5 + 2.5 - 8 * 8 / 52) / 52.
    assert paired_interval(10, 2, 50) == pytest.approx((0.0245, 0.2832), abs=1e-4)
    low, high = paired_interval(0, 0, 20)
    assert low == -high < 0


@pytest.mark.parametrize(("right", "answer"), [(range(60), "Yes"), (range(1), "These test clips cannot tell")])
def test_the_gain_is_counted_on_the_same_clips(right: range, answer: str, tmp_path: Path) -> None:
    mine, other = fake_run(tmp_path / "mine"), fake_run(tmp_path / "other", method="supervised")
    table = pd.read_csv(RunDir(mine).predictions)
    wrong = table.index[table["truth"] != table["prediction_1"]]
    better = [wrong[k] for k in right if k < len(wrong)]
    table.loc[better, "prediction_1"] = table.loc[better, "truth"]
    table.to_csv(RunDir(mine).predictions, index=False)
    page = page_of(mine, beside=other)
    assert f"{answer}: {100 * len(better) / len(table):+.1f} points of top-1 over other" in page.text
    assert f"{len(better)} are right only here, 0 only there" in page.text
    assert "differ in more than the method" not in page.text
    assert "top-1 of other" in page.text  # a curve
    edit_json(RunDir(other).result, steps=7, digests={"split": "other"})
    assert "steps (400 and 7), which clips are labeled" in page_of(mine, beside=other).text


def test_other_test_clips_are_refused(tmp_path: Path) -> None:
    mine, other = fake_run(tmp_path / "mine"), fake_run(tmp_path / "other", ids="other-{}")
    with pytest.raises(InputError, match=r"other: its test clips are not those of .*mine"):
        page_of(mine, beside=other)
    unfinished = fake_run(tmp_path / "begun", finished=False)
    with pytest.raises(InputError, match="begun: no test clips"):
        page_of(mine, beside=unfinished)


def test_the_commands_are_there_from_within_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fake_run(tmp_path / "mine"))
    assert f"--name mine-supervised --runs {tmp_path}" in page_of(Path()).text


def test_without_one_the_commands_are_there(tmp_path: Path) -> None:
    text = page_of(fake_run(tmp_path / "mine")).text
    assert "--method supervised" in text
    assert f"--name mine-supervised --runs {tmp_path}" in text
    assert f"--beside {tmp_path / 'mine-supervised'}" in text
    assert "--beside" not in page_of(fake_run(tmp_path / "labels", method="supervised")).text


def test_chance_and_classes_without_an_accepted_label_are_told(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run", classes=4)
    page = page_of(folder)
    assert "chance: 25.0 %" in page.text
    assert [one.tail for one in page.root.iterfind(".//ul[@class='legend']//span[@class='swatch bound']")] == ["chance"]
    assert "no accepted pseudo-label" not in page.text
    edit_last_round(RunDir(folder), pseudo={"accepted": (3, 0, 5, 0), "known": (0,) * 4, "correct": (0,) * 4})
    names = RunDir(folder).read_result().classes
    assert f"2 classes have no accepted pseudo-label: {names[1]}, {names[3]}." in page_of(folder).text
