"""Every keyword of every method's constructor reaches the loss that it is for, and no other."""

from functools import wraps
from typing import Any

import pytest
from torch import Tensor

from aplt.methods.adamatch import AdaMatch
from aplt.methods.aplt import APLT
from aplt.methods.catalog import METHODS
from aplt.methods.fixmatch import FixMatch
from aplt.methods.freematch import FreeMatch
from aplt.methods.mean_teacher import MeanTeacher
from aplt.methods.simmatch import SimMatch
from aplt.methods.tubemix import TubeMix
from aplt.tensors import Algorithm, AlgorithmType, Step, StepLoss, Task
from tests.methods.keywords import KEYWORDS, check_keyword, check_matters, keywords
from tests.methods.scene import Make, make_task

ONLINE = dict.fromkeys(method.algorithm for method in METHODS.values() if method.algorithm)
ENTRIES = [pytest.param(m, name, id=f"{m.__name__}-{name}") for m in ONLINE for name in keywords(m)]


@pytest.mark.parametrize(("method", "name"), ENTRIES)
def test_keyword_reaches_its_loss(method: AlgorithmType, name: str) -> None:
    if name in KEYWORDS.get(method, {}):
        check_keyword(method, name, KEYWORDS[method][name])
    else:
        check_matters(method, name)


def test_every_entry_is_of_a_keyword() -> None:
    assert {(m, name) for m, known in KEYWORDS.items() for name in known} <= {
        (m, n) for m in ONLINE for n in keywords(m)
    }


def hard_coded(method: AlgorithmType, name: str) -> Make:
    """Returns the method with its default in place of whatever this keyword is given."""

    @wraps(method)
    def make(task: Task, **settings: Any) -> Algorithm:
        return method(task, **{key: value for key, value in settings.items() if key != name})

    return make


def test_a_keyword_that_is_hard_coded_is_caught() -> None:
    make = hard_coded(FixMatch, "confidence")
    with pytest.raises(AssertionError, match="confidence"):
        check_keyword(make, "confidence", KEYWORDS[FixMatch]["confidence"])
    for name in ("confidence", "target", "alignment_momentum"):
        check_matters(FixMatch, name)
        with pytest.raises(AssertionError, match=name):
            check_matters(hard_coded(FixMatch, name), name)


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


@pytest.mark.parametrize(
    ("method", "name", "refused", "accepted"),
    [
        (APLT, "offline_prior", -0.1, 0.0),
        (APLT, "mix", -0.1, 0.0),
        (APLT, "alignment_momentum", 1.0, 0.0),
        (AdaMatch, "alignment_momentum", -0.1, 0.999),
        (SimMatch, "alignment_window", 0, 1),
        (TubeMix, "beta", 0.0, 0.01),
    ],
)
def test_a_value_that_means_nothing_is_refused(method: Make, name: str, refused: float, accepted: float) -> None:
    method(make_task(), **{name: accepted})
    with pytest.raises(ValueError, match=rf"{name.split('_')[-1]}\b.* is {refused}, expected"):
        method(make_task(), **{name: refused})
