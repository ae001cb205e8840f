"""The offline phase on made-up feature banks of growing size: seconds, memory beside the bank, and how both grow.

    python -m bench.scale --clips 5000 20000 100000 1000000 --features 512 --classes 100

Each size has a process of its own. The features are of classes of several modes in a low-dimensional space, with noise
in all directions; 2 % of the clips are labeled. `parts` are the seconds of processors
of what the phase consists of.
"""

import argparse
import itertools
import math
import multiprocessing
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import sklearn.neighbors  # noqa: F401 - that the first phase imports otherwise
import torch
from torch import Tensor
from torch.nn import functional

import aplt.offline.phase as phase
from aplt.clips import UNKNOWN
from aplt.tensors import FeatureBank

LABELED = 0.02
MODES, SPAN, BLOCK = 3, 40, 8192
PARTS = ("whiten", "semi_supervised_kmeans", "_memberships", "neighbor_graph", "propagate", "class_weights", "novelty")


def made_bank(clips: int, features: int, classes: int) -> tuple[FeatureBank, Tensor, Tensor]:
    """Returns a bank, what is known of its clips' labels, and the truth."""
    draw = torch.Generator().manual_seed(0)
    center = torch.randn(classes, MODES, SPAN, generator=draw)
    spread = torch.randn(SPAN, features, generator=draw) / math.sqrt(SPAN)
    truth = torch.randint(classes, (clips,), generator=draw)
    truth[:classes] = torch.arange(classes)  # each has a labeled clip
    feature = torch.empty(clips, features)
    for rows in torch.arange(clips).split(BLOCK):
        mode = torch.randint(MODES, (len(rows),), generator=draw)
        low = center[truth[rows], mode] + 0.9 * torch.randn(len(rows), SPAN, generator=draw)
        feature[rows] = functional.normalize(low @ spread + 0.3 * torch.randn(len(rows), features, generator=draw))
    known = torch.full((clips,), UNKNOWN)
    labeled = max(int(LABELED * clips), 2 * classes)
    known[:labeled] = truth[:labeled]
    given = torch.nonzero(known != UNKNOWN)[:, 0]
    bank = FeatureBank(
        feature,
        torch.ones(clips),
        torch.full((1, classes), 1 / classes).expand(clips, classes),
        torch.arange(clips),
        feature[given].clone(),
        given,
    )
    return bank, known, truth


def peak(reset: bool = False) -> float:
    """Returns the most memory in GiB that this process has had at once, since the last reset."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 2**20


def timed(of: Any, name: str, seconds: dict[str, float]) -> None:
    """Makes a function of a module add its seconds to `seconds`."""
    plain: Callable[..., Any] = getattr(of, name)

    def instead(*args: Any, **keywords: Any) -> Any:
        begun = time.process_time()
        result = plain(*args, **keywords)
        seconds[name] = seconds.get(name, 0.0) + time.process_time() - begun
        return result

    setattr(of, name, instead)


def measure(clips: int, features: int, classes: int) -> tuple[float, float, float, float, float, dict[str, float]]:
    """Returns seconds by the clock and of processors, GiB of the bank and at most, accuracy, and the parts."""
    bank, known, truth = made_bank(clips, features, classes)
    offline = phase.Clusters()
    seconds: dict[str, float] = {}
    for name in PARTS:
        if hasattr(phase, name):
            timed(phase, name, seconds)
    peak(reset=True)
    before, begun, used = peak(), time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    guidance = offline(bank, known, classes, round_=0, previous=None)
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_SELF)
    hidden = known == UNKNOWN
    right = (guidance.pseudo.label == truth)[hidden].float().mean()
    size = bank.feature.nbytes / 2**30
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return wall, cpu, size, peak() - before, float(right), seconds


def main() -> None:
    """Prints a line for each size, and the exponents of growth between neighbors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, nargs="+", default=[5000, 20_000, 100_000])
    parser.add_argument("--features", type=int, default=512)
    parser.add_argument("--classes", type=int, default=100)
    given = parser.parse_args()
    found = []
    for clips in given.clips:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as own:
            wall, cpu, size, more, right, parts = own.submit(measure, clips, given.features, given.classes).result()
        found.append((clips, cpu))
        each = ", ".join(f"{name} {value:.1f}" for name, value in parts.items())
        print(
            f"{clips:>9,d} clips: {wall:.1f} s, {cpu:.1f} s of processors; bank {size:.2f} GiB, {more:.2f} GiB more, "
            f"{1 + more / size:.2f} of it in all; {right:.1%} right; parts: {each}",
            flush=True,
        )
    for (few, less), (many, more) in itertools.pairwise(found):
        print(f"{few:,d} to {many:,d} clips: exponent {math.log(more / less) / math.log(many / few):.2f}")


if __name__ == "__main__":
    main()
