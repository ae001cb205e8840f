"""The offline phase: feature bank -> pseudo-labels, thresholds and prototypes for the next online phase.

Asynchronous Pseudo Labeling and Training (IJCAI 2025, arXiv 2504.07785): semi-supervised k-means, self-adaptive
thresholds, refined centers into a memory-based prototype classifier. The formulas are not public; docs/method.md
says which readings were chosen.
"""

import torch
from torch import Tensor
from torch.nn import functional

from aplt.config import OfflineSettings
from aplt.offline.balance import balance
from aplt.offline.kmeans import semi_supervised_kmeans
from aplt.offline.propagation import propagate
from aplt.offline.space import whiten
from aplt.offline.thresholds import self_adaptive_thresholds
from aplt.values import UNKNOWN, FeatureBank, Guidance, PseudoLabels

LABEL_WEIGHT = 10.0


def believe(
    bank: FeatureBank,
    label: Tensor,
    num_classes: int,
    settings: OfflineSettings,
    *,
    round_: int,
    previous: Guidance | None,
) -> Guidance:
    """Returns what to believe about every clip in this round; a pure function of its arguments.

    `label` [N] holds the labels of the labeled clips and -1 for all others; `previous` is the guidance of the last
    offline phase, whose thresholds and prototypes are remembered.
    """
    known = label[bank.position]
    given = known != UNKNOWN
    if settings.source == "clustering":
        assigned, distance, belief = _cluster(bank, known, label[bank.extra_position], num_classes, settings)
    else:
        assigned, belief = _own(bank.probability, known)
        distance = 1 - belief
    threshold = self_adaptive_thresholds(
        distance,
        assigned,
        num_classes,
        previous=previous.pseudo.threshold if previous else None,
        momentum=settings.threshold_momentum,
    )
    if settings.threshold == "none":
        threshold = torch.full_like(threshold, torch.inf)
    accepted = given | (distance <= threshold[assigned])
    prototype = _prototypes(bank.feature[accepted], assigned[accepted], num_classes)
    if previous is not None:
        kept = settings.prototype_momentum
        prototype = functional.normalize(kept * previous.prototype + (1 - kept) * prototype, dim=1)

    def spread(values: Tensor, otherwise: float) -> Tensor:
        whole = torch.full((len(label),), otherwise, dtype=values.dtype)
        return whole.index_copy_(0, bank.position, values)

    confidence = bank.probability.gather(1, assigned[:, None])[:, 0]
    pseudo = PseudoLabels(
        label=spread(assigned, UNKNOWN),
        distance=spread(distance, torch.inf),
        accepted=spread(accepted, False),
        given=spread(given, False),
        belief=spread(belief, torch.nan),
        confidence=spread(confidence, torch.nan),
        threshold=threshold,
    )
    return Guidance(pseudo, prototype, round_)


def _cluster(
    bank: FeatureBank, known: Tensor, extra_known: Tensor, num_classes: int, settings: OfflineSettings
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns each clip's class, known where given, how far it is from it [M], and that class's probability [M].

    Augmented labeled views only help to find the centers.
    """
    feature = torch.cat([bank.feature, bank.extra_feature])
    label = torch.cat([known, extra_known])
    if settings.whiten is not None:
        feature = whiten(feature, settings.whiten)
    given = known != UNKNOWN
    prior = None
    if settings.assignment == "balanced":
        prior = torch.bincount(known[given], minlength=num_classes).to(feature.dtype)
    clustering = semi_supervised_kmeans(
        feature, label, num_classes, max_iterations=settings.iterations, clamp=settings.clamp, prior=prior
    )
    feature = feature[: len(bank.feature)]
    belief = _memberships(feature, clustering.centroid)
    if not settings.neighbors:
        # Seeded clusters may put a labeled clip elsewhere; its distance is that to the center of its own class.
        assigned, distance = clustering.assignment[: len(feature)], clustering.distance[: len(feature)]
        own = (feature[given] - clustering.centroid[known[given]]).norm(dim=1)
        label = torch.where(given, known, assigned)
        return label, distance.index_put((given,), own), belief.gather(1, label[:, None])[:, 0]
    # Labels are certain: they enter as strongly as several clips.
    belief[given] = LABEL_WEIGHT * functional.one_hot(known[given], num_classes).to(belief.dtype)
    belief = propagate(feature, belief, settings.neighbors)
    if prior is not None:
        belief = balance(belief.clamp(min=torch.finfo(belief.dtype).tiny).log(), prior, ~given).exp()
    label, own = _own(belief, known)
    return label, 1 - own, own


def _own(belief: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Returns each row's class, the known [M] one where there is one, and the belief [M, K] in it."""
    label = torch.where(known != UNKNOWN, known, belief.argmax(dim=1))
    return label, belief.gather(1, label[:, None])[:, 0]


def _memberships(feature: Tensor, centroid: Tensor) -> Tensor:
    """Returns soft memberships [M, K]: a Gaussian about each center, as wide as clips lie from theirs on average."""
    squared = torch.cdist(feature, centroid).square()
    return (-squared / squared.amin(dim=1).mean().clamp(min=1e-12)).softmax(dim=1)


def _prototypes(feature: Tensor, label: Tensor, num_classes: int) -> Tensor:
    """Returns the unit mean [K, D] of each class's features [A, D]; every class has at least its labeled clips."""
    total = torch.zeros(num_classes, feature.shape[1]).index_add_(0, label, feature)
    return functional.normalize(total, dim=1)
