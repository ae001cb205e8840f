"""Methods with a memory: five steps of three clips against plain loops over the formulas."""

import math
from collections.abc import Callable

import pytest
import torch

from aplt.methods.adamatch import AdaMatch
from aplt.methods.fixmatch import FixMatch
from aplt.methods.flexmatch import FlexMatch
from aplt.methods.freematch import FreeMatch
from aplt.methods.simmatch import SimMatch
from aplt.methods.softmatch import SoftMatch
from aplt.tensors import Algorithm, SemiBatch, Task
from tests.methods.by_hand import made, play
from tests.methods.naive import (
    Row,
    argmax,
    cross_entropy,
    dot,
    follow,
    mean,
    mean_row,
    rows,
    softmax,
    sum_norm,
    unit,
)
from tests.methods.scene import UNLABELED, K, ToyStudent, make_batch, make_task, plain_toy, step

U = 3
STUDENT, TEACHER = ToyStudent(plain_toy(1.5)), plain_toy(1.0)
M = 0.8  # momentum of running means
UNIFORM = [1 / K] * K
NOTHING = [0.0] * K  # the running means of alignment know no batch before the first


def five_steps(algorithm: Algorithm, naive: Callable[[SemiBatch], dict[str, float]]) -> list[dict[str, float]]:
    """Returns the expected unlabeled losses of five steps, which are those of the algorithm."""
    wanted = []
    for seed in range(5):
        # Six clips take turns, and labeled ones stand in a batch twice, so that the memory is met again.
        batch = make_batch(seed, labeled=4, unlabeled=U, repeats=seed == 3)
        batch = batch._replace(position=torch.tensor(UNLABELED[:6])[(torch.arange(U) * 5 + seed) % 6])
        wanted.append(naive(batch))
        found = {name: float(part) for name, part in step(algorithm, STUDENT, TEACHER, batch).unlabeled.items()}
        assert found == pytest.approx(wanted[-1], rel=1e-3, abs=1e-6), f"step {seed + 1}"
    return wanted


def weak_and_strong(batch: SemiBatch) -> tuple[list[Row], list[Row]]:
    """Returns q, the probabilities of weak views, and the logits of strong views."""
    q = [softmax(logits) for logits in rows(STUDENT.model(batch.weak))[1]]
    return q, rows(STUDENT.model(batch.strong))[1]


def test_flexmatch() -> None:
    stored: dict[int, int] = {}
    accepted = []

    def naive(batch: SemiBatch) -> dict[str, float]:
        q, strong = weak_and_strong(batch)
        sigma = [list(stored.values()).count(k) for k in range(K)]
        beta = [count / max(max(sigma), 6 - sum(sigma)) for count in sigma]
        loss = 0.0
        for row, logits in zip(q, strong, strict=True):
            label = argmax(row)
            accepted.append(max(row) >= 0.7 * beta[label] / (2 - beta[label]))
            loss += cross_entropy(label, logits) * accepted[-1]
        for row, position in zip(q, batch.position.tolist(), strict=True):
            if max(row) > 0.7:
                stored[position] = argmax(row)
        return {"u_logits": loss / U}

    task = Task(K, 30, (1,), 6, 6, 1)
    algorithm = FlexMatch(task, confidence=0.7)
    five_steps(algorithm, naive)
    assert True in accepted
    assert False in accepted
    assert {p: k for p, k in enumerate(algorithm.stored.tolist()) if k >= 0} == stored


def test_adamatch() -> None:
    labeled_mean, predicted, accepted = NOTHING, NOTHING, []

    def naive(batch: SemiBatch) -> dict[str, float]:
        nonlocal labeled_mean, predicted
        q, strong = weak_and_strong(batch)
        labeled = [softmax(logits) for logits in rows(STUDENT.model(batch.weak_labeled))[1]]
        labeled_mean = follow(labeled_mean, mean_row(labeled), M)
        predicted = follow(predicted, mean_row(q), M)
        threshold = 0.9 * mean([max(row) for row in labeled])
        loss = 0.0
        for row, logits in zip(q, strong, strict=True):
            aligned = sum_norm([x * a / b for x, a, b in zip(row, labeled_mean, predicted, strict=True)])
            accepted.append(max(aligned) >= threshold)
            loss += cross_entropy(argmax(aligned), logits) * accepted[-1]
        return {"u_logits": loss / U}

    algorithm = AdaMatch(make_task(), confidence=0.9, alignment_momentum=M)
    five_steps(algorithm, naive)
    assert 3 < sum(accepted) < 12
    assert algorithm.align.reference.tolist() == pytest.approx(labeled_mean, rel=1e-5)
    assert algorithm.align.predicted.tolist() == pytest.approx(predicted, rel=1e-5)


