"""Every keyword of every method's constructor reaches the loss that it is for, and no other."""

from functools import wraps
from typing import Any

import pytest
from torch import Tensor

from aplt.methods.catalog import METHODS as ALL
from aplt.methods.fixmatch import FixMatch
from aplt.methods.freematch import FreeMatch
from aplt.methods.mean_teacher import MeanTeacher
from aplt.tensors import Algorithm, AlgorithmType, Step, StepLoss, Task
from tests.methods.keywords import KEYWORDS, check_all_are_known, check_keyword
from tests.methods.scene import Make

METHODS = dict.fromkeys(method.algorithm for method in ALL.values() if method.algorithm)
ENTRIES = [pytest.param(m, name, id=f"{m.__name__}-{name}") for m, known in KEYWORDS.items() for name in known]


@pytest.mark.parametrize("method", METHODS)
def test_every_keyword_is_known(method: AlgorithmType) -> None:
    check_all_are_known(method, KEYWORDS[method])


def test_a_new_keyword_must_be_entered() -> None:
    class Wider(FixMatch):
        def __init__(self, task: Task, *, ceiling: float = 1.0, **settings: Any) -> None:
            super().__init__(task, **settings)
            self.ceiling = ceiling

    with pytest.raises(AssertionError, match="ceiling"):
        check_all_are_known(Wider, KEYWORDS[FixMatch])


@pytest.mark.parametrize(("method", "name"), ENTRIES)
def test_keyword_reaches_its_loss(method: AlgorithmType, name: str) -> None:
    check_keyword(method, name, KEYWORDS[method][name])


def hard_coded(method: AlgorithmType, name: str) -> Make:
    """Returns the method with its default in place of whatever this keyword is given."""

    @wraps(method)
    def make(task: Task, **settings: Any) -> Algorithm:
        return method(task, **{key: value for key, value in settings.items() if key != name})

    return make


@pytest.mark.parametrize(("method", "name"), ENTRIES)
def test_a_keyword_that_is_hard_coded_is_caught(method: AlgorithmType, name: str) -> None:
    with pytest.raises(AssertionError, match=rf"{name} changes set\(\)"):
        check_keyword(hard_coded(method, name), name, KEYWORDS[method][name])


class WeighsTwice(MeanTeacher):
    def loss(self, step: Step) -> StepLoss:
        found = super().loss(step)
        return found._replace(parts=found.parts | {"u_mse": found.parts["u_mse"] * self.u_weight})


class WeighsAll(FreeMatch):
    def loss(self, step: Step) -> StepLoss:
        found = super().loss(step)
        return found._replace(parts={name: part * self.u_weight for name, part in found.parts.items()})


class AlwaysClips(FreeMatch):
    """Bounds its threshold as some published runs did, whatever the setting says."""

    def update(self, q: Tensor) -> None:
        super().update(q)
        self.tau.clamp_(max=0.95)


@pytest.mark.parametrize(
    ("mutant", "name", "message"),
    [
        (WeighsTwice, "u_weight", "u_mse is not weighed"),
        (WeighsAll, "u_weight", "u_weight changes"),
        (AlwaysClips, "clip", "clip changes"),
    ],
)
def test_a_keyword_with_another_effect_is_caught(mutant: type[Any], name: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_keyword(mutant, name, KEYWORDS[mutant.__base__][name])
