"""Tiny skeleton clips that a network can tell apart, and the settings to train on them in a second."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aplt.config import RunConfig
from aplt.runs.configure import configured
from aplt.settings import merge

CLASSES = ("nod", "shake", "wave")
TINY: dict[str, Any] = {
    "split": {"labeled": 0.2, "test": 0.25},
    "encoder_settings": {"width": 8, "blocks": 1},
    "input": {"frames": 8, "turn": 0},  # the classes are directions
    "train": {
        "rounds": 3,
        "warm_up_rounds": 1,
        "steps_per_round": 4,
        "batch_labeled": 4,
        "batch_unlabeled": 6,
        "workers": 0,
    },
}

OFTEN = {"train": {"checkpoint_minutes": 1e-9}}  # after every step


def write_clips(folder: Path, clips: int = 48, seed: int = 0) -> Path:
    """Writes skeletons [T, 4, 3] whose class is the axis that joint 3 swings along; returns clips.csv."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for i in range(clips):
        label = i % len(CLASSES)
        time = np.linspace(0, 1, int(rng.integers(10, 20)))
        array = np.tile(rng.normal(size=(1, 4, 3)), (len(time), 1, 1))
        swing = np.sin(2 * np.pi * (time * rng.uniform(1, 2) + rng.random()))
        array[:, 3, label] += swing * rng.uniform(0.5, 1.5)
        array += rng.normal(size=array.shape) * 0.05
        np.save(folder / f"{i:03d}.npy", array)
        rows.append({"path": f"{i:03d}.npy", "label": CLASSES[label], "subject": f"s{i % 4}"})
    pd.DataFrame(rows).to_csv(folder / "clips.csv", index=False)
    return folder / "clips.csv"


def tiny_config(clips: Path, **settings: Any) -> RunConfig:
    """Returns the effective config of a tiny run."""
    tiny = {key: value for key, value in TINY.items() if key != "split" or "split_file" not in settings}
    return configured(merge({"clips": str(clips)} | tiny, settings), "test")[0]
