"""APLT's four losses against plain loops, and what must hold of their gradients."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from aplt.algorithms.aplt import APLT
from aplt.algorithms.equations import DistributionAlignment, margin_logits, mean_over_all
from aplt.algorithms.supervised import Supervised
from aplt.values import Guidance, Prediction, PseudoLabels, SemiBatch

K, D = 3, 4


class Toy(nn.Module):
    """A linear recognizer on clips [B, 5]."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.encoder, self.classifier = nn.Linear(5, D), nn.Linear(D, K)

    def forward(self, clip: Tensor) -> Prediction:
        feature = self.encoder(clip)
        return Prediction(feature, self.classifier(feature) * 6)


def scene(labeled: int = 4, unlabeled: int = 6) -> tuple[SemiBatch, Guidance]:
    """Returns a batch with clips that the offline phase accepted and others that it rejected."""
    generator = torch.Generator().manual_seed(1)

    def clips(count: int) -> Tensor:
        return torch.randn(count, 5, generator=generator)

    y = torch.arange(labeled) % K
    position = torch.arange(unlabeled) + 10
    batch = SemiBatch(clips(labeled), clips(labeled), y, clips(unlabeled), clips(unlabeled), position)
    n = 10 + unlabeled
    accepted = torch.arange(n) % 2 == 0
    pseudo = PseudoLabels(
        torch.arange(n) % K, torch.ones(n), accepted, torch.zeros(n, dtype=torch.bool), torch.ones(n), torch.ones(K)
    )
    return batch, Guidance(pseudo, functional.normalize(torch.randn(K, D, generator=generator), dim=1), 0)


def entropy(logits: Tensor, y: int) -> float:
    return -float(logits.log_softmax(dim=0)[y])


def margin_entropy(feature: Tensor, prototype: Tensor, y: int, margin: float, scale: float) -> float:
    values = []
    for k in range(K):
        cosine = float(feature @ prototype[k] / feature.norm())
        values.append(scale * (cosine - (margin if k == y else 0.0)))
    return -values[y] + math.log(sum(math.exp(v) for v in values))


def test_each_loss_equals_a_plain_loop() -> None:
    student, teacher = Toy(0), Toy(1)
    batch, guidance = scene()
    with torch.no_grad():
        weak_x, strong_x = student(batch.weak_labeled), student(batch.strong_labeled)
        strong_u, q = student(batch.strong), teacher(batch.weak).logits.softmax(dim=1)
    tau = float(q.amax(dim=1).median())  # so that some are confident and some are not
    algorithm = APLT(K, mix=0.0, alignment=False, confidence=tau)
    parts = algorithm.loss(student, teacher, batch, guidance=guidance, progress=0.5).parts
    b, u = range(4), range(6)
    confident = [i for i in u if q[i].max() >= tau]
    assert 0 < len(confident) < 6
    rows = [10 + i for i in u]
    label, accepted = guidance.pseudo.label, guidance.pseudo.accepted
    expected = {
        "sup_logits": sum(entropy(weak_x.logits[i], int(batch.y[i])) for i in b) / 4,
        "sup_strong": sum(entropy(strong_x.logits[i], int(batch.y[i])) for i in b) / 4,
        "sup_margin": sum(
            margin_entropy(strong_x.feature[i], guidance.prototype, int(batch.y[i]), 0.3, 20.0) for i in b
        )
        / 4,
        "u_logits": sum(entropy(strong_u.logits[i], int(q[i].argmax())) for i in confident) / 6,
        "u_margin": sum(
            margin_entropy(strong_u.feature[i], guidance.prototype, int(label[rows[i]]), 0.3, 20.0)
            for i in u
            if accepted[rows[i]]
        )
        / 6,
    }
    assert {name: float(part) for name, part in parts.items()} == pytest.approx(expected, rel=1e-4)


