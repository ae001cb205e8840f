"""K-means over several processes, each with a share of the clips: the same centers as one process with all of them.

    python -m bench.sharded_kmeans --clips 200000 --processes 2

What is sent an iteration are K x D sums and K counts, however many clips there are. This is how ten million clips would
be clustered; the offline phase itself works on one process, which is enough for a million.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import torch
from torch import Tensor, distributed
from torch.multiprocessing.spawn import start_processes

from aplt.offline.kmeans import _scores, _sums, semi_supervised_kmeans
from bench.kmeans import points


def means(feature: Tensor, assignment: Tensor, centroid: Tensor) -> Tensor:
    """Returns the centers of the points of all processes; an empty class keeps its own."""
    total = _sums(feature, assignment, centroid, torch.arange(len(feature)))
    count = torch.bincount(assignment, minlength=len(centroid))
    distributed.all_reduce(total)
    distributed.all_reduce(count)
    return centroid + total / count.clamp(min=1)[:, None]


def share(rank: int, processes: int, clips: int, size: int, classes: int, iterations: int, folder: Path) -> None:
    """Clusters a share of the clips; the first process keeps the centers and the seconds an iteration."""
    torch.set_num_threads(1)
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29541"}
    distributed.init_process_group("gloo", rank=rank, world_size=processes)
    feature, label = (part[rank::processes] for part in points(clips, size, classes, 0.1))
    known = label >= 0
    centroid = feature.new_zeros(classes, size)
    for _ in range(2):
        centroid = means(feature[known], label[known], centroid)
    near, begun = torch.zeros_like(label), time.monotonic()
    near = _scores(feature, near, centroid)[0].argmax(dim=1)
    for _ in range(iterations):
        near = torch.where(known, label, _scores(feature, near, centroid)[0].argmax(dim=1))
        centroid = means(feature, near, centroid)
    if rank == 0:
        torch.save({"centroid": centroid, "seconds": (time.monotonic() - begun) / iterations}, folder / "found.pt")
    distributed.destroy_process_group()


def main() -> None:
    """Prints the largest difference of a center between one process and several, and the seconds of both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=200_000)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    size, classes, iterations = 64, 100, 5
    torch.set_num_threads(1)
    feature, label = points(given.clips, size, classes, 0.1)
    begun = time.monotonic()
    one = semi_supervised_kmeans(feature, label, classes, max_iterations=iterations)
    alone = (time.monotonic() - begun) / one.iterations
    with tempfile.TemporaryDirectory() as folder:
        work = (given.processes, given.clips, size, classes, iterations, Path(folder))
        start_processes(share, args=work, nprocs=given.processes, start_method="spawn")
        found = torch.load(Path(folder, "found.pt"), weights_only=True)
    apart = float((found["centroid"] - one.centroid).abs().max())
    largest = float(one.centroid.abs().max())
    print(
        f"{given.clips:,d} clips: largest difference of a coordinate {apart:.1e} (largest coordinate {largest:.2f}); "
        f"{alone:.2f} s an iteration alone, {found['seconds']:.2f} s with {given.processes} processes"
    )


if __name__ == "__main__":
    main()
