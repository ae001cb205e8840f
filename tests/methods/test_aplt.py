"""APLT's losses against plain loops, with and without mixing, and its switches."""

import math
from typing import Any

import pytest
import torch

from aplt.methods.aplt import APLT
from aplt.tensors import Guidance
from tests.methods.naive import Row, argmax, cross_entropy, dot, mean, rows, softmax, sum_norm, unit
from tests.methods.scene import K, Toy, ToyStudent, make_batch, make_guidance, make_task, step

B, U = 4, 6
STUDENT, TEACHER = ToyStudent(Toy(0)), Toy(1)
WEIGHTS: dict[str, Any] = {"sup_margin_weight": 1.0, "u_margin_weight": 1.0}
LITERAL: dict[str, Any] = WEIGHTS | {"mix": 0.0, "alignment": False, "offline_prior": 0.0, "target": "student"}


def margin_entropy(feature: Row, guidance: Guidance, y: int, margin: float = 0.3, scale: float = 20.0) -> float:
    cosines = [dot(unit(feature), prototype) for prototype in guidance.prototype.tolist()]
    values = [scale * (cosine - margin * (k == y)) for k, cosine in enumerate(cosines)]
    return -values[y] + math.log(sum(math.exp(value) for value in values))


def test_each_loss_equals_a_plain_loop() -> None:
    batch, guidance = make_batch(0), make_guidance()
    weight = 0.7
    y, position = batch.y.tolist(), batch.position.tolist()
    _, weak_x = rows(STUDENT.model(batch.weak_labeled))
    features_x, strong_x = rows(STUDENT.model(batch.strong_labeled))
    features_u, strong_u = rows(STUDENT.model(batch.strong))
    accepted = [u for u in range(U) if position[u] % 2 == 0]
    assert 0 < len(accepted) < U
    label, belief = guidance.pseudo.label.tolist(), guidance.pseudo.belief.tolist()
    q = [softmax(logits) for logits in rows(TEACHER(batch.weak))[1]]
    other = dict[int, float]()  # how sure it would be at a weight of 1
    for u in accepted:  # of the others the guidance believes nothing
        own = min(max(belief[position[u]], 1 / K), 0.95)
        prior = [own if k == label[position[u]] else (1 - own) / (K - 1) for k in range(K)]
        other[u] = max(sum_norm([a * b for a, b in zip(q[u], prior, strict=True)]))
        q[u] = sum_norm([a * b**weight for a, b in zip(q[u], prior, strict=True)])
    tau = max(((abs(max(q[u]) - sure), (max(q[u]) + sure) / 2) for u, sure in other.items()))[1]
    algorithm = APLT(
        make_task(), **WEIGHTS, mix=0.0, alignment=False, offline_prior=weight, target="teacher", confidence=tau
    )
    parts = step(algorithm, STUDENT, TEACHER, batch, guidance).parts
    confident = [u for u in range(U) if max(q[u]) >= tau]
    assert 0 < len(confident) < U
    expected = {
        "sup_logits": mean([cross_entropy(y[x], weak_x[x]) for x in range(B)]),
        "sup_strong": mean([cross_entropy(y[x], strong_x[x]) for x in range(B)]),
        "sup_margin": mean([margin_entropy(features_x[x], guidance, y[x]) for x in range(B)]),
        "u_logits": sum(cross_entropy(argmax(q[u]), strong_u[u]) for u in confident) / U,
        "u_margin": sum(margin_entropy(features_u[u], guidance, label[position[u]]) for u in accepted) / U,
    }
    assert {name: float(part) for name, part in parts.items()} == pytest.approx(expected, rel=1e-4)


def test_what_the_clusters_say_is_multiplied_in_by_hand() -> None:
    guidance, position = make_guidance(), torch.tensor([4])
    guidance.pseudo.label[4], guidance.pseudo.belief[4] = 1, 0.7
    q = torch.tensor([[0.4, 0.3, 0.2, 0.1]])
    for weight, product in ((1.0, [0.04, 0.21, 0.02, 0.01]), (2.0, [0.004, 0.147, 0.002, 0.001])):
        found = APLT(make_task(), offline_prior=weight)._informed(q, guidance.pseudo, position)
        assert found[0].tolist() == pytest.approx(sum_norm(product), rel=1e-5)


