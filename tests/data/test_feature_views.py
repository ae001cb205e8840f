"""Views of features: what is stored, noise and gaps, each a pure function of its key."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from aplt.config import FeatureInput
from aplt.data.feature_views import FeatureViews
from aplt.data.index import read_index
from aplt.data.views import Kind, Request
from aplt.errors import InputError
from tests.data.features import write_bank

STILL = FeatureInput(weak_noise=0, strong_noise=0, strong_drop=0)


def views_of(bank: Path, settings: FeatureInput = STILL) -> FeatureViews:
    return FeatureViews(dict(enumerate(read_index(bank))), settings)


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Path, dict[str, Tensor]]:
    """A bank of two shards, and what all of it holds: numbers that say part, row and view."""
    bank = write_bank(tmp_path / "bank", clips=48, size=3)
    (bank / "features.npy").unlink()
    row, view = torch.arange(48.0), torch.arange(3.0)
    grid = torch.stack([*torch.meshgrid(row, view, indexing="ij"), torch.zeros(48, 3)], dim=2)
    arrays = {"center": torch.stack([row, row, row], dim=1), "weak": grid + 100, "strong": grid + 200}
    for number, rows in enumerate((slice(0, 30), slice(30, 48))):
        part = {name: array[rows].half().contiguous() for name, array in arrays.items()}
        save_file(part, bank / f"features-0000{number + 1}-of-00002.safetensors")
    return bank, arrays


def test_a_view_is_one_of_the_stored_ones(stored: tuple[Path, dict[str, Tensor]]) -> None:
    bank, arrays = stored
    views = views_of(bank)
    assert views.clip_shape == (1, 1, 3, 1)
    assert torch.equal(views("center", [Request(p, (0,)) for p in range(48)])[:, 0, 0, :, 0], arrays["center"])
    for kind in ("weak", "strong"):
        position = np.arange(40).repeat(30)
        requests = [Request(p, (number, p)) for number, p in enumerate(position.tolist())]
        found = views(kind, requests)[:, 0, 0, :, 0]
        assert torch.equal(found[:, 0], arrays[kind][position, 0, 0])
        drawn = torch.bincount((found[:, 1] - arrays[kind][0, 0, 1]).long(), minlength=3)
        assert drawn.min() > 330  # each about as often


@pytest.mark.parametrize("kind", ["center", "weak", "strong"])
def test_views_are_pure_functions_of_their_key(tmp_path: Path, kind: Kind) -> None:
    views = views_of(write_bank(tmp_path / "bank", views=3), FeatureInput())
    requests, others = (
        [Request(step * 5 % 48, (7, round_, step, step * 5 % 48)) for step in range(20)] for round_ in (0, 1)
    )
    together = views(kind, requests)
    alone = [views(kind, [request])[0] for request in requests[::-1]]
    assert torch.equal(together, torch.stack(alone[::-1]))
    other = views(kind, others)
    assert torch.equal(together, other) == (kind == "center")


def test_noise_and_gaps_are_as_large_as_they_say(tmp_path: Path) -> None:
    bank = write_bank(tmp_path / "bank", clips=3000, size=4)
    features = torch.from_numpy(np.load(bank / "features.npy")) * torch.tensor([1.0, 10, 100, 1000]) + 5
    np.save(bank / "features.npy", features.numpy())
    views = views_of(bank, FeatureInput(weak_noise=0.1, strong_noise=0, strong_drop=0.25))
    requests, deviation = [Request(p, (p,)) for p in range(3000)], features.std(dim=0)
    weak, strong = views("weak", requests)[:, 0, 0, :, 0], views("strong", requests)[:, 0, 0, :, 0]
    torch.testing.assert_close((weak - features).std(dim=0), 0.1 * deviation, rtol=0.1, atol=0)
    gone = strong != features
    torch.testing.assert_close(gone.float().mean(dim=0), torch.full((4,), 0.25), rtol=0, atol=0.03)
    torch.testing.assert_close(strong[gone], features.mean(dim=0).expand(3000, 4)[gone])


def test_what_does_not_fit_a_model_is_refused(tmp_path: Path) -> None:
    clips = dict(enumerate(read_index(write_bank(tmp_path / "bank"))))
    with pytest.raises(InputError, match="bank: each clip has 6 features, expected 5"):
        FeatureViews(clips, STILL, (1, 1, 5, 1))
    more = read_index(write_bank(tmp_path / "other"))
    with pytest.raises(InputError, match="other: features of another bank"):
        FeatureViews(clips | {99: more[0]}, STILL)
