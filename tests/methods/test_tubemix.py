"""TubeMix's masks, warps and partners, and its losses against a plain loop."""

import pytest
import torch

from aplt.methods import tubemix
from aplt.methods.tubemix import TubeMix, warp
from aplt.tensors import Task
from tests.methods.naive import argmax, cross_entropy, mean, rows, softmax
from tests.methods.scene import K, Toy, ToyStudent, make_batch, make_task, step

U = 3


def test_losses_equal_a_plain_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    student, teacher, batch = ToyStudent(Toy(0)), Toy(1), make_batch(1, unlabeled=U)
    algorithm = TubeMix(make_task(), confidence=0.9, u_weight=1.5, mix_weight=3.0)
    partner, mask, share = [1, 2, 0], torch.tensor([[1.0], [0.0], [1.0]]), 2 / 3
    monkeypatch.setattr(algorithm, "partners", lambda _: torch.tensor(partner))
    monkeypatch.setattr(algorithm, "tube", lambda _: mask)
    monkeypatch.setattr(tubemix, "warp", lambda clip: clip.flip(2))
    parts = step(algorithm, student, teacher, batch).parts

    q = [softmax(logits) for logits in rows(teacher(batch.weak))[1]]
    confident = [max(row) >= 0.9 for row in q]
    assert sorted(set(confident)) == [False, True]
    strong = rows(student.model(batch.strong))[1]
    agree = [cross_entropy(argmax(q[u]), strong[u]) * confident[u] for u in range(U)]
    assert float(parts["u_logits"]) == pytest.approx(1.5 * mean(agree), rel=1e-4)

    y = [[float(k == argmax(q[u])) for k in range(K)] if confident[u] else q[u] for u in range(U)]
    losses = []
    for u, v in enumerate(partner):
        mixed = mask * batch.strong[u] + (1 - mask) * batch.strong[v].flip(1)
        p = softmax(rows(student.model(mixed[None]))[1][0])
        wanted = [share * y[u][k] + (1 - share) * y[v][k] for k in range(K)]
        square = sum((a - b) ** 2 for a, b in zip(p, wanted, strict=True)) / K
        losses.append((share * confident[u] + (1 - share) * confident[v]) * square)
    assert float(parts["u_mix"]) == pytest.approx(3.0 * mean(losses), rel=1e-4)


def test_partners_are_other_clips_and_follow_the_positions() -> None:
    algorithm = TubeMix(make_task())
    position = torch.tensor([9, 2, 5, 7, 3])
    seen = set()
    for seed in range(20):
        torch.manual_seed(seed)
        partner = algorithm.partners(position)
        assert sorted(partner.tolist()) == [0, 1, 2, 3, 4]
        assert not (partner == torch.arange(5)).any()
        seen.add(tuple(partner.tolist()))
        torch.manual_seed(seed)
        turned = algorithm.partners(position.flip(0))
        assert position.flip(0)[turned].flip(0).tolist() == position[partner].tolist()
    assert len(seen) > 5
    assert algorithm.partners(torch.tensor([4])).tolist() == [0]


def test_tube_of_joints() -> None:
    algorithm = TubeMix(make_task())
    mask = algorithm.tube(torch.zeros(2, 3, 8, 25, 2))
    assert mask.shape == (25, 2)
    assert set(mask.unique().tolist()) == {0.0, 1.0}


def test_tube_of_pixels_is_made_of_patches_and_cut_at_the_border() -> None:
    algorithm = TubeMix(Task(3, 10, (0, 1, 2), 7, 4, 16))
    torch.manual_seed(0)
    mask = algorithm.tube(torch.zeros(2, 3, 4, 64, 40))
    assert mask.shape == (64, 40)
    for top in range(0, 64, 16):
        for left in range(0, 40, 16):
            assert len(mask[top : top + 16, left : left + 16].unique()) == 1
    assert 0 < float(mask.mean()) < 1


@pytest.mark.parametrize(("patch", "size"), [(1, (50, 2)), (4, (16, 16))])
def test_share_of_the_tube_is_drawn_about_a_half(patch: int, size: tuple[int, int]) -> None:
    algorithm = TubeMix(Task(3, 10, (0, 1, 2), 7, 4, patch))
    torch.manual_seed(0)
    shares = torch.stack([algorithm.tube(torch.zeros(1, 3, 4, *size)).mean() for _ in range(300)])
    # Beta(10, 10) has the mean 1/2 and the deviation 1 / sqrt(4 * 21) = 0.109.
    assert abs(float(shares.mean()) - 0.5) < 0.03
    assert abs(float(shares.std()) - 0.109) < 0.02


def test_warp_stretches_few_frames_over_the_time() -> None:
    frames = 9
    clip = torch.arange(frames).float().view(1, 1, frames, 1, 1).expand(2, 3, frames, 2, 1)
    torch.manual_seed(0)
    counts = set()
    for _ in range(60):
        shown = warp(clip)
        assert shown.shape == clip.shape
        times = shown[0, 0, :, 0, 0].long()
        assert torch.equal(shown, times.view(1, 1, frames, 1, 1).expand_as(clip).float())  # the same for all clips
        kept = times.unique()
        counts.add(len(kept))
        # Each frame shows the kept one nearest in time.
        distance = (torch.arange(frames)[:, None] - kept).abs()
        assert torch.equal((torch.arange(frames) - times).abs(), distance.amin(dim=1))
    assert counts == {2, 4, frames}


def test_warp_leaves_short_clips_as_they_are() -> None:
    clip = torch.randn(1, 2, 2, 3, 1)
    torch.manual_seed(0)
    assert all(torch.equal(warp(clip), clip) for _ in range(10))
