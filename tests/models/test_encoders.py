"""One contract over every encoder, and what each refuses."""

import pytest
import torch
from torchvision.models import video

from aplt.data.modality import MODALITIES
from aplt.errors import InputError
from aplt.models.cost import USUAL, cost_of
from aplt.models.encoders import ENCODERS, build_encoder, feature_size
from aplt.models.tsm import TemporalShift, optical_flow

SHAPES = {
    **{"tcn": (4, 8, 6, 2), "gcn": (4, 16, 20, 2), "heatmaps": (4, 16, 20, 2)},
    **{"mvit_v2_s": (3, 16, 64, 64), "adapter": (1, 1, 12, 1)},
}
LARGE = {"r3d_18", "r2plus1d_18", "s3d", "mvit_v2_s", "swin3d_t", "tsm_resnet50", "manet"}


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
        # A clip's feature does not depend on its neighbors, and does depend on the order of its frames, or of features.
        torch.testing.assert_close(encoder(clips)[:1], encoder(clips[:1]), atol=1e-4, rtol=1e-3)
        backward = encoder(clips.flip(2 if shape[1] > 1 else 3))
        assert (encoder(clips) - backward).abs().max() > 1e-5 * backward.abs().max()


def test_there_is_a_usual_clip_of_every_modality() -> None:
    assert {encoder.modality for encoder in ENCODERS.values()} <= USUAL.keys()
    assert cost_of("adapter").clip_shape == USUAL["features"]


@pytest.mark.slow
def test_mvit_is_torchvisions_and_takes_its_weights_at_other_sizes() -> None:
    theirs = video.mvit_v2_s().eval()
    theirs.head = torch.nn.Identity()
    clip = torch.randn(1, 3, 16, 224, 224)
    for shape in ((3, 16, 224, 224), (3, 5, 90, 62)):
        ours = build_encoder("mvit_v2_s", shape, {}).eval()
        ours.load_state_dict(theirs.state_dict())
        with torch.no_grad():
            found = ours(clip[:, :, : shape[1], : shape[2], : shape[3]])
            assert torch.equal(found, theirs(clip)) if shape[1] == 16 else found.isfinite().all()


def test_each_modality_has_encoders_and_one_of_them_is_its_default() -> None:
    assert {encoder.modality for encoder in ENCODERS.values()} == set(MODALITIES)
    assert all(ENCODERS[modality.encoder].modality == name for name, modality in MODALITIES.items())


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


def test_flow_is_as_exact_in_mixed_precision() -> None:
    clip = torch.stack([pattern(0, 0), pattern(0.7, -0.3)], dim=2)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = optical_flow(clip)
    torch.testing.assert_close(mixed, optical_flow(clip), rtol=0, atol=0)
    torch.testing.assert_close(optical_flow(clip.double()).float(), mixed)


def test_flow_of_odd_sizes_fits_the_strided_convolution() -> None:
    for size in (31, 32, 33, 34, 35):
        clip = torch.randn(1, 3, 2, size, size + 1)
        assert optical_flow(clip).shape[3:] == ((size + 1) // 2, (size + 2) // 2)
        assert build_encoder("tsm_tiny", (3, 2, size, size + 1), {})(clip).shape == (1, 128)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("tsm_tyni", {}, "unknown encoder 'tsm_tyni'; did you mean 'tsm_tiny'?"),
        (
            "tcn",
            {"widht": 3},
            "encoder tcn: unknown setting 'encoder_settings.widht'; did you mean 'encoder_settings.width'?",
        ),
        ("tsm_resnet18", {"width": 3}, "unknown setting 'encoder_settings.width'; it has none"),
        ("tcn", {"parents": [0]}, "parents: expected one for each of 6 joints, found 1"),
        ("tcn", {"parents": [0, 0, 1, 2, 9, 4]}, "parents: joint 4 has the parent 9, expected 0 to 5"),
        ("tcn", {"parents": [0, 0, 1, 2, -1, 4]}, "parents: joint 4 has the parent -1, expected 0 to 5"),
        ("tcn", {"parents": [0, 0, 3, 4, 2, 4]}, "parents: from joint 2 the way up goes in a circle"),
        (
            "tcn",
            {"parents": 5},
            "encoder tcn: setting 'encoder_settings.parents': expected a list, found 5",
        ),
        (
            "tcn",
            {"width": "abc"},
            "encoder tcn: setting 'encoder_settings.width': expected a whole number, found 'abc'",
        ),
        (
            "tcn",
            {"width": -1},
            "setting 'encoder_settings.width': expected at least 1, found -1",
        ),
        ("tcn", {"dropout": 1}, "setting 'encoder_settings.dropout': expected less than 1, found 1"),
        (
            "tsm_tiny",
            {"width": True},
            "encoder tsm_tiny: setting 'encoder_settings.width': expected a whole number, found True",
        ),
    ],
)
def test_says_what_is_wrong(name: str, settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        build_encoder(name, (3, 8, 6, 2), settings)
    assert message in str(caught.value)


def test_clips_of_the_wrong_kind() -> None:
    with pytest.raises(InputError, match="encoder tcn cannot take clips"):
        feature_size(build_encoder("tcn", (3, 8, 6, 2), {}), "tcn", (3, 8, 5, 2))


def test_an_encoder_of_movement_needs_two_frames() -> None:
    with pytest.raises(InputError, match=r"tsm_tiny: .* needs 2 frames per clip or more; raise input\.frames"):
        build_encoder("tsm_tiny", (3, 1, 32, 32), {})
    build_encoder("tsm_tiny", (3, 2, 32, 32), {})
    build_encoder("tsm_resnet18", (3, 1, 32, 32), {})  # sees more than movement


def test_bones_enter_where_a_graph_is_given() -> None:
    plain, boned = (build_encoder("tcn", (3, 8, 4, 1), {"parents": p}) for p in (None, [0, 0, 1, 2]))
    assert sum(p.numel() for p in boned.parameters()) > sum(p.numel() for p in plain.parameters())
