"""What of an encoder learns and how fast; and that saving memory or time leaves what is learned as it was."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook

import aplt
from aplt.config import RunConfig
from aplt.errors import InputError
from aplt.models.blocks import depth_of
from aplt.rundir import RunDir
from aplt.runs.begin import resume, train
from aplt.runs.setup import build_state, make_accelerator, prepare_material, read_clips
from aplt.runs.state import TrainState
from aplt.runs.tuning import require_followed
from tests.runs.clips import tiny_config
from tests.runs.runs import interrupt, same_weights, weights

DEEP = {"width": 8, "blocks": 2}


def deep(clips: Path, **tuning: Any) -> RunConfig:
    """Returns the config of a short run with an encoder of two blocks."""
    return tiny_config(clips, encoder_settings=DEEP, train={"rounds": 2, "steps_per_round": 2} | tuning)


def trained(clips: Path, folder: Path, **tuning: Any) -> RunDir:
    run = RunDir(folder)
    train(deep(clips, **tuning), run)
    return run


def state_of(config: RunConfig) -> TrainState:
    return build_state(
        config, prepare_material(config, *read_clips(config), make_accelerator("no")), torch.device("cpu")
    )


@pytest.fixture(scope="module")
def plain(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    return trained(clips, tmp_path_factory.mktemp("plain") / "run")


def test_frozen_blocks_keep_weights_and_statistics_and_the_rest_learns(clips: Path, tmp_path: Path) -> None:
    before = state_of(deep(clips)).student.state_dict()
    after = weights(trained(clips, tmp_path / "run", frozen_blocks=1))
    still = {name for name, tensor in after.items() if torch.equal(tensor, before[name])}
    encoder = {name for name in after if name.startswith("encoder.")}
    frozen = {name for name in encoder if name.startswith(("encoder.stem.", "encoder.blocks.0."))}
    assert any("running_mean" in name for name in frozen)
    assert any("num_batches_tracked" in name for name in frozen)
    assert still & encoder == frozen
    assert "classifier.weight" in after.keys() - still


def test_all_blocks_may_be_frozen_and_more_are_refused(clips: Path) -> None:
    state = state_of(deep(clips, frozen_blocks=2))
    learning = {name for name, parameter in state.student.named_parameters() if parameter.requires_grad}
    assert learning == {"classifier.weight", "classifier.bias"}
    with pytest.raises(InputError, match=r"'train.frozen_blocks' is 3, but encoder tcn has 2 blocks"):
        state_of(deep(clips, frozen_blocks=3))


def test_learning_rates_decay_block_by_block_toward_the_input(clips: Path) -> None:
    state = state_of(deep(clips, layer_decay=0.5))
    share = {id(p): group["share"] for group in state.optimizer.param_groups for p in group["params"]}
    encoder = state.student.encoder
    depth = depth_of(encoder)
    for module in encoder.modules():
        for parameter in module.parameters(recurse=False):
            assert share.pop(id(parameter)) == {0: 0.125, 1: 0.25, 2: 0.5}[depth[module]]
    assert set(share.values()) == {1.0}
    assert share.keys() == {id(p) for p in state.student.classifier.parameters()}
    one, other = (group["params"] for group in state_of(deep(clips)).optimizer.param_groups)
    assert {p.ndim > 1 for p in one} == {True}
    assert {p.ndim > 1 for p in other} == {False}


def test_the_shares_are_those_of_every_step(clips: Path, tmp_path: Path) -> None:
    seen: list[set[float]] = []

    def look(optimizer: Optimizer, _: Any, __: Any) -> None:
        seen.append({round(group["lr"] / group["share"], 12) for group in optimizer.param_groups})

    hook = register_optimizer_step_pre_hook(look)
    trained(clips, tmp_path / "run", layer_decay=0.5, learning_rate=0.1, steps_per_round=3)
    hook.remove()
    assert {len(rates) for rates in seen} == {1}
    assert max(map(max, seen)) > 0.09


def test_checkpointing_ends_with_the_same_weights_and_statistics(clips: Path, plain: RunDir, tmp_path: Path) -> None:
    again = RunDir(tmp_path / "run")
    config = deep(clips, gradient_checkpointing=True)
    interrupt(config, again, round_=1, step=1)
    resume(again)
    assert same_weights(plain, again)


def test_checkpointing_keeps_less(clips: Path) -> None:
    kept = []
    for tuning in ({}, {"gradient_checkpointing": True}):
        encoder = state_of(deep(clips, **tuning)).student.encoder
        shapes: list[torch.Size] = []

        def see(tensor: Tensor, shapes: list[torch.Size] = shapes) -> Tensor:
            shapes.append(tensor.shape)
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(see, lambda tensor: tensor):
            encoder(torch.randn(4, 4, 8, 4, 1))
        kept.append(len(shapes))
    assert kept[1] < kept[0] / 2


def test_a_step_in_parts_is_the_same_step_and_goes_on_exactly(clips: Path, tmp_path: Path) -> None:
    def config(parts: int) -> RunConfig:
        # Without batch norm's statistics and dropout, which see a part at a time.
        train = {"rounds": 2, "warm_up_rounds": 0, "steps_per_round": 2, "optimizer": "sgd", "batch_norm": "frozen"}
        own = {"width": 8, "blocks": 1, "dropout": 0.0}
        return tiny_config(clips, method="fixmatch", encoder_settings=own, train=train | {"accumulate": parts})

    whole, parted, resumed = (RunDir(tmp_path / name) for name in ("whole", "parted", "resumed"))
    train(config(1), whole)
    train(config(2), parted)
    interrupt(config(2), resumed, round_=1, step=1)
    resume(resumed)
    assert same_weights(parted, resumed)
    one, other = weights(whole), weights(parted)
    for name in one:
        torch.testing.assert_close(one[name], other[name], atol=1e-5, rtol=1e-4)
    for line, again in zip(whole.read_rounds(), parted.read_rounds(), strict=True):
        assert line.loss == pytest.approx(again.loss, rel=1e-4)
        assert line.online == again.online
    with pytest.raises(InputError, match=r"'train.batch_labeled' is 4, expected a multiple of 3: each of train.accum"):
        train(config(3), RunDir(tmp_path / "refused"))


def test_channels_last_is_how_weights_lie_and_not_what_they_are(clips: Path) -> None:
    own = {"encoder": "heatmaps", "encoder_settings": {"size": 8, "width": 8}}
    plain, last = (
        state_of(tiny_config(clips, train=train).model_copy(update=own)) for train in ({}, {"channels_last": True})
    )
    for model in (last.student, last.recognizer):
        for convolution in (module for module in model.modules() if isinstance(module, nn.Conv3d)):
            assert convolution.weight.is_contiguous(memory_format=torch.channels_last_3d)
    stem = next(module for module in last.student.modules() if isinstance(module, nn.Conv3d))
    assert not stem.weight.is_contiguous()
    assert all(map(torch.equal, last.student.parameters(), plain.student.parameters()))


def test_the_encoders_of_student_and_teacher_are_compiled(clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[nn.Module] = []
    monkeypatch.setattr(nn.Module, "compile", lambda module: compiled.append(module))
    monkeypatch.setattr("aplt.runs.setup.require_compiler", lambda _: None)
    state = state_of(deep(clips, compile=True))
    assert compiled == [state.student.encoder, state.recognizer.encoder]


@pytest.mark.slow
def test_a_compiled_run_goes_on_and_its_model_has_the_usual_names(clips: Path, plain: RunDir, tmp_path: Path) -> None:
    run, config = RunDir(tmp_path / "run"), deep(clips, compile=True)
    interrupt(config, run, round_=1, step=1)
    resume(run)
    assert weights(run).keys() == weights(plain).keys()
    model = aplt.load(run.path)
    assert model(torch.zeros(1, *model.clip_shape)).logits.isfinite().all()


def test_what_an_encoder_cannot_follow_is_refused_before_its_clips_are_read(clips: Path) -> None:
    video = {"kind": "video", "frames": 4, "size": 32}
    base = tiny_config(clips)

    def config(encoder: str = "tsm_tiny", **tuning: Any) -> RunConfig:
        given = base.model_dump() | {"encoder": encoder, "encoder_settings": {}, "input": video}
        return RunConfig.model_validate(given | {"train": given["train"] | tuning})

    require_followed(config(frozen_blocks=3, layer_decay=0.5, gradient_checkpointing=True, channels_last=True))
    own = "tests.runs.test_tuning:FLAT"
    for encoder, tuning, message in (
        ("tsm_tiny", {"frozen_blocks": 4}, "'train.frozen_blocks' is 4, but encoder tsm_tiny has 3 blocks"),
        (own, {"layer_decay": 0.5}, f"'train.layer_decay' is 0.5, but encoder {own} has no blocks"),
        (own, {"gradient_checkpointing": True}, f"'train.gradient_checkpointing' .* {own} has no blocks"),
        (own, {"channels_last": True}, f"'train.channels_last' .* {own} has no convolution"),
        ("tsm_tiny", {"compile": True, "gradient_checkpointing": True}, "do not go together"),
    ):
        with pytest.raises(InputError, match=message):
            require_followed(config(encoder, **tuning))
    with pytest.raises(InputError, match=r"'train.channels_last' .* tcn has no convolution over two"):
        state_of(deep(clips, channels_last=True))


def flat(clip_shape: tuple[int, ...]) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(clip_shape), 4))


FLAT = aplt.Encoder(flat, "video")


@pytest.mark.parametrize(("name", "last"), [("swin3d_t", 0.1), ("mvit_v2_s", 0.2)])
def test_drop_path_grows_with_the_depth(name: str, last: float) -> None:
    from torchvision.ops import StochasticDepth

    from aplt.models.encoders import build_encoder

    rates = []
    for given in ({}, {"drop_path": 0.4}, {"drop_path": 0.0}):
        with torch.device("meta"):
            net = build_encoder(name, (3, 16, 64, 64), given)
        rates.append([m.p for m in net.modules() if isinstance(m, StochasticDepth)])
    assert rates[0][-1] == last
    assert rates[1] == pytest.approx([0.4 / last * rate for rate in rates[0]])
    assert max(rates[2]) == 0.0
    with pytest.raises(InputError, match=r"encoder r3d_18: unknown setting 'encoder_settings.drop_path'"):
        build_encoder("r3d_18", (3, 8, 32, 32), {"drop_path": 0.1})
