"""What the wall shows: training clips with labels, reliability, and why one might look at them."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aplt.clips import UNKNOWN, Clip, ClipIndex
from aplt.offline.novelty import NOVEL
from aplt.rundir import RunDir
from aplt.runs.begin import finished
from aplt.runs.reliability import held_out_of, reliability_of
from aplt.runs.reviews import read_corrections
from aplt.runs.suggest import Pool, coverage, first_pool, pool_of, typical
from aplt.storage import mode, read_table

BEST = 5
NEAREST = 6
SUGGESTED = 200
FIRST = 50
"""Clips that are suggested before any run, at most a quarter of all."""


@dataclass(frozen=True)
class Wall:
    """A run's training clips; places are rows of the arrays, which the browser calls clips by."""

    run: RunDir
    """Before any run the folder of what is kept of the review."""
    index: ClipIndex
    position: np.ndarray
    """In the index [M]."""
    pool: Pool
    suggested: tuple[str, ...] | None = None
    """The ids of the clips to label next, the most useful first; None: chosen here."""

    @classmethod
    def of(cls, run: RunDir, suggested: tuple[str, ...] | None = None) -> "Wall":
        """Returns the wall of a finished run."""
        _, index, split = finished(run)
        return cls(run, index, *pool_of(run, index, split), suggested)

    @classmethod
    def first(cls, source: Path, folder: Path, corrections: Path) -> "Wall":
        """Returns the wall of clips that no model knows yet, for the very first labels.

        Args:
            source: An index, or a folder of clips.
            folder: Where films are kept.
            corrections: Table of what people have said, if it is there; their labels are classes, too.
        """
        agreed, disputed = read_corrections(corrections) if mode(corrections) else ({}, {})
        words = (*agreed.values(), *(label for said in disputed.values() for label in said.values()))
        index, position, pool = first_pool(source)
        names = dict.fromkeys((*index.class_names, *filter(None, words)))
        pool = replace(pool, probability=np.zeros((len(position), len(names))))
        chosen = typical(pool, max(1, min(FIRST, len(position) // 4)), np.random.default_rng(0))
        suggested = tuple(index[position[place]].id for place in chosen)
        return cls(RunDir(folder), replace(index, class_names=tuple(names)), position, pool, suggested)

    @cached_property
    def modeled(self) -> bool:
        """Whether there is a model that says anything of the clips."""
        return bool(self.pool.probability.any())

    @cached_property
    def ids(self) -> list[str]:
        """The clips' ids [M]."""
        return [self.index[p].id for p in self.position]

    @cached_property
    def place_of(self) -> dict[str, int]:
        """The place of each id."""
        return {id_: place for place, id_ in enumerate(self.ids)}

    @cached_property
    def guess(self) -> np.ndarray:
        """The model's class of each clip [M]; -1 where there is none."""
        probability = self.pool.probability
        guess: np.ndarray = probability.argmax(axis=1) if self.modeled else np.full(len(probability), UNKNOWN)
        return guess

    @cached_property
    def table(self) -> dict[str, Any]:
        """What the browser needs of all clips: a list of M values for each column, and the names of classes."""
        score = self.pool.probability.max(axis=1, initial=0)
        reliable = reliability_of(score, held_out_of(self.run)).value
        given = self.pool.label
        order = np.full(len(given), len(given))
        if self.suggested is None:
            chosen = coverage(self.pool, SUGGESTED, np.random.default_rng(0))
        else:
            chosen = np.array([self.place_of[id_] for id_ in self.suggested], dtype=np.int64)
        order[chosen] = np.arange(len(chosen))
        flags = self._flags()
        return {
            "classes": self.index.class_names,
            "id": self.ids,
            "given": given.tolist(),
            "guess": self.guess.tolist(),
            "score": score.round(4).tolist(),
            "reliability": [None if np.isnan(value) else round(float(value), 4) for value in reliable],
            "suggested": order.tolist(),
            **{name: flag.astype(int).tolist() for name, flag in flags.items()},
        }

    def clip(self, place: int) -> Clip:
        """Returns the clip at a place as a file to be looked at, of features, too: it may be there."""
        return replace(self.index[int(self.position[place])], bank=None)

    def detail(self, place: int) -> dict[str, Any]:
        """Returns what is shown of one clip alone: its best classes, the nearest labeled clips, its rounds."""
        probability, feature = self.pool.probability[place], self.pool.feature
        labeled = np.flatnonzero((self.pool.label != UNKNOWN) & (np.arange(len(feature)) != place))
        away = np.linalg.norm(feature[labeled] - feature[place], axis=1)
        near = labeled[np.argsort(away, kind="stable")][:NEAREST]
        clip = self.clip(place)
        own = self._ledger[self._ledger["id"] == clip.id]
        return {
            "path": str(clip.path),
            "subject": clip.subject,
            "interval": None if clip.start is None and clip.end is None else [clip.start or 0.0, clip.end],
            "best": [[int(k), round(float(probability[k]), 4)] for k in np.argsort(-probability, kind="stable")[:BEST]],
            "near": near.tolist(),
            "rounds": [
                [int(number), label, accepted == "True"]
                for number, label, accepted in own[["round", "label", "accepted"]].to_numpy()
            ],
        }

    @cached_property
    def _ledger(self) -> pd.DataFrame:
        if not self.run.ledger.exists():  # of a method without an offline half
            return pd.DataFrame({"round": [], "id": [], "label": [], "accepted": []})
        return read_table(self.run.ledger, needed=("round", "id", "label", "accepted"))

    def _novelty(self) -> np.ndarray:
        if not self.run.pseudo_labels.exists():
            return np.full(len(self.ids), np.nan)
        table = read_table(self.run.pseudo_labels, needed=("id",)).reindex(columns=["id", "novelty"]).set_index("id")
        return pd.to_numeric(table["novelty"], errors="coerce").reindex(self.ids).to_numpy()

    def _flags(self) -> dict[str, np.ndarray]:
        """Returns which clips one might look at [M]: changed, disagreeing, suspected, novel."""
        if not self.modeled:
            return dict.fromkeys(("changed", "disagree", "suspected", "novel"), np.zeros(len(self.ids), dtype=bool))
        names = np.array(self.index.class_names, dtype=object)
        by_clip = self._ledger.groupby("id")["label"]
        last, kinds = by_clip.last().reindex(self.ids), by_clip.nunique().reindex(self.ids).fillna(1)
        unseen = self.run.read_unseen()["label"].reindex(self.ids)
        known = self.pool.label != UNKNOWN
        # Of those that were held out once the label that they got then; of the others the one they have learned.
        other = np.where(unseen.notna(), unseen.to_numpy(dtype=object), names[self.guess])
        return {
            "changed": (kinds > 1).to_numpy(),
            "disagree": (last.notna() & (last.to_numpy(dtype=object) != names[self.guess])).to_numpy() & ~known,
            "suspected": known & (other != names[np.where(known, self.pool.label, 0)]),
            "novel": self._novelty() >= NOVEL,
        }