def test_fixmatch_with_alignment() -> None:
    shares, predicted, accepted = NOTHING, NOTHING, []

    def naive(batch: SemiBatch) -> dict[str, float]:
        nonlocal shares, predicted
        _, strong = weak_and_strong(batch)
        q = [softmax(logits) for logits in rows(TEACHER(batch.weak))[1]]
        shares = follow(shares, mean_row([[float(k == y) for k in range(K)] for y in batch.y.tolist()]), M)
        predicted = follow(predicted, mean_row(q), M)
        loss = 0.0
        for row, logits in zip(q, strong, strict=True):
            aligned = sum_norm([x * a / b for x, a, b in zip(row, shares, predicted, strict=True)])
            accepted.append(max(aligned) >= 0.5)
            loss += cross_entropy(argmax(aligned), logits) * accepted[-1]
        return {"u_logits": loss / U}

    algorithm = FixMatch(make_task(), confidence=0.5, alignment=True, alignment_momentum=M, target="teacher")
    five_steps(algorithm, naive)
    assert 3 < sum(accepted) < 12


def freematch_fairness(p: Row, h: Row, strong: list[Row], accepted: list[bool]) -> float:
    chosen = [softmax(logits) for logits, yes in zip(strong, accepted, strict=True) if yes]
    if not chosen:
        return 0.0
    labels = [argmax(row) for row in chosen]
    histogram = [labels.count(k) / len(chosen) for k in range(K)]
    means = mean_row(chosen)
    a = sum_norm([x / y for x, y in zip(p, h, strict=True)])
    b = sum_norm([x / y if y else 0.0 for x, y in zip(means, histogram, strict=True)])
    return sum(x * math.log(y + 1e-12) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("clip", [False, True])
def test_freematch(clip: bool) -> None:
    tau, p, h, accepted = 1 / K, UNIFORM, UNIFORM, []

    def naive(batch: SemiBatch) -> dict[str, float]:
        nonlocal tau, p, h
        q, strong = weak_and_strong(batch)
        tau = M * tau + (1 - M) * mean([max(row) for row in q])
        tau = min(tau, 0.95) if clip else tau
        p = follow(p, mean_row(q), M)
        h = follow(h, mean_row([[float(k == argmax(row)) for k in range(K)] for row in q]), M)
        passed = [max(row) >= p[argmax(row)] / max(p) * tau for row in q]
        accepted.extend(passed)
        losses = [cross_entropy(argmax(row), x) * yes for row, x, yes in zip(q, strong, passed, strict=True)]
        return {"u_logits": mean(losses), "fairness": 0.5 * freematch_fairness(p, h, strong, passed)}

    algorithm = FreeMatch(make_task(), momentum=M, fairness_weight=0.5, clip=clip)
    five_steps(algorithm, naive)
    assert 0 < sum(accepted) < 15
    assert float(algorithm.tau) == pytest.approx(tau, rel=1e-5)
    assert algorithm.p.tolist() == pytest.approx(p, rel=1e-5)
    assert algorithm.h.tolist() == pytest.approx(h, rel=1e-5)


def test_softmatch() -> None:
    predicted, mu, variance, weights = NOTHING, 1 / K, 1.0, []
    m = 0.3  # so that the mean is soon above some clips' confidence

    def naive(batch: SemiBatch) -> dict[str, float]:
        nonlocal predicted, mu, variance
        q, strong = weak_and_strong(batch)
        predicted = follow(predicted, mean_row(q), m)
        aligned = [max(sum_norm([x / K / b for x, b in zip(row, predicted, strict=True)])) for row in q]
        mu = m * mu + (1 - m) * mean(aligned)
        spread = sum((x - mean(aligned)) ** 2 for x in aligned) / (U - 1)
        variance = m * variance + (1 - m) * spread
        loss = 0.0
        for row, confidence, logits in zip(q, aligned, strong, strict=True):
            weights.append(math.exp(-(min(confidence - mu, 0.0) ** 2) / (2 * variance / 6**2)))
            loss += weights[-1] * cross_entropy(argmax(row), logits)
        return {"u_logits": loss / U}

    algorithm = SoftMatch(make_task(), momentum=m, deviations=6.0)
    five_steps(algorithm, naive)
    assert min(weights) < 0.95
    assert max(weights) == 1.0
    assert float(algorithm.mean) == pytest.approx(mu, rel=1e-5)
    assert float(algorithm.variance) == pytest.approx(variance, rel=1e-5)


@pytest.mark.parametrize("target", ["student", "teacher"])
def test_simmatch(target: str) -> None:
    source = STUDENT.model if target == "student" else TEACHER
    memory: dict[int, tuple[Row, int]] = {}  # position -> unit feature, label
    window: list[Row] = []
    accepted = []

    def similarities(feature: Row) -> Row:
        return softmax([dot(unit(feature), memory[p][0]) / 0.1 for p in sorted(memory)])

    def unlabeled(batch: SemiBatch) -> dict[str, float]:
        weak_feature, weak_logits = rows(source(batch.weak))
        strong_feature, strong_logits = rows(STUDENT.model(batch.strong))
        plain = [softmax(logits) for logits in weak_logits]
        window.append(mean_row(plain))
        average = mean_row(window[-3:])
        u_logits, u_instances = 0.0, 0.0
        labels = [memory[p][1] for p in sorted(memory)]
        for u in range(U):
            q = sum_norm([x / b for x, b in zip(plain[u], average, strict=True)])
            s = similarities(weak_feature[u])
            calibrated = sum_norm([x * q[label] for x, label in zip(s, labels, strict=True)])
            by_class = [sum(x for x, label in zip(s, labels, strict=True) if label == k) for k in range(K)]
            smoothed = [0.9 * a + 0.1 * b for a, b in zip(q, by_class, strict=True)]
            accepted.append(max(smoothed) >= 0.6)
            u_logits += cross_entropy(smoothed, strong_logits[u]) * accepted[-1]
            found = similarities(strong_feature[u])
            u_instances += -sum(t * math.log(x) for t, x in zip(calibrated, found, strict=True))
        return {"u_logits": u_logits / U, "u_instances": 2.0 * u_instances / U}

    def naive(batch: SemiBatch) -> dict[str, float]:
        losses = unlabeled(batch) if memory else {}
        features = rows(source(batch.weak_labeled))[0]
        positions, y = batch.labeled_position.tolist(), batch.y.tolist()
        for position in set(positions):
            views = [unit(feature) for feature, p in zip(features, positions, strict=True) if p == position]
            new = unit(mean_row(views))
            if position in memory and target == "student":
                new = unit([0.7 * a + 0.3 * b for a, b in zip(memory[position][0], new, strict=True)])
            memory[position] = new, y[positions.index(position)]
        return losses

    algorithm = SimMatch(
        make_task(),
        confidence=0.6,
        instance_weight=2.0,
        alignment_window=3,
        target=target,  # type: ignore[arg-type]
    )
    five_steps(algorithm, naive)
    assert 0 < sum(accepted) < len(accepted)
    for row, position in enumerate(make_task().labeled):
        kept, label = memory.get(position, ([0.0] * 6, -1))
        assert algorithm.memory[row].tolist() == pytest.approx(kept, abs=1e-5)
        assert int(algorithm.memory_label[row]) == label


def test_simmatch_by_hand() -> None:
    algorithm = SimMatch(Task(2, 10, (3, 8), 5, 2, 1), temperature=1.0, alignment_window=2)
    algorithm.remember(torch.tensor([[5.0, 0.0]]), torch.tensor([1]), torch.tensor([8]))
    assert algorithm.memory.tolist() == [[0.0, 0.0], [1.0, 0.0]]
    assert algorithm.memory_label.tolist() == [-1, 1]
    algorithm.remember(torch.tensor([[0.0, 2.0], [0.0, 2.0]]), torch.tensor([1, 0]), torch.tensor([8, 3]))
    length = math.sqrt(0.7**2 + 0.3**2)
    torch.testing.assert_close(algorithm.memory, torch.tensor([[0.0, 1.0], [0.7 / length, 0.3 / length]]))
    assert algorithm.similarities(torch.tensor([[0.0, 3.0]])).tolist()[0] == pytest.approx([1.0, 0.3 / length])
    # The window holds two batches. Its means: (.8, .2); (.6, .4) of it and (.4, .6); (.45, .55) of that and (.5, .5).
    aligned = [algorithm.aligned(torch.tensor([[x, 1 - x]]))[0, 0].item() for x in (0.8, 0.4, 0.5)]
    last = 0.5 / 0.45 / (0.5 / 0.45 + 0.5 / 0.55)
    assert aligned == pytest.approx([0.5, 0.4 / 0.6 / (0.4 / 0.6 + 0.6 / 0.4), last])


def test_simmatch_reports_the_class_that_it_teaches() -> None:
    algorithm = SimMatch(make_task(), confidence=0.5, smoothing=1.0)
    sure = [[0.97 if row == column else 0.01 for column in range(K)] for row in range(K)]
    position = range(0, 2 * K, 2)
    assert play(algorithm, sure, sure, sure, position).online is None  # its memory is empty
    assert made(play(algorithm, sure, sure, sure, position)).label.tolist() == list(range(K))
