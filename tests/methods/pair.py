"""Two processes with half of every batch each, and one with the whole: what they make of a toy and a memory."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import torch
from torch import Tensor, distributed
from torch.multiprocessing.spawn import start_processes

from aplt import processes
from aplt.methods import adamatch, aplt, equations, flexmatch, freematch, simmatch, softmatch, tubemix
from aplt.methods.freematch import FreeMatch
from aplt.methods.simmatch import SimMatch
from aplt.tensors import SemiBatch
from tests.methods.contract import Case, hasty, memory, shaded
from tests.methods.scene import Toy, ToyStudent, make_batch, step

Results = dict[str, dict[str, Tensor]]  # of a method: the student's parameters and the method's memory
MEMBERS = 2
ALONE = "alone: "  # before the name of a method whose processes know nothing of each other


@contextmanager
def alone(*modules: ModuleType) -> Iterator[None]:
    """Within it, the methods and equations of these modules know the rows of their own process only."""
    with ExitStack() as stack:
        for module in modules:
            for name in ("gather", "gather_with_gradient", "own_rows"):
                if hasattr(module, name):
                    stack.enter_context(patch.object(module, name, partial(_identity, detach=name == "gather")))
        yield


def _identity(local: Tensor, *, detach: bool) -> Tensor:
    return local.detach() if detach else local


@contextmanager
def _moments_alone() -> Iterator[None]:
    update = FreeMatch.update
    with patch.object(FreeMatch, "update", lambda self, q: update(self, processes.own_rows(q))):
        yield


@contextmanager
def _fairness_alone() -> Iterator[None]:
    update = FreeMatch.update
    with alone(freematch), patch.object(FreeMatch, "update", lambda self, q: update(self, processes.gather(q))):
        yield


@contextmanager
def _memory_alone() -> Iterator[None]:
    remember = SimMatch.remember
    with patch.object(SimMatch, "remember", lambda self, *seen: remember(self, *map(processes.own_rows, seen))):
        yield


@contextmanager
def _window_alone() -> Iterator[None]:
    remember = SimMatch.remember
    with (
        alone(simmatch),
        patch.object(SimMatch, "remember", lambda self, *seen: remember(self, *map(processes.gather, seen))),
    ):
        yield


def _unweighted(local: Tensor) -> Tensor:
    parts = list(processes.gather(local).split(len(local)))
    parts[distributed.get_rank()] = local
    return torch.cat(parts)


# What a process may forget of the others, one at a time: the method, and what to train it in.
DEFECTS: dict[str, tuple[str, Callable[[], AbstractContextManager[object]]]] = {
    "FlexMatch's store": ("flexmatch", partial(alone, flexmatch)),
    "AdaMatch's threshold": ("adamatch", partial(alone, adamatch)),
    "AdaMatch's alignment": ("adamatch", partial(alone, equations)),
    "FreeMatch's moments": ("freematch", _moments_alone),
    "FreeMatch's fairness": ("freematch", _fairness_alone),
    "FreeMatch's gradient, averaged away": (
        "freematch",
        partial(patch.object, freematch, "gather_with_gradient", _unweighted),
    ),
    "SoftMatch's moments": ("softmatch", partial(alone, softmatch)),
    "SoftMatch's alignment": ("softmatch", partial(alone, equations)),
    "SimMatch's window": ("simmatch", _window_alone),
    "SimMatch's memory": ("simmatch", _memory_alone),
    "TubeMix's partners": ("tubemix", partial(alone, tubemix)),
    "FixMatch's alignment": ("fixmatch_teacher", partial(alone, equations)),
    "APLT's partners": ("aplt", partial(alone, aplt)),
    "APLT's alignment": ("aplt", partial(alone, equations)),
}
EVERYWHERE = (adamatch, aplt, equations, flexmatch, freematch, simmatch, softmatch, tubemix)


def whole(cases: Mapping[str, Case]) -> Results:
    """Returns the results of this process with the whole batches."""
    return {name: _train(case, 0, 1) for name, case in cases.items()}


def halves(cases: Mapping[str, Case], folder: Path) -> list[Results]:
    """Returns the results of two processes with half of the batches each, defects included."""
    start_processes(_member, args=(dict(cases), folder), nprocs=MEMBERS, start_method="fork")
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(MEMBERS)]


def _member(rank: int, cases: dict[str, Case], folder: Path) -> None:
    torch.set_num_threads(1)
    meeting = f"file://{folder / 'meeting'}"
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=MEMBERS)
    results = {name: _train(case, rank, MEMBERS) for name, case in cases.items()}
    with alone(*EVERYWHERE):
        results |= {ALONE + name: _train(case, rank, MEMBERS) for name, case in cases.items()}
    for name, (method, defect) in DEFECTS.items():
        with defect():
            results[name] = _train(cases[method], rank, MEMBERS)
    torch.save(results, folder / f"{rank}.pt")
    distributed.destroy_process_group()


def _train(case: Case, rank: int, members: int) -> dict[str, Tensor]:
    """Returns what three steps leave, gradients averaged over the processes as DistributedDataParallel does."""
    algorithm, student, teacher = hasty(case), ToyStudent(Toy(0)), Toy(1)
    for seed in range(3):
        # Each clip stands in the batch twice: one view of it in each process.
        batch = shaded(make_batch(seed, unlabeled=44, repeats=True))
        batch = SemiBatch(*(rows.chunk(members)[rank] for rows in batch))
        outcome = step(algorithm, student, teacher, batch, case.guidance(), seed=seed)
        with torch.no_grad():
            for parameter, slope in zip(student.model.parameters(), outcome.gradient, strict=True):
                if members > 1:
                    distributed.all_reduce(slope)
                parameter.sub_(0.05 * slope / members)
    parameters = {name: parameter.detach() for name, parameter in student.model.named_parameters()}
    return parameters | memory(algorithm)
