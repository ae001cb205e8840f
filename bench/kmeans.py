"""Semi-supervised k-means against scikit-learn's KMeans, and its memory on a million clips.

    python bench/kmeans.py

Both start from the labeled means and run the same number of iterations on the same points. They take turns in
processes of their own, since the threads of one library wait busily and slow the other's; the figure to quote is the
ratio. Peak memory is the whole process's, beside what it held with the points made.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time

import torch

from aplt.offline.kmeans import semi_supervised_kmeans


def points(clips: int, size: int, classes: int, labeled: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns unit features [N, D] in overlapping clusters, and labels [N] for a share of each."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.arange(clips) % classes
    feature = torch.randn(clips, size, generator=generator)
    for k, center in enumerate(torch.randn(classes, size, generator=generator) * 0.1):
        feature[k::classes] += center
    feature /= feature.norm(dim=1, keepdim=True)
    return feature, torch.where(torch.arange(clips) < max(classes, labeled * clips), truth, -1)


def ours(clips: int, size: int, classes: int, iterations: int) -> None:
    """Prints seconds an iteration and the memory that clustering added."""
    feature, label = points(clips, size, classes, 0.1)
    semi_supervised_kmeans(feature[: clips // 10], label[: clips // 10], classes, max_iterations=1)  # warm-up
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.perf_counter()
    found = semi_supervised_kmeans(feature, label, classes, max_iterations=iterations)
    took = (time.perf_counter() - began) / found.iterations
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(took, found.iterations, before, after)


def theirs(clips: int, size: int, classes: int, iterations: int) -> None:
    """Prints seconds an iteration of scikit-learn's KMeans."""
    from sklearn.cluster import KMeans

    feature, label = points(clips, size, classes, 0.1)
    start = torch.stack([feature[label == k].mean(dim=0) for k in range(classes)]).numpy()
    kmeans = KMeans(classes, init=start, n_init=1, max_iter=iterations, tol=0, algorithm="lloyd")
    began = time.perf_counter()
    kmeans.fit(feature.numpy())
    print((time.perf_counter() - began) / kmeans.n_iter_, kmeans.n_iter_)


def measure(side: str, *shape: int) -> list[float]:
    """Returns the numbers that one side prints in a process of its own."""
    command = [sys.executable, __file__, "--side", side, *map(str, shape)]
    return [float(text) for text in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()]


def main() -> None:
    """Runs both in turn, then the memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--side", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    parser.add_argument("shape", type=int, nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        {"ours": ours, "theirs": theirs}[options.side](*options.shape)
        return
    shape = (11_250, 2_048, 52, 10)
    a, b = zip(*((measure("ours", *shape), measure("theirs", *shape)) for _ in range(options.repeats)), strict=True)
    first, second = (statistics.median(found[0] for found in side) * 1000 for side in (a, b))
    print(f"N = 11250, D = 2048, K = 52, 10 % labeled, {torch.get_num_threads()} threads, median of {options.repeats}")
    print(f"semi_supervised_kmeans  {first:7.1f} ms an iteration ({a[0][1]:.0f} iterations)")
    print(f"scikit-learn KMeans     {second:7.1f} ms an iteration ({b[0][1]:.0f} iterations)")
    print(f"ratio                   {first / second:7.2f}")
    took, _, before, after = measure("ours", 1_000_000, 128, 100, 5)
    print("N = 1000000, D = 128, K = 100, features 488 MiB: ", end="")
    print(f"peak {after:.0f} MiB, {after - before:.0f} MiB of it by clustering; {took:.2f} s an iteration")


if __name__ == "__main__":
    main()
