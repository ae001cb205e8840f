"""Clips of one file that overlap and contradict each other."""

import math
import os
from collections import defaultdict

from aplt.clips import UNKNOWN, Clip, ClipIndex
from aplt.data.check import Finding

MUCH = 0.1
"""The share of the shorter of two clips from which they overlap: less is the rounding of their bounds."""


def check_overlaps(index: ClipIndex) -> list[Finding]:
    """Returns the clips that overlap one of the same file with another label, or a test clip without being one.

    At most one finding per clip, in the order of the index. Clips of the very same interval are duplicates, which
    `check` finds.
    """
    files: defaultdict[str, list[Clip]] = defaultdict(list)
    for clip in index:
        files[os.path.normpath(clip.path)].append(clip)
    found: dict[str, Finding] = {}
    for clips in files.values():
        clips.sort(key=_bounds)
        for place, first in enumerate(clips):
            for second in clips[place + 1 :]:
                if _bounds(second)[0] >= _bounds(first)[1]:
                    break
                if _bounds(first) != _bounds(second) and _overlap(first, second) and (one := _of(first, second, index)):
                    found.setdefault(one.id, one)
    return [found[clip.id] for clip in index if clip.id in found]


def _of(first: Clip, second: Clip, index: ClipIndex) -> Finding | None:
    tested = [clip.official == "test" for clip in (first, second)]
    if tested[0] != tested[1]:
        clip, other = (second, first) if tested[0] else (first, second)
        label = "with a label" if clip.label != UNKNOWN else "without a label"
        why = f"is a clip {label} that shows what test clip {_named(other)} shows: training would see it"
        return Finding(clip.id, clip.path, "seen in test", why)
    if first.label == second.label or UNKNOWN in (first.label, second.label):
        return None
    here, there = (index.class_names[clip.label] for clip in (second, first))
    why = f"is labeled '{here}' and overlaps clip {_named(first)}, labeled '{there}'"
    return Finding(second.id, second.path, "overlap", why)


def _overlap(first: Clip, second: Clip) -> bool:
    starts, ends = zip(_bounds(first), _bounds(second), strict=True)
    shorter = min(end - start for start, end in zip(starts, ends, strict=True))
    return min(ends) - max(starts) > (MUCH * shorter if math.isfinite(shorter) else 0.0)


def _bounds(clip: Clip) -> tuple[float, float]:
    return clip.start or 0.0, math.inf if clip.end is None else clip.end


def _named(clip: Clip) -> str:
    start, end = _bounds(clip)
    return f"'{clip.id}' (from {start:g} s{f' to {end:g} s' if math.isfinite(end) else ''})"
