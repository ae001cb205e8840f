"""A picture of what a tracker saw: some clips in rows, each at some moments, with the skeleton drawn onto the film."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from aplt.clips import Clip
from aplt.data.index import read_rows, to_index
from aplt.data.tracking.clips import thinned
from aplt.data.tracking.landmarks import SIDES, Side
from aplt.data.video import decode
from aplt.storage import atomic, read_arrays
from aplt.topology import topology_of

CLIPS, MOMENTS = 8, 5
HEIGHT = 200
"""Of a frame in the picture, in pixels; a caption has CAPTION more."""
CAPTION = 16
COLORS: dict[Side, tuple[int, int, int]] = {"left": (70, 160, 255), "right": (255, 150, 40)}
ACROSS = (255, 255, 255)
"""The colors of lines on a side of the body, and of those on both or none."""


def draw_sheet(source: Path, table: pd.DataFrame, output: Path, rate: float | None) -> Path:
    """Writes the picture beside the table of poses `output`, and returns its path.

    Args:
        source: The index of the videos, which are still there.
        table: What `track_index` returned, without the clips that could not be read.
        output: The table that it wrote.
        rate: The rate that it was given.
    """
    clips = {clip.id: clip for clip in to_index(*read_rows(source), needed=("path",))}
    chosen = table.iloc[np.unique(np.linspace(0, len(table) - 1, CLIPS).round().astype(int))]
    rows = [
        _row(clips[row["id"]], read_arrays(output.parent / row["path"])["skeleton"][0], rate, _caption(row))
        for _, row in chosen.iterrows()
    ]
    sheet = Image.new("RGB", (max(row.width for row in rows), sum(row.height for row in rows)))
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    path = output.with_name(f"{output.stem}-seen.jpg")
    with atomic(path) as stream:
        sheet.save(stream, format="jpeg", quality=85)
    return path


def _caption(row: pd.Series) -> str:
    parts = [f"{part} in {row[of]:.0%}" for part, of in (("a body", "body"), ("a hand", "hands")) if pd.notna(row[of])]
    return f"{row['id']}: {', '.join(parts)} of the frames"


def _row(clip: Clip, skeleton: np.ndarray, rate: float | None, caption: str) -> Image.Image:
    """Returns a clip at the middles of so many equal parts, side by side; `skeleton` is [T, V, 2] in pixels."""
    shown = {int(number) for number in (np.arange(MOMENTS) + 0.5) / MOMENTS * len(skeleton)}
    frames = []
    for number, (_, frame) in enumerate(thinned(decode(clip), rate)):
        if number in shown:
            frames.append(_drawn(frame, skeleton[number]))
        if number == max(shown):
            break
    row = Image.new("RGB", (sum(frame.width for frame in frames), HEIGHT + CAPTION))
    left = 0
    for one in frames:
        row.paste(one, (left, CAPTION))
        left += one.width
    ImageDraw.Draw(row).text((4, 2), caption, fill=ACROSS)
    return row


def _drawn(frame: np.ndarray, joints: np.ndarray) -> Image.Image:
    """Returns a frame [H, W, 3] made small, with the joints [V, 2] that are seen there and the bones between them."""
    scale = HEIGHT / frame.shape[0]
    image = Image.fromarray(frame).resize((max(1, round(frame.shape[1] * scale)), HEIGHT), Image.Resampling.BOX)
    pencil = ImageDraw.Draw(image)
    known = topology_of(len(joints), 2)
    assert known is not None  # a tracker's own
    places = joints * scale
    seen = np.isfinite(places).all(axis=1) & places.any(axis=1)  # all zeros: a clip that shows nobody
    for one, other in known.lines:
        sides = {side for side in SIDES for joint in (one, other) if side in known.joints[joint]}
        if seen[one] and seen[other]:
            color = COLORS[sides.pop()] if len(sides) == 1 else ACROSS
            pencil.line([tuple(places[one]), tuple(places[other])], fill=color, width=2)
    return image
