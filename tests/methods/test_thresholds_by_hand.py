"""FlexMatch and FreeMatch: five steps of two or three clips, worked out by hand.

A row is a step: the probabilities q of its weak views, and what must come of it. The arithmetic stands above it,
rounded to six digits. Strong views have fixed probabilities, of which ln .8 = -.223144, ln .7 = -.356675,
ln .5 = -.693147, ln .3 = -1.203973 and ln .2 = -1.609438.
"""

from typing import NamedTuple

import pytest
import torch

from aplt.methods.flexmatch import FlexMatch
from aplt.methods.freematch import FreeMatch
from aplt.tensors import Task
from tests.methods.by_hand import Rows, made, near, play
from tests.methods.scene import D, make_task


class FlexMatchStep(NamedTuple):
    position: tuple[int, ...]
    q: Rows
    beta: tuple[float, float, float]  # before the step
    label: list[int]
    accepted: list[int]
    loss: float
    stored: dict[int, int]  # after the step


# Six unlabeled clips, tau = .8, thresholds .8 beta / (2 - beta); every strong view is (.5, .3, .2).
FLEXMATCH = (
    # Nothing is stored: the thresholds are 0. Both are surer than tau. (.693147 + 1.203973) / 2
    FlexMatchStep(
        (1, 2), ((0.9, 0.05, 0.05), (0.1, 0.85, 0.05)), (0, 0, 0), [0, 1], [1, 1], 0.948560, stored={1: 0, 2: 1}
    ),
    # sigma = (1, 1, 0), over max(1, 6 - 2) = 4; thresholds .8 (1/4) / (7/4) = .114286, twice, and 0.
    # The second is less sure than tau and is not stored. (.693147 + 1.609438) / 2
    FlexMatchStep(
        (3, 4),
        ((0.82, 0.1, 0.08), (0.3, 0.3, 0.4)),
        (1 / 4, 1 / 4, 0),
        [0, 2],
        [1, 1],
        1.151292,
        stored={1: 0, 2: 1, 3: 0},
    ),
    # sigma = (2, 1, 0), over max(2, 6 - 3) = 3; thresholds .8 (2/3) / (4/3) = .4, .8 (1/3) / (5/3) = .16 and 0.
    # .38 is less than .4, .42 is not. 2 * .693147 / 3
    FlexMatchStep(
        (4, 5, 6),
        ((0.38, 0.32, 0.3), (0.81, 0.1, 0.09), (0.42, 0.3, 0.28)),
        (2 / 3, 1 / 3, 0),
        [0, 0, 0],
        [0, 1, 1],
        0.462098,
        stored={1: 0, 2: 1, 3: 0, 5: 0},
    ),
    # sigma = (3, 1, 0), over max(3, 6 - 4) = 3; thresholds .8, .16 and 0.
    # Clip 1 changes its label; .7 is less than .8. 1.203973 / 2
    FlexMatchStep(
        (1, 6),
        ((0.15, 0.81, 0.04), (0.7, 0.2, 0.1)),
        (1, 1 / 3, 0),
        [1, 0],
        [1, 0],
        0.601986,
        stored={1: 1, 2: 1, 3: 0, 5: 0},
    ),
    # sigma = (2, 2, 0), over max(2, 6 - 4) = 2; thresholds .8, .8 and 0.
    # Clip 3 is unsure of another label and keeps its own. 1.609438 / 2
    FlexMatchStep(
        (4, 3),
        ((0.2, 0.2, 0.6), (0.2, 0.75, 0.05)),
        (1, 1, 0),
        [2, 1],
        [1, 0],
        0.804719,
        stored={1: 1, 2: 1, 3: 0, 5: 0},
    ),
)


def test_flexmatch() -> None:
    algorithm = FlexMatch(Task(3, 12, (0, 7), 6, D, 1), confidence=0.8)
    for row in FLEXMATCH:
        assert algorithm.learned().tolist() == near(row.beta)
        strong = [(0.5, 0.3, 0.2)] * len(row.q)
        loss = play(algorithm, row.q, strong, [(0.4, 0.3, 0.3)] * 2, row.position)
        assert made(loss).label.tolist() == row.label
        assert made(loss).weight.tolist() == row.accepted
        assert float(loss.parts["u_logits"]) == near(row.loss)
        assert {p: k for p, k in enumerate(algorithm.stored.tolist()) if k >= 0} == row.stored


def test_flexmatch_store_by_hand() -> None:
    # Ten unlabeled clips; two are stored as class 0, one as class 1: beta = (2, 1, 0) / max(2, 10 - 3).
    algorithm = FlexMatch(Task(3, 12, (0, 1), 10, 4, 1))
    algorithm.store(torch.tensor([0.96, 0.99, 0.97, 0.95]), torch.tensor([0, 0, 1, 2]), torch.tensor([4, 7, 2, 3]))
    assert algorithm.learned().tolist() == pytest.approx([2 / 7, 1 / 7, 0])
    # The latest label counts, an unsure one does not; of two at once the larger one.
    algorithm.store(torch.tensor([0.99, 0.2, 0.99, 0.99]), torch.tensor([0, 0, 2, 1]), torch.tensor([2, 4, 7, 7]))
    assert algorithm.stored.tolist() == [-1, -1, 0, -1, 0, -1, -1, 2, -1, -1, -1, -1]
    # All ten, most of them of class 1: beta = (1, 8, 1) / 8.
    algorithm.stored[2:] = torch.tensor([0, 1, 1, 1, 1, 2, 1, 1, 1, 1])
    assert algorithm.learned().tolist() == pytest.approx([1 / 8, 1, 1 / 8])


