"""Videos and the lists that come with them: ARID, Kinetics, UCF101 and data sets with lists like its, MMAction2's."""

import re
from pathlib import Path, PurePosixPath

import pandas as pd

from aplt.data.files import files_below
from aplt.data.formats.source import Row, Source, rows, videos_by_stem
from aplt.data.modality import MODALITIES
from aplt.errors import InputError
from aplt.storage import read_table

KINETICS = ("youtube_id", "time_start", "time_end", "split")
MMACTION2 = r"(.*_)?(train|val|test)(_.*)?_videos?\.txt"
UCF101 = re.compile(r"(train|test)list(\d\d)\.txt")


def arid(source: Source) -> list[Row]:
    """ARID's videos and lists; train.txt and validate.txt are the official split, a film's scene is its subject.

    The scene is the middle number of a training clip's name.
    """
    names = dict(rows(source.folder / "mapping_table_23.txt", fields=2))
    found = []
    for split, stem in (("train", "train"), ("test", "validate")):
        for _, label, name in rows(source.folder / f"{stem}.txt", fields=3):
            parts = Path(name).stem.split("_")
            scene = f"scene{parts[1]}" if len(parts) == 3 else ""
            found.append({"path": f"{stem}/{name}", "label": names.get(label, label), "subject": scene, "split": split})
    return found


def kinetics(source: Source) -> list[Row]:
    """Kinetics' tables label,youtube_id,time_start,time_end,split; videos are ID_000010_000020.mp4, or ID.mp4 whole."""
    tables = [read_table(path) for path in source.files if path.suffix.lower() == ".csv"]
    tables = [table for table in tables if set(KINETICS) <= set(table)]
    if not tables:
        raise InputError(f"{source.path}: no table with the columns {', '.join(KINETICS)}")
    table = pd.concat(tables, ignore_index=True).reindex(columns=["label", *KINETICS], fill_value="").fillna("")
    videos, found = videos_by_stem(source.videos), []
    for label, id_, start, end, split in table.itertuples(index=False, name=None):
        try:
            trimmed = f"{id_}_{int(float(start)):06d}_{int(float(end)):06d}"
        except ValueError as error:
            raise InputError(
                f"{source.path}: the times of {id_} are '{start}' and '{end}', expected seconds"
            ) from error
        whole = trimmed not in videos and id_ in videos
        found.append(
            {
                "path": videos.get(trimmed) or videos.get(id_) or f"{trimmed}.mp4",
                "label": label,
                "id": trimmed,
                "start": start if whole else "",
                "end": end if whole else "",
                "split": {"validate": "val", "validation": "val"}.get(split, split),
            }
        )
    return found


def mmaction2(source: Source) -> list[Row]:
    """MMAction2's lists of videos, such as train_list_videos.txt: path and number; label_map.txt names the numbers.

    Paths are relative to the folder of videos, or to videos_train and so on in it.
    """
    lists = [path for path in source.files if path == source.path or re.fullmatch(MMACTION2, path.name)]
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
            row = {"path": (apart if (source.videos / apart).exists() else Path(place)).as_posix()}
            label = names[int(number)] if int(number) < len(names) else number
            found.append(row | {"label": label, "id": place, "split": split})
    return found


def ucf101(source: Source) -> list[Row]:
    """UCF101's videos and lists: Class/v_Class_g01_c01.avi in trainlist01.txt and so on; the group is the subject.

    The first division is the column `split`, or that of the list that is given; others are `split02` and so on.
    """
    lists = [path for path in files_below(source.folder) if UCF101.fullmatch(path.name)]
    if not lists:
        raise InputError(f"{source.path}: no list with a name like trainlist01.txt")
    given = UCF101.fullmatch(source.path.name)
    first = given[2] if given else min(path.stem[-2:] for path in lists)
    videos = videos_by_stem(source.videos)
    found: dict[str, Row] = {}
    for path in lists:
        column = "split" if path.stem[-2:] == first else f"split{path.stem[-2:]}"
        for (line,) in rows(path, fields=1):
            name = PurePosixPath(line.split()[0])
            group = re.search(r"_(g\d\d)_", name.name)
            place = {"path": videos.get(name.stem, str(name)), "label": name.parent.name, "id": name.stem}
            found.setdefault(name.stem, place | {"subject": group[1] if group else ""})[column] = path.stem[:-6]
    return list(found.values())
