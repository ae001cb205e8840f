"""A folder of synthetic clips with its index: `make_dataset(Path("somewhere"))`."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aplt.errors import InputError
from aplt.parallel import in_processes
from aplt.storage import atomic, write_csv, write_json
from aplt.synthetic.difficulty import DEFAULT
from aplt.synthetic.keypoints import clip_keypoints
from aplt.synthetic.plan import PlannedClip, plan_clips
from aplt.synthetic.render import render_clip

_RENDERER = 3  # raised when the same options give other pixels, so that old folders are rendered anew
_KEYPOINTS = 1  # the same for other points


def make_dataset(
    folder: Path,
    *,
    clips: int = 600,
    subjects: int = 12,
    seed: int = 0,
    size: int = 112,
    imbalance: float = 1.0,
    out_of_class: float = 0.0,
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Renders a data set of H.264 files and returns its index, a CSV with path, label, id, subject and split.

    A folder that holds the same data set already is left as it is. Train and test share no subject.

    Args:
        folder: gets `clips/`, `clips.csv` and, last of all, its description `dataset.json`.
        clips: number of clips, of both splits.
        subjects: number of people; about a quarter of them are the test split.
        seed: everything drawn by chance follows from it.
        size: pixels, height and width; even.
        imbalance: size of the largest class over that of the smallest in the train split, in a long tail that
            follows the order of `CLASSES`. The test split stays balanced.
        out_of_class: share of the train split that belongs to no class; the label of these clips is empty.
        processes: how many render at once; all cores by default. The pixels do not depend on it.
        progress: called with the clips done and their total after each clip.

    Raises:
        InputError: an option is out of range, or the folder holds clips that were not made here.
    """
    if size < 32 or size % 2:
        raise InputError(f"size must be even and at least 32 pixels; found {size}")
    plan = plan_clips(clips, subjects, seed, imbalance, out_of_class)
    options: dict[str, Any] = {
        "renderer": _RENDERER,
        "clips": clips,
        "subjects": subjects,
        "seed": seed,
        "size": size,
        "imbalance": imbalance,
        "out_of_class": out_of_class,
        "difficulty": json.loads(json.dumps(asdict(DEFAULT))),
    }
    write = partial(_render, seed=seed, size=size)
    return _make(folder, plan, options, ".mp4", lambda one: _write_all(write, plan, one, processes, progress))


def make_keypoints(
    folder: Path,
    *,
    clips: int = 600,
    subjects: int = 12,
    seed: int = 0,
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Writes what a pose tracker would see of the clips that `make_dataset` renders, and returns their index.

    Each is an array [T, 17, 2], COCO's points in pixels; see `clip_keypoints`. Arguments, folder and errors are those
    of `make_dataset`.
    """
    plan = plan_clips(clips, subjects, seed, 1.0, 0.0)
    options = {"keypoints": _KEYPOINTS, "renderer": _RENDERER, "clips": clips, "subjects": subjects, "seed": seed}
    write = partial(_track, seed=seed)
    return _make(folder, plan, options, ".npy", lambda one: _write_all(write, plan, one, processes, progress))


def _make(
    folder: Path, plan: list[PlannedClip], options: dict[str, Any], suffix: str, write_all: Callable[[Path], None]
) -> Path:
    """Returns the index of a data set in `folder`, made unless it is there already; see `make_dataset`."""
    index, marker = folder / "clips.csv", folder / "dataset.json"
    if marker.exists():
        if index.exists() and json.loads(marker.read_text()) == options:
            return index
    elif index.exists() or (folder / "clips").exists():
        raise InputError(f"{folder} holds clips that were not made here; choose another folder")
    # The marker claims the folder before anything is written, and says what it holds only at the end: a kill at
    # any moment leaves a folder that is known to be ours and unfinished.
    write_json(marker, {"renderer": None})
    index.unlink(missing_ok=True)

    write_all(folder / "clips")
    names = {f"{clip.name}{suffix}" for clip in plan}
    for old in (folder / "clips").iterdir():
        if re.fullmatch(rf"c\d{{4,}}\{suffix}", old.name) and old.name not in names:
            old.unlink()
    rows = [
        {
            "path": f"clips/{clip.name}{suffix}",
            "label": clip.label,
            "id": clip.name,
            "subject": f"s{clip.subject:02d}",
            "split": clip.split,
        }
        for clip in plan
    ]
    write_csv(index, pd.DataFrame(rows))
    write_json(marker, options)
    return index


def _write_all(
    write: Callable[..., None],
    plan: list[PlannedClip],
    folder: Path,
    processes: int | None,
    progress: Callable[[int, int], None] | None,
) -> None:
    for count, _ in enumerate(in_processes(partial(write, folder=folder), plan, processes), start=1):
        if progress is not None:
            progress(count, len(plan))


def _track(clip: PlannedClip, *, folder: Path, seed: int) -> None:
    points = clip_keypoints(clip.motion, seed=seed, number=clip.number, subject=clip.subject)
    folder.mkdir(parents=True, exist_ok=True)
    with atomic(folder / f"{clip.name}.npy") as stream:
        np.save(stream, points)


def _render(clip: PlannedClip, *, folder: Path, seed: int, size: int) -> None:
    frames, fps = render_clip(clip.motion, seed=seed, number=clip.number, subject=clip.subject, size=size)
    _write_video(folder / f"{clip.name}.mp4", frames, fps)


def _write_video(path: Path, frames: NDArray[np.uint8], fps: float) -> None:
    """Writes frames [T, H, W, 3] as H.264, atomically."""
    with atomic(path) as stream, av.open(stream, mode="w", format="mp4") as container:
        # One thread: the processes are already one a core.
        video = container.add_stream(
            "libx264", rate=Fraction(fps), options={"crf": "18", "preset": "superfast", "threads": "1"}
        )
        video.height, video.width = frames.shape[1:3]
        video.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(video.encode(None))
