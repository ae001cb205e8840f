"""The offline phase: feature bank -> pseudo-labels, thresholds and prototypes for the next online phase.

Asynchronous Pseudo Labeling and Training (IJCAI 2025, arXiv 2504.07785): semi-supervised k-means, self-adaptive
thresholds, refined centers into a memory-based prototype classifier. The paper's formulas were not at hand;
docs/method.md says which readings were chosen.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from aplt.clips import UNKNOWN
from aplt.offline.balance import ROWS, class_weights
from aplt.offline.graph import neighbor_graph
from aplt.offline.kmeans import semi_supervised_kmeans
from aplt.offline.novelty import NOVEL, novelty
from aplt.offline.propagation import propagate
from aplt.offline.space import carried, whiten
from aplt.offline.thresholds import self_adaptive_thresholds
from aplt.settings import Settings
from aplt.tensors import FeatureBank, Guidance

LABEL_WEIGHT = 10.0


class Clusters(Settings):
    """The offline half of APLT: its settings, and what it makes of a bank under them.

    The paper leaves each of these open; docs/method.md says what was measured.
    """

    source: Literal["clustering", "classifier"] = "clustering"
    """Where pseudo-labels come from: semi-supervised k-means, or (ablation) the classifier's own predictions."""
    views: int = Field(2, ge=1)
    """Weak views of each clip that the features are averaged over."""
    labeled_views: int = Field(2, ge=0)
    """Strong views of each labeled clip that enter the clustering besides: the labeled augmentation."""
    whiten: int | None = Field(64, ge=2)
    """Most dimensions of the centered, projected, shrink-whitened space that is clustered: a twelfth of the clips, or
    twice the classes where that is more; null: unit-norm features."""
    assignment: Literal["nearest", "balanced"] = "balanced"
    """nearest center, or balanced by Sinkhorn toward the labeled class prior."""
    clamp: bool = True
    """Labeled clips keep their cluster (Constrained-KMeans); off: they only seed it (Seeded-KMeans)."""
    iterations: int = Field(15, ge=1)
    """Most k-means iterations; it stops earlier when no assignment changes."""
    neighbors: int = Field(10, ge=0)
    """Neighbors of each clip over which its memberships are propagated; the distance that is screened by is then what
    a membership lacks to 1. 0: no propagation, and the distance is that to the center."""
    novel: float = Field(NOVEL, gt=0, le=1)
    """Novelty from which a clip is taken to be of none of the classes and is not accepted: such clips lie where no
    labels are. About 1 - `novel` of the clips of classes are refused with them. 1: none is; nor without `neighbors`."""
    threshold: Literal["mean", "none"] = "mean"
    """tau(c): mean distance of class c's members, or none."""
    threshold_momentum: float = Field(0.7, ge=0, lt=1)
    """Weight of the previous round's threshold."""
    prototype_momentum: float = Field(0.0, ge=0, lt=1)
    """Weight of the previous round's prototypes in the memory."""

    def __call__(
        self, bank: FeatureBank, label: Tensor, num_classes: int, *, round_: int, previous: Guidance | None
    ) -> Guidance:
        """Returns what to believe about every clip in this round; see aplt.tensors.Offline.

        The thresholds and prototypes of `previous` are remembered.
        """
        known = label[bank.position]
        given = known != UNKNOWN
        if self.source == "clustering":
            assigned, distance, belief, new = _cluster(bank, known, label[bank.extra_position], num_classes, self)
        else:
            assigned, belief = _own(bank.probability, known)
            distance, new = 1 - belief, torch.zeros_like(belief)
        threshold = self_adaptive_thresholds(
            distance,
            assigned,
            num_classes,
            previous=previous.pseudo.threshold if previous else None,
            momentum=self.threshold_momentum,
        )
        if self.threshold == "none":
            threshold = torch.full_like(threshold, torch.inf)
        accepted = given | ((distance <= threshold[assigned]) & (new < self.novel))
        prototype = _prototypes(bank.feature, assigned, accepted, num_classes)
        if previous is not None:
            kept = self.prototype_momentum
            prototype = functional.normalize(kept * previous.prototype + (1 - kept) * prototype, dim=1)

        return Guidance.of_bank(
            bank,
            len(label),
            label=assigned,
            distance=distance,
            accepted=accepted,
            given=given,
            belief=belief,
            threshold=threshold,
            prototype=prototype,
            round_=round_,
        )


