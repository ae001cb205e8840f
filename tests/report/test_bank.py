"""What a run's files say of scores and features, drawn: a reliability diagram and a map."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aplt.errors import InputError
from aplt.report import bank
from aplt.rundir import RunDir
from aplt.storage import read_arrays, write_arrays

from .fake_run import add_bank, fake_run
from .reading import Page, page_of


def points(page: Page) -> dict[str, tuple[str, float, float, str | None]]:
    """Returns what is said of each clip, where, and how, by id."""
    (svg,) = (svg for svg in page.tags("svg") if svg.get("class") == "bank")
    found = {}
    for circle in svg.iter("circle"):
        id_, _, told = (circle.findtext("title") or "").partition(": ")
        found[id_] = (told, float(circle.get("cx", 0)), float(circle.get("cy", 0)), circle.get("class"))
    return found


def test_every_training_clip_is_a_point_with_its_own_score(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run", classes=4)
    add_bank(folder)
    found = points(page_of(folder))
    split = pd.read_csv(RunDir(folder).split)
    training = split["id"][split["role"].isin(["labeled", "unlabeled"])].tolist()
    assert sorted(found) == sorted(training)
    scores = [float(found[id_][0].rpartition(" ")[2]) for id_ in training]
    assert scores == pytest.approx(np.linspace(0.7, 0.8, len(training)) + 0.05, abs=6e-4)
    assert [found[id_][3] for id_ in training] == ["given"] * 24 + [None] * 216
    # Clips of one class lie together.
    place = np.array([found[id_][1:3] for id_ in training])
    centers = np.array([place[k::4].mean(axis=0) for k in range(4)])
    apart = np.linalg.norm(place[:, None] - centers, axis=2).argmin(axis=1) == np.arange(len(training)) % 4
    assert apart.mean() > 0.8


def test_a_large_bank_is_drawn_in_part_with_all_labeled_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank, "MOST", 50)
    folder = fake_run(tmp_path / "run", classes=4)
    add_bank(folder)
    page = page_of(folder)
    found = points(page)
    assert len(found) == 50
    assert sum(kind == "given" for *_, kind in found.values()) == 24
    assert "50 training clips of 240" in page.text


def test_features_of_other_clips_are_refused_and_unusable_ones_told(tmp_path: Path) -> None:
    run = RunDir(fake_run(tmp_path / "run"))
    add_bank(run.path)
    arrays = read_arrays(run.features)
    write_arrays(run.features, arrays | {"feature": np.full_like(arrays["feature"], np.nan)})
    assert "no finite numbers" in page_of(run.path).text
    for damaged in (
        {name: array[1:] for name, array in arrays.items()},
        {name: array for name, array in arrays.items() if name != "probability"},
        arrays | {"feature": arrays["feature"][:, 0]},
        arrays | {"position": arrays["position"].astype(str)},
    ):
        write_arrays(run.features, damaged)
        with pytest.raises(InputError, match=r"features\.npz: \w+ is .*, expected \d+ clips as in split\.csv"):
            page_of(run.path)


def test_reliability_is_counted_in_the_held_out_clips(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run")
    add_bank(folder)
    scores = [0.62, 0.64, 0.66, 0.68, 1.0]
    held = pd.DataFrame({"id": range(5), "truth": list("aaaab"), "label": list("aaabb"), "score": scores, "of": "val"})
    held.to_csv(RunDir(folder).held_out, index=False)
    page = page_of(folder)
    assert "score 65.0 % on average: 75.0 % of 4 clips right" in page.text
    assert "score 100.0 % on average: 100.0 % of 1 clip right" in page.text
    assert "Of the 5 validation clips" in page.text
    assert "calibration error is" in page.text
    RunDir(folder).held_out.unlink()
    assert "What a score is worth" not in page_of(folder).headings()
