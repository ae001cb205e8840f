"""Clips that are intervals of long videos, listed by the numbers of their frames."""

import re
from collections.abc import Iterator

from aplt.clips import Clip
from aplt.data.files import files_below
from aplt.data.formats.source import Source, rows, videos_by_stem
from aplt.errors import InputError


def intervals(source: Source, pattern: str, first: int, video: str = "{}") -> Iterator[dict[str, str]]:
    """Yields path, label, id, start and end for each `label,first frame,last frame` in the files whose names match.

    The last frame is part of the interval. A frame becomes seconds by its video's mean frame rate; where the video is
    not there but others are, the interval is left empty.

    Args:
        source: the folder, or one of the files.
        pattern: of the whole name; group 1 is the name of the recording.
        first: what the first frame of a video is called: 0 or 1.
        video: its name without ending, for the name of the recording.

    Raises:
        InputError: no such file, a line of another form, or no video is there and no frame rate given.
    """
    given = [source.path] if source.path.is_file() else files_below(source.folder)
    lists = [(path, match[1]) for path in given if (match := re.fullmatch(pattern, path.name))]
    if not lists:
        raise InputError(f"{source.path}: no file of intervals with a name like {pattern}")
    videos, left = videos_by_stem(source.videos), 0
    for path, recording in lists:
        stem = video.format(recording)
        place = videos.get(stem) or videos.get(recording)
        rate = _rate(source, place) if place else source.rate
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
                left += 1
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
        source.remark(f"{left} intervals are left out that end before they begin")


def _rate(source: Source, place: str) -> float:
    from aplt.data.video import frame_rate

    return frame_rate(Clip(place, source.videos / place))
