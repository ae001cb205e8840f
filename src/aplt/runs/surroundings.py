"""A model's training clips and how labels reach them, which tells later clips that are of none of its classes."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, from_numpy
from torch.nn import functional

from aplt.errors import InputError
from aplt.offline.graph import GAMMA, neighbor_graph
from aplt.offline.novelty import novelty_of, reach_of
from aplt.offline.space import carried, whitening
from aplt.storage import aside_of, reason, take_place

SURROUNDINGS = "surroundings.safetensors"
"""The file, in a model's folder."""
DIMENSIONS, NEIGHBORS = 64, 10
MOST = 20_000
"""Training clips that are kept; of more every n-th is."""


@dataclass(frozen=True)
class Surroundings:
    """Some training clips in the space in which they were compared, M of them, and how labels reach them."""

    mean: Tensor  # [D]
    project: Tensor  # [D, d], of what differs from the mean
    clip: Tensor  # [M, d], of length one
    reach: Tensor  # [M]
    usual: Tensor  # [L], ascending: the reach of labeled clips whose own labels are hidden

    def novelty(self, feature: Tensor) -> np.ndarray:
        """Returns how little clips lie like one of the classes [n], 0 to 1, by their features [n, D] of length one.

        Labels reach a new clip as they reach its nearest training clips. So a kind of clip is told that was among the
        unlabeled ones, not one that never was.
        """
        if not len(feature):
            return np.empty(0)
        from sklearn.neighbors import NearestNeighbors  # slow to import, and most of what has a model needs it not

        # In double precision, for a direction in which hardly any training clip differs is projected by huge numbers.
        unit = functional.normalize((feature.double() - self.mean) @ self.project.double(), dim=1).float()
        search = NearestNeighbors(n_neighbors=min(NEIGHBORS, len(self.clip))).fit(self.clip.numpy())
        distance, near = search.kneighbors(unit.numpy())
        weight = np.clip(1 - distance**2 / 2, 1e-6, None) ** GAMMA
        return novelty_of((weight * self.reach.numpy()[near]).sum(axis=1) / weight.sum(axis=1), self.usual.numpy())

    @classmethod
    def of(cls, feature: Tensor, label: Tensor, num_classes: int) -> tuple["Surroundings", np.ndarray]:
        """Returns those of feature [M, D] and label [M] (-1: none), and the novelty of these clips themselves [M]."""
        space = whitening([feature], carried(DIMENSIONS, len(feature), num_classes))
        clip = space([feature])
        reach, usual = reach_of(neighbor_graph(clip, NEIGHBORS), label)
        rows = slice(None, None, -(-len(feature) // MOST))
        near = functional.normalize(clip[rows], dim=1)
        told = cls(space.mean, space.project, near, from_numpy(reach[rows]).float(), from_numpy(usual).float())
        return told, novelty_of(reach, usual)

    def save(self, folder: Path) -> None:
        """Writes the file into a model's folder."""
        aside = aside_of(folder / SURROUNDINGS)
        save_file({one.name: getattr(self, one.name).contiguous() for one in fields(self)}, aside)
        take_place(aside, folder / SURROUNDINGS)


def load_surroundings(folder: Path, size: int) -> Surroundings | None:
    """Returns those of the model in a folder, whose features have this size; None where it has none.

    Raises:
        InputError: the file is damaged, or of another model.
    """
    path = folder / SURROUNDINGS
    if not path.is_file():
        return None
    try:
        found = load_file(path)
    except (SafetensorError, ValueError, OSError) as error:
        raise InputError(f"{path}: not of this version ({reason(error)})") from error
    names = [one.name for one in fields(Surroundings)]
    if sorted(found) != sorted(names):
        raise InputError(f"{path}: expected {', '.join(names)}, found {', '.join(sorted(found)) or 'nothing'}")
    own = Surroundings(**{name: tensor.float() for name, tensor in found.items()})
    clips, dimensions = own.clip.shape if own.clip.dim() == 2 else (0, 0)
    shapes = ((size,), (size, dimensions), (clips, dimensions), (clips,), (own.usual.numel(),))
    whole = all(bool(tensor.isfinite().all()) for tensor in (own.mean, own.project, own.clip, own.reach, own.usual))
    if tuple(tuple(getattr(own, name).shape) for name in names) != shapes or not clips or not whole:
        raise InputError(f"{path}: its numbers are not those of a model with {size} features")
    return own
