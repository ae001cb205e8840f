"""Semi-supervised k-means: by hand, against scikit-learn, and what must hold for any input."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from aplt.errors import InputError
from aplt.offline import kmeans
from aplt.offline.kmeans import Clustering, semi_supervised_kmeans


def blobs(seed: int, clips: int, classes: int, size: int = 5, labeled: int = 1) -> tuple[Tensor, Tensor]:
    """Returns overlapping blobs [N, D] and labels [N], -1 for all but `labeled` of each class."""
    generator = torch.Generator().manual_seed(seed)
    truth = torch.arange(clips) % classes
    feature = torch.randn(classes, size, generator=generator)[truth] * 2
    feature = feature + torch.randn(clips, size, generator=generator)
    label = torch.where(torch.arange(clips) < labeled * classes, truth, -1)
    order = torch.randperm(clips, generator=generator)
    return feature[order], label[order]


def check_clustering(
    cluster: Callable[..., Clustering],
    feature: Tensor,
    label: Tensor,
    classes: int,
    *,
    max_iterations: int,
    clamp: bool,
    prior: Tensor | None = None,
) -> Clustering:
    """Returns the clustering, in which labels, distances and centers must be of one and the same moment."""
    found = cluster(feature, label, classes, max_iterations=max_iterations, clamp=clamp, prior=prior)
    assert found.iterations <= max_iterations
    assert found.centroid.isfinite().all()
    # Distances belong to the returned centers and labels.
    own = (feature - found.centroid[found.assignment]).norm(dim=1)
    torch.testing.assert_close(found.distance, own, atol=1e-4, rtol=1e-4)
    if clamp:
        assert (found.assignment[label >= 0] == label[label >= 0]).all()
    if prior is None:
        # Labels belong to the returned centers: nobody else is nearer.
        apart = torch.cdist(feature, found.centroid, compute_mode="donot_use_mm_for_euclid_dist")
        nearest = apart.amin(dim=1)
        free = label < 0 if clamp else torch.ones_like(label, dtype=torch.bool)
        torch.testing.assert_close(found.distance[free], nearest[free], atol=1e-4, rtol=1e-4)
    return found


def check_empty_cluster(cluster: Callable[..., Clustering]) -> None:
    """A cluster that loses all its points keeps its center."""
    # Seeded, class 1 starts between two far groups, which class 0 and class 2 then take away from it.
    feature = torch.tensor([[-9.0], [9.0], [-10.0], [-10.1], [10.0], [10.1]])
    label = torch.tensor([1, 1, 0, -1, 2, -1])
    found = check_clustering(cluster, feature, label, 3, clamp=False, max_iterations=10)
    assert 1 not in found.assignment.tolist()
    assert float(found.centroid[1]) == 0.0  # the mean of its labeled points, -9 and 9


def test_four_points_by_hand() -> None:
    feature = torch.tensor([[0.0], [1.0], [10.0], [4.0]])
    label = torch.tensor([0, -1, 1, -1])
    # Round 1: centers 0 and 10; 1 and 4 join 0; centers 5/3 and 10. Round 2 changes nothing.
    found = semi_supervised_kmeans(feature, label, 2)
    assert found.assignment.tolist() == [0, 0, 1, 0]
    torch.testing.assert_close(found.centroid, torch.tensor([[5 / 3], [10.0]]))
    torch.testing.assert_close(found.distance, torch.tensor([5 / 3, 2 / 3, 0.0, 7 / 3]))
    assert found.iterations == 1


def test_clamped_points_stay_and_seeds_may_move() -> None:
    feature = torch.tensor([[0.0], [0.2], [9.0], [10.0], [10.2]])
    label = torch.tensor([0, 0, 0, 1, 1])  # 9.0 is called 0 but lies among the ones
    assert semi_supervised_kmeans(feature, label, 2, clamp=True).assignment.tolist() == [0, 0, 0, 1, 1]
    assert semi_supervised_kmeans(feature, label, 2, clamp=False).assignment.tolist() == [0, 0, 1, 1, 1]


@pytest.mark.parametrize("seed", range(5))
def test_equals_scikit_learn_from_the_same_start(seed: int) -> None:
    feature, label = blobs(seed, 200, 4)
    start = torch.stack([feature[label == k].mean(dim=0) for k in range(4)])
    theirs = KMeans(4, init=start.numpy(), n_init=1, max_iter=300, tol=0, algorithm="lloyd").fit(feature.numpy())
    ours = semi_supervised_kmeans(feature, label, 4, max_iterations=300, clamp=False)
    assert ours.assignment.tolist() == theirs.labels_.tolist()
    np.testing.assert_allclose(ours.centroid.numpy(), theirs.cluster_centers_, atol=1e-4)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    clips=st.integers(6, 60),
    classes=st.integers(2, 6),
    clamp=st.booleans(),
    iterations=st.integers(1, 6),
    balanced=st.booleans(),
)
def test_invariants(seed: int, clips: int, classes: int, clamp: bool, iterations: int, balanced: bool) -> None:
    feature, label = blobs(seed, clips, classes)
    prior = torch.ones(classes) if balanced else None
    found = check_clustering(
        semi_supervised_kmeans, feature, label, classes, max_iterations=iterations, clamp=clamp, prior=prior
    )
    if not balanced:
        # The order of the clips does not matter. (Balancing may end on a tie, which rounding then breaks.)
        order = torch.randperm(clips, generator=torch.Generator().manual_seed(seed))
        again = semi_supervised_kmeans(feature[order], label[order], classes, max_iterations=iterations, clamp=clamp)
        torch.testing.assert_close(again.centroid, found.centroid, atol=1e-3, rtol=1e-3)


def test_inertia_never_rises() -> None:
    feature, label = blobs(3, 300, 6)
    inertia = [
        float(semi_supervised_kmeans(feature, label, 6, max_iterations=n).distance.square().sum()) for n in range(1, 8)
    ]
    assert all(later <= earlier + 1e-3 for earlier, later in pairwise(inertia))
    assert inertia[-1] < inertia[0]


def test_class_without_a_label_is_named() -> None:
    with pytest.raises(InputError, match="class 2 has no labeled clip"):
        semi_supervised_kmeans(torch.randn(4, 2), torch.tensor([0, 1, -1, -1]), 3)


def test_empty_cluster_keeps_its_center() -> None:
    check_empty_cluster(semi_supervised_kmeans)


def public_kmeans(
    feature: Tensor,
    label: Tensor,
    classes: int,
    *,
    max_iterations: int,
    clamp: bool,
    keeps: bool,
    broadcast: bool = False,
    **_: Any,
) -> Clustering:
    """Returns what public code of generalized category discovery does: labels of the centers before the last update.

    Unless it `keeps` them, the centers of empty clusters are means of nothing. With `broadcast`, all differences
    [N, K, D] are there at once.
    """
    centroid = torch.stack([feature[label == k].mean(dim=0) for k in range(classes)])
    for _step in range(max_iterations):
        apart = (feature[:, None] - centroid).norm(dim=2) if broadcast else torch.cdist(feature, centroid)
        assignment = apart.argmin(dim=1)
        assignment = torch.where(label >= 0, label, assignment) if clamp else assignment
        distance = (feature - centroid[assignment]).norm(dim=1)
        means = [feature[assignment == k].mean(dim=0) for k in range(classes)]
        centroid = torch.stack(
            [old if keeps and mean.isnan().any() else mean for old, mean in zip(centroid, means, strict=True)]
        )
    return Clustering(centroid, assignment, distance, max_iterations)


def test_the_contract_fails_on_labels_of_earlier_centers() -> None:
    feature, label = blobs(0, 60, 4)
    check_clustering(semi_supervised_kmeans, feature, label, 4, max_iterations=1, clamp=True)
    with pytest.raises(AssertionError, match="not close"):
        check_clustering(partial(public_kmeans, keeps=True), feature, label, 4, max_iterations=1, clamp=True)


def test_the_contract_fails_on_the_mean_of_an_empty_cluster() -> None:
    # Given time to settle, the public code passes where no cluster is empty.
    feature, label = blobs(0, 60, 4)
    check_clustering(partial(public_kmeans, keeps=False), feature, label, 4, max_iterations=30, clamp=True)
    check_empty_cluster(partial(public_kmeans, keeps=True))
    with pytest.raises(AssertionError):
        check_empty_cluster(partial(public_kmeans, keeps=False))


class Largest(TorchDispatchMode):
    """Within it, `numbers` becomes the size of the largest array that is made."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for one in made if isinstance(made, (tuple, list)) else (made,):
            if isinstance(one, Tensor) and not func.is_view:
                self.numbers = max(self.numbers, one.numel())
        return made


