"""A run folder in all its states: new, begun, damaged, finished, of other clips, with files of others in it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from aplt.errors import InputError
from aplt.report import write_report
from aplt.rundir import RunDir
from aplt.runs import begin, loop
from aplt.runs.begin import resume, train, train_or_reuse
from tests.runs.clips import OFTEN, tiny_config
from tests.runs.runs import Stop, interrupt, same_run, stop

SHORT: dict[str, Any] = {"train": {"rounds": 1, "warm_up_rounds": 0}}
SIMPLE = SHORT | {"method": "supervised"}


@pytest.fixture
def own_clips(clips: Path, tmp_path: Path) -> Path:
    """Clips that a test may change."""
    shutil.copytree(clips.parent, tmp_path / "clips")
    return tmp_path / "clips" / "clips.csv"


@pytest.fixture
def begun_of_own(own_clips: Path, clips: Path, begun: RunDir) -> RunDir:
    """A run of these, interrupted in its last round."""
    begun.config.write_text(begun.config.read_text().replace(str(clips), str(own_clips)))
    return begun


@pytest.fixture(scope="module")
def whole(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    run = RunDir(tmp_path_factory.mktemp("finished") / "run")
    train(tiny_config(clips, **SHORT), run)
    return run


@pytest.fixture
def finished(whole: RunDir, run: RunDir) -> RunDir:
    """A run of one round."""
    shutil.copytree(whole.path, run.path)
    return run


def reverse(clips: Path) -> None:
    pd.read_csv(clips)[::-1].to_csv(clips, index=False)


def insert(clips: Path) -> None:
    """Lists the first clip's file a second time, as another, unlabeled clip before all others."""
    table = pd.read_csv(clips, dtype=str)
    more = pd.DataFrame([{"path": "000.npy", "label": "", "subject": "s0", "id": "more"}])
    pd.concat([more, table.assign(id=table["path"])]).to_csv(clips, index=False)


def forget(clips: Path) -> None:
    """Takes away the label of a clip."""
    table = pd.read_csv(clips, dtype=str, keep_default_na=False)
    table.loc[7, "label"] = ""
    table.to_csv(clips, index=False)


@pytest.mark.parametrize("change", [reverse, insert])
@pytest.mark.parametrize("checkpoint", [False, True], ids=["before the first checkpoint", "after it"])
def test_a_run_whose_rows_have_moved_is_not_continued(
    change: Callable[[Path], None], checkpoint: bool, own_clips: Path, begun_of_own: RunDir
) -> None:
    run = begun_of_own
    if not checkpoint:
        for path in (run.checkpoint, run.metrics, run.ledger, run.guidance(1), run.guidance(2)):
            path.unlink()
    change(own_clips)
    with pytest.raises(InputError, match=r"clips\.csv: its rows, their order or labels have changed since") as caught:
        resume(run)
    assert str(caught.value).endswith(f"was begun; {begin.ADVICE}")
    assert "\n" not in str(caught.value)
    assert not run.result.exists()


def test_a_clip_whose_label_changed_is_named(own_clips: Path, begun_of_own: RunDir) -> None:
    forget(own_clips)
    with pytest.raises(InputError, match=rf"clip '007\.npy' has another label, .* was made; {begin.ADVICE}$"):
        resume(begun_of_own)


def test_a_clip_that_is_gone_from_the_index_is_named(own_clips: Path, begun_of_own: RunDir) -> None:
    pd.read_csv(own_clips, dtype=str)[1:].to_csv(own_clips, index=False)
    with pytest.raises(InputError, match=rf"no clip '000\.npy' in the index; {begin.ADVICE}$"):
        resume(begun_of_own)


def test_a_clip_that_broke_since_is_named_with_what_names_all_such_clips(own_clips: Path, begun_of_own: RunDir) -> None:
    (own_clips.parent / "007.npy").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"^clip '007\.npy' .*; `aplt check \S*clips\.csv` names all such clips$"):
        resume(begun_of_own)