def _cluster(
    bank: FeatureBank, known: Tensor, extra_known: Tensor, num_classes: int, settings: Clusters
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Returns each clip's class, known where given, how far it is from it, that class's probability, and novelty: [M].

    Augmented labeled views only help to find the centers.
    """
    label = torch.cat([known, extra_known])
    if settings.whiten is not None:
        feature = whiten((bank.feature, bank.extra_feature), carried(settings.whiten, len(label), num_classes))
    else:
        feature = torch.cat([bank.feature, bank.extra_feature])
    given = known != UNKNOWN
    prior = None
    if settings.assignment == "balanced":
        prior = torch.bincount(known[given], minlength=num_classes).to(feature.dtype)
    clustering = semi_supervised_kmeans(
        feature, label, num_classes, max_iterations=settings.iterations, clamp=settings.clamp, prior=prior
    )
    feature = feature[: len(bank.feature)]
    if not settings.neighbors:
        belief = _memberships(feature, clustering.centroid)
        # Seeded clusters may put a labeled clip elsewhere; its distance is that to the center of its own class.
        assigned, distance = clustering.assignment[: len(feature)], clustering.distance[: len(feature)]
        own = (feature[given] - clustering.centroid[known[given]]).norm(dim=1)
        label = torch.where(given, known, assigned)
        own_belief = belief.gather(1, label[:, None])[:, 0]
        return label, distance.index_put((given,), own), own_belief, torch.zeros_like(own_belief)
    graph = neighbor_graph(feature, settings.neighbors)
    belief = _memberships(feature, clustering.centroid)
    del feature  # of many clips it is large
    # Labels are certain: they enter as strongly as several clips.
    belief[given] = LABEL_WEIGHT * functional.one_hot(known[given], num_classes).to(belief.dtype)
    belief = propagate(graph, belief)
    if prior is not None:
        belief.log_()
        belief = belief.add_(class_weights(belief, prior, ~given)).softmax(dim=1)
    label, own = _own(belief, known)
    new = novelty(graph, known).to(own) if settings.novel < 1 else torch.zeros_like(own)
    return label, 1 - own, own, new


def _own(belief: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Returns each row's class, the known [M] one where there is one, and the belief [M, K] in it."""
    label = torch.where(known != UNKNOWN, known, belief.argmax(dim=1))
    return label, belief.gather(1, label[:, None])[:, 0]


def _memberships(feature: Tensor, centroid: Tensor) -> Tensor:
    """Returns soft memberships [M, K]: a Gaussian about each center, as wide as clips lie from theirs on average."""
    found = feature.new_empty(len(feature), len(centroid))
    for some, rows in zip(feature.split(ROWS), found.split(ROWS), strict=True):
        torch.square(torch.cdist(some, centroid), out=rows)
    width = found.amin(dim=1).mean().clamp(min=1e-12)
    for rows in found.split(ROWS):
        rows.copy_((-rows / width).softmax(dim=1))
    return found


def _prototypes(feature: Tensor, label: Tensor, accepted: Tensor, num_classes: int) -> Tensor:
    """Returns the unit mean [K, D] of each class's accepted [M] features; each has at least its labeled clips."""
    total = torch.zeros(num_classes, feature.shape[1])
    for rows in accepted.nonzero()[:, 0].split(ROWS):
        total.index_add_(0, label[rows], feature[rows])
    return functional.normalize(total, dim=1)
