"""What to label next, on made-up features."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.runs.suggest import STRATEGIES, Pool, coverage, margin, suggest
from aplt.storage import read_arrays, write_arrays

DRAW = np.random.default_rng(0)


def pool(groups: list[int], labeled: list[int], probability: list[list[float]]) -> Pool:
    """Tight groups of clips on the axes; the first `labeled[g]` of group g have the label g."""
    feature, label, rows = [], [], []
    for group, (size, known) in enumerate(zip(groups, labeled, strict=True)):
        feature += [np.eye(len(groups))[group] + DRAW.normal(0, 0.01, len(groups)) for _ in range(size)]
        label += [group] * known + [-1] * (size - known)
        rows += [probability[group]] * size
    unit = np.array(feature) / np.linalg.norm(feature, axis=1, keepdims=True)
    return Pool(unit, np.array(rows), np.array(label))


def group_of(known: Pool, places: np.ndarray) -> list[int]:
    return [int(known.feature[place].argmax()) for place in places]


def test_doubt_is_what_the_best_class_lacks_to_be_ahead() -> None:
    found = pool([1, 1, 1], [0, 0, 0], [[0.5, 0.5, 0.0], [0.4, 0.35, 0.25], [0.9, 0.1, 0.0]])
    np.testing.assert_allclose(found.doubt, [1, 0.95, 0.2])
    assert margin(found, 2, np.random.default_rng(0)).tolist() == [0, 1]


def test_one_clip_of_each_group_that_no_label_stands_for() -> None:
    even = [[0.34, 0.33, 0.33]] * 3
    known = pool([40, 40, 40], [1, 0, 0], even)
    assert sorted(group_of(known, coverage(known, 2, DRAW))) == [1, 2]


def test_the_larger_and_the_more_doubtful_group_first() -> None:
    sure, unsure = [0.98, 0.01, 0.01], [0.4, 0.39, 0.21]
    for sizes, guesses in (([40, 40, 40], [sure, unsure, sure]), ([10, 31, 10], [unsure] * 3)):
        known = pool(sizes, [0, 0, 0], guesses)
        assert group_of(known, coverage(known, 1, DRAW)) == [1]


def test_a_class_with_few_labels_before_one_with_many() -> None:
    known = pool([3, 24, 20], [3, 0, 0], [[1.0, 0.0, 0.0], [0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])
    assert group_of(known, coverage(known, 2, DRAW)) == [2, 1]


def test_what_is_chosen_counts_as_a_label_of_the_class_that_it_seems_to_be_of() -> None:
    confused, less = [0.5, 0.49, 0.01, 0.0, 0.0], [0.1, 0.3, 0.6, 0.0, 0.0]
    known = pool([30] * 5, [0] * 5, [confused] * 4 + [less])
    first, second, third = group_of(known, coverage(known, 3, DRAW))
    assert (second, len({first, second, third})) == (4, 3)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_only_unlabeled_clips_each_once(strategy: str) -> None:
    known = pool([10, 10], [3, 2], [[0.6, 0.4], [0.4, 0.6]])
    for number in (1, 7, 15, 100):
        found = STRATEGIES[strategy](known, number, np.random.default_rng(1)).tolist()
        assert len(found) == len(set(found)) == min(number, 15)
        assert (known.label[found] == -1).all()


def test_suggestions_of_a_run(uninterrupted: RunDir) -> None:
    found = suggest(uninterrupted.path, 5)
    roles = pd.read_csv(uninterrupted.split).set_index("id")["role"]
    assert (roles[found["id"]] == "unlabeled").all()
    assert "label" not in found
    assert (found["reason"] != "").all()
    pseudo = pd.read_csv(uninterrupted.pseudo_labels).set_index("id").loc[found["id"]]
    assert found["guess"].tolist() == pseudo["label"].tolist()
    assert found["score"].to_numpy() == pytest.approx(pseudo["score"].to_numpy(), abs=2e-3)


@pytest.mark.parametrize(
    "damage",
    [
        lambda arrays: {name: array[1:] for name, array in arrays.items()},
        lambda arrays: {name: array for name, array in arrays.items() if name != "probability"},
        lambda arrays: arrays | {"feature": arrays["feature"][:, 0]},
        lambda arrays: arrays | {"position": arrays["position"].astype(float)},
        lambda arrays: arrays | {"position": np.zeros_like(arrays["position"])},
        lambda arrays: arrays | {"feature": np.full_like(arrays["feature"], np.nan)},
    ],
    ids=["fewer clips", "no probability", "flat", "no whole numbers", "one clip again", "no numbers"],
)
def test_damaged_features_are_named(
    damage: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]], uninterrupted: RunDir, tmp_path: Path
) -> None:
    run = RunDir(tmp_path / "run")
    shutil.copytree(uninterrupted.path, run.path)
    write_arrays(run.features, damage(read_arrays(run.features)))
    with pytest.raises(InputError, match=r"features\.npz: "):
        suggest(run.path, 3)
