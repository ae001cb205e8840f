"""The offline phase on feature banks made by hand."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional

from aplt.offline.balance import class_weights
from aplt.offline.graph import neighbor_graph
from aplt.offline.kmeans import semi_supervised_kmeans
from aplt.offline.phase import Clusters
from aplt.offline.propagation import propagate
from aplt.tensors import FeatureBank, Guidance

PLAIN = Clusters(views=1, labeled_views=0, whiten=None, assignment="nearest", neighbors=0, threshold_momentum=0.0)
N = 12
LABEL = torch.full((N,), -1).index_fill_(0, torch.tensor([0]), 0).index_fill_(0, torch.tensor([1]), 1)


# The means of the clips that plain clustering puts together: at 0, 5, -5, 10, 44, 20 and at 90, 85, 95, 100 degrees.
CENTERS = [
    torch.tensor([[math.cos(math.radians(a)), math.sin(math.radians(a))] for a in angles]).mean(dim=0)
    for angles in ((0, 5, -5, 10, 44, 20), (90, 85, 95, 100))
]


def angle_bank() -> FeatureBank:
    """Ten clips on the unit circle at these angles in degrees; positions 3 and 7 of the index take no part."""
    angles = torch.deg2rad(torch.tensor([0.0, 90, 5, -5, 10, 85, 95, 100, 44, 20]))
    position = torch.tensor([0, 1, 2, 4, 5, 6, 8, 9, 10, 11])
    feature = torch.stack([angles.cos(), angles.sin()], dim=1)
    belief = (feature.abs() * 4).softmax(dim=1)
    return FeatureBank(feature, torch.ones(len(feature)), belief, position, feature[:0], position[:0])


def run(settings: Clusters = PLAIN, previous: Guidance | None = None) -> Guidance:
    return settings(angle_bank(), LABEL, 2, round_=3, previous=previous)


def test_labels_follow_the_clusters_and_far_clips_are_screened_out() -> None:
    pseudo = run().pseudo
    assert pseudo.label.tolist() == [0, 1, 0, -1, 0, 0, 1, -1, 1, 1, 0, 0]
    assert pseudo.accepted.tolist()[10] is False  # 44 degrees: between the clusters
    assert pseudo.accepted[[2, 5, 8, 11]].all()
    members = pseudo.label == 0
    assert pseudo.threshold[0] == pytest.approx(float(pseudo.distance[members].mean()), abs=1e-6)


def test_clips_outside_the_bank_are_not_believed_anything_about() -> None:
    pseudo = run().pseudo
    assert pseudo.label[[3, 7]].tolist() == [-1, -1]
    assert not pseudo.accepted[[3, 7]].any()
    assert pseudo.distance[[3, 7]].isinf().all()


def test_labeled_clips_keep_their_label_and_are_accepted() -> None:
    bank = angle_bank()
    wrong = LABEL.clone()
    wrong[8] = 0  # at 95 degrees, among the ones, but its label says 0
    for clamp in (True, False):
        pseudo = PLAIN.model_copy(update={"clamp": clamp})(bank, wrong, 2, round_=0, previous=None).pseudo
        assert pseudo.label[8] == 0
        assert pseudo.accepted[8]
        assert pseudo.given.nonzero()[:, 0].tolist() == [0, 1, 8]


@pytest.mark.parametrize("change", [{"clamp": False}, {"source": "classifier"}])
def test_a_labeled_clips_distance_is_that_to_its_own_class(change: dict[str, Any]) -> None:
    bank = angle_bank()
    wrong = LABEL.clone()
    wrong[8] = 0  # at 95 degrees, far from the zeros
    pseudo = PLAIN.model_copy(update=change)(bank, wrong, 2, round_=0, previous=None).pseudo
    zeros = bank.position[(pseudo.label[bank.position] == 0) & (bank.position != 8)]
    assert pseudo.distance[8] > pseudo.distance[zeros].max()


def test_prototypes_are_unit_means_of_accepted_clips() -> None:
    guidance = run()
    bank = angle_bank()
    accepted = guidance.pseudo.accepted[bank.position]
    label = guidance.pseudo.label[bank.position]
    for k in range(2):
        mean = bank.feature[accepted & (label == k)].mean(dim=0)
        torch.testing.assert_close(guidance.prototype[k], functional.normalize(mean, dim=0))
    assert guidance.round == 3


def test_memory_keeps_part_of_the_previous_prototypes() -> None:
    first = run()
    turned = replace(first, prototype=first.prototype.flip(1))
    settings = PLAIN.model_copy(update={"prototype_momentum": 0.25})
    found = run(settings, turned).prototype
    expected = functional.normalize(0.25 * turned.prototype + 0.75 * first.prototype, dim=1)
    torch.testing.assert_close(found, expected)


def test_propagation_believes_neighbors_and_measures_what_a_membership_lacks() -> None:
    pseudo = run(PLAIN.model_copy(update={"neighbors": 3})).pseudo
    bank = angle_bank()
    inside = pseudo.distance[bank.position]
    assert ((inside >= 0) & (inside <= 0.5)).all()  # two classes: the larger membership is at least a half
    assert inside.argmax() == 8  # the clip at 44 degrees
    assert pseudo.label[[2, 4, 5, 11]].tolist() == [0, 0, 0, 0]
    assert pseudo.label[[6, 8, 9]].tolist() == [1, 1, 1]
    assert not pseudo.accepted[10]
    torch.testing.assert_close(pseudo.belief[bank.position], 1 - inside)


def test_a_label_enters_propagation_as_strongly_as_ten_clips() -> None:
    bank = angle_bank()
    known = LABEL[bank.position]
    start = torch.stack([(bank.feature - center).square().sum(dim=1) for center in CENTERS], dim=1)
    start = (-start / start.amin(dim=1).mean()).softmax(dim=1)
    start[known == 0] = torch.tensor([10.0, 0.0])
    start[known == 1] = torch.tensor([0.0, 10.0])
    expected = propagate(neighbor_graph(bank.feature, 3), start)
    pseudo = run(PLAIN.model_copy(update={"neighbors": 3})).pseudo
    torch.testing.assert_close(pseudo.belief[bank.position], expected.amax(dim=1))


def test_balanced_propagation_shares_the_unlabeled_clips_out_like_the_labeled_ones() -> None:
    bank = angle_bank()
    label = LABEL.clone()
    label[[6, 8, 9]] = torch.tensor([1, 1, 1])  # four of class 1, one of class 0
    balanced, plain = (
        PLAIN.model_copy(update={"neighbors": 3, "assignment": way})(bank, label, 2, round_=0, previous=None)
        for way in ("balanced", "nearest")
    )
    free = (label == -1).index_fill(0, torch.tensor([3, 7]), False)

    def share(guidance: Guidance) -> float:
        """Returns the mean belief in class 1."""
        own = guidance.pseudo.belief[free]
        return float(torch.where(guidance.pseudo.label[free] == 1, own, 1 - own).mean())

    assert share(balanced) == pytest.approx(4 / 5, abs=0.01)
    assert share(plain) < 0.5
    assert balanced.pseudo.label[[0, 1, 6, 8, 9]].tolist() == [0, 1, 1, 1, 1]


def test_balanced_beliefs_are_those_of_balanced_clusters_spread_and_shared_out() -> None:
    bank, prior = angle_bank(), torch.tensor([1.0, 4.0])
    label = LABEL.clone()
    label[[6, 8, 9]] = 1
    known = label[bank.position]
    centroid = semi_supervised_kmeans(bank.feature, known, 2, prior=prior).centroid
    assert (centroid - semi_supervised_kmeans(bank.feature, known, 2).centroid).abs().max() > 0.05
    start = torch.cdist(bank.feature, centroid).square()
    start = (-start / start.amin(dim=1).mean()).softmax(dim=1)
    start[known == 0], start[known == 1] = torch.tensor([10.0, 0.0]), torch.tensor([0.0, 10.0])
    expected = propagate(neighbor_graph(bank.feature, 3), start).log()
    expected = (expected + class_weights(expected, prior, known == -1)).softmax(dim=1)
    settings = PLAIN.model_copy(update={"neighbors": 3, "assignment": "balanced"})
    found = settings(bank, label, 2, round_=0, previous=None).pseudo.belief[bank.position]
    own = expected.amax(dim=1).where(known == -1, expected.gather(1, known.clamp(min=0)[:, None])[:, 0])
    torch.testing.assert_close(found, own)


def test_clusters_alone_are_believed_less_the_farther_a_clip_is_from_its_center() -> None:
    pseudo = run().pseudo
    bank = angle_bank()
    inside = pseudo.belief[bank.position]
    assert ((inside > 0.5) & (inside <= 1)).all()
    assert bank.position[inside.argmin()] == 10  # 44 degrees: nearly as far from either
    assert pseudo.belief[[3, 7]].isnan().all()


def test_clips_that_lie_on_their_centers_are_certain() -> None:
    bank = angle_bank()
    feature = torch.eye(2)[torch.tensor([0, 1, 0, 0, 0, 1, 1, 1, 1, 0])]
    pseudo = PLAIN(replace(bank, feature=feature), LABEL, 2, round_=0, previous=None).pseudo
    torch.testing.assert_close(pseudo.belief[bank.position], torch.ones(10))
    assert not pseudo.distance[bank.position].any()


def test_as_many_iterations_as_set() -> None:
    feature = functional.normalize(torch.randn(300, 4, generator=torch.Generator().manual_seed(0)), dim=1)
    position = torch.arange(300)
    bank = FeatureBank(feature, torch.ones(300), torch.full((300, 6), 1 / 6), position, feature[:0], position[:0])
    label = torch.where(position < 6, position, -1)
    for iterations in (1, 3):
        pseudo = PLAIN.model_copy(update={"iterations": iterations})(bank, label, 6, round_=0, previous=None).pseudo
        found = semi_supervised_kmeans(feature, label, 6, max_iterations=iterations)
        assert found.iterations == iterations
        assert torch.equal(pseudo.distance, found.distance)


def test_threshold_none_accepts_everything() -> None:
    assert run(PLAIN.model_copy(update={"threshold": "none"})).pseudo.accepted[angle_bank().position].all()


def test_a_higher_threshold_never_accepts_less() -> None:
    strict = run().pseudo
    remembered = replace(run(), pseudo=replace(strict, threshold=strict.threshold * 3))
    loose = run(PLAIN.model_copy(update={"threshold_momentum": 0.5}), remembered).pseudo
    assert (loose.threshold > strict.threshold).all()
    assert (loose.accepted | ~strict.accepted).all()
    assert loose.accepted.sum() > strict.accepted.sum()


def test_the_classifier_as_source_ignores_the_clusters() -> None:
    bank = angle_bank()
    belief = torch.full((10, 2), 0.1).index_fill_(1, torch.tensor([1]), 0.9)  # all are called 1
    own = PLAIN.model_copy(update={"source": "classifier"})
    pseudo = own(replace(bank, probability=belief), LABEL, 2, round_=0, previous=None).pseudo
    assert pseudo.label[bank.position].tolist() == [0] + [1] * 9
    assert pseudo.distance[2] == pytest.approx(0.1)
    assert pseudo.belief[2] == pytest.approx(0.9)
    assert pseudo.accepted[bank.position].all()  # none is called new


def test_labeled_augmentation_moves_the_centers_but_gets_no_row() -> None:
    bank = angle_bank()
    extra = replace(
        bank, extra_feature=torch.tensor([[0.0, -1.0]] * 20), extra_position=torch.zeros(20, dtype=torch.int64)
    )
    plain, moved = (PLAIN(b, LABEL, 2, round_=0, previous=None) for b in (bank, extra))
    assert len(moved.pseudo.label) == N
    assert moved.pseudo.distance[0] > plain.pseudo.distance[0]


def test_survives_the_disk() -> None:
    guidance = run()
    again = Guidance.from_arrays(guidance.arrays())
    for name, array in guidance.arrays().items():
        np.testing.assert_array_equal(array, again.arrays()[name], err_msg=name)


def test_the_defaults_are_those_that_were_measured() -> None:
    """Where this fails, docs/method.md and the log say what each was worth."""
    assert Clusters().model_dump() == {
        "source": "clustering",
        "views": 2,
        "labeled_views": 2,
        "whiten": 64,
        "assignment": "balanced",
        "clamp": True,
        "iterations": 15,
        "neighbors": 10,
        "novel": 0.95,
        "threshold": "mean",
        "threshold_momentum": 0.7,
        "prototype_momentum": 0.0,
    }


@pytest.mark.parametrize(
    ("name", "least", "refused"),
    [
        ("views", 1, 0),
        ("labeled_views", 0, -1),
        ("whiten", 2, 1),
        ("iterations", 1, 0),
        ("neighbors", 0, -1),
        ("threshold_momentum", 0.0, -0.1),
        ("threshold_momentum", 0.99, 1.0),
        ("prototype_momentum", 0.0, -0.1),
        ("prototype_momentum", 0.99, 1.0),
    ],
)
def test_settings_have_bounds(name: str, least: float, refused: float) -> None:
    settings: dict[str, Any] = {name: least}
    Clusters(**settings)
    with pytest.raises(ValidationError, match=name):
        Clusters(**{name: refused})


def test_a_clip_as_far_as_its_threshold_is_accepted() -> None:
    # Two clips per class, one of them labeled: both lie as far from the center between them as the mean of the two.
    angles = torch.deg2rad(torch.tensor([-10.0, 80, 10, 100]))
    feature = torch.stack([angles.cos(), angles.sin()], dim=1)
    bank = FeatureBank(feature, torch.ones(4), feature.abs(), torch.arange(4), feature[:0], torch.arange(0))
    pseudo = PLAIN(bank, torch.tensor([0, 1, -1, -1]), 2, round_=0, previous=None).pseudo
    assert pseudo.label.tolist() == [0, 1, 0, 1]
    assert pseudo.accepted.all()


def test_seeded_clusters_may_take_a_labeled_clip_where_constrained_ones_may_not() -> None:
    label = LABEL.index_fill(0, torch.tensor([2]), 1)  # at 5 degrees, among class 0
    constrained, seeded = (
        PLAIN.model_copy(update={"clamp": clamp})(angle_bank(), label, 2, round_=0, previous=None).pseudo
        for clamp in (True, False)
    )
    # Kept in class 1, the clip pulls its center over, and all of class 1 lie farther from it.
    assert constrained.distance[8] > seeded.distance[8] + 0.05


@pytest.mark.parametrize(("clips", "at_least"), [(300, 0.85), (100, 0.9)])
def test_few_clips_of_many_dimensions_are_still_told_apart(clips: int, at_least: float) -> None:
    """Five classes in 80 dimensions of noise, a tenth labeled; without whitening 98 % are right."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.arange(clips) % 5
    center = 5 * functional.normalize(torch.randn(5, 80, generator=generator), dim=1)
    feature = functional.normalize(center[truth] + torch.randn(clips, 80, generator=generator), dim=1)
    label = torch.where(torch.arange(clips) < clips // 10, truth, -1)
    position = torch.arange(clips)
    bank = FeatureBank(feature, torch.ones(clips), feature[:, :5].softmax(dim=1), position, feature[:0], position[:0])
    found = Clusters()(bank, label, 5, round_=0, previous=None).pseudo.label
    assert (found == truth)[label < 0].double().mean() > at_least
