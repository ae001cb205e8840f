"""What is refused before a run begins, and the precision it runs in."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from accelerate.state import AcceleratorState

from aplt.errors import InputError
from aplt.offline.bank import build_bank
from aplt.offline.phase import Clusters
from aplt.rundir import RunDir
from aplt.runs.begin import train, train_or_reuse
from aplt.runs.measure import score_clips
from aplt.runs.setup import build_state, make_accelerator, prepare_material, read_clips, task_of
from tests.runs.clips import tiny_config, write_clips


@pytest.fixture
def fresh_precision() -> Iterator[None]:
    AcceleratorState._reset_state()
    yield
    AcceleratorState._reset_state()


@pytest.mark.parametrize("method", ["aplt", "fixmatch"])
@pytest.mark.parametrize("warm_up", [4, 9])
def test_a_run_of_warm_up_rounds_alone_is_refused(method: str, warm_up: int, clips: Path, tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    with pytest.raises(InputError) as caught:
        train(tiny_config(clips, method=method, train={"warm_up_rounds": warm_up}), run)
    assert str(caught.value).startswith(f"setting 'train.warm_up_rounds' is {warm_up} and 'train.rounds' is 3: method")
    assert "30 unlabeled clips" in str(caught.value)
    assert not run.path.exists()


@pytest.mark.parametrize("settings", [{"method": "supervised"}, {"split": {"labeled": 1.0}}, {}], ids=str)
def test_warm_up_rounds_alone_are_fine_where_nothing_is_missed(settings: dict[str, Any], clips: Path) -> None:
    config = tiny_config(clips, **settings, train={"warm_up_rounds": 3 if settings else 2})
    assert prepare_material(config, *read_clips(config), make_accelerator("no")).steps_per_round == 4


def test_clips_that_have_moved_are_named_before_training(clips: Path, tmp_path: Path) -> None:
    index = tmp_path / "clips.csv"
    table = pd.read_csv(clips)
    table.assign(path=[str(clips.parent / name) for name in table["path"]]).to_csv(index, index=False)
    index.write_text(index.read_text().replace("030.npy", "gone.npy"))
    config = tiny_config(index)
    with pytest.raises(InputError) as caught:
        prepare_material(config, *read_clips(config), make_accelerator("no"))
    gone = clips.parent / "gone.npy"
    assert str(caught.value) == (
        f"clip '{gone}' ({gone}): no such file; if the clips have moved since {index} was made, "
        "make it again with aplt index"
    )


def nothing(path: Path) -> None:
    path.write_bytes(b"nothing")


def other_joints(path: Path) -> None:
    np.save(path, np.ones((5, 9, 3)))


@pytest.mark.parametrize(
    ("damage", "why"), [(nothing, "unreadable as a skeleton"), (other_joints, "expected 4 joints")]
)
def test_an_unusable_clip_leads_to_what_names_all_of_them(
    damage: Callable[[Path], None], why: str, tmp_path: Path
) -> None:
    clips = write_clips(tmp_path / "my clips")
    damage(clips.parent / "030.npy")
    config, run = tiny_config(clips), RunDir(tmp_path / "run")
    for begin in (train, train_or_reuse):
        with pytest.raises(InputError) as caught:
            begin(config, run)
        assert str(caught.value).startswith(f"clip '030.npy' ({clips.parent / '030.npy'}): {why}")
        assert str(caught.value).endswith(f"; `aplt check '{clips}'` names all such clips")
    assert not run.path.exists()


@pytest.mark.usefixtures("fresh_precision")
def test_evaluation_and_the_bank_run_in_the_precision_of_training(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, set[bool]] = {}

    def watched(function: Any) -> Any:
        def call(*given: Any, **options: Any) -> Any:
            seen.setdefault(function.__name__, set()).add(torch.is_autocast_enabled("cpu"))
            return function(*given, **options)

        return call

    monkeypatch.setattr("aplt.runs.loop.build_bank", watched(build_bank))
    monkeypatch.setattr(Clusters, "__call__", watched(Clusters.__call__))
    monkeypatch.setattr("aplt.runs.outcome.score_clips", watched(score_clips))
    result = train(tiny_config(clips, train={"precision": "bf16", "rounds": 2}), RunDir(tmp_path / "run"))
    assert seen == {"build_bank": {True}, "score_clips": {True}, "__call__": {False}}
    assert result.test is not None
    assert 0 <= result.test.top1 <= 1


@pytest.mark.usefixtures("fresh_precision")
def test_another_precision_needs_another_process(clips: Path, tmp_path: Path) -> None:
    make_accelerator("no")
    make_accelerator("no")
    with pytest.raises(InputError, match=r"'train\.precision' is bf16, but this process has already trained with no"):
        train(tiny_config(clips, train={"precision": "bf16"}), RunDir(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("fresh_precision")
@pytest.mark.skipif(torch.cuda.is_available(), reason="fp16 works on a GPU")
def test_half_precision_needs_a_gpu() -> None:
    with pytest.raises(InputError, match=r"'train\.precision' is fp16, which needs a GPU"):
        make_accelerator("fp16")
    make_accelerator("no")  # what was refused left nothing behind


def test_people_in_training_and_test_are_pointed_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("aplt.runs.begin.console.print", lambda text, **_: said.append(text))
    clips = write_clips(tmp_path / "clips")
    train(tiny_config(clips, train={"rounds": 1, "warm_up_rounds": 0}), RunDir(tmp_path / "mixed"))
    assert "the same people are in training and test clips" in said[0]
    assert "--set split.by_subject=true holds out whole people" in said[0]
    said.clear()
    apart = {"test_subjects": ["s3"], "test": 0.2}
    train(tiny_config(clips, split=apart, train={"rounds": 1, "warm_up_rounds": 0}), RunDir(tmp_path / "apart"))
    assert not any("subjects" in text for text in said)


def test_the_untrained_state(clips: Path) -> None:
    config = tiny_config(clips, train={"seed": 3})
    material = prepare_material(config, *read_clips(config), make_accelerator("no"))
    state, again = (build_state(config, material, torch.device("cpu")) for _ in range(2))
    weights = state.student.state_dict()
    assert all(torch.equal(tensor, again.student.state_dict()[name]) for name, tensor in weights.items())
    assert all(torch.equal(tensor, state.recognizer.state_dict()[name]) for name, tensor in weights.items())
    assert state.student.training
    assert not any(module.training for module in state.teacher.modules())
    assert not any(parameter.requires_grad for parameter in state.teacher.parameters())
    assert all(parameter.requires_grad for parameter in state.student.parameters())
    assert len(state.online.label) == 48


def test_the_sizes_that_a_method_is_told(clips: Path) -> None:
    config = tiny_config(clips)
    material = prepare_material(config, *read_clips(config), make_accelerator("no"))
    model = build_state(config, material, torch.device("cpu")).student
    task = task_of(config, material, model)
    assert (task.num_classes, task.num_clips, task.num_unlabeled) == (3, 48, 30)
    assert task.labeled == material.split.labeled
    assert len(task.labeled) == 6
    assert (task.feature_size, task.patch) == (model.classifier.weight.shape[1], 1)  # one joint


def test_rare_classes_have_lower_logits_in_training_where_that_is_asked_for(clips: Path) -> None:
    def adjustment(**train: Any) -> torch.Tensor:
        config = tiny_config(clips, train=train)
        material = prepare_material(config, *read_clips(config), make_accelerator("no"))
        found: torch.Tensor = build_state(config, material, torch.device("cpu")).student.adjustment
        label_of = material.data.label_of
        counts.update({k: list(label_of.values()).count(k) for k in label_of.values()})
        return found

    counts: dict[int, int] = {}
    assert not adjustment().any()
    share = torch.tensor([counts[k] for k in sorted(counts)]) / sum(counts.values())
    torch.testing.assert_close(adjustment(logit_adjustment=0.5), 0.5 * share.log())
    with pytest.raises(InputError, match="choose one of the two"):
        adjustment(logit_adjustment=0.5, sampling="classes")
