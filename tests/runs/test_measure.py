"""Figures by hand."""

import numpy as np
import pytest
import torch

from aplt.figures import ClassFigures, Figures
from aplt.record import OnlineFigures, PseudoFigures
from aplt.runs.measure import online_label_figures, prediction_table, pseudo_label_figures
from aplt.tensors import PseudoLabels

NAMES = ("a", "b", "c")


def figures(truth: np.ndarray, score: np.ndarray, names: tuple[str, ...], groups: tuple[str, ...] = ()) -> Figures:
    found = Figures.of(truth, score, names, groups)
    assert found is not None
    return found


def scores(*best: int) -> np.ndarray:
    """Returns scores whose best class is as given."""
    return np.eye(3)[list(best)] * 0.7 + 0.1


def test_the_best_five_of_six_classes() -> None:
    score = np.tile(np.arange(6), (3, 1)) / 15  # the first class is the last guess
    assert figures(np.array([0, 1, 5]), score, tuple("abcdef")).top5 == pytest.approx(2 / 3)
    assert figures(np.array([0, 1, 4]), score[:, :5], tuple("abcde")).top5 is None


def test_classification_by_hand() -> None:
    truth = np.array([0, 0, 1, 2, -1])
    found = figures(truth, scores(0, 1, 1, 0, 2), NAMES)
    assert found.clips == 4  # the clip of unknown label does not count
    assert found.top1 == 0.5
    assert found.top5 is None  # any answer would count
    assert found.macro_f1 == pytest.approx((0.5 + 2 / 3 + 0) / 3)
    assert found.per_class[1] == ClassFigures(name="b", clips=1, precision=0.5, recall=1.0, f1=2 / 3)


def test_macro_f1_leaves_out_classes_that_do_not_occur() -> None:
    assert figures(np.array([0, 1]), scores(0, 1), NAMES).macro_f1 == 1.0


def test_balanced_accuracy_and_kappa_by_hand() -> None:
    found = figures(np.array([0, 0, 0, 1]), scores(0, 0, 2, 1), NAMES)
    assert found.balanced_accuracy == pytest.approx((2 / 3 + 1) / 2)  # class c has no clip
    chance = 3 / 4 * 2 / 4 + 1 / 4 * 1 / 4
    assert found.kappa == pytest.approx((3 / 4 - chance) / (1 - chance))
    assert figures(np.array([1, 1]), scores(1, 1), NAMES).kappa is None


def test_calibration_error_by_hand() -> None:
    # Ranges of a fifteenth: two clips in (0.8, 13/15], one in (14/15, 1].
    score = np.array([[0.81, 0.1, 0.09], [0.1, 0.85, 0.05], [1.0, 0.0, 0.0]])
    found = figures(np.array([0, 2, 0]), score, NAMES)
    assert found.calibration_error == pytest.approx((abs(1 - 0.81 - 0.85) + 0) / 3)
    assert figures(np.array([0, 1]), np.full((2, 3), 1 / 3), NAMES).calibration_error == pytest.approx(1 / 2 - 1 / 3)


def test_figures_of_groups_by_hand() -> None:
    truth, groups = np.array([0, 1, 2, 2]), ("body", "body", "head")
    found = figures(truth, scores(1, 1, 2, 0), NAMES, groups)
    assert found.group_top1 == 3 / 4
    macro = (4 / 5 + 2 / 3) / 2
    assert found.group_macro_f1 == pytest.approx(macro)
    assert found.f1_mean == pytest.approx((macro + 3 / 4 + found.macro_f1 + found.top1) / 4)
    assert figures(truth, scores(1, 1, 2, 0), NAMES).f1_mean is None


def test_nothing_known_gives_nothing() -> None:
    assert Figures.of(np.array([-1]), scores(0), NAMES) is None


def test_prediction_table_ranks_and_breaks_ties_by_number() -> None:
    table = prediction_table(np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]]), NAMES, best=2)
    assert table.to_numpy().tolist() == [["b", 0.5, "c", 0.3], ["a", 0.4, "b", 0.4]]


def pseudo(label: list[int], accepted: list[bool]) -> PseudoLabels:
    n = len(label)
    return PseudoLabels(
        torch.tensor(label),
        torch.ones(n),
        torch.tensor(accepted),
        torch.zeros(n, dtype=torch.bool),
        torch.ones(n),
        torch.ones(n),
        torch.tensor([1.0, torch.inf, 2.0]),
    )


def test_pseudo_labels_by_hand() -> None:
    believed = pseudo([0, 1, 1, 2, 0], [True, True, False, True, True])
    truth = np.array([0, 0, 1, 2, 1])
    found = pseudo_label_figures(believed, truth, [0, 1, 2, 3])  # the last clip is labeled
    assert found == PseudoFigures(
        coverage=0.75,
        precision=2 / 3,
        rejected_precision=1.0,
        all_precision=0.75,
        accepted=(1, 1, 1),
        known=(1, 1, 1),
        correct=(1, 0, 1),
        threshold=(1.0, None, 2.0),
    )


def test_unknown_truth_has_no_precision() -> None:
    found = pseudo_label_figures(pseudo([0, 1], [True, False]), np.array([-1, -1]), [0, 1])
    assert found.coverage == 0.5
    assert found.precision is found.rejected_precision is None
    assert found.accepted == (1, 0, 0)
    assert found.known == found.correct == (0, 0, 0)


def test_clips_without_a_truth_are_not_counted_as_wrong() -> None:
    found = pseudo_label_figures(pseudo([0, 0, 0], [True, True, True]), np.array([0, -1, -1]), [0, 1, 2])
    assert found.precision == 1
    assert (found.accepted, found.known, found.correct) == ((3, 0, 0), (1, 0, 0), (1, 0, 0))


def test_online_labels_count_by_their_weight() -> None:
    label, truth = np.array([0, 1, 2, -1, 1]), np.array([0, 2, 2, 1, -1])
    weight = np.array([1.0, 0.5, 0.25, 0.0, 1.0])
    figures = online_label_figures(label, weight, truth)
    assert figures is not None
    assert figures.coverage == pytest.approx(2.75 / 4)
    assert figures.precision == pytest.approx(1.25 / 1.75)
    assert online_label_figures(label, np.zeros(5), truth) == OnlineFigures(coverage=0.0, precision=None)
    assert online_label_figures(np.full(5, -1), weight, truth) is None
