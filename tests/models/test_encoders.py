"""One contract over every encoder, and the recognizer's folder."""

from pathlib import Path

import pytest
import torch

from aplt.errors import InputError
from aplt.models.encoders import DEFAULT_ENCODER, ENCODERS, build_encoder, feature_size
from aplt.models.recognizer import Recognizer, load_recognizer, save_model
from aplt.models.tsm import TemporalShift, optical_flow

SHAPES = {"tcn": (3, 8, 6, 2), "mvit_v2_s": (3, 16, 64, 64)}
LARGE = {"r3d_18", "r2plus1d_18", "s3d", "mvit_v2_s", "swin3d_t", "tsm_resnet50"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if n in LARGE else []) for n in ENCODERS])
def test_contract(name: str) -> None:
    shape = SHAPES.get(name, (3, 8, 32, 32))
    torch.manual_seed(0)
    encoder = build_encoder(name, shape, {})
    size = feature_size(encoder, name, shape)
    clips = torch.randn(2, *shape)
    feature = encoder.train()(clips)
    assert feature.shape == (2, size)
    feature.square().sum().backward()
    used = [p for p in encoder.parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    assert len(used) > 0.9 * len(list(encoder.parameters()))
    encoder.eval()
    with torch.no_grad():
        # A clip's feature does not depend on its neighbors, and does depend on the order of its frames.
        torch.testing.assert_close(encoder(clips)[:1], encoder(clips[:1]), atol=1e-4, rtol=1e-3)
        assert not torch.allclose(encoder(clips), encoder(clips.flip(2)), atol=1e-5)


def test_defaults_exist() -> None:
    assert set(DEFAULT_ENCODER.values()) <= set(ENCODERS)


def test_shift_moves_a_share_of_the_channels_one_frame() -> None:
    shift = TemporalShift(torch.nn.Identity(), frames=3, division=4)
    clip = torch.arange(3 * 4).reshape(3, 4, 1, 1).float()  # frame t, channel c holds 4 t + c
    moved = shift(clip)[:, :, 0, 0].tolist()
    assert moved == [[4, 0, 2, 3], [8, 1, 6, 7], [0, 5, 10, 11]]


def pattern(right: float, down: float) -> torch.Tensor:
    """A smooth pattern, moved by these pixels: [1, 3, 32, 32]."""
    y, x = torch.meshgrid(torch.arange(32) - down, torch.arange(32) - right, indexing="ij")
    return (torch.sin(0.5 * x) + torch.cos(0.4 * y)).expand(1, 3, 32, 32)


@pytest.mark.parametrize(("right", "down"), [(0.7, 0.0), (-0.5, 0.6), (0.0, -0.8)])
@pytest.mark.parametrize("contrast", [1.0, -3.0])
def test_flow_is_how_far_what_is_seen_has_moved(right: float, down: float, contrast: float) -> None:
    clip = contrast * torch.stack([pattern(0, 0), pattern(right, down), pattern(right, down)], dim=2)
    flow = optical_flow(clip)
    assert flow.shape == (1, 2, 3, 16, 16)
    inside = flow[0, :, :, 4:12, 4:12].mean(dim=(2, 3))
    torch.testing.assert_close(inside[:, 1], torch.tensor([right, down]), atol=0.2, rtol=0)
    assert not flow[:, :, [0, 2]].any()


def test_flow_of_odd_sizes_fits_the_strided_convolution() -> None:
    for size in (31, 32, 33, 34, 35):
        clip = torch.randn(1, 3, 2, size, size + 1)
        assert optical_flow(clip).shape[3:] == ((size + 1) // 2, (size + 2) // 2)
        assert build_encoder("tsm_tiny", (3, 2, size, size + 1), {})(clip).shape == (1, 128)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("tsm_tyni", {}, "unknown encoder 'tsm_tyni'; did you mean 'tsm_tiny'?"),
        ("tcn", {"widht": 3}, "encoder tcn: unknown setting 'widht'; did you mean 'width'?"),
        ("tsm_resnet18", {"width": 3}, "unknown setting 'width'; it has none"),
        ("tcn", {"parents": [0]}, "parents: expected one for each of 6 joints, found 1"),
    ],
)
def test_says_what_is_wrong(name: str, settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        build_encoder(name, (3, 8, 6, 2), settings)
    assert message in str(caught.value)


def test_unknown_weights_and_clips_of_the_wrong_kind() -> None:
    with pytest.raises(InputError, match="weights 'KINETICS' could not be loaded"):
        build_encoder("r3d_18", (3, 8, 32, 32), {}, weights="KINETICS")
    with pytest.raises(InputError, match="encoder tcn cannot take clips"):
        feature_size(build_encoder("tcn", (3, 8, 6, 2), {}), "tcn", (3, 8, 5, 2))


def test_bones_enter_where_a_graph_is_given() -> None:
    plain, boned = (build_encoder("tcn", (3, 8, 4, 1), {"parents": p}) for p in (None, [0, 0, 1, 2]))
    assert sum(p.numel() for p in boned.parameters()) > sum(p.numel() for p in plain.parameters())


def recognizer(read_out: str = "classifier") -> Recognizer:
    torch.manual_seed(0)
    return Recognizer(
        encoder="tcn",
        encoder_settings={"width": 8, "blocks": 1},
        clip_shape=[3, 8, 4, 1],
        class_names=["näh", "b", "c"],
        input={"kind": "skeleton", "frames": 8},
        read_out=read_out,
        prototype_scale=20.0,
    ).eval()


def test_model_folder_round_trip(tmp_path: Path) -> None:
    model = recognizer("both")
    model.prototype.copy_(torch.nn.functional.normalize(torch.randn_like(model.prototype), dim=1))
    for _ in range(2):  # the second replaces the first
        save_model(model, tmp_path / "model")
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == ["config.json", "model.safetensors"]
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
    again = load_recognizer(tmp_path / "model")
    clips = torch.randn(5, 3, 8, 4, 1)
    with torch.no_grad():
        assert torch.equal(again.probabilities(again(clips)), model.probabilities(model(clips)))
    assert again.class_names == ["näh", "b", "c"]


def test_read_out_averages_classifier_and_prototypes() -> None:
    model = recognizer("both")
    prediction = model(torch.randn(4, 3, 8, 4, 1))
    classified = prediction.logits.softmax(dim=1)
    torch.testing.assert_close(model.probabilities(prediction), classified)  # no prototypes yet
    model.prototype.copy_(torch.nn.functional.normalize(torch.randn_like(model.prototype), dim=1))
    cosine = torch.nn.functional.cosine_similarity(prediction.feature[:, None], model.prototype[None], dim=2)
    torch.testing.assert_close(model.probabilities(prediction), (classified + (20 * cosine).softmax(dim=1)) / 2)
    assert not torch.allclose(model.probabilities(prediction), classified)


def test_no_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no config\.json in it"):
        load_recognizer(tmp_path)
    save_model(recognizer(), tmp_path / "model")
    (tmp_path / "model" / "config.json").write_text("{}")
    with pytest.raises(InputError, match="not a model of this version"):
        load_recognizer(tmp_path / "model")
