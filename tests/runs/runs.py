"""What tests compare of runs, and how they kill one."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from aplt.config import RunConfig
from aplt.data.batches import SemiData
from aplt.record import Result, Round, Seconds
from aplt.rundir import RunDir
from aplt.runs.begin import train


def weights(run: RunDir) -> dict[str, torch.Tensor]:
    return load_file(run.model / "model.safetensors")


def same_weights(first: RunDir, second: RunDir) -> bool:
    one, other = weights(first), weights(second)
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def without_clock(run: RunDir) -> list[Round]:
    return [line.model_copy(update={"seconds": Seconds()}) for line in run.read_rounds()]


def result_without_clock(run: RunDir) -> Result:
    return run.read_result().model_copy(update={"seconds": Seconds()})


def same_run(first: RunDir, second: RunDir) -> bool:
    """Whether two runs ended alike, but for their times."""
    tables = [
        (run.ledger.read_text(), run.predictions.read_text(), run.pseudo_labels.read_text()) for run in (first, second)
    ]
    told = [(without_clock(run), result_without_clock(run)) for run in (first, second)]
    return same_weights(first, second) and told[0] == told[1] and tables[0] == tables[1]


def until_killed(arm: Callable[[], None], work: Callable[[], Any]) -> None:
    """Works in a process of its own in which `arm` has seen to it that SIGKILL comes at some moment."""

    def armed() -> None:
        arm()
        work()

    process = multiprocessing.get_context("fork").Process(target=armed)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


class Stop(BaseException):
    """Ends training at once, as a kill does."""


def stop() -> None:
    raise Stop


def at_step(round_: int, step: int, then: Callable[[], None]) -> Callable[[], None]:
    """Returns what makes `then` happen when the loop asks for this batch."""

    def arm() -> None:
        whole = SemiData.semi_batches

        def batches(self: SemiData, steps: int, number: int, **options: Any) -> Iterator[Any]:
            for at, batch in enumerate(whole(self, steps, number, **options), start=options.get("start", 0)):
                if (number, at) == (round_, step):
                    then()
                yield batch

        SemiData.semi_batches = batches  # type: ignore[method-assign,assignment]

    return arm


def interrupt(config: RunConfig, run: RunDir, round_: int, step: int) -> None:
    """Trains in this process until the loop asks for this batch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SemiData, "semi_batches", SemiData.semi_batches)  # to be put back
        at_step(round_, step, stop)()
        with pytest.raises(Stop):
            train(config, run)
