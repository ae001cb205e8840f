"""A folder of clips whose subfolders name the classes."""

from pathlib import Path

import pandas as pd

from aplt.clips import OFFICIAL
from aplt.data.files import files_below
from aplt.data.formats.leftovers import left_out
from aplt.data.formats.source import Source
from aplt.data.modality import MODALITIES, clip_at
from aplt.errors import InputError

UNLABELED = "unlabeled"


def folder(source: Source) -> pd.DataFrame:
    """Class-named subfolders of videos, arrays or pose files, within train, val and test if there are any."""
    return scan_folder(source.path)


def scan_folder(folder: Path) -> pd.DataFrame:
    """Returns the table of the clips in a folder, sorted by path.

    Clips at any depth below a class-named folder are labeled; those in `unlabeled/` and beside the folders are not.
    Where subfolders are named train, val or test, they give the official split.

    Raises:
        InputError: no clip, a folder that cannot be read, or clips in a class-named folder beside train, val or test.
    """
    found = dict.fromkeys(clip for path in files_below(folder) if (clip := clip_at(path)))
    clips = [clip.relative_to(folder) for clip in found]
    if not clips:
        wanted = " or ".join(modality.scanned_as for modality in MODALITIES.values() if modality.scanned)
        left = left_out(folder, ())
        raise InputError(
            f"{folder}: no {wanted} in this folder{f', but {left}' if left else ''}; data sets with files of their own "
            "need --format"
        )
    top = sorted({clip.parts[0] for clip in clips if len(clip.parts) > 1})
    official = [name for name in top if name in OFFICIAL]
    others = [f"'{name}'" for name in top if name not in (*OFFICIAL, UNLABELED)]
    if official and others:
        raise InputError(
            f"{folder}: clips in {', '.join(others[:3])}{' and more' * (len(others) > 3)} beside '{official[0]}'; "
            f"class-named folders lie within train, val and test, and beside these only '{UNLABELED}' may have clips; "
            "data sets with a layout of their own need --format"
        )
    rows = []
    for clip in clips:
        parents = clip.parts[:-1]
        split = parents[0] if parents and parents[0] in official else ""
        named = parents[1:] if split else parents
        label = named[0] if named and named[0] != UNLABELED else ""
        rows.append({"path": clip.as_posix(), "label": label, "split": split})
    table = pd.DataFrame(rows)
    return table if official else table.drop(columns="split")