def test_total_is_the_weighted_sum() -> None:
    batch, guidance = scene()
    plain = APLT(K, mix=0.0, alignment=False, confidence=0.5)
    weighted = APLT(
        K,
        mix=0.0,
        alignment=False,
        confidence=0.5,
        sup_logits_weight=2,
        strong_weight=0,
        sup_margin_weight=3,
        u_logits_weight=0.5,
        u_margin_weight=4,
    )
    one = plain.loss(Toy(), Toy(1), batch, guidance=guidance, progress=0)
    other = weighted.loss(Toy(), Toy(1), batch, guidance=guidance, progress=0)
    weights = {"sup_logits": 2, "sup_strong": 0, "sup_margin": 3, "u_logits": 0.5, "u_margin": 4}
    assert one.total.item() == pytest.approx(sum(float(p) for p in one.parts.values()), rel=1e-5)
    assert other.total.item() == pytest.approx(sum(w * float(one.parts[n]) for n, w in weights.items()), rel=1e-5)


def test_rejected_clips_give_no_margin_loss_and_means_are_over_all() -> None:
    batch, guidance = scene()
    pseudo = guidance.pseudo
    nothing = Guidance(
        PseudoLabels(**{**vars(pseudo), "accepted": torch.zeros_like(pseudo.accepted)}), guidance.prototype, 0
    )
    algorithm = APLT(K, mix=0.0, confidence=1.1, alignment=False)
    loss = algorithm.loss(Toy(), Toy(1), batch, guidance=nothing, progress=0)
    assert float(loss.parts["u_margin"]) == 0.0
    assert float(loss.parts["u_logits"]) == 0.0
    assert loss.total.isfinite()
    assert float(mean_over_all(torch.tensor([2.0, 4.0, 6.0]), torch.tensor([1.0, 0.0, 0.0]))) == pytest.approx(2 / 3)


@pytest.mark.parametrize("target", ["student", "teacher"])
def test_strong_view_gets_gradient_and_targets_get_none(target: str) -> None:
    student, teacher = Toy(0), Toy(1)
    batch, guidance = scene()
    views = [view.requires_grad_() for view in (batch.weak_labeled, batch.strong_labeled, batch.weak, batch.strong)]
    guidance.prototype.requires_grad_()
    algorithm = APLT(K, mix=0.0, confidence=0.0, target=target)  # type: ignore[arg-type]
    algorithm.loss(student, teacher, batch, guidance=guidance, progress=0).total.backward()
    gradients = [view.grad is not None and bool(view.grad.abs().sum() > 0) for view in views]
    assert gradients == [True, True, False, True]
    assert all(parameter.grad is None for parameter in teacher.parameters())


def test_teacher_gives_the_target_and_the_switch_gives_the_student() -> None:
    batch, guidance = scene()

    def u_logits(target: str, teacher: Toy) -> float:
        algorithm = APLT(K, mix=0.0, confidence=0.0, target=target, alignment=False)  # type: ignore[arg-type]
        return float(algorithm.loss(Toy(0), teacher, batch, guidance=guidance, progress=0).parts["u_logits"])

    assert u_logits("teacher", Toy(1)) != u_logits("teacher", Toy(2))
    assert u_logits("student", Toy(1)) == u_logits("student", Toy(2))


def test_without_guidance_it_is_consistency_and_without_unlabeled_clips_supervised() -> None:
    batch, _ = scene()
    algorithm = APLT(K, mix=0.0, confidence=0.0)
    assert set(algorithm.loss(Toy(), Toy(1), batch, guidance=None, progress=0).parts) == {
        "sup_logits",
        "sup_strong",
        "u_logits",
    }
    labeled, _ = scene(unlabeled=0)
    aplt = algorithm.loss(Toy(), Toy(1), labeled, guidance=None, progress=0)
    supervised = Supervised(K).loss(Toy(), Toy(1), labeled, guidance=None, progress=0)
    assert aplt.total.item() == supervised.total.item()


def test_one_unlabeled_clip_and_order_do_not_matter() -> None:
    batch, guidance = scene(unlabeled=1)
    assert APLT(K, mix=0.0).loss(Toy(), Toy(1), batch, guidance=guidance, progress=0).total.isfinite()
    batch, guidance = scene()
    turned = SemiBatch(
        batch.weak_labeled.flip(0),
        batch.strong_labeled.flip(0),
        batch.y.flip(0),
        batch.weak.flip(0),
        batch.strong.flip(0),
        batch.position.flip(0),
    )
    losses = [
        APLT(K, mix=0.0, confidence=0.5).loss(Toy(), Toy(1), b, guidance=guidance, progress=0).total
        for b in (batch, turned)
    ]
    torch.testing.assert_close(losses[0], losses[1])


