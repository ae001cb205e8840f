"""One step over several processes: what a method must know of all of them. Alone, everything here does nothing.

Each process holds an equal share of the batch, and gradients are averaged over the processes, as torch's
DistributedDataParallel does, so means over equal shares need nothing. Running means, stores and partners need the whole
batch.
"""

import torch
from torch import Tensor, distributed


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