def check_memory(cluster: Callable[..., Clustering]) -> None:
    """No array is larger than the points or their distances to all centers, let alone points by classes by features."""
    clips, classes, size = 300, 12, 16
    feature, label = blobs(0, clips, classes, size)
    with Largest() as largest:
        check_clustering(cluster, feature, label, classes, max_iterations=30, clamp=True)
    assert largest.numbers <= clips * max(classes, size), f"an array of {largest.numbers} numbers"


def test_distances_take_no_room_for_all_differences() -> None:
    check_memory(semi_supervised_kmeans)
    check_memory(partial(public_kmeans, keeps=True))
    with pytest.raises(AssertionError, match="an array of 57600 numbers"):
        check_memory(partial(public_kmeans, keeps=True, broadcast=True))


@pytest.mark.parametrize("apart", [0.0, 2e3, 2e5])
def test_far_from_the_origin_and_from_one_another_float32_keeps_its_digits(apart: float) -> None:
    first, label = blobs(0, 300, 3)
    second, other = blobs(1, 300, 3)
    feature = torch.cat([first - apart / 2, second + apart / 2]) + 1e4
    label = torch.cat([label, torch.where(other < 0, -1, other + 3)])
    single, double = (semi_supervised_kmeans(points, label, 6) for points in (feature, feature.double()))
    same = single.assignment == double.assignment
    assert same.float().mean() > 0.99
    # A center is known as exactly as float32 can write it there.
    spacing = float(feature.abs().max()) * torch.finfo(torch.float32).eps
    torch.testing.assert_close(single.distance[same].double(), double.distance[same], atol=2 * spacing, rtol=0)


