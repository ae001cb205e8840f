"""Semi-supervised k-means with one cluster a class (Basu, Banerjee, Mooney: Seeded and Constrained KMeans, ICML 2002).

Centers start at the labeled means, so there is no random start and the result is deterministic.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from aplt.errors import InputError

CHUNK_ELEMENTS = 1 << 24  # numbers in the largest temporary array: 64 MiB of float32


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
    # About the mean, |x|^2 is no larger than it must be: float32 keeps its digits far from the origin.
    origin = feature.mean(dim=0, dtype=torch.float64).to(feature.dtype)
    points = _Points(feature, origin, num_classes)
    fixed = label >= 0
    centroid = points.means(
        label, torch.zeros(num_classes, feature.shape[1], dtype=feature.dtype, device=feature.device)
    )
    assignment = label.clone()
    iterations = 0
    while True:
        offset = torch.zeros(num_classes, dtype=feature.dtype, device=feature.device)
        if prior is not None:
            offset = _balance(points, centroid, ~fixed, prior)
        nearest = points.nearest(centroid, offset)
        if clamp:
            nearest = torch.where(fixed, label, nearest)
        if iterations == max_iterations or torch.equal(nearest, assignment):
            # What is returned belongs to the centers that are returned, also when the iterations ran out.
            return Clustering(centroid + origin, nearest, points.distance(centroid, nearest), iterations)
        assignment = nearest
        centroid = points.means(assignment, centroid)
        iterations += 1


class _Points:
    """The points about `origin`, worked through in chunks."""

    def __init__(self, feature: Tensor, origin: Tensor, num_classes: int) -> None:
        self.feature, self.origin, self.num_classes = feature, origin, num_classes
        self.rows = max(1, CHUNK_ELEMENTS // max(feature.shape[1], num_classes))

    def chunks(self) -> Iterator[tuple[slice, Tensor]]:
        """Yields (rows, points about the origin)."""
        for first in range(0, len(self.feature), self.rows):
            rows = slice(first, first + self.rows)
            yield rows, self.feature[rows] - self.origin

    def scores(self, chunk: Tensor, centroid: Tensor) -> Tensor:
        """Returns -squared distance / 2, up to a constant a point [rows, K]: the nearest center has the most."""
        return torch.addmm(-centroid.square().sum(dim=1) / 2, chunk, centroid.T)

    def nearest(self, centroid: Tensor, offset: Tensor) -> Tensor:
        """Returns the center [N] with the best score plus offset [K]; the lowest number among equals."""
        return torch.cat([(self.scores(chunk, centroid) + offset).argmax(dim=1) for _, chunk in self.chunks()])

    def means(self, assignment: Tensor, otherwise: Tensor) -> Tensor:
        """Returns each class's mean [K, D] over the points assigned to it (-1: to none), or `otherwise`."""
        total = torch.zeros_like(otherwise, dtype=torch.float64)
        count = torch.zeros(self.num_classes, dtype=torch.float64, device=otherwise.device)
        classes = torch.arange(self.num_classes, device=otherwise.device)
        for rows, chunk in self.chunks():
            member = (assignment[rows, None] == classes).to(chunk.dtype)
            # A chunk is summed in its own precision, the chunks in double: stable for millions of points.
            total += (member.T @ chunk).double()
            count += member.sum(dim=0, dtype=torch.float64)
        mean = (total / count.clamp(min=1)[:, None]).to(otherwise.dtype)
        return torch.where(count[:, None] > 0, mean, otherwise)

    def distance(self, centroid: Tensor, assignment: Tensor) -> Tensor:
        """Returns the distance [N] to the assigned center, from the difference itself: no cancellation."""
        return torch.cat([(chunk - centroid[assignment[rows]]).norm(dim=1) for rows, chunk in self.chunks()])


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
