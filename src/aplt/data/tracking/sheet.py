"""A picture of what a tracker saw: some clips in rows, each at some moments, with the skeleton drawn onto the film."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from aplt.clips import Clip
from aplt.data.files import ClipError
from aplt.data.index import read_rows, to_index
from aplt.data.tracking.clips import thinned
from aplt.data.video import decode_lazily
from aplt.storage import atomic, read_arrays
from aplt.topology import Side, topology_of

CLIPS, MOMENTS = 8, 5
HEIGHT, WIDEST = 200, 800
"""Most of a frame in the picture, in pixels; a caption has CAPTION more."""
CAPTION = 16
COLORS: dict[Side, tuple[int, int, int]] = {"left": (70, 160, 255), "right": (255, 150, 40)}
"""Of lines on one side of the body."""
ACROSS = (255, 255, 255)
"""Of other lines, and of captions."""


def draw_sheet(
    source: Path,
    table: pd.DataFrame,
    output: Path,
    rate: float | None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Path | None:
    """Writes the picture beside the table of poses `output`, and returns its path.

    A clip that is no longer there, or no longer readable, has no row; if there is none, nor is there a picture.

    Args:
        source: The index of the videos.
        table: What `track_index` returned, without the clips that could not be read.
        output: The table that it wrote.
        rate: The rate that it was given.
        progress: Called with (clips drawn, clips to draw).
    """
    clips = {clip.id: clip for clip in to_index(*read_rows(source), needed=("path",))}
    chosen = table.iloc[np.unique(np.linspace(0, len(table) - 1, CLIPS).round().astype(int))]
    rows = []
    for done, (_, pose) in enumerate(chosen.iterrows()):
        progress(done, len(chosen))
        skeleton = read_arrays(output.parent / pose["path"])["skeleton"][0]
        with suppress(ClipError):
            if pose["id"] in clips and (frames := _frames(clips[pose["id"]], skeleton, rate)):
                rows.append(_row(frames, _caption(pose)))
    if not rows:
        return None
    sheet = Image.new("RGB", (max(row.width for row in rows), sum(row.height for row in rows)))
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    path = output.with_name(f"{output.stem}-seen.jpg")
    with atomic(path) as stream:
        sheet.save(stream, format="jpeg", quality=85)
    return path


def _caption(pose: pd.Series) -> str:
    """Returns what stands above a clip, in one line of letters that Pillow's own font has; others are escaped."""
    seen = (("a body", "body"), ("a hand", "hands"))
    parts = [f"{part} in {pose[of]:.0%}" for part, of in seen if pd.notna(pose[of])]
    return f"{', '.join(parts)}: {pose['id'].encode('unicode_escape').decode()}"


def _row(frames: list[Image.Image], caption: str) -> Image.Image:
    """Returns frames side by side under a caption."""
    width = sum(frame.width for frame in frames)
    wide = ImageDraw.Draw(frames[0]).textlength(caption)
    row = Image.new("RGB", (max(width, int(wide) + 8), HEIGHT + CAPTION))
    left = 0
    for one in frames:
        row.paste(one, (left, CAPTION))
        left += one.width
    ImageDraw.Draw(row).text((4, 2), caption, fill=ACROSS)
    return row


def _frames(clip: Clip, skeleton: np.ndarray, rate: float | None) -> list[Image.Image]:
    """Returns a clip at the middles of so many equal parts; `skeleton` is [T, V, 2] in pixels."""
    shown = {int(number) for number in (np.arange(MOMENTS) + 0.5) / MOMENTS * len(skeleton)}
    frames = []
    for number, (_, picture) in enumerate(thinned(decode_lazily(clip), rate)):
        if number in shown:
            frames.append(_drawn(picture(), skeleton[number]))
        if number == max(shown):
            break
    return frames


def _drawn(frame: np.ndarray, joints: np.ndarray) -> Image.Image:
    """Returns a frame [H, W, 3] made small, with the joints [V, 2] that are seen there and the lines between them."""
    scale = min(HEIGHT / frame.shape[0], WIDEST / frame.shape[1])
    height, width = (max(1, round(side * scale)) for side in frame.shape[:2])
    image = Image.fromarray(frame).resize((width, height), Image.Resampling.BOX)
    pencil = ImageDraw.Draw(image)
    known = topology_of(len(joints), 2)
    assert known is not None  # a tracker's own
    places = joints * scale
    seen = np.isfinite(places).all(axis=1) & places.any(axis=1)  # all zeros: a clip that shows nobody
    for one, other in known.lines:
        if seen[one] and seen[other]:
            side = known.side_of((one, other))
            color = COLORS[side] if side else ACROSS
            pencil.line([tuple(places[one]), tuple(places[other])], fill=color, width=2)
    return image
