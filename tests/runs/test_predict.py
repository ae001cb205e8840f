"""What stands in the way of using a trained model is said in one sentence."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from aplt.clips import Role
from aplt.errors import InputError
from aplt.models.recognizer import Recognizer
from aplt.rundir import RunDir
from aplt.runs.begin import train
from aplt.runs.predict import evaluate, gather_clips, load_model, predict
from aplt.tensors import Prediction
from tests.runs.clips import tiny_config, write_clips


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds clips and a run on them."""
    home = tmp_path_factory.mktemp("home")
    config = tiny_config(write_clips(home / "clips"), train={"rounds": 1, "warm_up_rounds": 0})
    train(config, RunDir(home / "run"))
    return home


@pytest.fixture
def home(trained: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained, tmp_path / "home")
    config = tmp_path / "home" / "run" / "config.yaml"
    config.write_text(config.read_text().replace(str(trained), str(tmp_path / "home")))
    return tmp_path / "home"


def test_there_is_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_model(tmp_path / "nope")
    assert str(caught.value) == (
        f"{tmp_path / 'nope'}: no such folder; expected a run folder such as runs/NAME, or a model folder"
    )
    with pytest.raises(InputError, match=f"{tmp_path}: no model in it; expected a run folder such as runs/NAME, or"):
        load_model(tmp_path)


def test_clips_are_gathered_from_files_folders_and_tables(tmp_path: Path) -> None:
    write_clips(tmp_path / "clips")
    paths = [clip.path for clip in gather_clips([tmp_path / "clips"])]
    assert [clip.path for clip in gather_clips(paths[:2])] == paths[:2]
    with pytest.raises(InputError, match=r"nope\.mp4: no such file or folder"):
        gather_clips([paths[0], tmp_path / "nope.mp4"])


def test_a_run_that_was_stopped_can_be_continued(home: Path) -> None:
    run = RunDir(home / "run")
    shutil.rmtree(run.model)
    with pytest.raises(InputError, match="no model in it; its training has finished, so the folder is not whole"):
        load_model(run.path)
    run.result.unlink()
    for use in (lambda: load_model(run.path), lambda: evaluate(run.path, None, "test")):
        with pytest.raises(InputError) as caught:
            use()
        assert str(caught.value) == (
            f"{run.path}: no model in it; its training has not finished; if it was stopped, continue with "
            f"`aplt train --resume {run.path}`"
        )


def test_a_clip_that_has_moved_since_training(home: Path) -> None:
    run = RunDir(home / "run")
    before = evaluate(run.path, None, "test")
    gone = run.split.read_text().splitlines()[-1].split(",")[0]
    (home / "clips" / gone).unlink()
    for clips in (None, home / "clips" / "clips.csv"):
        with pytest.raises(InputError) as caught:
            evaluate(run.path, clips, "test")
        assert str(caught.value).startswith(f"clip '{gone}' ({home / 'clips' / gone}): no such file; if the clips have")
        assert "aplt index" in str(caught.value)
    assert evaluate(run.path, None, "labeled").figures.clips == 6
    assert before.figures.clips == 12


def test_a_project_that_has_moved(home: Path) -> None:
    run = RunDir(home / "run")
    roles: tuple[Role, ...] = ("labeled", "test")
    before = {role: evaluate(run.path, None, role) for role in roles}
    clips = (home / "clips").rename(home / "there") / "clips.csv"
    with pytest.raises(InputError, match=f"{home / 'clips'}.*under `clips` in this file, .* --clips"):
        evaluate(run.path, None, None)
    for role, figures in before.items():
        assert evaluate(run.path, clips, role) == figures
    assert evaluate(run.path, clips, None).figures.clips == 48


def test_other_clips_in_another_order_are_evaluated_by_id(home: Path) -> None:
    run = RunDir(home / "run")
    before = evaluate(run.path, None, "test")
    index = home / "clips" / "clips.csv"
    header, *rows = index.read_text().splitlines()
    index.write_text("\n".join([header, *reversed(rows)]) + "\n")
    assert evaluate(run.path, None, "test") == before


def test_a_clip_whose_label_changed_since_training(home: Path) -> None:
    index = home / "clips" / "clips.csv"
    index.write_text(index.read_text().replace("nod", "shake", 1))
    with pytest.raises(InputError, match="undo the change, or evaluate on other clips with --clips"):
        evaluate(home / "run", None, "test")


def test_a_model_whose_config_was_edited(home: Path) -> None:
    path = home / "run" / "model" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"input": {"kind": "skeleton", "frames": -1}}))
    with pytest.raises(InputError, match=r"model/config\.json: setting 'input\.frames'"):
        evaluate(home / "run", None, "test")


def test_a_clip_that_shows_nobody_gets_no_label(home: Path) -> None:
    path = gather_clips([home / "clips"])[0].path
    np.save(home / "nobody.npy", np.zeros_like(np.load(path)))
    found = predict(load_model(home / "run"), gather_clips([home / "nobody.npy", path]))
    assert found["error"].tolist() == ["nobody is seen in it", ""]
    assert found["prediction_1"].isna().tolist() == [True, False]


def test_a_clip_of_which_the_model_computes_no_number_is_named_and_the_others_are_not(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, clips = load_model(home / "run"), gather_clips([home / "clips"])[:3]
    whole = predict(model, clips, workers=0)
    probabilities = Recognizer.probabilities

    def damaged(self: Recognizer, prediction: Prediction) -> Tensor:
        return probabilities(self, prediction).index_fill(0, torch.tensor([1]), torch.nan)

    monkeypatch.setattr(Recognizer, "probabilities", damaged)
    table = predict(model, clips, workers=0)
    assert table.drop(1).equals(whole.drop(1))
    assert table.loc[1, ["prediction_1", "score_1"]].isna().all()
    assert "no number" in str(table.loc[1, "error"])
    with pytest.raises(InputError, match="no number"):
        evaluate(home / "run", None, "test")
