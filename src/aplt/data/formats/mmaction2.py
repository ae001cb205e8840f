"""MMAction2's lists of videos: a path and a number in each line."""

import re
from pathlib import Path

import pandas as pd

from aplt.data.files import files_below
from aplt.data.formats.source import Source, rows
from aplt.data.modality import MODALITIES
from aplt.errors import InputError

LIST = r"(.*_)?(train|val|test)(_.*)?_videos?\.txt"


def mmaction2(source: Source) -> pd.DataFrame:
    """MMAction2's lists of videos, such as train_list_videos.txt: path and number; label_map.txt names the numbers.

    Paths are relative to the folder of videos, or to videos_train and so on in it.
    """
    lists = [path for path in source.files if path == source.path or re.fullmatch(LIST, path.name)]
    if not lists:
        raise InputError(f"{source.path}: no list with a name like train_list_videos.txt")
    map_ = next((path for path in files_below(source.folder) if path.name == "label_map.txt"), None)
    names = [line for (line,) in rows(map_, fields=1)] if map_ else []
    found = []
    for path in lists:
        named = re.search("train|val|test", path.name)
        split = named[0] if named else ""
        for (line,) in rows(path, fields=1):
            place, _, number = line.rpartition(" ")
            if Path(place).suffix.lower() not in MODALITIES["video"].suffixes or not number.isdecimal():
                raise InputError(
                    f"{path}: '{line}' is no video and a number; lists of folders of frames, or of several labels, are "
                    "not read: videos are needed"
                )
            apart = Path(f"videos_{split}", place)
            found.append(
                {
                    "path": (apart if (source.videos / apart).exists() else Path(place)).as_posix(),
                    "label": names[int(number)] if int(number) < len(names) else number,
                    "id": place,
                    "split": split,
                }
            )
    table = pd.DataFrame(found)
    return table if table["split"].any() else table.drop(columns="split")
