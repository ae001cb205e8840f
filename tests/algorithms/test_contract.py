"""The contract, on every method."""

from collections.abc import Callable

import pytest

from tests.algorithms.cases import CASES
from tests.algorithms.contract import CHECKS, Case


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("method", CASES)
def test_contract(method: str, check: Callable[[Case], None]) -> None:
    check(CASES[method])
