"""Weights from files: names of other programs, what is left over, and what is refused."""

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from aplt.errors import InputError
from aplt.models.encoders import build_encoder, load_weights
from aplt.models.recognizer import Recognizer, save_model
from aplt.models.tsm import ExcitedShift
from aplt.models.weights import left_over, read_weights, start_from

SHAPE = (3, 2, 32, 32)


def mmaction_names(*, shift: bool, excite: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yields the names and shapes in a checkpoint of mmaction2's ResNet-50, as its modules nest."""

    def convolution(
        name: str, inputs: int, outputs: int, kernel: int, wrap: str = ""
    ) -> Iterator[tuple[str, tuple[int, ...]]]:
        yield f"{name}.conv.{wrap}weight", (outputs, inputs, kernel, kernel)
        for part in ("weight", "bias", "running_mean", "running_var"):
            yield f"{name}.bn.{part}", (outputs,)
        yield f"{name}.bn.num_batches_tracked", ()

    yield from convolution("backbone.conv1", 3, 64, 7)
    inputs = 64
    for layer, (width, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), start=1):
        for block in range(blocks):
            at = f"backbone.layer{layer}.{block}"
            yield from convolution(f"{at}.conv1", inputs, width, 1, "net." if shift else "")
            if excite:  # MANet's TemporalShift has these besides, and computes with fcce alone
                quarter = inputs // 4
                yield f"{at}.conv1.conv.action_p2_squeeze.weight", (quarter, inputs, 1, 1)
                yield f"{at}.conv1.conv.action_p2_conv1.weight", (quarter, quarter, 3)
                yield f"{at}.conv1.conv.action_p2_expand.weight", (inputs, quarter, 1, 1)
                yield f"{at}.conv1.conv.fcce.0.weight", (quarter, inputs)
                yield f"{at}.conv1.conv.fcce.2.weight", (inputs, quarter)
            yield from convolution(f"{at}.conv2", width, width, 3)
            yield from convolution(f"{at}.conv3", width, 4 * width, 1)
            if block == 0:
                yield from convolution(f"{at}.downsample", inputs, 4 * width, 1)
            inputs = 4 * width
    yield "cls_head.fc_cls.weight", (52, 2048)
    yield "cls_head.fc_cls.bias", (52,)


@pytest.mark.parametrize(
    ("encoder", "shift", "excite"),
    [("tsm_resnet50", True, False), ("tsm_resnet50", False, False), ("manet", True, True)],
)
def test_checkpoints_of_mmaction(encoder: str, shift: bool, excite: bool) -> None:
    """TSM's, TSN's and MANet's: each tensor arrives at its own place, and heads are left over."""
    names = list(mmaction_names(shift=shift, excite=excite))
    # Each tensor is filled with its number, so that it can be told where it went.
    state = {name: torch.full(shape, float(number)) for number, (name, shape) in enumerate(names, start=1)}
    net = build_encoder(encoder, SHAPE, {})
    missing, unused = start_from(net, state, "best.pth")
    own = net.state_dict()
    net_part = "net." if shift else ""
    for ours, theirs in {
        "net.conv1.weight": "conv1.conv.weight",
        "net.bn1.running_var": "conv1.bn.running_var",
        "net.layer1.0.conv1.net.weight": f"layer1.0.conv1.conv.{net_part}weight",
        "net.layer2.3.bn1.bias": "layer2.3.conv1.bn.bias",
        "net.layer3.5.conv2.weight": "layer3.5.conv2.conv.weight",
        "net.layer4.0.downsample.0.weight": "layer4.0.downsample.conv.weight",
        "net.layer4.0.downsample.1.running_mean": "layer4.0.downsample.bn.running_mean",
        "net.layer4.2.bn3.weight": "layer4.2.conv3.bn.weight",
    }.items():
        assert torch.equal(own[ours], state[f"backbone.{theirs}"]), ours
    if excite:
        assert torch.equal(
            own["net.layer4.1.conv1.excite.2.weight"], state["backbone.layer4.1.conv1.conv.fcce.2.weight"]
        )
    counters = sum(name.endswith("num_batches_tracked") for name in own)
    assert len({float(value.flatten()[0]) for value in own.values()}) == len(own) - counters + 1  # all from the file
    assert not missing
    assert [name for name in unused if "action_p2" not in name] == ["cls_head.fc_cls.weight", "cls_head.fc_cls.bias"]


def test_manet_weighs_channels_before_it_shifts_them() -> None:
    torch.manual_seed(0)
    shift = ExcitedShift(nn.Conv2d(8, 4, 1), 3)
    frame = torch.randn(6, 8, 5, 5)
    first, second = shift.excite[0].weight, shift.excite[2].weight
    assert (first.shape, second.shape) == ((2, 8), (8, 2))
    weighed = torch.stack(
        [x * torch.sigmoid(second @ (first @ x.mean(dim=(1, 2))).relu())[:, None, None] for x in frame]
    )
    clips = weighed.view(2, 3, 8, 5, 5)
    moved = torch.zeros_like(clips)
    moved[:, :-1, 0], moved[:, 1:, 1], moved[:, :, 2:] = clips[:, 1:, 0], clips[:, :-1, 1], clips[:, :, 2:]
    torch.testing.assert_close(shift(frame), shift.net(moved.flatten(0, 1)))


