"""Two processes with half of every batch each, and one with the whole: what they make of a toy and a memory.

The processes import this module, so it knows nothing of recipes: those would make them slow to start.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch

import torch
from torch import Tensor, distributed
from torch.multiprocessing.spawn import spawn

from aplt.algorithms import adamatch, aplt, equations, flexmatch, freematch, processes, simmatch, softmatch, tubemix
from aplt.values import SemiBatch
from tests.algorithms.contract import Case, hasty, memory, shaded
from tests.algorithms.scene import Toy, ToyStudent, make_batch, step

Results = dict[str, dict[str, Tensor]]  # of a method: the student's parameters and the method's memory
MEMBERS = 2
ALONE = "alone: "  # before the name of a method whose processes know nothing of each other
UNWEIGHTED = "unweighted: "  # ... whose gradient is not multiplied before it is averaged


def whole(cases: Mapping[str, Case]) -> Results:
    """Returns the results of this process with the whole batches."""
    return {name: _train(case, 0, 1) for name, case in cases.items()}


def halves(cases: Mapping[str, Case], folder: Path) -> list[Results]:
    """Returns the results of two processes with half of the batches each, defects included."""
    spawn(_member, args=(dict(cases), folder), nprocs=MEMBERS)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(MEMBERS)]


def _member(rank: int, cases: dict[str, Case], folder: Path) -> None:
    torch.set_num_threads(1)
    meeting = f"file://{folder / 'meeting'}"
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=MEMBERS)
    results = {name: _train(case, rank, MEMBERS) for name, case in cases.items()}
    with _alone():
        results |= {ALONE + name: _train(case, rank, MEMBERS) for name, case in cases.items()}
    with patch.object(freematch, "gather_with_gradient", _unweighted):
        results[UNWEIGHTED + "freematch"] = _train(cases["freematch"], rank, MEMBERS)
    torch.save(results, folder / f"{rank}.pt")
    distributed.destroy_process_group()


def _train(case: Case, rank: int, members: int) -> dict[str, Tensor]:
    """Returns what three steps leave, gradients averaged over the processes as DistributedDataParallel does."""
    algorithm, student, teacher = hasty(case), ToyStudent(Toy(0)), Toy(1)
    for seed in range(3):
        # Each clip stands in the batch twice: one view of it in each process.
        batch = shaded(make_batch(seed, unlabeled=16, repeats=True))
        batch = SemiBatch(*(rows.chunk(members)[rank] for rows in batch))
        outcome = step(algorithm, student, teacher, batch, case.guidance(), seed=seed)
        with torch.no_grad():
            for parameter, slope in zip(student.model.parameters(), outcome.gradient, strict=True):
                if members > 1:
                    distributed.all_reduce(slope)
                parameter.sub_(0.05 * slope / members)
    parameters = {name: parameter.detach() for name, parameter in student.model.named_parameters()}
    return parameters | memory(algorithm)


@contextmanager
def _alone() -> Iterator[None]:
    """Within it, methods know the rows of their own process only."""
    modules = (adamatch, aplt, equations, flexmatch, freematch, simmatch, softmatch, tubemix)
    with ExitStack() as stack:
        for module in modules:
            for name in ("gather", "gather_with_gradient", "own_rows"):
                if hasattr(module, name):
                    stack.enter_context(patch.object(module, name, partial(_identity, detach=name == "gather")))
        yield


def _identity(local: Tensor, *, detach: bool) -> Tensor:
    return local.detach() if detach else local


def _unweighted(local: Tensor) -> Tensor:
    parts = list(processes.gather(local).split(len(local)))
    parts[distributed.get_rank()] = local
    return torch.cat(parts)