class FreeMatchStep(NamedTuple):
    q: Rows
    tau: float
    p: tuple[float, float]
    h: tuple[float, float]
    label: list[int]
    accepted: list[int]
    loss: float
    fairness: float


# From tau = 1/2 and p = h = (.5, .5), of momentum 1/2; thresholds p / max p * tau; the strong views are (.8, .2) and
# (.3, .7).
# Fairness: A = SumNorm(p / h); B = SumNorm(mean / histogram) is (.55, .45) / (.5, .5) of both strong views, (1, 0) of
# the first and (0, 1) of the second alone; ln .55 = -.597837, ln .45 = -.798508, ln 1e-12 = -27.631021.
FREEMATCH = (
    # tau: (.5 + (.9 + .6) / 2) / 2. p: half of (.5, .5) + (.65, .35). Shares (.5, .5).
    # Thresholds .625 and .625 * .425 / .575 = .461957: both pass. Loss: (.223144 + .356675) / 2.
    # A = (1.15, .85) / 2: .575 * -.597837 + .425 * -.798508
    FreeMatchStep(
        ((0.9, 0.1), (0.4, 0.6)), 0.625, (0.575, 0.425), (0.5, 0.5), [0, 1], [1, 1], 0.289909, fairness=-0.683122
    ),
    # tau: (.625 + .65) / 2. p: half of (.575, .425) + (.65, .35). Shares (1, 0).
    # Threshold .6375 of class 0: the second passes. Loss: 1.203973 / 2.
    # A = (.6125 / .75, .3875 / .25) = (.816667, 1.55) / 2.366667 = (.345070, .654930): .345070 * -27.631021
    FreeMatchStep(
        ((0.6, 0.4), (0.7, 0.3)), 0.6375, (0.6125, 0.3875), (0.75, 0.25), [0, 0], [0, 1], 0.601986, fairness=-9.534648
    ),
    # tau: (.6375 + .675) / 2. p: half of (.6125, .3875) + (.325, .675). Shares (0, 1).
    # Threshold .65625 of class 1: the second passes. Loss: .356675 / 2.
    # A = (.46875 / .375, .53125 / .625) = (1.25, .85) / 2.1 = (.595238, .404762): .595238 * -27.631021
    FreeMatchStep(
        ((0.45, 0.55), (0.2, 0.8)),
        0.65625,
        (0.46875, 0.53125),
        (0.375, 0.625),
        [1, 1],
        [0, 1],
        0.178337,
        fairness=-16.447036,
    ),
    # tau: (.65625 + .65) / 2. p: half of (.46875, .53125) + (.45, .55). Shares (.5, .5).
    # Thresholds .653125 * .459375 / .540625 = .554967, which .6 passes, and .653125. Loss: (.223144 + .356675) / 2.
    # A = (.459375 / .4375, .540625 / .5625) = (1.05, .961111) / 2.011111 = (.522099, .477901):
    # .522099 * -.597837 + .477901 * -.798508
    FreeMatchStep(
        ((0.6, 0.4), (0.3, 0.7)),
        0.653125,
        (0.459375, 0.540625),
        (0.4375, 0.5625),
        [0, 1],
        [1, 1],
        0.289909,
        fairness=-0.693738,
    ),
    # tau: (.653125 + .765) / 2. p: half of (.459375, .540625) + (.765, .235). Shares (1, 0).
    # Threshold .7090625 of class 0: the first passes. Loss: .223144 / 2.
    # A = (.6121875 / .71875, .3878125 / .28125) = (.851739, 1.378889) / 2.230628 = (.381838, .618162):
    # .618162 * -27.631021
    FreeMatchStep(
        ((0.95, 0.05), (0.58, 0.42)),
        0.7090625,
        (0.6121875, 0.3878125),
        (0.71875, 0.28125),
        [0, 0],
        [1, 0],
        0.111572,
        fairness=-17.080440,
    ),
)


def test_freematch() -> None:
    algorithm = FreeMatch(make_task(classes=2), momentum=0.5, fairness_weight=1.0)
    for row in FREEMATCH:
        loss = play(algorithm, row.q, [(0.8, 0.2), (0.3, 0.7)], [(0.5, 0.5)] * 2, (0, 2))
        assert float(algorithm.tau) == near(row.tau)
        assert algorithm.p.tolist() == near(row.p)
        assert algorithm.h.tolist() == near(row.h)
        assert made(loss).label.tolist() == row.label
        assert made(loss).weight.tolist() == row.accepted
        assert float(loss.parts["u_logits"]) == near(row.loss)
        assert float(loss.parts["fairness"]) == pytest.approx(row.fairness, rel=1e-5)


def test_freematch_clips_its_threshold() -> None:
    algorithm = FreeMatch(make_task(classes=2), momentum=0.0, clip=True)
    algorithm.update(torch.tensor([[1.0, 0.0]]))
    assert float(algorithm.tau) == pytest.approx(0.95)
