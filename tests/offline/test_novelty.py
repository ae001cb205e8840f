"""Clips of no class are where no labels are."""

import numpy as np
import torch
from scipy.sparse import csr_array

from aplt.offline.graph import neighbor_graph
from aplt.offline.novelty import novelty, reach_of
from aplt.offline.phase import Clusters
from aplt.tensors import FeatureBank


def clouds(seed: int, clips: int = 60, classes: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    """Clips of 16 numbers about a center of their own for each class [M, D], and the classes [M]."""
    draw = np.random.default_rng(seed)
    truth = np.repeat(np.arange(classes), clips)
    center = np.eye(classes, 16)[truth]
    feature = torch.from_numpy(center + 0.1 * draw.normal(size=(len(truth), 16))).float()
    return torch.nn.functional.normalize(feature, dim=1), torch.from_numpy(truth)


def test_the_class_without_labels_stands_out_and_others_seldom() -> None:
    flagged, wrongly = [], []
    for seed in range(5):
        feature, truth = clouds(seed)
        given = torch.rand(len(truth), generator=torch.Generator().manual_seed(seed)) < 0.2
        label = torch.where(given & (truth < 3), truth, -1)
        found = novelty(neighbor_graph(feature, 10), label)
        assert ((found >= 0) & (found <= 1)).all()
        flagged.append((found[truth == 3] >= 0.95).double().mean())
        wrongly.append((found[(truth < 3) & (label < 0)] >= 0.95).double().mean())
    assert np.mean(flagged) > 0.9
    assert np.mean(wrongly) < 0.1


def test_by_hand() -> None:
    # Two pairs; what stays in a pair is shared by its two clips: labels reach half of the first and none of the second.
    pair = np.array([[0.0, 1.0], [1.0, 0.0]])
    graph = csr_array(np.kron(np.eye(2), pair))
    # Of one label nothing is left when its fold is hidden, so that nobody is farther out: p is (1 + 1) / 2.
    assert novelty(graph, torch.tensor([0, -1, -1, -1])).tolist() == [0, 0, 0, 0]
    # A labeled clip's own label is hidden: of each pair's first the other pair reaches nothing, and itself neither.
    assert novelty(graph, torch.tensor([0, -1, 1, -1])).tolist() == [0, 0, 0, 0]
    # Of two labels in one pair each reaches the other: the second pair lies farther out than both, p is 1 / 3.
    found = novelty(graph, torch.tensor([0, 1, -1, -1]))
    torch.testing.assert_close(found, torch.tensor([0, 0, 2 / 3, 2 / 3], dtype=torch.float64))


def test_of_labels_everywhere_all_reaches_every_clip_however_many_neighbors_it_has() -> None:
    feature, truth = clouds(3, clips=10)
    feature[:4] = feature[0]  # these are the nearest of each other, and of many
    reached, _ = reach_of(neighbor_graph(feature, 3), truth)
    np.testing.assert_allclose(reached, 1)


def test_few_labels_never_refuse() -> None:
    feature, truth = clouds(0)
    label = torch.full_like(truth, -1)
    label[[0, 1, 2, 60, 61, 62, 120, 121, 122]] = truth[[0, 1, 2, 60, 61, 62, 120, 121, 122]]
    assert novelty(neighbor_graph(feature, 10), label).max() == 0.9


def test_the_order_of_unlabeled_clips_does_not_matter() -> None:
    feature, truth = clouds(1)
    label = torch.where(torch.arange(len(truth)) % 5 == 0, truth, -1)
    order = torch.randperm(len(truth), generator=torch.Generator().manual_seed(0))
    there = novelty(neighbor_graph(feature, 10), label)
    moved = novelty(neighbor_graph(feature[order], 10), label[order])
    assert (moved - there[order]).abs().max() < 0.1  # folds are other ones


def test_the_offline_phase_accepts_none_of_them() -> None:
    feature, truth = clouds(2)
    probability = torch.full((len(truth), 3), 1 / 3)
    bank = FeatureBank(
        feature, torch.ones(len(truth)), probability, torch.arange(len(truth)), feature[:0], torch.arange(0)
    )
    label = torch.where((torch.arange(len(truth)) % 5 == 0) & (truth < 3), truth, -1)
    kept, all_ = (
        Clusters(threshold="none", novel=novel)(bank, label, 3, round_=0, previous=None).pseudo.accepted
        for novel in (0.95, 1.0)
    )
    assert all_.all()
    assert kept[truth == 3].double().mean() < 0.1
    assert kept[truth < 3].double().mean() > 0.9
    assert kept[label >= 0].all()
