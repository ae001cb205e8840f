"""Features of clips without any model, for the very first labels: how they look, and where they move."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool3d

from aplt.clips import ClipIndex
from aplt.data.batches import all_views
from aplt.data.modality import modality_of
from aplt.data.views import Kind
from aplt.display import bar

BINS, SIDE = 4, 8
"""Parts of a clip's time, and of a picture's height and width, over which is averaged."""
BATCH = 64


def described(index: ClipIndex) -> np.ndarray:
    """Returns features [N, D] float32 of all clips: those of their bank, else a fixed descriptor of how they look.

    Of a center view its mean and its mean absolute change from frame to frame, in four parts of its time; of each
    coordinate of each joint, normalized to the body, or of the gray of eight by eight fields of the picture. Both
    halves have the same total variance.
    """
    modality = modality_of(index)
    settings = modality.input()
    modality.prepare(index.clips, settings)
    views = modality.make_views(dict(enumerate(index)), settings, None)
    passes: list[tuple[range, Kind, int]] = [(range(len(index)), "center", 0)]
    parts = []
    with bar("looking at the clips", len(index)) as progress:
        for _, clips in all_views(views, passes, BATCH, modality.workers()):
            parts.append(_halves(modality.name, clips))
            progress.advance(len(clips))
    halves = [torch.cat(half) for half in zip(*parts, strict=True)]
    scaled = [half / half.var(dim=0, correction=0).sum().sqrt().clamp(min=1e-6) for half in halves]
    return torch.cat(scaled, dim=1).numpy()


def _halves(kind: str, clips: Tensor) -> tuple[Tensor, ...]:
    if kind == "features":
        return (clips.flatten(1),)
    # Of skeletons the last channel is the tracker's confidence.
    seen = clips[:, :-1] if kind == "skeleton" else clips.mean(dim=1, keepdim=True)
    change = seen.diff(dim=2).abs() if seen.shape[2] > 1 else torch.zeros_like(seen)
    sides = seen.shape[3:] if kind == "skeleton" else (SIDE, SIDE)
    return tuple(adaptive_avg_pool3d(one, (BINS, *sides)).flatten(1) for one in (seen, change))
