"""Semi-supervised k-means with one cluster per class (Basu, Banerjee, Mooney: Seeded, Constrained KMeans, ICML 2002).

Centers start at the labeled means, so there is no random start and the result is deterministic.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from aplt.errors import InputError
from aplt.offline.balance import class_weights

ROWS = 1024  # points that are worked on at a time
SOFTNESS = 0.1  # of balanced assignments, as a share of the mean squared distance between two centers


@dataclass(frozen=True)
class Clustering:
    """Clusters of N points; `assignment` and `distance` belong to these very centers."""

    centroid: Tensor  # [K, D]
    assignment: Tensor  # [N] int64
    distance: Tensor  # [N] Euclidean, to the assigned center
    iterations: int


def semi_supervised_kmeans(
    feature: Tensor,
    label: Tensor,
    num_classes: int,
    *,
    max_iterations: int = 15,
    clamp: bool = True,
    prior: Tensor | None = None,
) -> Clustering:
    """Returns the clustering of feature [N, D] (float32 or float64), seeded by label [N] (-1 unknown).

    With `clamp`, labeled points keep their class (Constrained-KMeans); otherwise they only seed it (Seeded-KMeans).
    With `prior` [K], the unlabeled points are shared out in about these proportions instead of going each to its
    nearest center. An empty cluster keeps its center. Stops when no assignment changes. Needs O(N K + K D) memory
    beside its input.

    Raises:
        InputError: a label is not -1 to K - 1, a class has no labeled point, the prior is not K numbers above or at
            zero with a positive sum, a feature is not finite or of lower precision, or there are no iterations.
    """
    _require_usable(feature, label, num_classes, max_iterations, prior)
    known = label >= 0
    missing = torch.bincount(label[known], minlength=num_classes) == 0
    if missing.any():
        raise InputError(f"class {int(missing.nonzero()[0])} has no labeled clip: its cluster has no start")
    centroid, seeds = feature.new_zeros(num_classes, feature.shape[1]), known.nonzero()[:, 0]
    for _ in range(2):  # the second time from near by, for the last digits
        centroid = _moved(centroid, _sums(feature, label, centroid, seeds), label[seeds])
    near = _scores(feature, torch.zeros_like(label), centroid)[0].argmax(dim=1)
    assignment, iterations = label, 0
    while True:
        before = near
        score, total = _scores(feature, near, centroid)
        if prior is not None:
            spread = 2 * centroid.var(dim=0, correction=0).sum()
            score /= (SOFTNESS * spread).clamp(min=torch.finfo(score.dtype).tiny)
            score += class_weights(score, prior, ~known)
        near = torch.where(known & clamp, label, score.argmax(dim=1))
        if iterations == max_iterations or torch.equal(near, assignment):
            # What is returned belongs to the centers that are returned, also when the iterations ran out.
            distance = torch.empty_like(feature[:, 0])
            for _, rows, apart in _apart(feature, near, centroid):
                distance[rows] = apart.norm(dim=1)
            return Clustering(centroid, near, distance, iterations)
        others = (near != before).nonzero()[:, 0]
        total += _sums(feature, near, centroid, others) - _sums(feature, before, centroid, others)
        assignment, centroid = near, _moved(centroid, total, near)
        iterations += 1


def _require_usable(
    feature: Tensor, label: Tensor, num_classes: int, max_iterations: int, prior: Tensor | None
) -> None:
    if max_iterations < 1:
        raise InputError(f"max_iterations is {max_iterations}, expected 1 or more")
    if feature.dtype not in (torch.float32, torch.float64):
        raise InputError(f"features are {feature.dtype}, expected float32 or float64")
    if len(label) != len(feature):
        raise InputError(f"there are {len(label)} labels for {len(feature)} features, expected as many")
    outside = label[(label < -1) | (label >= num_classes)]
    if len(outside):
        raise InputError(f"label {int(outside[0])} is none of -1 (unknown) to {num_classes - 1}")
    broken = (~feature.isfinite().all(dim=1)).nonzero()
    if len(broken):
        raise InputError(f"feature {int(broken[0])} is not finite")
    if prior is None:
        return
    shares = bool(prior.isfinite().all()) and bool((prior >= 0).all()) and bool(prior.sum() > 0)
    if prior.shape != (num_classes,) or not shares:
        raise InputError(f"the prior is {prior.tolist()}, expected {num_classes} shares of which some are above zero")


def _apart(
    feature: Tensor, assignment: Tensor, centroid: Tensor, among: Tensor | None = None
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Yields (class, numbers of some of its points, how they differ from its center), of all points or those `among`.

    All that follows is computed from these differences, so that float32 keeps its digits wherever the points lie.
    """
    of = assignment if among is None else assignment[among]
    order = of.argsort(stable=True)
    count = torch.bincount(of, minlength=len(centroid))
    for k, members in enumerate((order if among is None else among[order]).split(count.tolist())):
        for rows in members.split(ROWS):
            yield k, rows, feature[rows].sub_(centroid[k])


def _sums(feature: Tensor, assignment: Tensor, centroid: Tensor, among: Tensor) -> Tensor:
    """Returns by how much the points `among` differ from the center that each is assigned to, by class [K, D]."""
    total = torch.zeros_like(centroid)
    for k, _, apart in _apart(feature, assignment, centroid, among):
        total[k] += apart.sum(dim=0)
    return total


def _moved(centroid: Tensor, total: Tensor, assignment: Tensor) -> Tensor:
    """Returns the means [K, D] of points that differ from their centers by `total`; an empty class keeps its own."""
    return centroid + total / torch.bincount(assignment, minlength=len(centroid)).clamp(min=1)[:, None]


def _scores(feature: Tensor, near: Tensor, centroid: Tensor) -> tuple[Tensor, Tensor]:
    """Returns -squared distance / 2 to each center, up to a constant per point [N, K]: the nearest has the most.

    `near` [N] is a center not far from each point. Also returns `_sums` of all points [K, D]: few will have moved, and
    a look at the points takes a third of an iteration.
    """
    score, total = feature.new_empty(len(feature), len(centroid)), torch.zeros_like(centroid)
    for k, rows, apart in _apart(feature, near, centroid):
        total[k] += apart.sum(dim=0)
        toward = centroid - centroid[k]
        score[rows] = torch.addmm(-toward.square().sum(dim=1) / 2, apart, toward.T)
    return score, total
