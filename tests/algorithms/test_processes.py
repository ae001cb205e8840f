"""Two processes with half of every batch each learn what one process with the whole batches learns."""

from pathlib import Path

import pytest
import torch

from tests.algorithms.cases import CASES
from tests.algorithms.pair import ALONE, UNWEIGHTED, Results, halves, whole

# Where processes that know nothing of each other learn something else.
COMMON = ["flexmatch", "adamatch", "freematch", "softmatch", "simmatch", "tubemix", "fixmatch_teacher", "aplt"]


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> list[Results]:
    folder: Path = tmp_path_factory.mktemp("pair")
    return halves(CASES, folder)


@pytest.fixture(scope="module")
def of_one() -> Results:
    return whole(CASES)


@pytest.mark.parametrize("method", CASES)
def test_two_processes_are_one(method: str, of_one: Results, of_two: list[Results]) -> None:
    for results in of_two:
        torch.testing.assert_close(results[method], of_one[method], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", COMMON)
def test_processes_that_keep_to_themselves_are_noticed(method: str, of_one: Results, of_two: list[Results]) -> None:
    with pytest.raises(AssertionError, match=r"not (close|equal)"):
        torch.testing.assert_close(of_two[0][ALONE + method], of_one[method], rtol=1e-4, atol=1e-5)


def test_a_gradient_that_is_averaged_away_is_noticed(of_one: Results, of_two: list[Results]) -> None:
    with pytest.raises(AssertionError, match="not close"):
        torch.testing.assert_close(of_two[0][UNWEIGHTED + "freematch"], of_one["freematch"], rtol=1e-4, atol=1e-5)
