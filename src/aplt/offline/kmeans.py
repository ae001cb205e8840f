"""Semi-supervised k-means with one cluster a class (Basu, Banerjee, Mooney: Seeded and Constrained KMeans, ICML 2002).

Centers start at the labeled means, so there is no random start and the result is deterministic.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from aplt.errors import InputError

CHUNK_ELEMENTS = 1 << 20  # numbers in the largest temporary array: 4 MiB of float32


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
    With `prior` [K], the unlabeled points are shared out in these proportions (Sinkhorn, see `_balance`) instead of
    going each to its nearest center. An empty cluster keeps its center. Stops when no assignment changes. Needs
    O(N + K D) memory beside its input: distances are matrix products over bounded chunks.

    Raises:
        InputError: a class has no labeled point; names its number.
    """
    missing = torch.bincount(label[label >= 0], minlength=num_classes) == 0
    if missing.any():
        raise InputError(f"class {int(missing.nonzero()[0])} has no labeled clip: its cluster has no start")
    points = _Points(feature, num_classes)
    fixed = label >= 0
    centroid = points.means(label, torch.zeros(num_classes, feature.shape[1]).to(feature))
    assignment, iterations = label, 0
    while True:
        offset = (
            _balance(points, centroid, ~fixed, prior) if prior is not None else torch.zeros(num_classes).to(feature)
        )
        nearest, following = points.step(centroid, offset, label if clamp else torch.full_like(label, -1))
        if iterations == max_iterations or torch.equal(nearest, assignment):
            # What is returned belongs to the centers that are returned, also when the iterations ran out.
            return Clustering(centroid + points.origin, nearest, points.distance(centroid, nearest), iterations)
        assignment, centroid = nearest, following
        iterations += 1


class _Points:
    """The points about their mean, worked through in chunks that fit a processor's cache.

    About the mean, |x|^2 is no larger than it must be: float32 keeps its digits far from the origin. Centers here are
    about it, too. Sums are made in the points' own precision within a chunk and in double over the chunks.
    """

    def __init__(self, feature: Tensor, num_classes: int) -> None:
        self.feature, self.num_classes = feature, num_classes
        self.rows = max(1, CHUNK_ELEMENTS // max(feature.shape[1], num_classes))
        self.origin = torch.zeros(feature.shape[1]).to(feature)
        total = torch.zeros_like(self.origin, dtype=torch.float64)
        for _, chunk in self.chunks():
            total += chunk.sum(dim=0)
        self.origin = (total / len(feature)).to(feature.dtype)

    def chunks(self) -> Iterator[tuple[slice, Tensor]]:
        """Yields (rows, points about the mean)."""
        for first in range(0, len(self.feature), self.rows):
            rows = slice(first, first + self.rows)
            yield rows, self.feature[rows] - self.origin

    def scores(self, chunk: Tensor, centroid: Tensor) -> Tensor:
        """Returns -squared distance / 2, up to a constant a point [rows, K]: the nearest center has the most."""
        return torch.addmm(-centroid.square().sum(dim=1) / 2, chunk, centroid.T)

    def step(self, centroid: Tensor, offset: Tensor, clamped: Tensor) -> tuple[Tensor, Tensor]:
        """Returns each point's class [N] (best score plus offset [K], or `clamped` >= 0) and the centers after."""
        sums, assigned = _Sums(centroid), []
        for rows, chunk in self.chunks():
            nearest = (self.scores(chunk, centroid) + offset).argmax(dim=1)
            assigned.append(torch.where(clamped[rows] >= 0, clamped[rows], nearest))
            sums.add(chunk, assigned[-1])
        return torch.cat(assigned), sums.means()

    def means(self, assignment: Tensor, otherwise: Tensor) -> Tensor:
        """Returns each class's mean [K, D] over the points assigned to it (-1: to none), or `otherwise`."""
        sums = _Sums(otherwise)
        for rows, chunk in self.chunks():
            sums.add(chunk, assignment[rows])
        return sums.means()

    def distance(self, centroid: Tensor, assignment: Tensor) -> Tensor:
        """Returns the distance [N] to the assigned center, from the difference itself: no cancellation."""
        return torch.cat([(chunk - centroid[assignment[rows]]).norm(dim=1) for rows, chunk in self.chunks()])


class _Sums:
    """Running sums of points by class; a class without points keeps its center."""

    def __init__(self, centroid: Tensor) -> None:
        self.centroid = centroid
        self.total = torch.zeros_like(centroid, dtype=torch.float64)
        self.count = torch.zeros(len(centroid), dtype=torch.float64, device=centroid.device)
        self.classes = torch.arange(len(centroid), device=centroid.device)

    def add(self, chunk: Tensor, assignment: Tensor) -> None:
        """Adds points [rows, D] to the classes they are assigned to [rows]; -1 is none."""
        # A product with the membership matrix: on a GPU, unlike scattered additions, the same in every run.
        member = (assignment == self.classes[:, None]).to(chunk.dtype)
        self.total += member @ chunk
        self.count += member.sum(dim=1)

    def means(self) -> Tensor:
        """Returns the centers [K, D]."""
        mean = (self.total / self.count.clamp(min=1)[:, None]).to(self.centroid.dtype)
        return torch.where(self.count[:, None] > 0, mean, self.centroid)


def _balance(points: _Points, centroid: Tensor, free: Tensor, prior: Tensor, passes: int = 20) -> Tensor:
    """Returns the offset [K] to the scores under which the `free` points share out about as `prior` [K] says.

    Sinkhorn's iteration on the class side alone (entropic optimal transport from points of equal mass to classes of
    mass `prior`): each pass sums the points' soft assignments and corrects every class by what it has too much. The
    softness is a tenth of the mean squared distance between centers, so it follows the scale of the space.
    """
    spread = torch.cdist(centroid, centroid).square().mean()
    temperature = (0.1 * spread).clamp(min=torch.finfo(centroid.dtype).tiny)
    target = (prior / prior.sum()).clamp(min=1e-6).log().to(centroid.dtype)
    offset = torch.zeros_like(target)
    for _ in range(passes):
        mass = torch.zeros_like(target, dtype=torch.float64)
        for rows, chunk in points.chunks():
            soft = ((points.scores(chunk, centroid) + offset) / temperature).softmax(dim=1)
            mass += (soft * free[rows, None]).sum(dim=0, dtype=torch.float64)
        share = (mass / mass.sum().clamp(min=1)).clamp(min=1e-12).log().to(target.dtype)
        offset = offset + temperature * (target - share)
        offset = offset - offset.mean()
    return offset
