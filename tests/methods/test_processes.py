"""Two processes with half of every batch each learn what one process with the whole batches learns."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.methods.cases import CASES
from tests.methods.pair import ALONE, DEFECTS, Results, halves, whole


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> list[Results]:
    folder: Path = tmp_path_factory.mktemp("pair")
    return halves(CASES, folder)


@pytest.fixture(scope="module")
def of_one() -> Results:
    return whole(CASES)


def check_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", CASES)
def test_two_processes_are_one(method: str, of_one: Results, of_two: list[Results]) -> None:
    for results in of_two:
        check_same(results[method], of_one[method])


@pytest.mark.parametrize("defect", DEFECTS)
def test_what_a_process_forgets_of_the_others_is_noticed(defect: str, of_one: Results, of_two: list[Results]) -> None:
    method, _ = DEFECTS[defect]
    with pytest.raises(AssertionError, match=r"not (close|equal)"):
        check_same(of_two[0][defect], of_one[method])


def test_each_method_that_must_know_of_all_processes_has_a_defect(of_one: Results, of_two: list[Results]) -> None:
    common = set()
    for name in CASES:
        try:
            check_same(of_two[0][ALONE + name], of_one[name])
        except AssertionError:
            common.add(name.removesuffix(" without guidance"))
    assert common == {method for method, _ in DEFECTS.values()}
