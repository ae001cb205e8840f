"""What to label next: the few unlabeled clips that teach a run most, or the first one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, eye_array
from sklearn.cluster import KMeans
from sklearn.neighbors import NearestNeighbors

from aplt.clips import UNKNOWN, ClipIndex, Split
from aplt.data.index import index_table, read_index
from aplt.errors import InputError
from aplt.errors import suggest as close_to
from aplt.offline.nearest import nearest
from aplt.rundir import RunDir
from aplt.runs.begin import finished
from aplt.runs.descriptors import described

NEIGHBORS = 30
"""Clips that a clip can stand for."""
CROWD = 20
"""Clips of its cluster that a typical clip is close to."""
TWIN = 0.1
"""The share of the usual distance to these within which two clips are near duplicates."""
MOST_CLUSTERS = 500
"""Clusters of typical clips at most, as in TypiClust, unless more clips are asked for."""
FEW = 3
"""Labels up to which a class counts as one with few."""
SAMPLE = 1000
"""Clips by which the usual distance is told."""


@dataclass(frozen=True)
class Pool:
    """What a run knows of its training clips."""

    feature: np.ndarray
    """[M, D], of length one."""
    probability: np.ndarray
    """Of the classes [M, K]."""
    label: np.ndarray
    """Of the labeled ones [M], else -1."""

    @property
    def unlabeled(self) -> np.ndarray:
        """The places of those without a label."""
        return np.flatnonzero(self.label < 0)

    @property
    def doubt(self) -> np.ndarray:
        """1 - (the best class's probability - the second's) [M]."""
        two = np.partition(self.probability, -2, axis=1)[:, -2:]
        doubt: np.ndarray = 1 - (two[:, 1] - two[:, 0])
        return doubt


Strategy = Callable[[Pool, int, np.random.Generator], np.ndarray]
"""(what is known, how many, random numbers) -> places of unlabeled clips, the most useful first."""


def coverage(pool: Pool, number: int, draw: np.random.Generator) -> np.ndarray:  # noqa: ARG001
    """Clips that stand for many doubtful ones, which no labeled clip nor one chosen before stands for.

    Greedily by the sum over a clip's neighbors of doubt x the likeness that it adds, divided by one more than the
    labels of the class that it seems to be of: a facility location (submodular, so that greed is near the best), in
    which a near duplicate of what is chosen adds nothing. What is chosen counts as a label of its class, lest all go
    to the two classes that are confused most.
    """
    like = _likeness(pool.feature)
    near = [slice(*ends) for ends in zip(like.indptr[:-1], like.indptr[1:], strict=True)]
    guess, doubt = pool.probability.argmax(axis=1), pool.doubt
    labels = np.bincount(pool.label[pool.label >= 0], minlength=pool.probability.shape[1])
    covered = np.zeros(len(guess))

    def cover(place: int) -> None:
        row = near[place]
        covered[like.indices[row]] = np.maximum(covered[like.indices[row]], like.data[row])

    def gain(row: slice) -> Any:
        return doubt[like.indices[row]] * np.clip(like.data[row] - covered[like.indices[row]], 0, None)

    for place in np.flatnonzero(pool.label >= 0):
        cover(int(place))
    most = np.add.reduceat(gain(slice(None)), like.indptr[:-1])
    most[pool.label >= 0] = -1
    chosen: list[int] = []
    while len(chosen) < min(number, int((pool.label < 0).sum())):
        best = int((most / (1 + labels[guess])).argmax())
        now = gain(near[best]).sum()
        if now < most[best]:  # gains only fall, so no other needs to be looked at again (Minoux, 1978)
            most[best] = now
            continue
        chosen.append(best)
        most[best] = -1
        labels[guess[best]] += 1
        cover(best)
    return np.array(chosen, dtype=np.int64)


def margin(pool: Pool, number: int, draw: np.random.Generator) -> np.ndarray:  # noqa: ARG001
    """The clips whose two best classes are closest (Scheffer et al., 2001)."""
    places = pool.unlabeled
    return places[np.argsort(-pool.doubt[places], kind="stable")][:number]


def random(pool: Pool, number: int, draw: np.random.Generator) -> np.ndarray:
    """Any."""
    return draw.permutation(pool.unlabeled)[:number]


def typical(pool: Pool, number: int, draw: np.random.Generator) -> np.ndarray:
    """The clip in the densest place of each of so many clusters, those without labels and large ones first.

    TypiClust (Hacohen, Dekel, Weinshall, ICML 2022, arXiv 2202.02794); near duplicates of what is chosen come last.
    """
    feature, free = pool.feature, pool.label < 0
    if not free.any():
        return np.zeros(0, dtype=np.int64)
    most = max(number, MOST_CLUSTERS)
    clusters = min(number + int((~free).sum()), most, len(np.unique(feature, axis=0)))
    cluster = KMeans(clusters, random_state=int(draw.integers(2**31))).fit_predict(feature)
    size, crowd = np.bincount(cluster, minlength=clusters), np.zeros(len(feature))
    for k in range(clusters):
        members = np.flatnonzero(cluster == k)
        if len(members) > 1:
            near = NearestNeighbors(n_neighbors=min(CROWD, len(members) - 1)).fit(feature[members])
            crowd[members] = near.kneighbors()[0].mean(axis=1)
    labels, near_by = np.bincount(cluster[~free], minlength=clusters), TWIN * np.median(crowd)
    twin = np.zeros(len(feature), dtype=bool)
    chosen: list[int] = []
    for _ in range(min(number, int(free.sum()))):
        places = np.flatnonzero(free)
        ranks = crowd[places], -size[cluster[places]], labels[cluster[places]], twin[places]
        best = int(places[np.lexsort(ranks)[0]])
        chosen.append(best)
        free[best], labels[cluster[best]] = False, labels[cluster[best]] + 1
        twin |= np.linalg.norm(feature - feature[best], axis=1) <= near_by
    return np.array(chosen, dtype=np.int64)


STRATEGIES: dict[str, Strategy] = {"coverage": coverage, "margin": margin, "typical": typical, "random": random}
MODEL_FREE = ("typical", "random")
"""Strategies that need no model: of clips without a run the first is the default."""


def pool_of(run: RunDir, index: ClipIndex, split: Split) -> tuple[np.ndarray, Pool]:
    """Returns the positions in the index [M] of what a finished run knows, and what it knows of them."""
    clips = sorted((*split.labeled, *split.unlabeled))
    stored = run.read_features(len(clips), index.num_classes)
    position = stored["position"]
    if sorted(position.tolist()) != clips or not all(np.isfinite(array).all() for array in stored.values()):
        raise InputError(f"{run.features}: not what a run left of the training clips in {run.split.name}")
    label = np.where(np.isin(position, split.labeled), index.labels[position], UNKNOWN)
    return position, Pool(stored["feature"].astype(np.float32), stored["probability"].astype(np.float32), label)


def suggest(source: Path, number: int, strategy: str | None = None) -> pd.DataFrame:
    """Returns the clips to label next, most useful first: an index's columns without a label; see `aplt.suggest`."""
    if strategy is not None and strategy not in STRATEGIES:
        raise InputError(f"strategy is '{strategy}'{close_to(strategy, STRATEGIES)}")
    run = RunDir(source)
    if not run.config.exists():
        return _suggest_first(source, number, strategy or MODEL_FREE[0])
    config, index, split = finished(run)
    position, pool = pool_of(run, index, split)
    chosen = STRATEGIES[strategy or "coverage"](pool, number, np.random.default_rng(config.train.seed))
    return _unlabeled(index, position[chosen]).assign(
        guess=[index.class_names[k] for k in pool.probability[chosen].argmax(axis=1)],
        score=pool.probability[chosen].max(axis=1).round(4),
        reason=_reasons(pool, chosen, index.class_names),
    )


