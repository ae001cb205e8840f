"""UCF101, and data sets with lists like its: trainlist01.txt, testlist01.txt."""

import re
from pathlib import PurePosixPath

import pandas as pd

from aplt.data.files import files_below
from aplt.data.formats.source import Source, rows, videos_by_stem
from aplt.errors import InputError

LIST = re.compile(r"(train|test)list(\d\d)\.txt")


def ucf101(source: Source) -> pd.DataFrame:
    """UCF101's videos and lists: Class/v_Class_g01_c01.avi in trainlist01.txt and so on; the group is the subject.

    The first division is the column `split`, or that of the list that is given; others are `split02` and so on.
    """
    lists = [path for path in files_below(source.folder) if LIST.fullmatch(path.name)]
    if not lists:
        raise InputError(f"{source.path}: no list with a name like trainlist01.txt")
    given = LIST.fullmatch(source.path.name)
    first = given[2] if given else min(path.stem[-2:] for path in lists)
    videos = videos_by_stem(source.videos)
    found: dict[str, dict[str, str]] = {}
    for path in lists:
        column = "split" if path.stem[-2:] == first else f"split{path.stem[-2:]}"
        for (line,) in rows(path, fields=1):
            name = PurePosixPath(line.split()[0])
            group = re.search(r"_(g\d\d)_", name.name)
            place = {
                "path": videos.get(name.stem, str(name)),
                "label": name.parent.name,
                "id": name.stem,
                "subject": group[1] if group else "",
            }
            found.setdefault(name.stem, place)[column] = path.stem[:-6]
    return pd.DataFrame(list(found.values())).fillna("")
