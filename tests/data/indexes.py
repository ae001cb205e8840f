"""Indexes of clips that have no files."""

from pathlib import Path

from aplt.clips import Clip, ClipIndex


def make_index(sizes: list[int], subjects: int = 0, unknown: int = 0, official: bool = False) -> ClipIndex:
    """Returns an index with sizes[k] clips of class k, and `unknown` clips without a label."""
    labels = [k for k, size in enumerate(sizes) for _ in range(size)] + [-1] * unknown
    clips = tuple(
        Clip(
            id=f"clip{i}",
            path=Path(f"{i}.mp4"),
            label=label,
            subject=f"s{i % subjects}" if subjects else None,
            official=(("train", "train", "test")[i % 3] if label >= 0 else "train") if official else None,
        )
        for i, label in enumerate(labels)
    )
    return ClipIndex(clips, tuple(f"class{k}" for k in range(len(sizes))))
