"""What approximate neighbors change on the feature banks of finished runs: recall, labels, right labels.

    python -m bench.neighbors runs/first compare/nucla/*/run

Each bank is small enough to be compared exactly; the inverted file, which is used for many clips, is forced on it.
"""

import argparse
from pathlib import Path

import torch

from aplt.clips import UNKNOWN
from aplt.offline import nearest
from aplt.offline.graph import neighbor_graph
from aplt.offline.phase import Clusters
from aplt.offline.space import carried, whiten
from aplt.rundir import RunDir
from aplt.runs.begin import finished
from aplt.tensors import FeatureBank


def main() -> None:
    """Prints a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    exact = nearest.EXACT
    for folder in parser.parse_args().runs:
        _, index, split = finished(RunDir(folder))
        clips, classes = len(split.labeled) + len(split.unlabeled), index.num_classes
        kept = RunDir(folder).read_features(clips, classes)
        feature = torch.from_numpy(kept["feature"]).float()
        position = torch.from_numpy(kept["position"])
        known = torch.full((len(index),), UNKNOWN)
        for labeled in split.labeled:
            known[labeled] = index[labeled].label
        bank = FeatureBank(
            feature,
            torch.ones(clips),
            torch.from_numpy(kept["probability"]).float(),
            position,
            feature[:0],
            position[:0],
        )
        hidden = list(split.unlabeled)
        space = whiten([feature], carried(64, clips, classes))
        found, edges = [], []
        for most in (exact, 0):
            nearest.EXACT = most
            edges.append(neighbor_graph(space, 10) > 0)
            found.append(Clusters()(bank, known, classes, round_=0, previous=None).pseudo.label[hidden])
        truth = torch.from_numpy(index.labels)[hidden]
        shared = edges[0].multiply(edges[1]).nnz / edges[0].nnz
        right = [float((labels == truth).float().mean()) for labels in found]
        same = float((found[0] == found[1]).float().mean())
        print(
            f"{folder}: {clips} clips, {shared:.1%} of the edges found, {same:.1%} of the labels the same; "
            f"right {right[0]:.1%} exactly, {right[1]:.1%} approximately",
            flush=True,
        )


if __name__ == "__main__":
    main()