def test_pieces_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    feature, label = blobs(1, 100, 4)
    whole = semi_supervised_kmeans(feature, label, 4, prior=torch.ones(4))
    monkeypatch.setattr(kmeans, "ROWS", 7)
    pieces = semi_supervised_kmeans(feature, label, 4, prior=torch.ones(4))
    assert torch.equal(whole.assignment, pieces.assignment)
    torch.testing.assert_close(whole.centroid, pieces.centroid)


def test_prior_shares_the_unlabeled_out() -> None:
    generator = torch.Generator().manual_seed(0)
    # One wide blob between two labeled points, nearer to the first: nearest centers are lopsided at first.
    feature = torch.cat([torch.tensor([[0.0], [10.0]]), 3.5 + torch.randn(200, 1, generator=generator)])
    label = torch.cat([torch.tensor([0, 1]), torch.full((200,), -1)])

    def share(prior: Tensor | None) -> float:
        found = semi_supervised_kmeans(feature, label, 2, max_iterations=1, prior=prior)
        return float((found.assignment[2:] == 1).float().mean())

    # One blob has no structure to hold on to: balancing must bring the shares near the prior, plain k-means need not.
    assert abs(share(torch.tensor([1.0, 1.0])) - 0.5) < 0.1
    assert share(torch.tensor([4.0, 1.0])) < share(torch.tensor([1.0, 1.0])) < share(torch.tensor([1.0, 4.0]))


