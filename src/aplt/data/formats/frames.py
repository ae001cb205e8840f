"""Intervals of long videos, listed by the numbers of their frames: iMiGUE (arXiv 2107.00285) and SMG (IJCV 2023)."""

import re
from collections.abc import Iterator

from aplt.clips import OFFICIAL
from aplt.data.formats.source import Row, Source, rows, videos_by_stem
from aplt.display import counted
from aplt.errors import InputError

GESTURES = (
    ("Turtle neck", "Bulging face / deep breath", "Touch hat", "Touching or scratching head")
    + ("Touching or scratching forehead", "Cover face", "Rubbing eyes", "Touching or scratching facial parts")
    + ("Touching ears", "Biting nails", "Touching jaw", "Touching or scratching neck", "Playing or adjusting hair")
    + ("Buckle button / pulling shirt collar / adjusting tie", "Touching or covering suprasternal notch")
    + ("Scratching back", "Folding arms", "Dustoffing clothes", "Putting arms behind body", "Moving torso")
    + ("Sitting straightly", "Scratching or touching arms", "Rubbing or holding hands", "Crossing fingers")
    + ("Minaret gesture", "Playing or manipulating objects", "Hold back arms", "Head up", "Pressing lips")
    + ("Arms akimbo", "Shaking shoulders", "Illustrative hand gestures")
)
ACTIONS = {str(number): name for number, name in enumerate(GESTURES, start=1)}
NO_GESTURE = "99"
TRAINED_ON = 35
"""The usual protocol tests on people with a higher number."""


def imigue(source: Source) -> list[Row]:
    """The intervals of iMiGUE: ID/ID_label.csv with gesture and frames, from 0; its videos are ID.mp4, anywhere.

    99 is no gesture and left out. Folders with train, val or test in their names are the split.
    """
    found = [row for row in intervals(source, r"(\d+)_label\.csv", first=0) if row["label"] != NO_GESTURE]
    for row in found:
        split = re.search("|".join(OFFICIAL), row.pop("list").lower())
        row |= {"label": ACTIONS.get(row["label"], row["label"]), "split": split[0] if split else ""}
    return found


def smg(source: Source) -> list[Row]:
    """SMG's intervals: Sample0035_finelabels.csv with label and frames, from 1, of Sample0035_color.mp4.

    A sample is a person: those up to 35 are for training, the others for testing. Labels are the file's numbers.
    """
    found = list(intervals(source, r"(Sample\d{4})_finelabels\.csv", first=1, video="{}_color"))
    for row in found:
        person = int(row["id"][6:10])
        row |= {"subject": f"s{person:02d}", "split": "train" if person <= TRAINED_ON else "test"}
        del row["list"]
    return found


def intervals(source: Source, pattern: str, first: int, video: str = "{}") -> Iterator[Row]:
    """Yields path, label, id, start and end for each `label,first frame,last frame` in the files whose names match.

    The last frame is part of the interval. A frame becomes seconds by --rate, or its video's mean frame rate;
    where the video is not there but others are, the interval is left empty.

    Args:
        source: the folder, or one of the files.
        pattern: of the whole name; group 1 is the name of the recording.
        first: what the first frame of a video is called: 0 or 1.
        video: its name without ending, for the name of the recording.
    """
    lists = [(path, match[1]) for path in source.files if (match := re.fullmatch(pattern, path.name))]
    if not lists:
        raise InputError(f"{source.path}: no file of intervals with a name like {pattern}")
    videos, left = videos_by_stem(source.videos), list[str]()
    for path, recording in lists:
        stem = video.format(recording)
        place = videos.get(stem) or videos.get(recording)
        rate = source.rate_of(place) if place else source.rate
        if rate is None and not videos:
            raise InputError(
                f"{path}: its intervals are in frames, and there is no video in {source.videos} to ask how many a "
                "second has; --videos says where they are, --rate 25 how many"
            )
        for number, row in enumerate(rows(path, 3, ","), start=1):
            if number == 1 and not row[0].isdecimal():
                continue  # the names of the columns
            try:
                label, begin, end = (int(float(value)) for value in row)
            except ValueError as error:
                raise InputError(f"{path} line {number}: expected label,first frame,last frame, found {row}") from error
            if not first <= begin <= end:
                left.append(f"{path} line {number}")
                continue
            seconds = [f"{(frame - first) / rate:.4f}" if rate else "" for frame in (begin, end + 1)]
            yield {
                "path": place or f"{stem}.mp4",
                "label": str(label),
                "id": f"{recording}-{number:04d}",
                "start": seconds[0],
                "end": seconds[1],
                "list": path.relative_to(source.folder).as_posix(),
            }
    if left:
        source.remark(f"left out: {counted(len(left), 'interval')} that would end before it begins, first {left[0]}")
