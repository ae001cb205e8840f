"""What a run remembers."""

import torch

from aplt.runs.state import OnlineLog


def test_the_log_of_online_labels_keeps_the_later_of_two_labels_with_its_own_weight() -> None:
    log = OnlineLog(5)
    log.see(torch.tensor([3, 1, 3]), torch.tensor([2, 0, 1]), torch.tensor([1.0, 0.5, 0.0]))
    assert log.label.tolist() == [-1, 0, -1, 1, -1]
    assert log.weight.tolist() == [0.0, 0.5, 0.0, 0.0, 0.0]
    log.see(torch.tensor([1]), torch.tensor([4]), torch.tensor([1.0]))
    assert log.label.tolist() == [-1, 4, -1, 1, -1]
    log.clear()
    assert log.label.tolist() == [-1] * 5
    assert not log.weight.any()
