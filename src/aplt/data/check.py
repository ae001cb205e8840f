"""Checks an index: reads every clip to its end and names the clips and classes that training could not use."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

from aplt.clips import UNKNOWN, Clip, ClipIndex
from aplt.data.files import ClipError, Examined, Problem
from aplt.data.modality import modality_of_clip
from aplt.data.names import doubtful_names, misspelled
from aplt.display import counted
from aplt.parallel import in_processes
from aplt.storage import file_digest

FEWEST = 2
"""Frames in which something can move."""
ODD_SIZE = 20.0
"""Times by which a body is larger or smaller than most, from which it is hardly one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A clip or class not fit for training: a short code for what is wrong, and a sentence about it."""

    id: str
    """The clip's, or the name of the class or subject."""
    path: Path | None
    """None where this is about a class or a subject."""
    problem: (
        Problem
        | Literal["too short", "duplicate", "overlap", "seen in test"]
        | Literal["no subject", "few labels", "class name", "subject name"]
    )
    detail: str


def check(
    index: ClipIndex,
    *,
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Finding]:
    """Returns what is wrong with clips of the index, at most one finding per clip, in the order of the index.

    A duplicate has the same bytes and the same interval as a clip
    before it, whatever their names and labels. Of another kind is what most clips are not: of another modality, or a
    skeleton with other joints. `progress` is called with (clips done, clips in all).
    """
    examined = list(in_processes(_examine, index.clips, processes, progress))
    usable = [clip for clip, result in zip(index, examined, strict=True) if isinstance(result, Examined)]
    contents = _contents([clip.path for clip in usable if clip.bank is None], processes)
    kinds = Counter(result.kind for result in examined if isinstance(result, Examined))
    size = median([result.size for result in examined if isinstance(result, Examined) and result.size] or [0.0])
    first: dict[tuple[str, float, float | None], Clip] = {}
    findings: list[Finding] = []
    for clip, result in zip(index, examined, strict=True):
        if isinstance(result, Finding):
            findings.append(result)
            continue
        content = contents.get(clip.path, str(clip.path)) if clip.bank is None else f"{clip.bank}#{clip.row}"
        original = first.setdefault((content, clip.start or 0.0, clip.end), clip)
        (usual, count), *_ = kinds.most_common(1)
        if result.kind != usual:
            why = (
                f"is {result.kind}, but {count} of {len(index)} clips are each {usual}; an index has clips of one kind"
            )
            findings.append(Finding(clip.id, clip.path, "other kind", why))
        elif original is not clip:
            why = f"has the same content as clip '{original.id}' ({original.path})"
            if clip.label != original.label and UNKNOWN not in (clip.label, original.label):
                here, there = (index.class_names[one.label] for one in (clip, original))
                why += f", but is labeled '{here}' and that one '{there}': one of the labels is wrong"
            findings.append(Finding(clip.id, clip.path, "duplicate", why))
        elif result.doubt is not None:
            findings.append(Finding(clip.id, clip.path, *result.doubt))
        elif result.size is not None and not size / ODD_SIZE < result.size < size * ODD_SIZE:
            why = f"the body's size is {result.size:.3g}, that of most others about {size:.3g}: other units, or no body"
            findings.append(Finding(clip.id, clip.path, "odd size", why))
    if any(clip.subject for clip in index):
        why = "has no subject, as others have: they cannot be split by subject"
        findings += [Finding(clip.id, clip.path, "no subject", why) for clip in index if not clip.subject]
    return findings


def check_classes(index: ClipIndex) -> list[Finding]:
    """Returns the classes with too few labeled clips to train and test on, in the order of the classes."""
    official = any(clip.official for clip in index)
    least, what = (1, "labeled training clip") if official else (2, "labeled clip")
    count = Counter(clip.label for clip in index if clip.official in (None, "train"))
    return [
        Finding(name, None, "few labels", f"has {counted(count[label], what)}, needs {least}{misspelled(name, index)}")
        for label, name in enumerate(index.class_names)
        if count[label] < least
    ]


def check_names(index: ClipIndex) -> list[Finding]:
    """Returns the names of classes and subjects that hardly mean what they say."""
    problems: dict[str, Literal["class name", "subject name"]] = {"class": "class name", "subject": "subject name"}
    return [Finding(doubt.name, None, problems[doubt.of], doubt.why) for doubt in doubtful_names(index)]


def _examine(clip: Clip) -> Finding | Examined:
    """Returns why a clip cannot be used, or else what is known of it."""
    try:
        found = modality_of_clip(clip).examine(clip)
    except ClipError as error:
        return Finding(clip.id, clip.path, error.problem, error.why)
    if found.frames is not None and found.frames < FEWEST:
        why = f"has {counted(found.frames, 'frame')}, expected at least {FEWEST}"
        return Finding(clip.id, clip.path, "too short", why)
    return found


def _contents(paths: Iterable[Path], processes: int | None) -> dict[Path, str]:
    """Returns a name for each file's content; only files of equal size need to be read for it."""
    # Two spellings of one path, or a link and its target, are one file.
    names = {path: path.resolve() for path in dict.fromkeys(paths) if path.is_file()}
    same_size: defaultdict[int, set[Path]] = defaultdict(set)
    for path in names.values():
        same_size[path.stat().st_size].add(path)
    doubtful = [path for group in same_size.values() if len(group) > 1 for path in sorted(group)]
    digests = dict(zip(doubtful, in_processes(file_digest, doubtful, processes), strict=True))
    return {path: digests.get(whole, str(whole)) for path, whole in names.items()}
