"""SoftMatch and AdaMatch: five steps of two clips, worked out by hand.

A row is a step: the probabilities q of its weak views, and what must come of it. The arithmetic stands above it,
rounded to six digits; running means have momentum 1/2. Every strong view is (.8, .2), of which ln .8 = -.223144 and
ln .2 = -1.609438.
"""

import math
from typing import NamedTuple

import pytest
import torch

from aplt.methods.adamatch import AdaMatch
from aplt.methods.softmatch import SoftMatch
from tests.methods.by_hand import Rows, made, near, play
from tests.methods.scene import make_task


class SoftMatchStep(NamedTuple):
    q: Rows
    predicted: tuple[float, float]
    mean: float
    variance: float
    label: list[int]
    weight: list[float]
    loss: float


# From mean 1/2 and variance 1. Aligned q is q / predicted, made to sum to one; two confidences c and d have the
# variance (c - d)^2 / 2; at two deviations a weight is exp(-2 (c - mean)^2 / variance).
SOFTMATCH = (
    # predicted: half of 0 + (.6, .4). Aligned (3, .5) and (1, 3.5): 6/7 = .857143 and 7/9 = .777778, mean .817460,
    # variance .079365^2 / 2 = .003149. mean: (.5 + .817460) / 2. variance: (1 + .003149) / 2.
    # Both lie above the mean. (.223144 + 1.609438) / 2
    SoftMatchStep(((0.9, 0.1), (0.3, 0.7)), (0.3, 0.2), 0.658730, 0.501575, [0, 1], [1, 1], 0.916291),
    # predicted: half of (.3, .2) + (.45, .55), alike for both classes: .6 and .7 as they are, mean .65, variance .005.
    # mean: (.658730 + .65) / 2. variance: (.501575 + .005) / 2. exp(-2 * .054365^2 / .253287) = exp(-.023338)
    # (.976933 * .223144 + 1.609438) / 2
    SoftMatchStep(((0.6, 0.4), (0.3, 0.7)), (0.375, 0.375), 0.654365, 0.253287, [0, 1], [0.976933, 1], 0.913717),
    # predicted: half of (.375, .375) + (.325, .675). Aligned (1.571429, .857143) and (.285714, 1.714286):
    # 11/17 = .647059 and 6/7 = .857143, mean .752101, variance .210084^2 / 2 = .022068.
    # mean: (.654365 + .752101) / 2. variance: (.253287 + .022068) / 2. exp(-2 * .056174^2 / .137678) = exp(-.045839)
    # (.955195 * .223144 + 1.609438) / 2
    SoftMatchStep(((0.55, 0.45), (0.1, 0.9)), (0.35, 0.525), 0.703233, 0.137678, [0, 1], [0.955195, 1], 0.911292),
    # predicted: half of (.35, .525) + (.74, .26). Aligned (.954128, 1.222930), of which class 1 is the larger: .561735;
    # the label is 0 all the same, that of q. And (1.761468, .101911): .945309. Mean .753522, variance .383574^2 / 2 =
    # .073564. mean: (.703233 + .753522) / 2. variance: (.137678 + .073564) / 2.
    # exp(-2 * .166642^2 / .105621) = exp(-.525837). (.591061 + 1) * .223144 / 2
    SoftMatchStep(((0.52, 0.48), (0.96, 0.04)), (0.545, 0.3925), 0.728377, 0.105621, [0, 0], [0.591061, 1], 0.177517),
    # predicted: half of (.545, .3925) + (.525, .475). Aligned (1.308411, .691643) and (.654206, 1.498559): .654188 and
    # .696109, mean .675149, variance .041921^2 / 2 = .000879. mean: (.728377 + .675149) / 2. variance:
    # (.105621 + .000879) / 2. exp(-2 * .047575^2 / .053250) = exp(-.085010), exp(-2 * .005654^2 / .053250) =
    # exp(-.001201). (.918503 * .223144 + .998800 * 1.609438) / 2
    SoftMatchStep(
        ((0.7, 0.3), (0.35, 0.65)), (0.535, 0.43375), 0.701763, 0.053250, [0, 1], [0.918503, 0.998800], 0.906232
    ),
)


def test_softmatch() -> None:
    algorithm = SoftMatch(make_task(classes=2), momentum=0.5, deviations=2.0)
    for row in SOFTMATCH:
        loss = play(algorithm, row.q, [(0.8, 0.2)] * 2, [(0.5, 0.5)] * 2, (0, 2))
        assert algorithm.align.predicted.tolist() == near(row.predicted)
        assert float(algorithm.mean) == near(row.mean)
        assert float(algorithm.variance) == near(row.variance)
        assert made(loss).label.tolist() == row.label
        assert made(loss).weight.tolist() == near(row.weight)
        assert float(loss.parts["u_logits"]) == near(row.loss)


