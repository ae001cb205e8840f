"""Tiny banks of features that tell their classes apart."""

from pathlib import Path

import numpy as np
import pandas as pd

CLASSES = ("nod", "shake", "wave")


def write_bank(folder: Path, clips: int = 48, size: int = 6, views: int = 0) -> Path:
    """Writes features.npy [N, D], or [N, views, D], whose class is its largest feature, and clips.csv."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    label = np.arange(clips) % len(CLASSES)
    shape = (clips, views, size) if views else (clips, size)
    features = rng.normal(size=shape).astype(np.float32)
    features[np.arange(clips), ..., label] += 4
    np.save(folder / "features.npy", features)
    rows = {"path": [f"{i}.mp4" for i in range(clips)], "label": [CLASSES[k] for k in label]}
    pd.DataFrame(rows | {"subject": [f"s{i % 4}" for i in range(clips)]}).to_csv(folder / "clips.csv", index=False)
    return folder
