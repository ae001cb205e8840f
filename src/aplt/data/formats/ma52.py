"""MA-52, Micro-Action-52: clips of interviews, with the lists that come with them (arXiv 2403.05234)."""

import re
from pathlib import Path

from aplt.data.files import files_below
from aplt.data.formats.source import Row, Source, rows, videos_by_stem
from aplt.errors import InputError

GROUPS = {"body": 5, "head": 11, "upper limb": 24, "lower limb": 32, "body-hand": 38, "head-hand": 48, "leg-hand": 52}
"""Parts of the body, and the number of the first action that is of another."""
NAMES = (
    ("shaking body", "sitting straightly", "shrugging", "turning around", "rising up", "bowing head", "head up")
    + ("tilting head", "turning head", "nodding", "shaking head", "scratching arms", "playing objects")
    + ("putting hands together", "rubbing hands", "pointing oneself", "clenching fist", "stretching arms")
    + ("retracting arms", "waving", "spreading hands", "hands touching fingers", "other finger movements")
    + ("illustrative gestures", "shaking legs", "curling legs", "spread legs", "closing legs", "crossing legs")
    + ("stretching feet", "retracting feet", "tiptoe", "scratching or touching neck")
    + ("scratching or touching chest", "scratching or touching back", "scratching or touching shoulder")
    + ("arms akimbo", "crossing arms", "playing or tidying hair", "scratching or touching hindbrain")
    + ("scratching or touching forehead", "scratching or touching face", "rubbing eyes", "touching nose")
    + ("touching ears", "covering face", "covering mouth", "pushing glasses", "patting legs", "touching legs")
    + ("scratching legs", "scratching feet")
)
"""The actions in the order of their numbers, as in label_name.txt."""
LIST = re.compile(r"(train|val|test)(_list_videos)?\.txt")
# The second number is the part of the body, which is to be predicted: nothing may be taken from it.
NAME = re.compile(r"(\d{4})_\d\d_\d{4}")


def ma52(source: Source) -> list[Row]:
    """MA-52's lists and videos: train.txt, val.txt (the test set) and label_name.txt; or one list, such as test.txt.

    Labels are names, groups parts of the body, subjects from the file names. The published labels of test.txt are
    dummies: its clips are listed only where it alone is given, and without a label.
    """
    below = list(files_below(source.folder))
    lists = [source.path] if source.path.is_file() else [path for path in below if LIST.fullmatch(path.name)]
    map_ = next((path for path in below if path.name == "label_name.txt"), None)
    if map_ is None or not lists:
        raise InputError(f"{source.path}: expected MA-52's lists: train.txt, val.txt, test.txt and label_name.txt")
    names = dict(rows(map_, fields=2))
    if not all(number.isdecimal() for number in names):
        raise InputError(f"{map_}: expected a number and a name in each line")
    groups = {number: next((name for name, end in GROUPS.items() if int(number) < end), "") for number in names}
    videos = videos_by_stem(source.videos)
    found = []
    for path in lists:
        listed = rows(path, fields=2)
        named = LIST.fullmatch(path.name)
        split = named[1] if named else ""
        dummies = split == "test" and len({number for _, number in listed}) == 1
        if dummies and path != source.path:
            source.remark(
                f"{path} has no labels but dummies; `aplt index {path} -o test.csv` lists its clips, for aplt predict"
            )
            continue
        for name, number in listed:
            if number not in names:
                raise InputError(f"{path}: label '{number}' of {name} is not in {map_}")
            stem = Path(name).stem  # some name the folder, too
            subject = NAME.fullmatch(stem)
            row = {"path": videos.get(stem, name), "label": names[number], "id": stem, "split": split}
            row |= {"subject": subject[1] if subject else "", "group": groups[number]}
            found.append(row | (dict.fromkeys(("label", "split", "group"), "") if dummies else {}))
    return found