def test_a_finished_run_is_only_read(clips: Path, finished: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tiny_config(clips, **SHORT)
    result = finished.read_result()
    monkeypatch.setattr(loop.Trainer, "train", lambda _: pytest.fail("trained again"))
    assert resume(finished) == result
    assert train_or_reuse(config, finished) == result
    with pytest.raises(InputError, match="holds a run already"):
        train(config, finished)


def test_an_interrupted_run_is_continued_by_who_asks_for_the_same(
    clips: Path, begun: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(begin, "_begin", lambda *_: pytest.fail("begun anew"))
    assert train_or_reuse(tiny_config(clips), begun).steps == 12


def test_a_run_whose_files_have_moved_is_continued(
    own_clips: Path, run: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(tiny_config(own_clips, method="supervised", train=SHORT["train"] | OFTEN["train"]), run, 0, 2)
    moved = own_clips.parent.rename(tmp_path / "elsewhere") / own_clips.name
    other = {"workers": 1, "checkpoint_minutes": 1}
    config = tiny_config(moved, method="supervised", train=SHORT["train"] | other)
    with monkeypatch.context() as patch:
        patch.setattr(begin, "_begin", lambda *_: pytest.fail("begun anew"))
        assert train_or_reuse(config, run).steps == 4
    assert run.config.read_text() == config.to_yaml()


def test_a_run_of_another_version_is_trained_anew(clips: Path, begun: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    begun.config.write_text(f"{begun.config.read_text()}gone: 1\n")
    monkeypatch.setattr(begin, "_go_on", lambda *_: pytest.fail("continued"))
    monkeypatch.setattr(begin, "_begin", lambda *_: "begun anew")
    assert train_or_reuse(tiny_config(clips), begun) == "begun anew"  # type: ignore[comparison-overlap]


def test_changed_settings_are_trained_anew(clips: Path, finished: RunDir) -> None:
    assert train_or_reuse(tiny_config(clips, train={"rounds": 2}), finished).steps == 8
    assert len(finished.read_rounds()) == 2


@pytest.mark.parametrize("change", [reverse, insert, forget])
def test_changed_clips_are_trained_anew(change: Callable[[Path], None], own_clips: Path, run: RunDir) -> None:
    config = tiny_config(own_clips, **SIMPLE)
    first = train_or_reuse(config, run)
    change(own_clips)
    again = train_or_reuse(config, run)
    assert again.digests["index"] != first.digests["index"]
    assert train_or_reuse(config, run) == again


def test_a_changed_split_file_is_trained_anew(clips: Path, run: RunDir, tmp_path: Path) -> None:
    split = tmp_path / "split.csv"
    roles = ["labeled"] * 6 + ["unlabeled"] * 30 + ["test"] * 12
    pd.DataFrame({"id": [f"{i:03d}.npy" for i in range(48)], "role": roles}).to_csv(split, index=False)
    config = tiny_config(clips, split_file=str(split), **SIMPLE)
    assert train_or_reuse(config, run).counts.labeled == 6
    split.write_text(split.read_text().replace("009.npy,unlabeled", "009.npy,labeled"))
    assert train_or_reuse(config, run).counts.labeled == 7


def test_a_run_that_has_learned_nothing_is_replaced_with_a_remark(
    clips: Path, run: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    for change, told in (({}, False), ({}, False), ({"method": "supervised"}, True)):
        capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loop.Trainer, "train", lambda _: stop())
            with pytest.raises(Stop):
                train(tiny_config(clips, **change, **SHORT), run)
        said = [line for line in capsys.readouterr().err.splitlines() if line.startswith(f"{run.path}: ")]
        assert [("other settings" in line) for line in said] == [True] * told


OTHERS = ("notes.txt", "rounds/notes.txt", "rounds/9.npz", "model/notes.txt", ".notes.aside", "checkpoint/own.pt")


def test_training_anew_leaves_files_of_others(clips: Path, finished: RunDir) -> None:
    run = finished
    run.report.write_text("of the old run")
    (run.path / ".ledger.csv.0123456789ab.aside").write_text("half a ledger")
    for name in OTHERS:
        (run.path / name).write_text("mine")
    train_or_reuse(tiny_config(clips, method="supervised", **SHORT), run)
    assert {(run.path / name).read_text() for name in OTHERS} == {"mine"}
    files = {str(path.relative_to(run.path)) for path in run.path.rglob("*") if path.is_file()}
    assert files - set(OTHERS) == {
        *(
            "config.yaml",
            "origin.json",
            "split.csv",
            "metrics.jsonl",
            "predictions.csv",
            "held_out.csv",
            "features.npz",
            "pseudo_labels.csv",
        ),
        *("result.json", "checkpoint/state.safetensors", "model/config.json", "model/model.safetensors"),
        "model/surroundings.safetensors",
    }


def test_an_unusable_new_config_leaves_the_old_run(clips: Path, finished: RunDir) -> None:
    before = {path: path.read_bytes() for path in finished.files()}
    with pytest.raises(InputError, match="warm_up_rounds"):
        train_or_reuse(tiny_config(clips, train={"rounds": 1, "warm_up_rounds": 1}), finished)
    assert {path: path.read_bytes() for path in finished.files()} == before


@pytest.mark.parametrize("removed", [1, 9])
def test_half_a_removal_is_never_continued(removed: int, clips: Path, finished: RunDir, whole: RunDir) -> None:
    new = tiny_config(clips, train=SHORT["train"] | {"seed": 1})
    unlink, left = Path.unlink, [removed]

    def unlink_some(path: Path, missing_ok: bool = False) -> None:
        if finished.path in path.parents:
            if left[0] == 0:
                stop()
            left[0] -= 1
        unlink(path, missing_ok)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "unlink", unlink_some)
        with pytest.raises(Stop):
            train_or_reuse(new, finished)
    with pytest.raises(InputError, match=r"no config\.yaml in it"):
        resume(finished)
    with pytest.raises(InputError, match=r"of a run without config\.yaml"):
        train(new, finished)
    train_or_reuse(tiny_config(clips, **SHORT), finished)
    assert same_run(finished, whole)


def test_an_interruption_before_the_config_is_written(clips: Path, run: RunDir, whole: RunDir) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(begin, "write_text", lambda *_: stop())
        with pytest.raises(Stop):
            train(tiny_config(clips, split={"seed": 5}), run)
    assert {path.name for path in run.path.iterdir()} == {"split.csv", "origin.json"}
    with pytest.raises(InputError, match=r"no config\.yaml in it"):
        resume(run)
    # Another run in the same folder: nothing of the first one is read.
    train(tiny_config(clips, **SHORT), run)
    assert same_run(run, whole)


@pytest.mark.parametrize(
    "kept", ["checkpoint/state.safetensors", "rounds/001.npz", "metrics.jsonl", "result.json", "model/config.json"]
)
def test_a_new_run_refuses_what_is_left_of_another(kept: str, clips: Path, finished: RunDir) -> None:
    run = finished
    for path in run.files():
        if path != run.path / kept:
            path.unlink()
    with pytest.raises(InputError, match=f"holds {kept} of a run without config") as caught:
        train(tiny_config(clips, **SHORT), run)
    assert "choose another --name" in str(caught.value)
    assert [str(path.relative_to(run.path)) for path in run.files()] == [kept]


def test_an_interrupted_run_has_a_report(begun: RunDir) -> None:
    assert "This run is unfinished" in write_report(begun.path).read_text()
