"""Kinetics: clips of YouTube, of which many are gone, with the tables that come with them."""

import pandas as pd

from aplt.data.formats.source import Source, videos_by_stem
from aplt.errors import InputError
from aplt.storage import read_table

NEEDED = ("youtube_id", "time_start", "time_end", "split")
SPLITS = {"validate": "val", "validation": "val"}


def kinetics(source: Source) -> pd.DataFrame:
    """Kinetics' tables label,youtube_id,time_start,time_end,split; videos are ID_000010_000020.mp4, or ID.mp4 whole."""
    tables = [read_table(path) for path in source.files if path.suffix.lower() == ".csv"]
    tables = [table for table in tables if set(NEEDED) <= set(table)]
    if not tables:
        raise InputError(f"{source.path}: no table with the columns {', '.join(NEEDED)}")
    table = pd.concat(tables, ignore_index=True).reindex(columns=["label", *NEEDED], fill_value="").fillna("")
    videos, found = videos_by_stem(source.videos), []
    for label, id_, start, end, split in table.itertuples(index=False, name=None):
        trimmed = f"{id_}_{int(float(start)):06d}_{int(float(end)):06d}"
        whole = trimmed not in videos and id_ in videos
        found.append(
            {
                "path": videos.get(trimmed) or videos.get(id_) or f"{trimmed}.mp4",
                "label": label,
                "id": trimmed,
                "start": start if whole else "",
                "end": end if whole else "",
                "split": SPLITS.get(split, split),
            }
        )
    return pd.DataFrame(found)
