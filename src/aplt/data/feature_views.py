"""Weak and strong views of frozen features: one of those in the bank, with noise and, in strong views, gaps.

Files are mapped into memory and rows gathered as they are asked for, so that a bank may be larger than memory.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from aplt.clips import Clip
from aplt.config import FeatureInput
from aplt.data.bank import PARTS, RECORD, banks_of, feature_files
from aplt.data.files import ClipError, Examined
from aplt.data.modality import ClipShape
from aplt.data.views import CPU, Kind, Request
from aplt.display import counted
from aplt.errors import InputError

MEASURED = 4096
"""Clips that the mean and the deviation of each feature are measured on."""
CHUNK = 1 << 14
"""Rows that are looked at together."""


class Features:
    """The features in a bank, by row."""

    def __init__(self, folder: Path) -> None:
        self._files = feature_files(folder)
        self._tables = [_table(path) for path in self._files]
        self._ends = np.cumsum([len(table["center"]) for table in self._tables])
        self.size = self._tables[0]["center"].shape[2]

    def rows(self, row: np.ndarray, kind: Kind, number: np.ndarray | int = 0) -> Tensor:
        """Returns a view of each row [n, D] float32: that of this `number` [n], modulo V."""
        found = torch.empty(len(row), self.size)
        file, number = self._file(row), np.broadcast_to(number, row.shape)
        for one in np.unique(file):
            at = np.flatnonzero(file == one)
            stored = self._tables[one][kind]
            inside, view = row[at] - (self._ends[one] - len(stored)), number[at] % stored.shape[1]
            found[at] = stored[torch.from_numpy(inside), torch.from_numpy(view)].float()
        return found

    def require_finite(self, clips: Sequence[Clip]) -> None:
        """Raises a ClipError that names the file and the row of the first clip with a feature that is no number."""
        for start in range(0, len(clips), CHUNK):
            some = clips[start : start + CHUNK]
            row = np.array([clip.row for clip in some])
            whole = torch.ones(len(some), dtype=torch.bool)
            for number in range(self._tables[0]["weak"].shape[1]):
                whole &= self.rows(row, "weak", number).isfinite().all(dim=1)
            for at in (~whole).nonzero()[:1, 0].tolist():
                file = int(self._file(row[[at]])[0])
                inside = row[at] - (self._ends[file] - len(self._tables[file]["center"])) + 1
                raise ClipError(
                    some[at], "broken", f"row {inside} of {self._files[file]} has a feature that is not finite"
                )

    def _file(self, row: np.ndarray) -> np.ndarray:
        return np.searchsorted(self._ends, row, side="right")


class FeatureViews:
    """Views [1, 1, D, 1] of clips whose features are in one bank.

    Features lie where skeletons have joints, which mixtures of two clips take from either.
    """

    at_once = 4096  # rows are gathered fast

    def __init__(self, clips: Mapping[int, Clip], settings: FeatureInput, clip_shape: ClipShape | None = None) -> None:
        folder, *others = banks_of(clips.values())
        if others:
            raise InputError(f"{others[0]}: features of another bank than {folder}; give one bank at a time")
        self._clips, self._settings, self._features = clips, settings, Features(folder)
        if clip_shape is not None and clip_shape[2] != self._features.size:
            raise InputError(f"{folder}: each clip has {self._features.size} features, expected {clip_shape[2]}")
        self.clip_shape = (1, 1, self._features.size, 1)
        positions = np.fromiter(clips, dtype=np.int64, count=len(clips))
        rows = np.fromiter((clip.row for clip in clips.values()), dtype=np.int64, count=len(clips))
        self._row = np.zeros(positions.max() + 1, dtype=np.int64)
        self._row[positions] = rows
        measured = self._features.rows(rows[:: -(-len(rows) // MEASURED)], "center")
        self._mean, self._deviation = measured.mean(dim=0), measured.std(dim=0, correction=0)

    def __call__(self, kind: Kind, requests: Sequence[Request], _: torch.device = CPU) -> Tensor:
        """Returns n views of a kind [n, 1, 1, D, 1]; see aplt.data.views."""
        row = self._row[[request.position for request in requests]]
        if kind == "center":
            view = self._features.rows(row, kind)
        else:
            seed = _mixed(np.array([request.key for request in requests]))
            view = self._features.rows(row, kind, (seed >> np.uint64(32)).astype(np.int64))
            self._vary(view, kind, seed.tolist())
        if not view.isfinite().all():
            self._features.require_finite([self._clips[request.position] for request in requests])
        return view[:, None, None, :, None]

    def _vary(self, view: Tensor, kind: Kind, seeds: list[int]) -> None:
        """Adds noise to each row of the view [n, D] and drops some of its features, by the seed of the row alone."""
        own, strong = self._settings, kind == "strong"
        noise, drop = (own.strong_noise, own.strong_drop) if strong else (own.weak_noise, 0.0)
        generator, drawn = torch.Generator(), torch.empty_like(view)
        chance = torch.empty_like(view)
        for row, seed in enumerate(seeds):
            generator.manual_seed(seed)
            torch.randn(self._features.size, generator=generator, out=drawn[row])
            if drop:
                torch.rand(self._features.size, generator=generator, out=chance[row])
        view.addcmul_(drawn, noise * self._deviation)
        if drop:
            view.copy_(torch.where(chance < drop, self._mean, view))


def require_finite(clips: Sequence[Clip]) -> None:
    """Raises a ClipError that names the first clip with a feature that is no number, the file and the row."""
    for folder in banks_of(clips):
        if not (folder / RECORD).is_file():  # else they were looked at when they were made
            Features(folder).require_finite([clip for clip in clips if clip.bank == folder])


def examine(clip: Clip) -> Examined:
    """Reads a clip's features; see aplt.data.modality."""
    folder = banks_of([clip])[0]
    features = _opened(folder, folder.stat().st_mtime_ns)
    features.require_finite([clip])
    empty = not features.rows(np.array([clip.row]), "center").any()
    kind = f"a row of {counted(features.size, 'feature')}"
    return Examined(None, kind, ("zeros", "all its features are zero") if empty else None)


@lru_cache(maxsize=1)
def _opened(folder: Path, _: int) -> Features:
    return Features(folder)


def _table(path: Path) -> dict[Kind, Tensor]:
    """Returns the views [N, V, D] of each kind in a file, of center ones 1, mapped into memory."""
    if path.suffix == ".npy":
        # Copied where it is written to, which nothing does: torch wants memory that can be.
        arrays = {"": torch.from_numpy(np.load(path, mmap_mode="c", allow_pickle=False))}
    else:
        with safe_open(path, framework="pt") as stored:
            arrays = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - not a mapping
    if set(arrays) == set(PARTS):
        return {"center": arrays["center"][:, None], "weak": arrays["weak"], "strong": arrays["strong"]}
    (whole,) = arrays.values()
    views = whole if whole.ndim == 3 else whole[:, None]
    return {"center": views[:, :1], "weak": views, "strong": views}


def _mixed(keys: np.ndarray) -> np.ndarray:
    """Returns a seed for each key [n, k]: splitmix64 (Steele, Lea, Flood, OOPSLA 2014) over one number at a time."""
    mixed = np.zeros(len(keys), dtype=np.uint64)
    for column in keys.astype(np.uint64).T:
        mixed = (mixed ^ column) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return mixed
