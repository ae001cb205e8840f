"""Scores of a recognizer on clips, and the figures of pseudo-labels."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from aplt.clips import UNKNOWN
from aplt.figures import rank
from aplt.models.recognizer import Recognizer
from aplt.record import OnlineFigures, PseudoFigures
from aplt.tensors import PseudoLabels


@dataclass(frozen=True)
class Scored:
    """Class probabilities and features of clips, aligned with their positions."""

    position: np.ndarray  # [n] int64
    score: np.ndarray  # [n, K] float32
    feature: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))  # [n, D] float16 of length one, if asked for


@torch.no_grad()
def score_clips(
    model: Recognizer, batches: Iterable[tuple[Tensor, Tensor]], device: torch.device, *, features: bool = False
) -> Scored:
    """Returns the scores of batches (positions [n], clips [n, *clip]); the model must be in evaluation mode."""
    positions, scores = [torch.empty(0, dtype=torch.int64)], [torch.empty(0, len(model.class_names))]
    found = [np.empty((0, model.prototype.shape[1] if features else 0), dtype=np.float16)]
    for position, clips in batches:
        prediction = model(clips.to(device))
        scores.append(model.probabilities(prediction).cpu())
        if features:
            found.append(functional.normalize(prediction.feature.float(), dim=1).half().cpu().numpy())
        positions.append(position)
    return Scored(torch.cat(positions).numpy(), torch.cat(scores).numpy(), np.concatenate(found))


def prediction_table(score: np.ndarray, class_names: Sequence[str], best: int = 5) -> pd.DataFrame:
    """Returns the columns prediction_1, score_1, ... of the `best` classes per row."""
    ranked = rank(score)[:, :best]
    columns: dict[str, Any] = {}
    for place in range(ranked.shape[1]):
        columns[f"prediction_{place + 1}"] = [class_names[k] for k in ranked[:, place]]
        columns[f"score_{place + 1}"] = np.take_along_axis(score, ranked, axis=1)[:, place].round(6)
    return pd.DataFrame(columns)


def pseudo_label_figures(pseudo: PseudoLabels, truth: np.ndarray, unlabeled: Sequence[int]) -> PseudoFigures:
    """Returns how many of the unlabeled clips were accepted and, where their truth is known, how many rightly.

    `truth` [N] holds the hidden labels; training never sees them nor this.
    """
    rows = np.array(unlabeled, dtype=np.int64)
    label, accepted = pseudo.label.numpy()[rows], pseudo.accepted.numpy()[rows]
    hidden = truth[rows]
    right, known = label == hidden, hidden != UNKNOWN

    def share_right(of: np.ndarray) -> float | None:
        return float(right[of & known].mean()) if (of & known).any() else None

    classes = len(pseudo.threshold)
    threshold = pseudo.threshold.numpy()
    return PseudoFigures(
        coverage=float(accepted.mean()),
        precision=share_right(accepted),
        rejected_precision=share_right(~accepted),
        all_precision=share_right(np.ones_like(accepted)),
        accepted=tuple(np.bincount(label[accepted], minlength=classes).tolist()),
        known=tuple(np.bincount(label[accepted & known], minlength=classes).tolist()),
        correct=tuple(np.bincount(label[accepted & known & right], minlength=classes).tolist()),
        threshold=tuple(float(value) if np.isfinite(value) else None for value in threshold),
    )


def online_label_figures(label: np.ndarray, weight: np.ndarray, truth: np.ndarray) -> OnlineFigures | None:
    """Returns coverage and precision of the labels [N] that a round's steps made (-1: none), as far as they counted.

    coverage is the mean weight [N]; precision the weighted share of right ones among those of known truth [N], None
    where none counted. None where no label was made.
    """
    made = label != UNKNOWN
    if not made.any():
        return None
    known = made & (truth != UNKNOWN)
    counted = float(weight[known].sum())
    right = float(weight[known & (label == truth)].sum())
    return OnlineFigures(coverage=float(weight[made].mean()), precision=right / counted if counted else None)