def test_margin_lowers_only_the_own_class() -> None:
    feature, prototype, y = (
        torch.randn(5, D),
        functional.normalize(torch.randn(K, D), dim=1),
        torch.tensor([0, 1, 2, 0, 1]),
    )
    with_margin = margin_logits(feature, prototype, y, margin=0.3, scale=20.0)
    without = margin_logits(feature, prototype, y, margin=0.0, scale=20.0)
    torch.testing.assert_close(without - with_margin, 6.0 * functional.one_hot(y, K).float(), atol=1e-4, rtol=0)


def test_alignment_by_hand_and_in_the_state() -> None:
    align = DistributionAlignment(2, momentum=0.5)
    q = torch.tensor([[0.9, 0.1], [0.7, 0.3]])
    # labeled: .5 (.5,.5) + .5 (0,1) = (.25,.75); predicted: .5 (.5,.5) + .5 (.8,.2) = (.65,.35)
    first = torch.tensor([0.9 * 0.25 / 0.65, 0.1 * 0.75 / 0.35])
    torch.testing.assert_close(align(q, torch.tensor([1, 1]))[0], first / first.sum())
    again = DistributionAlignment(2, momentum=0.5)
    again.load_state_dict(align.state_dict())
    y = torch.tensor([0, 1])
    torch.testing.assert_close(again(q, y), align(q, y))


def test_bad_target_is_refused() -> None:
    with pytest.raises(ValueError, match="expected student or teacher"):
        APLT(K, target="techer")  # type: ignore[arg-type]


def test_mixed_margin_losses_equal_a_plain_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    batch, guidance = scene()
    share, partner = torch.linspace(0.5, 1, 10), torch.tensor([1, 0, 3, 2, 5, 4, 7, 6, 9, 8])
    monkeypatch.setattr(APLT, "_partners", lambda *_: (share, partner))
    student = Toy()
    parts = APLT(K, mix=1.0).loss(student, Toy(1), batch, guidance=guidance, progress=0).parts
    views = torch.cat([batch.strong_labeled, batch.strong])
    label = [*batch.y.tolist(), *guidance.pseudo.label[batch.position].tolist()]
    losses = []
    for i in range(10):
        j, s = int(partner[i]), float(share[i])
        feature = student(s * views[i] + (1 - s) * views[j]).feature.detach()
        own, other = (margin_entropy(feature, guidance.prototype, label[k], 0.3, 20.0) for k in (i, j))
        losses.append(s * own + (1 - s) * other)
    accepted = guidance.pseudo.accepted[batch.position].tolist()
    assert float(parts["sup_margin"]) == pytest.approx(sum(losses[:4]) / 4, rel=1e-4)
    kept = [loss for loss, yes in zip(losses[4:], accepted, strict=True) if yes]
    assert float(parts["u_margin"]) == pytest.approx(sum(kept) / 6, rel=1e-4)


def test_only_accepted_clips_are_mixed_in_and_the_own_share_is_the_larger() -> None:
    accepted = torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0, 1.0]).repeat(50)
    torch.manual_seed(0)
    share, partner = APLT(K, mix=1.0)._partners(accepted)
    assert (accepted[partner] == 1).all()
    assert share.min() >= 0.5
    assert share.max() <= 1
    assert len(partner.unique()) > 50


def test_margin_logits_keep_their_digits_under_autocast() -> None:
    _, guidance = scene()
    feature, y = torch.randn(5, D, generator=torch.Generator().manual_seed(3)), torch.arange(5) % K
    plain = margin_logits(feature, guidance.prototype, y, margin=0.3, scale=20.0)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = margin_logits(feature, guidance.prototype, y, margin=0.3, scale=20.0)
    assert torch.equal(plain, mixed)