class Named(nn.Module):
    """Two layers under these names."""

    def __init__(self, first: str = "first", second: str = "second", width: int = 3) -> None:
        super().__init__()
        self.add_module(first, nn.Linear(2, width))
        self.add_module(second, nn.Linear(width, 4))


def test_names_of_another_program_in_the_same_order() -> None:
    ours, theirs = Named(), Named("_a", "_b")
    head = {"_fc.weight": torch.zeros(7, 4)}
    assert start_from(ours, theirs.state_dict() | head, "x") == ([], ["_fc.weight"])
    for own, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(own, other)


def test_what_is_left_over_is_named() -> None:
    ours, state = Named(), {f"module.{name}": value for name, value in Named().state_dict().items()}
    del state["module.second.bias"]
    missing, unused = start_from(ours, state | {"module.head.weight": torch.zeros(1)}, "x")
    assert (missing, unused) == (["second.bias"], ["module.head.weight"])
    assert left_over("x", missing, unused) == "x: not in it, so random: second.bias; not used: module.head.weight"
    assert left_over("x", [], []) == ""
    assert left_over("x", [], ["classifier.bias"]) == "x: the encoder's alone; classifier and prototypes begin anew"
    assert left_over("x", [], list("abcdef")) == "x: not used: a, b, c, d and 2 more"


def test_weights_of_another_network_or_size_are_refused() -> None:
    with pytest.raises(InputError, match=r"x: weights of another network.*first\.weight.*it has 0.*holds 1 \(other\)"):
        start_from(Named(), {"other": torch.zeros(1)}, "x")
    with pytest.raises(InputError, match=r"another size: first\.weight is \[5, 2\], .* expects \[3, 2\]"):
        start_from(Named(), Named(width=5).state_dict(), "x")


def test_a_model_folder_of_ours_is_a_start_as_well(tmp_path: Path) -> None:
    shape = [4, 8, 6, 2]
    model = Recognizer(
        encoder="tcn",
        encoder_settings={},
        clip_shape=shape,
        class_names=["a", "b"],
        input={"kind": "skeleton", "frames": 8},
        read_out="classifier",
        prototype_scale=20.0,
    )
    save_model(model, tmp_path / "model")
    other = build_encoder("tcn", tuple(shape), {})
    left = load_weights(other, "tcn", tuple(shape), {}, str(tmp_path / "model" / "model.safetensors"))
    assert left.endswith("the encoder's alone; classifier and prototypes begin anew")
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in model.encoder.state_dict().items())


RUN: list[str] = []


def run(what: str) -> None:
    RUN.append(what)


class Hostile:
    """What a pickle can hold: a call."""

    def __reduce__(self) -> tuple[object, ...]:
        return (run, ("it ran",))


def test_files_that_are_no_weights(tmp_path: Path) -> None:
    tensor = {"a": torch.zeros(2)}
    save_file(tensor, tmp_path / "good.safetensors")
    torch.save({"meta": {"epoch": 40, "CLASSES": None}, "state_dict": tensor}, tmp_path / "mmaction.pth")
    torch.save({"model": {"state_dict": tensor}, "optimizer": {"step": tensor}}, tmp_path / "nested.pt")
    for name in ("good.safetensors", "mmaction.pth", "nested.pt"):
        assert {key: value.shape for key, value in read_weights(tmp_path / name).items()} == {"a": (2,)}
    (tmp_path / "bad.safetensors").write_bytes((tmp_path / "good.safetensors").read_bytes()[:-4])
    (tmp_path / "bad.pth").write_bytes(b"not at all")
    (tmp_path / "old.pth").write_bytes(pickle.dumps({"a": Hostile()}, protocol=2))
    torch.save({"state_dict": tensor, "hook": Hostile()}, tmp_path / "hostile.pth")
    torch.save([torch.zeros(2)], tmp_path / "list.pth")
    torch.save({"epoch": 3}, tmp_path / "none.pth")
    for name, why in (
        ("bad.safetensors", "not a file of weights"),
        ("bad.pth", "objects besides tensors"),
        ("old.pth", "objects besides tensors"),
        ("hostile.pth", "objects besides tensors, such as"),
        ("list.pth", "expected tensors by name, found list without one"),
        ("none.pth", "expected tensors by name, found dict without one"),
        ("missing.pth", "No such file"),
    ):
        with pytest.raises(InputError, match=why) as caught:
            read_weights(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
        assert "\n" not in str(caught.value)
    assert not RUN
