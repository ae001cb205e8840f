"""What lies in a folder and is no clip, in words."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from aplt.data.files import files_below
from aplt.display import counted

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
READ_BY = {".eaf": " (--format elan reads it)", ".boris": " (--format boris reads it)"}
FEWEST = 4
"""Numbered pictures in a folder from which they are taken for the frames of a video."""


def left_out(folder: Path, clips: Iterable[Path], tables: frozenset[str] = frozenset({".csv"})) -> str:
    """Returns the files below a folder that are none of its clips and no tables, as counts by ending; "" if none.

    Folders of numbered pictures are said to be frames, which nothing reads.
    """
    taken = set(clips)
    left = [path for path in files_below(folder) if not taken & {path, path.parent}]
    endings = Counter(path.suffix.lower() or "without an ending" for path in left)
    most_first = sorted(endings.items(), key=lambda item: (-item[1], item[0]))
    said = ", ".join(
        f"{count:,d} {ending}{READ_BY.get(ending, '')}" for ending, count in most_first if ending not in tables
    )
    numbered = [path for path in left if path.suffix.lower() in PICTURES and re.search(r"\d{2,}$", path.stem)]
    frames = {place for place, count in Counter(path.parent for path in numbered).items() if count >= FEWEST}
    if frames:
        such = min(frames).relative_to(folder)
        said += f"; the pictures in {counted(len(frames), 'folder')} such as {such} are frames: videos are needed"
    folders = sorted(place for place in folder.iterdir() if place.is_dir() and not any(place.iterdir()))
    if folders:
        said += f"{'; ' * bool(said)}{counted(len(folders), 'empty folder')} such as {folders[0].name}"
    return said
