"""Labels that were corrected after a run, and the run that follows it."""

from pathlib import Path

import pandas as pd
import pytest

from aplt.errors import InputError
from aplt.prepare import prepare_next
from aplt.rundir import RunDir
from aplt.runs.begin import train
from aplt.runs.corrections import correct


def written(path: Path, *rows: tuple[str, str, str]) -> Path:
    pd.DataFrame(rows, columns=["id", "label", "by"]).to_csv(path, index=False)
    return path


@pytest.fixture
def roles(uninterrupted: RunDir) -> "pd.Series[str]":
    return pd.read_csv(uninterrupted.split).set_index("id")["role"]


def of(roles: "pd.Series[str]", role: str) -> list[str]:
    return sorted(roles.index[roles == role])


def test_roles_stay_under_new_labels(uninterrupted: RunDir, roles: "pd.Series[str]", tmp_path: Path) -> None:
    (one, two, *_), (test, *_), (labeled, *_) = of(roles, "unlabeled"), of(roles, "test"), of(roles, "labeled")
    rows = [(one, "wave", "me"), (two, "", "me"), (test, "nod", "me"), (labeled, "shake", "me")]
    found = correct(uninterrupted, None, written(tmp_path / "c.csv", *rows), tmp_path / "made")
    after = pd.read_csv(found.split).set_index("id")["role"]
    assert of(after, "test") == of(roles, "test")
    assert of(after, "labeled") == sorted([*of(roles, "labeled"), one])
    assert two not in after.index
    assert of(after, "unlabeled") == sorted(set(of(roles, "unlabeled")) - {one, two})
    labels = pd.read_csv(found.clips, keep_default_na=False).set_index("id")["label"]
    assert [labels[id_] for id_ in (one, two, test, labeled)] == ["wave", "", "nod", "shake"]
    assert (found.used, found.none) == (3, 1)
    with pytest.raises(InputError, match="no clip 'gone'"):
        correct(uninterrupted, None, written(tmp_path / "d.csv", ("gone", "nod", "me")), tmp_path / "made")
    disputed = written(tmp_path / "e.csv", (one, "nod", "me"), (two, "nod", "me"), (two, "", "you"))
    with pytest.raises(InputError, match=rf"e\.csv: .*'{two}' \(me: nod, you: none"):
        correct(uninterrupted, None, disputed, tmp_path / "made")


def test_a_run_after_another_begins_with_its_weights(
    uninterrupted: RunDir, roles: "pd.Series[str]", tmp_path: Path
) -> None:
    corrections = written(tmp_path / "c.csv", *((id_, "wave", "me") for id_ in of(roles, "unlabeled")[:3]))
    prepared, _ = prepare_next(uninterrupted, None, corrections, {}, settings={}, name="second", runs=tmp_path)
    assert prepared.config.train.steps == 4  # a third of three rounds of four
    assert prepared.config.encoder_weights == str(uninterrupted.model / "model.safetensors")
    result = train(prepared.config, prepared.folder, prepared.index)
    assert result.counts.labeled == len(of(roles, "labeled")) + 3
    assert of(pd.read_csv(prepared.folder.split).set_index("id")["role"], "test") == of(roles, "test")
    with pytest.raises(InputError, match="is the run to begin from"):
        prepare_next(
            uninterrupted, None, None, {}, settings={}, name=uninterrupted.path.name, runs=uninterrupted.path.parent
        )
