"""Which score tells clips of no class from those of one: AUROC where two classes carry no labels.

    python -m bench.open_set nucla/clips.csv kard/clips.csv demo/poses/clips.csv --seeds 3 -o build/open_set

For each data set and seed two classes, drawn by the seed, lose all their labels, and every second of their clips is
left out. What a run makes of its unlabeled clips is then ranked by each score, of which more means less like any class;
so are, by `novelty` of `aplt predict`, its test clips and those that were left out. It goes on where it stopped.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from torch.nn import functional

import aplt
from aplt.clips import UNKNOWN
from aplt.offline.space import carried, whiten
from aplt.rundir import RunDir
from aplt.runs.begin import finished
from aplt.runs.predict import load_model
from aplt.runs.setup import prepare_material
from aplt.runs.surroundings import Surroundings
from aplt.settings import merge, parse_assignments


@dataclass(frozen=True)
class Space:
    """The clips of a run as its model sees them."""

    feature: torch.Tensor  # [M, D]
    logits: torch.Tensor  # [M, K]
    cosine: torch.Tensor  # [M, K], to the prototypes
    label: np.ndarray  # [M], -1 where it is not given


def softmax(space: Space) -> np.ndarray:
    """One minus the largest softmax (arXiv 1610.02136)."""
    return 1 - space.logits.softmax(1).amax(1).numpy()


def energy(space: Space) -> np.ndarray:
    """The free energy (arXiv 2010.03759)."""
    return -space.logits.logsumexp(1).numpy()


def prototype(space: Space) -> np.ndarray:
    """One minus the cosine to the nearest prototype."""
    return 1 - space.cosine.amax(1).numpy()


def neighbor(space: Space) -> np.ndarray:
    """The distance to the nearest labeled clip (arXiv 2204.06507, with one neighbor)."""
    unit = functional.normalize(space.feature, dim=1).numpy()
    nearest: np.ndarray = NearestNeighbors(n_neighbors=1).fit(unit[space.label >= 0]).kneighbors(unit)[0][:, 0]
    return nearest


def density(space: Space) -> np.ndarray:
    """How few of a clip's 50 neighbors are labeled, nearer ones counting more, in the whitened space."""
    feature = _whitened(space)
    distance, near = NearestNeighbors(n_neighbors=51).fit(feature).kneighbors(feature)
    weight = np.exp(-((distance / np.median(distance[:, -1])) ** 2))[:, 1:]
    labeled = (space.label >= 0)[near[:, 1:]]
    share: np.ndarray = (weight * labeled).sum(1) / weight.sum(1)
    return -share


def reach(space: Space) -> np.ndarray:
    """How little labels reach a clip over the graph of neighbors: aplt's own."""
    unit = functional.normalize(space.feature, dim=1)
    return Surroundings.of(unit, torch.from_numpy(space.label), space.logits.shape[1])[1]


def _whitened(space: Space) -> np.ndarray:
    unit = functional.normalize(space.feature, dim=1)
    return functional.normalize(whiten([unit], carried(64, len(unit), space.logits.shape[1])), dim=1).numpy()


SCORES: dict[str, Callable[[Space], np.ndarray]] = {
    s.__name__: s for s in (softmax, energy, prototype, neighbor, density, reach)
}


def cell(clips: Path, seed: int, given: argparse.Namespace) -> list[dict[str, object]]:
    """Returns a row for the unlabeled clips of one training."""
    table = pd.read_csv(clips)
    name = f"{clips.parent.name}-{given.method}-{seed}"
    classes = sorted(table["label"].unique())
    left_out = set(np.random.default_rng(seed).choice(classes, 2, replace=False))
    truth = table["label"].isin(left_out).to_numpy()
    folder = given.output / name
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "clips.csv"
    changed = table.assign(path=[str((clips.parent / path).resolve()) for path in table["path"]])
    changed.loc[truth, "label"] = ""
    left = np.flatnonzero(truth)[::2]
    changed.drop(columns="split", errors="ignore").drop(index=left.tolist()).to_csv(index, index=False)
    truth = np.delete(truth, left)
    run = RunDir(folder / "run")
    if not run.result.exists():
        settings = merge({"train": {"budget": given.budget}}, parse_assignments(given.set))
        aplt.train(
            index, labeled=given.labeled, seed=seed, name="run", runs=folder, method=given.method, settings=settings
        )
    space, position = _space(run)
    free = space.label < 0
    none = truth[position][free]
    row: dict[str, object] = {"clips": clips.parent.name, "seed": seed, "left_out": " ".join(sorted(left_out))}
    row |= {"none": int(none.sum()), "of": len(none)}
    result, labels = run.read_result(), pd.read_csv(run.pseudo_labels).set_index("id")
    row["test_top1"] = round(result.test.top1, 4) if result.test else None
    if "accepted" in labels:
        taken = labels[labels["accepted"]]
        of = table.set_index("id").loc[taken.index]
        row |= {"accepted": len(taken), "right": round(float((of["label"] == taken["offline_label"]).mean()), 3)}
        row["of_none"] = round(float(of["label"].isin(left_out).mean()), 3)
    row["flagged"] = round(float((reach(space)[free] >= 0.95)[none].mean()), 3)
    row["flagged_wrongly"] = round(float((reach(space)[free] >= 0.95)[~none].mean()), 3)
    tested = pd.read_csv(run.split).query("role == 'test'")["id"]
    new = changed.set_index("id", drop=False)["path"]
    novelty = aplt.predict(run.path, [*new.loc[tested], *new.iloc[left]])["novelty"].to_numpy()
    strange = np.arange(len(novelty)) >= len(tested)
    row |= {"new_auroc": round(float(roc_auc_score(strange, novelty)), 3)}
    row |= {"new_flagged": round(float((novelty[strange] >= 0.95).mean()), 3)}
    row |= {"new_flagged_wrongly": round(float((novelty[~strange] >= 0.95).mean()), 3)}
    row |= {name: round(float(roc_auc_score(none, score(space)[free])), 3) for name, score in SCORES.items()}
    return [row]


@torch.no_grad()
def _space(run: RunDir) -> tuple[Space, np.ndarray]:
    config, index, split = finished(run)
    model = load_model(run.path)
    material = prepare_material(config, index, split, Accelerator(cpu=True))
    feature, logits, position = [], [], []
    for where, clip in material.data.view_batches([*split.labeled, *split.unlabeled], "center"):
        found = model(clip)
        feature.append(found.feature)
        logits.append(found.logits)
        position.append(where)
    places = torch.cat(position).numpy()
    features = torch.cat(feature)
    cosine = functional.normalize(features, dim=1) @ model.prototype.T
    label = np.where(np.isin(places, split.labeled), index.labels[places], UNKNOWN)
    return Space(features, torch.cat(logits), cosine, label), places


def main() -> int:
    """Works through the cells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--labeled", default="10%")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", default="quick")
    parser.add_argument("--method", default="aplt")
    parser.add_argument("--set", action="append", default=[], help="as of aplt train")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/open_set"))
    given = parser.parse_args()
    rows = []
    for clips in given.clips:
        for seed in range(given.seeds):
            rows += cell(clips, seed, given)
            pd.DataFrame(rows).to_csv(given.output / "open_set.csv", index=False)
            print(rows[-1], flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
