"""Beliefs shared out in given proportions."""

import pytest
import torch

from aplt.offline.balance import PASSES, class_weights


def balance(score: torch.Tensor, prior: torch.Tensor, free: torch.Tensor) -> torch.Tensor:
    return (score + class_weights(score, prior, free)).log_softmax(dim=1)


def test_brings_the_free_rows_to_the_prior() -> None:
    belief = torch.rand(400, 3, generator=torch.Generator().manual_seed(1)).softmax(dim=1)
    free = torch.arange(400) % 4 > 0
    found = balance(belief.log(), torch.tensor([6.0, 3.0, 1.0]), free).exp()
    torch.testing.assert_close(found[free].mean(dim=0), torch.tensor([0.6, 0.3, 0.1]), atol=0.01, rtol=0)
    torch.testing.assert_close(found.sum(dim=1), torch.ones(400))


def test_weighs_classes_and_nothing_else() -> None:
    belief = torch.rand(50, 4, generator=torch.Generator().manual_seed(2)).softmax(dim=1)
    ratio = balance(belief.log(), torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.arange(50) % 2 > 0) - belief.log()
    against_first = ratio - ratio[:, :1]
    torch.testing.assert_close(against_first, against_first[:1].expand(50, 4), atol=1e-5, rtol=0)


@pytest.mark.parametrize("far", [1.0, 40.0, 400.0])
@pytest.mark.parametrize("favored", [0, 2])
def test_beliefs_computed_once_give_what_beliefs_of_every_pass_do(far: float, favored: int) -> None:
    generator = torch.Generator().manual_seed(4)
    score = torch.randn(60, 3, generator=generator, dtype=torch.float64)
    score[:, favored] += far
    prior = torch.tensor([2.0, 3.0, 5.0], dtype=torch.float64)
    expected = torch.zeros(3, dtype=torch.float64)
    for _ in range(PASSES):
        mass = (score + expected).softmax(dim=1).mean(dim=0)
        expected += (prior / prior.sum()).log() - mass.log()
    torch.testing.assert_close(class_weights(score, prior, torch.ones(60, dtype=torch.bool)), expected)


def test_two_rows_by_hand() -> None:
    belief = torch.tensor([[1 / 2, 1 / 2], [4 / 5, 1 / 5], [9 / 10, 1 / 10]])
    # A double weight of the second class makes the mean of the first two rows (1/3 + 2/3) / 2.
    found = balance(belief.log(), torch.tensor([3.0, 3.0]), torch.tensor([True, True, False])).exp()
    torch.testing.assert_close(found[:, 0], torch.tensor([1 / 3, 2 / 3, 9 / 11]))


def test_nothing_to_share_out_stays_as_it_is() -> None:
    score = torch.tensor([[0.2, 0.8], [0.6, 0.4]]).log()
    torch.testing.assert_close(balance(score, torch.tensor([1.0, 9.0]), torch.zeros(2, dtype=torch.bool)), score)


def test_a_class_that_no_row_believes_in_gets_its_share() -> None:
    found = balance(torch.tensor([[0.0, -300.0], [0.0, -200.0]]), torch.ones(2), torch.ones(2, dtype=torch.bool)).exp()
    assert found.isfinite().all()
    torch.testing.assert_close(found, torch.eye(2), atol=0.05, rtol=0)


def test_a_class_without_a_share_gets_none_and_an_impossible_one_stays_so() -> None:
    score = torch.tensor([[0.5, 0.3, 0.2], [0.6, 0.4, 0.0], [0.1, 0.9, 0.0]]).log()
    found = balance(score, torch.tensor([3.0, 3.0, 0.0]), torch.ones(3, dtype=torch.bool)).exp()
    torch.testing.assert_close(found[:, 2], torch.zeros(3))
    torch.testing.assert_close(found[:, :2].mean(dim=0), torch.tensor([0.5, 0.5]), atol=1e-3, rtol=0)
    found = balance(score, torch.tensor([1.0, 1.0, 1.0]), torch.ones(3, dtype=torch.bool)).exp()
    assert found[1:, 2].tolist() == [0.0, 0.0]