def test_mixed_margin_losses_equal_a_plain_loop() -> None:
    batch, guidance = make_batch(0), make_guidance()
    share = torch.linspace(0.5, 1, B + U)
    position = batch.position.tolist()
    accepted = [True] * B + [p % 2 == 0 for p in position]
    partner = torch.tensor([row for row in range(B + U) if accepted[row]] * 2)[: B + U].flip(0)
    algorithm = APLT(make_task(), **WEIGHTS, mix=1.0)
    algorithm._draw = lambda *_: (share, partner)  # type: ignore[method-assign]
    parts = step(algorithm, STUDENT, TEACHER, batch, guidance).parts
    views = torch.cat([batch.strong_labeled, batch.strong])
    label = [*batch.y.tolist(), *guidance.pseudo.label[batch.position].tolist()]
    losses = []
    for i in range(B + U):
        j, s = int(partner[i]), float(share[i])
        feature = rows(STUDENT.model((s * views[i] + (1 - s) * views[j])[None]))[0][0]
        own, other = (margin_entropy(feature, guidance, label[k]) if accepted[k] else 0.0 for k in (i, j))
        losses.append(s * own + (1 - s) * other)
    assert float(parts["sup_margin"]) == pytest.approx(mean(losses[:B]), rel=1e-4)
    kept = [loss for loss, yes in zip(losses[B:], accepted[B:], strict=True) if yes]
    assert float(parts["u_margin"]) == pytest.approx(sum(kept) / U, rel=1e-4)


def test_only_accepted_clips_are_mixed_in_and_the_own_share_is_the_larger() -> None:
    accepted = torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0, 1.0]).repeat(50)
    torch.manual_seed(0)
    share, partner = APLT(make_task(), mix=1.0)._draw(accepted, torch.randperm(300))
    assert (accepted[partner] == 1).all()
    assert share.min() >= 0.5
    assert share.max() <= 1
    assert len(partner.unique()) > 50


def test_draws_follow_the_given_order() -> None:
    order = torch.randperm(8, generator=torch.Generator().manual_seed(0))
    algorithm = APLT(make_task(), mix=1.0)
    torch.manual_seed(0)
    share, partner = algorithm._draw(torch.ones(8), torch.arange(8))
    torch.manual_seed(0)
    turned_share, turned_partner = algorithm._draw(torch.ones(8), order)
    assert torch.equal(turned_share[order], share)
    assert torch.equal(turned_partner[order], order[partner])


def test_total_is_the_weighted_sum() -> None:
    batch, guidance = make_batch(0), make_guidance()
    weights = {"sup_margin": 3.0, "u_logits": 0.5, "u_margin": 4.0}
    keywords = {f"{name}_weight": weight for name, weight in weights.items()}
    one = step(APLT(make_task(), **LITERAL), STUDENT, TEACHER, batch, guidance)
    other = step(APLT(make_task(), **(LITERAL | keywords)), STUDENT, TEACHER, batch, guidance)
    assert float(one.total) == pytest.approx(sum(float(part) for part in one.parts.values()), rel=1e-5)
    expected = sum(weights.get(name, 1.0) * float(part) for name, part in one.parts.items())
    assert float(other.total) == pytest.approx(expected, rel=1e-5)


def test_teacher_gives_the_target_and_the_switch_gives_the_student() -> None:
    batch = make_batch(0)

    def u_logits(target: str, teacher: Toy) -> float:
        algorithm = APLT(make_task(), mix=0.0, confidence=0.0, target=target, alignment=False)  # type: ignore[arg-type]
        return float(step(algorithm, STUDENT, teacher, batch).parts["u_logits"])

    assert u_logits("teacher", Toy(1)) != u_logits("teacher", Toy(2))
    assert u_logits("student", Toy(1)) == u_logits("student", Toy(2))


def test_alignment_is_to_the_shares_of_the_labeled_classes() -> None:
    algorithm = APLT(make_task(), alignment_momentum=0.5)
    batch = make_batch(0)
    step(algorithm, STUDENT, TEACHER, batch, make_guidance())
    assert algorithm.align is not None
    shares = [0.5 * batch.y.tolist().count(k) / B for k in range(K)]
    assert algorithm.align.reference.tolist() == pytest.approx(shares)


def test_without_guidance_it_is_consistency_alone() -> None:
    outcome = step(APLT(make_task()), STUDENT, TEACHER, make_batch(0))
    assert set(outcome.parts) == {"sup_logits", "sup_strong", "u_logits"}


def test_guidance_without_unlabeled_clips_trains_the_labeled_margin() -> None:
    outcome = step(APLT(make_task()), STUDENT, TEACHER, make_batch(0, unlabeled=0), make_guidance())
    assert outcome.parts["sup_margin"] > 0
    assert outcome.parts["u_margin"] == 0


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="offline_prior is -1"):
        APLT(make_task(), offline_prior=-1)
    with pytest.raises(ValueError, match="mix is -1"):
        APLT(make_task(), mix=-1)