def test_softmatch_weights_by_hand() -> None:
    algorithm = SoftMatch(make_task(classes=2), momentum=0.5)
    weights = algorithm.weights(torch.tensor([0.9, 0.5]))
    # mu = .5 * .5 + .5 * .7 = .6; the variance of .9 and .5 is 2 * .2^2 = .08, so s2 = .5 + .04 = .54.
    assert weights.tolist() == pytest.approx([1.0, math.exp(-(0.1**2) / (2 * 0.54 / 4))])
    # One clip moves the mean alone: mu = .5 * .6 + .5 * .2 = .4.
    assert algorithm.weights(torch.tensor([0.2])).tolist() == pytest.approx([math.exp(-(0.2**2) / (2 * 0.54 / 4))])


class AdaMatchStep(NamedTuple):
    labeled: Rows
    q: Rows
    reference: tuple[float, float]
    predicted: tuple[float, float]
    label: list[int]
    accepted: list[int]
    loss: float


# Aligned q is q * reference / predicted, made to sum to one.
ADAMATCH = (
    # reference: half of 0 + (.7, .3); predicted: half of 0 + (.6, .4). Threshold .9 * (.9 + .5) / 2 = .63.
    # Aligned (.933333, .15) and (.466667, .45), which was of class 1: .861538 passes, .509091 does not. .223144 / 2
    AdaMatchStep(
        ((0.9, 0.1), (0.5, 0.5)), ((0.8, 0.2), (0.4, 0.6)), (0.35, 0.15), (0.3, 0.2), [0, 0], [1, 0], 0.111572
    ),
    # reference: half of (.35, .15) + (.55, .45); predicted: half of (.3, .2) + (.3, .7). Threshold .9 * .75 = .675.
    # Aligned (.15, .6) and (.75, .333333): .8 and .692308. (1.609438 + .223144) / 2
    AdaMatchStep(
        ((0.8, 0.2), (0.3, 0.7)), ((0.1, 0.9), (0.5, 0.5)), (0.45, 0.3), (0.3, 0.45), [1, 0], [1, 1], 0.916291
    ),
    # reference: half of (.45, .3) + (.4, .6); predicted: half of (.3, .45) + (.65, .35). Threshold .9 * .7 = .63.
    # Aligned (.626316, .3375) and (.536842, .45): .649829 and .544. .223144 / 2
    AdaMatchStep(
        ((0.6, 0.4), (0.2, 0.8)), ((0.7, 0.3), (0.6, 0.4)), (0.425, 0.45), (0.475, 0.4), [0, 0], [1, 0], 0.111572
    ),
    # reference: half of (.425, .45) + (.52, .48); predicted: half of (.475, .4) + (.55, .45). Threshold .9 * .97.
    # Aligned (.875854, .054706) and (.138293, .93): .941212 and .870548, which .9 * .95 would let pass. .223144 / 2
    AdaMatchStep(
        ((0.99, 0.01), (0.05, 0.95)),
        ((0.95, 0.05), (0.15, 0.85)),
        (0.4725, 0.465),
        (0.5125, 0.425),
        [0, 1],
        [1, 0],
        0.111572,
    ),
    # reference: half of (.4725, .465) + (.2, .8); predicted: half of (.5125, .425) + (.725, .275). Threshold .9 * .8 =
    # .72. Aligned (.298889, .813214), which was of class 0, and (.489091, .180714): .731240 and .730199.
    # (1.609438 + .223144) / 2
    AdaMatchStep(
        ((0.3, 0.7), (0.1, 0.9)),
        ((0.55, 0.45), (0.9, 0.1)),
        (0.33625, 0.6325),
        (0.61875, 0.35),
        [1, 0],
        [1, 1],
        0.916291,
    ),
)


def test_adamatch() -> None:
    algorithm = AdaMatch(make_task(classes=2), confidence=0.9, alignment_momentum=0.5)
    for row in ADAMATCH:
        loss = play(algorithm, row.q, [(0.8, 0.2)] * 2, row.labeled, (0, 2))
        assert algorithm.align.reference.tolist() == near(row.reference)
        assert algorithm.align.predicted.tolist() == near(row.predicted)
        assert made(loss).label.tolist() == row.label
        assert made(loss).weight.tolist() == row.accepted
        assert float(loss.parts["u_logits"]) == near(row.loss)