def naive_balanced(feature: Tensor, label: Tensor, classes: int, prior: Tensor, rounds: int) -> Tensor:
    """Returns assignments, in double precision and by differences of all points and centers."""
    feature, given = feature.double(), label >= 0
    assignment = label
    for _ in range(rounds + 1):
        centroid = torch.stack([feature[assignment == k].mean(dim=0) for k in range(classes)])
        squared = (feature[:, None] - centroid).square().sum(dim=2)
        apart = (centroid[:, None] - centroid).square().sum(dim=2).mean()  # also of each center to itself
        weight = torch.ones(classes, dtype=torch.float64)
        kernel = (-squared / 2 / (0.1 * apart)).exp()
        for _ in range(20):
            soft = kernel * weight / (kernel * weight).sum(dim=1, keepdim=True)
            weight = weight * prior / prior.sum() / soft[~given].mean(dim=0)
        assignment = torch.where(given, label, (kernel * weight).argmax(dim=1))
    return assignment


@pytest.mark.parametrize("seed", range(6))
def test_balanced_equals_a_naive_loop(seed: int) -> None:
    feature, label = blobs(seed, 120, 4, labeled=2)
    prior = torch.tensor([1.0, 2.0, 4.0, 8.0])
    for rounds in range(1, 4):
        found = semi_supervised_kmeans(feature, label, 4, prior=prior, max_iterations=rounds)
        assert torch.equal(found.assignment, naive_balanced(feature, label, 4, prior, rounds))


def test_fifteen_iterations_unless_told_otherwise() -> None:
    feature, label = blobs(0, 4000, 20)
    assert semi_supervised_kmeans(feature, label, 20, max_iterations=100).iterations > 16
    assert semi_supervised_kmeans(feature, label, 20).iterations == 15


def test_deterministic() -> None:
    feature, label = blobs(5, 500, 8)
    first, second = (semi_supervised_kmeans(feature, label, 8, prior=torch.ones(8)) for _ in range(2))
    assert torch.equal(first.centroid, second.centroid)
    assert torch.equal(first.distance, second.distance)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": torch.tensor([0, 1, -2, -1])}, "label -2 is none of -1"),
        ({"label": torch.tensor([0, 1, 2, -1])}, r"label 2 is none of -1 \(unknown\) to 1"),
        ({"label": torch.tensor([0, 1, -1])}, "3 labels for 4 features"),
        ({"feature": torch.tensor([[0.0, 0], [1, 0], [torch.nan, 0], [2, 0]])}, "feature 2 is not finite"),
        ({"feature": torch.tensor([[0.0], [1.0], [3.0], [torch.inf]])}, "feature 3 is not finite"),
        ({"feature": torch.zeros(4, 1, dtype=torch.float16)}, "float16, expected float32 or float64"),
        ({"feature": torch.zeros(4, 1, dtype=torch.int64)}, "int64, expected float32 or float64"),
        ({"prior": torch.tensor([0.0, 0.0])}, "expected 2 shares"),
        ({"prior": torch.tensor([torch.nan, 1.0])}, "expected 2 shares"),
        ({"prior": torch.tensor([torch.inf, 1.0])}, "expected 2 shares"),
        ({"prior": torch.tensor([-1.0, 2.0])}, "expected 2 shares"),
        ({"prior": torch.ones(3)}, "expected 2 shares"),
        ({"max_iterations": 0}, "max_iterations is 0"),
    ],
)
def test_what_cannot_be_clustered_is_refused(change: dict[str, Any], message: str) -> None:
    feature, label = torch.tensor([[0.0], [1.0], [3.0], [4.0]]), torch.tensor([0, 1, -1, -1])
    usable: dict[str, Any] = {"feature": feature, "label": label}
    semi_supervised_kmeans(**usable, num_classes=2)
    semi_supervised_kmeans(**usable, num_classes=2, prior=torch.tensor([0.0, 0.5]))
    with pytest.raises(InputError, match=message):
        semi_supervised_kmeans(**(usable | change), num_classes=2)
