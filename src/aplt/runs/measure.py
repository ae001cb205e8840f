"""Figures of recognizers and pseudo-labels, by scikit-learn where it has them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_fscore_support

from aplt.clips import UNKNOWN
from aplt.tensors import PseudoLabels


def classification_metrics(truth: np.ndarray, score: np.ndarray, class_names: Sequence[str]) -> dict[str, Any]:
    """Returns top1, top5, macro_f1 and per_class figures of scores [n, K] against labels [n].

    Clips of unknown label (-1) do not count. macro_f1 is the mean over the classes that the clips hold or that were
    predicted, as scikit-learn's f1_score has it. With five classes or fewer, of which any answer would count, top5 is
    None. An empty mapping where no clip has a known label.
    """
    known = truth != UNKNOWN
    truth, score = truth[known], score[known]
    if not len(truth):
        return {}
    ranked = rank(score)
    predicted = ranked[:, 0]
    classes = np.arange(len(class_names))
    precision, recall, f1, clips = precision_recall_fscore_support(truth, predicted, labels=classes, zero_division=0)
    present = np.isin(classes, np.concatenate([truth, predicted]))
    per_class = [
        {
            "class": name,
            "clips": int(clips[k]),
            "precision": float(precision[k]),
            "recall": float(recall[k]),
            "f1": float(f1[k]),
        }
        for k, name in enumerate(class_names)
    ]
    return {
        "top1": float((predicted == truth).mean()),
        "top5": float((ranked[:, :5] == truth[:, None]).any(axis=1).mean()) if len(class_names) > 5 else None,
        "macro_f1": float(f1[present].mean()),
        "per_class": per_class,
    }


def rank(score: np.ndarray) -> np.ndarray:
    """Returns the classes of each row of score [n, K], best first; the lower number first among equals."""
    return np.argsort(-score, axis=1, kind="stable")


def prediction_table(score: np.ndarray, class_names: Sequence[str], best: int = 5) -> pd.DataFrame:
    """Returns the columns prediction_1, score_1, ... of the `best` classes a row."""
    ranked = rank(score)[:, :best]
    columns: dict[str, Any] = {}
    for place in range(ranked.shape[1]):
        columns[f"prediction_{place + 1}"] = [class_names[k] for k in ranked[:, place]]
        columns[f"score_{place + 1}"] = np.take_along_axis(score, ranked, axis=1)[:, place].round(6)
    return pd.DataFrame(columns)


def pseudo_label_metrics(pseudo: PseudoLabels, truth: np.ndarray, unlabeled: Sequence[int]) -> dict[str, Any]:
    """Returns how many of the unlabeled clips were accepted and, where their truth is known, how many rightly.

    `truth` [N] holds the hidden labels; training never sees them nor this. Precisions are None where no accepted
    (rejected, any) unlabeled clip has a known truth. Lists are by class of the pseudo-label: how many were accepted, of
    how many of these the truth is known, how many of these are right.
    """
    rows = np.array(unlabeled, dtype=np.int64)
    label, accepted = pseudo.label.numpy()[rows], pseudo.accepted.numpy()[rows]
    hidden = truth[rows]
    right, known = label == hidden, hidden != UNKNOWN

    def share_right(of: np.ndarray) -> float | None:
        return float(right[of & known].mean()) if (of & known).any() else None

    classes = len(pseudo.threshold)
    threshold = pseudo.threshold.numpy()
    return {
        "coverage": float(accepted.mean()),
        "precision": share_right(accepted),
        "rejected_precision": share_right(~accepted),
        "all_precision": share_right(np.ones_like(accepted)),
        "accepted": np.bincount(label[accepted], minlength=classes).tolist(),
        "known": np.bincount(label[accepted & known], minlength=classes).tolist(),
        "correct": np.bincount(label[accepted & known & right], minlength=classes).tolist(),
        "threshold": [float(value) if np.isfinite(value) else None for value in threshold],
    }


def online_label_metrics(label: np.ndarray, weight: np.ndarray, truth: np.ndarray) -> dict[str, float | None] | None:
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
    return {"coverage": float(weight[made].mean()), "precision": right / counted if counted else None}
