"""Semi-supervised k-means against scikit-learn's KMeans, and its memory on a million clips.

    python bench/kmeans.py

Both start from the labeled means and run the same number of iterations on the same points, in turn; the figure to
quote is the ratio. The peak is the whole process's, less what it held before (features included in neither).
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time

import torch
from sklearn.cluster import KMeans

from aplt.offline.kmeans import semi_supervised_kmeans


def points(clips: int, size: int, classes: int, labeled: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns unit features [N, D] in overlapping clusters, and labels [N] for a share of each."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.arange(clips) % classes
    feature = torch.randn(clips, size, generator=generator)
    feature += torch.randn(classes, size, generator=generator)[truth] * 0.1
    feature /= feature.norm(dim=1, keepdim=True)
    return feature, torch.where(torch.arange(clips) < max(classes, labeled * clips), truth, -1)


def compare(clips: int, size: int, classes: int, iterations: int, repeats: int) -> None:
    """Prints milliseconds an iteration of both, and their ratio."""
    feature, label = points(clips, size, classes, 0.1)
    start = torch.stack([feature[label == k].mean(dim=0) for k in range(classes)]).numpy()
    ours, theirs = [], []
    for _ in range(repeats):
        began = time.perf_counter()
        found = semi_supervised_kmeans(feature, label, classes, max_iterations=iterations)
        ours.append((time.perf_counter() - began) / max(found.iterations, 1))
        began = time.perf_counter()
        other = KMeans(classes, init=start, n_init=1, max_iter=iterations, tol=0, algorithm="lloyd").fit(
            feature.numpy()
        )
        theirs.append((time.perf_counter() - began) / other.n_iter_)
    a, b = statistics.median(ours) * 1000, statistics.median(theirs) * 1000
    print(f"N = {clips}, D = {size}, K = {classes}, 10 % labeled, {torch.get_num_threads()} threads, {repeats} repeats")
    print(f"semi_supervised_kmeans   {a:8.1f} ms an iteration ({found.iterations} iterations)")
    print(f"scikit-learn KMeans      {b:8.1f} ms an iteration ({other.n_iter_} iterations)")
    print(f"ratio                    {a / b:8.2f}")


def peak(clips: int, size: int, classes: int) -> None:
    """Prints the memory that clustering adds to a process holding the features, and the time an iteration."""
    feature, label = points(clips, size, classes, 0.1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    held = feature.numel() * 4 / 2**20
    began = time.perf_counter()
    found = semi_supervised_kmeans(feature, label, classes, max_iterations=5)
    took = (time.perf_counter() - began) / max(found.iterations, 1)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"N = {clips}, D = {size}, K = {classes}: features {held:.0f} MiB, peak {after:.0f} MiB, ", end="")
    print(f"peak before clustering {before:.0f} MiB, {took * 1000:.0f} ms an iteration")


def main() -> None:
    """Runs both; the memory in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peak-only", action="store_true")
    options = parser.parse_args()
    if options.peak_only:
        peak(1_000_000, 128, 100)
        return
    compare(11_250, 2_048, 52, options.iterations, options.repeats)
    subprocess.run([sys.executable, __file__, "--peak-only"], check=True)


if __name__ == "__main__":
    main()
