"""The contract, on every method."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from tests.methods import contract
from tests.methods.cases import CASES, WITH_A_CHOICE
from tests.methods.contract import CHECKS, Case


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("method", CASES)
def test_contract(method: str, check: Callable[[Case], None]) -> None:
    check(CASES[method])


@pytest.mark.parametrize("target", ["student", "teacher"])
@pytest.mark.parametrize("method", WITH_A_CHOICE)
def test_targets_of_student_and_teacher(method: str, target: str) -> None:
    contract.check_targets_come_from(CASES[method], target)
    case = replace(CASES[method], make=partial(CASES[method].make, target=target))
    contract.check_gradients(case)
    contract.check_targets_see_weak_views(case)


def test_methods_let_one_choose_the_target() -> None:
    assert {"uda", "fixmatch", "simmatch", "tubemix", "aplt"} <= set(WITH_A_CHOICE)
