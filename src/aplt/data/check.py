"""Checking an index: decodes every clip to its end and names each one that training should not see."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from aplt.data.cache import file_digest
from aplt.data.index import SKELETON_SUFFIXES
from aplt.data.skeleton import read_clip
from aplt.data.video import ClipError, Problem, count_frames, require_file
from aplt.parallel import in_processes
from aplt.values import Clip, ClipIndex


@dataclass(frozen=True, slots=True)
class Finding:
    """One clip that is not usable as it is, with a short code for what is wrong and a sentence about it."""

    id: str
    path: Path
    problem: Problem | Literal["too short", "duplicate"]
    detail: str


def check(
    index: ClipIndex,
    *,
    min_frames: int = 2,
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Finding]:
    """Returns what is wrong with clips of the index, at most one finding a clip, in the order of the index.

    A duplicate has the same bytes and the same interval as a clip before it, whatever their names and labels.

    Args:
        index: Videos or skeletons.
        min_frames: Clips with fewer frames are too short.
        processes: How many decode at once; by default as many as there are cores.
        progress: Called with (clips done, clips in all).
    """
    findings: list[Finding] = []
    contents = _contents(index, processes)
    first: dict[tuple[str, float, float | None], Clip] = {}
    with closing(in_processes(partial(_examine, min_frames=min_frames), index.clips, processes)) as examined:
        for done, (clip, finding) in enumerate(zip(index, examined, strict=True), start=1):
            if finding is None:
                content = (contents[clip.path], clip.start or 0.0, clip.end)
                original = first.setdefault(content, clip)
                if original is not clip:
                    why = f"has the same content as clip '{original.id}' ({original.path})"
                    finding = Finding(clip.id, clip.path, "duplicate", why)
            if finding is not None:
                findings.append(finding)
            if progress is not None:
                progress(done, len(index))
    return findings


def _examine(clip: Clip, *, min_frames: int) -> Finding | None:
    try:
        frames = _count(clip)
    except ClipError as error:
        return Finding(clip.id, clip.path, error.problem, error.why)
    if frames < min_frames:
        why = f"has {frames} frame{'s' * (frames != 1)}, expected at least {min_frames}"
        return Finding(clip.id, clip.path, "too short", why)
    return None


def _count(clip: Clip) -> int:
    if clip.path.suffix.lower() not in SKELETON_SUFFIXES:
        return count_frames(clip)
    return int(read_clip(clip).shape[1])  # [P, T, V, C]


def _contents(clips: Iterable[Clip], processes: int | None) -> dict[Path, str]:
    """Returns a name for each readable file's content; only files of equal size need to be read for it."""
    same_size: defaultdict[int, set[Path]] = defaultdict(set)
    names: dict[Path, str] = {}
    for path, clip in {clip.path: clip for clip in clips}.items():
        try:
            require_file(clip)
        except ClipError:
            continue
        # Two spellings of one path, or a link and its target, are one file.
        names[path] = str(path.resolve())
        same_size[path.stat().st_size].add(path.resolve())
    doubtful = [path for group in same_size.values() if len(group) > 1 for path in sorted(group)]
    digests = dict(zip(map(str, doubtful), in_processes(_content, doubtful, processes), strict=True))
    return {path: digests.get(name, name) for path, name in names.items()}


def _content(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError:  # decoding it will fail, too, and say why
        return str(path)
