"""Work shared by several processes. Alone, everything here does nothing.

Of a step each process holds an equal share of the batch, and gradients are averaged over the processes, as torch's
DistributedDataParallel does, so means over equal shares need nothing. Running means, stores and partners need the whole
batch. Of a pass over clips each process makes some batches, and the main one gets them all.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, distributed

from aplt.errors import InputError
from aplt.parallel import is_main

GONE = ("Connection closed by peer", "Connection reset by peer", "NCCL", "Broken pipe")
"""What the libraries say of a process that is gone."""

ROWS = 65_536
"""Rows that are sent at a time: so much of a bank must fit on a device, beside what is there."""


def count() -> int:
    """Returns the number of processes."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


@torch.no_grad()
def gather(local: Tensor) -> Tensor:
    """Returns the rows [n, ...] of all processes, one process after the other, without gradient."""
    if count() == 1:
        return local.detach()
    parts = [torch.empty_like(local) for _ in range(count())]
    distributed.all_gather(parts, local.detach().contiguous())
    return torch.cat(parts)


def gather_with_gradient(local: Tensor) -> Tensor:
    """Returns the rows of all processes; the own ones carry a gradient.

    It is multiplied by the number of processes, so that averaging the gradients of all processes gives that of one
    process with the whole batch.
    """
    if count() == 1:
        return local
    parts = list(gather(local).split(len(local)))
    parts[distributed.get_rank()] = count() * local - (count() - 1) * local.detach()
    return torch.cat(parts)


def own_rows(gathered: Tensor) -> Tensor:
    """Returns this process's rows of what `gather` returned."""
    return gathered if count() == 1 else gathered.chunk(count())[distributed.get_rank()]


def on_main(own: Tensor, row: Tensor, total: int, device: torch.device) -> Tensor:
    """Returns rows [total, ...] of all processes on the main one, and nothing [0, ...] on others.

    Each has its `own` [m, ...], which are those numbered `row` [m], sorted. Memory is on the CPU; what is sent goes by
    `device`, as its processes need it.
    """
    if count() == 1:
        return own
    main = is_main()
    whole = own.new_empty(total if main else 0, *own.shape[1:])
    for start in range(0, total, ROWS):
        first, last = torch.searchsorted(row, torch.tensor([start, start + ROWS])).tolist()
        part = own.new_zeros(min(ROWS, total - start), *own.shape[1:], device=device)
        part[row[first:last] - start] = own[first:last].to(device)
        distributed.reduce(part, 0)  # each row is of one process: the sum is that row, to the last bit
        if main:
            whole[start : start + ROWS] = part.cpu()
    return whole


@contextmanager
def others_alive() -> Iterator[None]:
    """Says in one sentence that another process is gone, where the block waits for it."""
    try:
        yield
    except RuntimeError as error:
        if count() == 1 or not any(word in str(error) for word in GONE):
            raise
        raise InputError(
            "another process of this training has ended; --resume goes on from the last checkpoint"
        ) from error
