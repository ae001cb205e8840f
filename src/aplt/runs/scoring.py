"""Scores of a recognizer on clips."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from aplt.models.recognizer import Recognizer


@dataclass(frozen=True)
class Scored:
    """Class probabilities of clips, aligned with their positions."""

    position: np.ndarray  # [n] int64
    score: np.ndarray  # [n, K] float32


@torch.no_grad()
def score_clips(model: Recognizer, batches: Iterable[tuple[Tensor, Tensor]], device: torch.device) -> Scored:
    """Returns the scores of batches (positions [n], clips [n, *clip]); the model must be in evaluation mode."""
    positions, scores = [torch.empty(0, dtype=torch.int64)], [torch.empty(0, len(model.class_names))]
    for position, clips in batches:
        scores.append(model.probabilities(model(clips.to(device))).cpu())
        positions.append(position)
    return Scored(torch.cat(positions).numpy(), torch.cat(scores).numpy())