def first_pool(source: Path, *, look: bool = True) -> tuple[ClipIndex, np.ndarray, Pool]:
    """Returns the clips of an index or a folder, the positions [M] of those to train on, and what is known of these.

    That is how they look and move, unless `look` is off, their labels, and the probabilities of no class.
    """
    index = read_index(source)
    position = np.array([at for at, clip in enumerate(index) if clip.official in (None, "train")], dtype=np.int64)
    if not len(position):
        raise InputError(f"{source}: no clip to train on; all have the split val or test")
    feature = described(index) if look else np.zeros((len(index), 1), dtype=np.float32)
    return index, position, Pool(feature[position], np.empty((len(position), 0)), index.labels[position])


def _suggest_first(source: Path, number: int, strategy: str) -> pd.DataFrame:
    if strategy not in MODEL_FREE:
        raise InputError(f"strategy {strategy} asks a model; {source} is no run, and of clips alone expected typical")
    index, position, pool = first_pool(source, look=strategy == "typical")
    chosen = STRATEGIES[strategy](pool, number, np.random.default_rng(0))
    reason = "stands for clips like it" if strategy == "typical" else "any"
    return _unlabeled(index, position[chosen]).assign(reason=reason)


def _unlabeled(index: ClipIndex, position: np.ndarray) -> pd.DataFrame:
    return index_table(index).iloc[position].drop(columns="label").reset_index(drop=True)


def _likeness(feature: np.ndarray) -> csr_array:
    """Returns how like the nearest clips of each are, itself among them: row by row [M, M], 1 where they are one."""
    found = nearest(feature, NEIGHBORS)
    found.data = np.sqrt(np.clip(2 - 2 * found.data, 0, None))  # distances
    scale = max(float(np.median(found.max(axis=1).toarray())), 1e-12)
    found.data = np.exp(-((found.data / scale) ** 2))
    return csr_array(found + eye_array(len(feature)))


def _reasons(pool: Pool, chosen: np.ndarray, class_names: tuple[str, ...]) -> list[str]:
    count = np.bincount(pool.label[pool.label >= 0], minlength=len(class_names))
    known = pool.feature[pool.label >= 0]
    some = pool.feature[:: 1 + len(pool.feature) // SAMPLE]  # all at once they fill the memory
    usual = np.median((some @ known.T).max(axis=1))
    found = []
    for place in chosen:
        first, second = np.argsort(-pool.probability[place], kind="stable")[:2]
        parts = []
        if pool.doubt[place] > 0.5:
            parts.append(f"{class_names[first]} or {class_names[second]}?")
        if (known @ pool.feature[place]).max() < usual:
            parts.append("unlike the labeled clips")
        if count[first] <= FEW:
            parts.append(f"{class_names[first]} has {count[first]} labeled")
        found.append("; ".join(parts) or "stands for others like it")
    return found
