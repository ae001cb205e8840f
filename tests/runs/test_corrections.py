"""Labels that were corrected after a run, and the run that follows it."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from aplt.data.index import read_index
from aplt.errors import InputError
from aplt.prepare import prepare_next
from aplt.rundir import RunDir
from aplt.runs.begin import train
from aplt.runs.corrections import correct, label_first


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
    (*waves, none) = of(roles, "unlabeled")[:4]
    corrections = written(tmp_path / "c.csv", *((id_, "wave", "me") for id_ in waves), (none, "", "me"))
    prepared, _ = prepare_next(uninterrupted, None, corrections, {}, settings={}, name="second", runs=tmp_path)
    assert prepared.config.train.steps == 4  # a third of three rounds of four
    assert prepared.config.encoder_weights == str(uninterrupted.model / "model.safetensors")
    result = train(prepared.config, prepared.folder, prepared.index)
    assert result.counts.labeled == len(of(roles, "labeled")) + 3
    assert of(pd.read_csv(prepared.folder.split).set_index("id")["role"], "test") == of(roles, "test")
    third = correct(prepared.folder, None, written(tmp_path / "d.csv", (waves[0], "nod", "me")), tmp_path / "third")
    assert none not in pd.read_csv(third.split)["id"].tolist()  # it is of no class still
    before = prepared.config.clips, Path(prepared.config.clips).read_bytes()
    written(corrections, (of(roles, "unlabeled")[0], "nod", "me"))
    with pytest.raises(InputError, match="holds a run already"):
        prepare_next(uninterrupted, None, corrections, {}, settings={}, name="second", runs=tmp_path)
    assert (prepared.config.clips, Path(prepared.config.clips).read_bytes()) == before
    with pytest.raises(InputError, match="is the run to begin from"):
        prepare_next(
            uninterrupted, None, None, {}, settings={}, name=uninterrupted.path.name, runs=uninterrupted.path.parent
        )


def test_corrected_labels_alone_do_not_say_how_many_clips_a_class_has(
    uninterrupted: RunDir, roles: "pd.Series[str]", tmp_path: Path
) -> None:
    corrections = written(tmp_path / "c.csv", (of(roles, "unlabeled")[0], "wave", "me"))

    def prior(table: Path | None, **settings: Any) -> tuple[Any, Any]:
        config = prepare_next(uninterrupted, None, table, {}, settings=settings, name="next", runs=tmp_path)[0].config
        return (config.offline or {}).get("assignment"), config.method_settings.get("alignment")

    assert prior(None) == ("balanced", True)
    assert prior(corrections) == ("nearest", False)
    assert prior(corrections, method_settings={"alignment": True}) == ("nearest", True)
    assert prior(corrections, method="fixmatch_teacher") == (None, False)
    for name in ("offline", "train"):
        with pytest.raises(InputError, match=name):
            prior(corrections, **{name: 5})


def test_a_corrected_clip_has_the_group_of_its_new_class(tmp_path: Path) -> None:
    table = pd.DataFrame({"path": ["a.npy", "b.npy"], "label": ["nod", "wave"], "group": ["head", "hand"]})
    table.assign(view=["v1", "v2"], id=["a", "b"]).to_csv(tmp_path / "clips.csv", index=False)
    corrections = written(tmp_path / "c.csv", ("a", "wave", "me"), ("b", "nod", "me"))
    index = read_index(label_first(tmp_path / "clips.csv", corrections, tmp_path / "made").clips)
    assert [index.class_names[clip.label] for clip in index] == ["wave", "nod"]
    assert dict(zip(index.class_names, index.groups, strict=True)) == {"nod": "head", "wave": "hand"}
    assert index.columns["view"] == ("v1", "v2")
    new = written(tmp_path / "d.csv", ("a", "shrug", "me"))
    index = read_index(label_first(tmp_path / "clips.csv", new, tmp_path / "new").clips)
    assert dict(zip(index.class_names, index.groups, strict=True)) == {"shrug": "shrug", "wave": "hand"}
