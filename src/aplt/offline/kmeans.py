"""Semi-supervised k-means with one cluster a class (Basu, Banerjee, Mooney: Seeded and Constrained KMeans, ICML 2002).

Centers start at the labeled means, so there is no random start and the result is deterministic.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from aplt.errors import InputError

CHUNK_ELEMENTS = 1 << 22  # numbers in the largest temporary array: 16 MiB of float32
FAR = 10.0  # squared mean over variance from which on points are moved to the origin


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
    clamped = label if clamp else torch.full_like(label, -1)
    sums = _Sums(num_classes, feature)
    assignment = torch.full_like(label, -1)
    for rows, chunk in points.chunks():
        sums.move(chunk, assignment[rows], label[rows])
    assignment, centroid, iterations = label, sums.means(otherwise=None), 0
    while True:
        offset = _balance(points, centroid, ~fixed, prior) if prior is not None else torch.zeros_like(centroid[:, 0])
        nearest = points.assign(centroid, offset, clamped, assignment, sums)
        if iterations == max_iterations or torch.equal(nearest, assignment):
            # What is returned belongs to the centers that are returned, also when the iterations ran out.
            return Clustering(centroid + points.origin, nearest, points.distance(centroid, nearest), iterations)
        assignment, centroid = nearest, sums.means(otherwise=centroid)
        iterations += 1


class _Points:
    """The points about an origin, worked through in chunks of bounded size.

    Far from zero |x|^2 would swallow float32's digits; there the origin is the points' mean, otherwise zero, which
    saves a copy of each chunk. Centers here are about the origin, too.
    """

    def __init__(self, feature: Tensor, num_classes: int) -> None:
        self.feature = feature
        self.rows = max(1, CHUNK_ELEMENTS // max(feature.shape[1], num_classes))
        self.origin, self.centered = torch.zeros_like(feature[0]), False
        mean, square = torch.zeros_like(self.origin, dtype=torch.float64), 0.0
        for _, chunk in self.chunks():
            mean += chunk.sum(dim=0)
            square += float(chunk.square().sum())
        mean /= len(feature)
        self.centered = float(mean.square().sum()) > FAR * (square / len(feature) - float(mean.square().sum()))
        if self.centered:
            self.origin = mean.to(feature.dtype)

    def chunks(self) -> Iterator[tuple[slice, Tensor]]:
        """Yields (rows, points about the origin)."""
        for first in range(0, len(self.feature), self.rows):
            rows = slice(first, first + self.rows)
            chunk = self.feature[rows]
            yield rows, chunk - self.origin if self.centered else chunk

    def scores(self, chunk: Tensor, centroid: Tensor) -> Tensor:
        """Returns -squared distance / 2, up to a constant a point [rows, K]: the nearest center has the most."""
        return torch.addmm(-centroid.square().sum(dim=1) / 2, chunk, centroid.T)

    def assign(self, centroid: Tensor, offset: Tensor, clamped: Tensor, before: Tensor, sums: "_Sums") -> Tensor:
        """Returns each point's class [N], by the best score plus offset [K], or `clamped` [N] where that is not -1.

        Moves the points that were elsewhere `before` in the sums.
        """
        assigned = []
        for rows, chunk in self.chunks():
            nearest = (self.scores(chunk, centroid) + offset).argmax(dim=1)
            nearest = torch.where(clamped[rows] >= 0, clamped[rows], nearest)
            moved = (nearest != before[rows]).nonzero()[:, 0]
            sums.move(chunk[moved], before[rows][moved], nearest[moved])
            assigned.append(nearest)
        return torch.cat(assigned)

    def distance(self, centroid: Tensor, assignment: Tensor) -> Tensor:
        """Returns the distance [N] to the assigned center, from the difference itself: no cancellation."""
        return torch.cat([(chunk - centroid[assignment[rows]]).norm(dim=1) for rows, chunk in self.chunks()])


class _Sums:
    """Sums of the points of each class, kept up as points move: in double, so that nothing is lost over the rounds."""

    def __init__(self, num_classes: int, feature: Tensor) -> None:
        self.dtype = feature.dtype
        self.total = torch.zeros(num_classes, feature.shape[1], dtype=torch.float64, device=feature.device)
        self.count = torch.zeros(num_classes, dtype=torch.float64, device=feature.device)
        self.classes = torch.arange(num_classes, device=feature.device)[:, None]

    def move(self, points: Tensor, before: Tensor, after: Tensor) -> None:
        """Takes points [n, D] from the classes `before` to the classes `after` [n]; -1 is no class."""
        # A product with the membership matrix: on a GPU, unlike scattered additions, the same in every run.
        change = (after == self.classes).double() - (before == self.classes).double()
        self.total += change @ points.double()
        self.count += change.sum(dim=1)

    def means(self, otherwise: Tensor | None) -> Tensor:
        """Returns the centers [K, D]; an empty class keeps its center in `otherwise`."""
        mean = (self.total / self.count.clamp(min=1)[:, None]).to(self.dtype)
        return mean if otherwise is None else torch.where(self.count[:, None] > 0, mean, otherwise)


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
