"""Formats: what lies in a folder or file -> the table that clips.csv holds.

A format is one function: source -> table, or its rows, with the columns `path` (relative to the source's `videos`) and
`label`, and where they are known `id`, `subject`, `start`, `end`, `split` and `group`. The first line of its docstring
is its help.
"""

import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from aplt.data.files import files_below
from aplt.data.formats.annotated import Annotations, Span
from aplt.data.formats.boris import boris, read_boris
from aplt.data.formats.elan import elan, read_elan
from aplt.data.formats.folder import folder
from aplt.data.formats.frames import imigue, smg
from aplt.data.formats.label_studio import label_studio
from aplt.data.formats.lists import arid, kinetics, mmaction2, ucf101
from aplt.data.formats.ma52 import ma52
from aplt.data.formats.names import kard, msr_action3d, ntu, nucla
from aplt.data.formats.pyskl import pyskl
from aplt.data.formats.source import ARCHIVES, Row, Source, clip_ids
from aplt.data.formats.table import table
from aplt.data.formats.videofolder import videofolder
from aplt.data.modality import clip_at
from aplt.display import counted
from aplt.errors import InputError, suggest
from aplt.storage import mode

Format = Callable[[Source], pd.DataFrame | list[Row]]

LISTS: dict[str, Format] = {
    "ma52": ma52,
    "imigue": imigue,
    "smg": smg,
    "kinetics": kinetics,
    "ucf101": ucf101,
    "mmaction2": mmaction2,
    "arid": arid,
    "elan": elan,
    "boris": boris,
    "label-studio": label_studio,
    "table": table,
}
"""Those that consist of lists; the videos may lie elsewhere, or be missing."""
FORMATS: dict[str, Format] = {
    "folder": folder,
    **LISTS,
    "videofolder": videofolder,
    "pyskl": pyskl,
    "nucla": nucla,
    "ntu": ntu,
    "kard": kard,
    "msr-action3d": msr_action3d,
}

ANNOTATION_READERS: dict[str, Callable[[Source], Annotations]] = {"elan": read_elan, "boris": read_boris}
"""Those of programs for annotation, which know what was watched, too."""

OFFICIAL = {*LISTS, "videofolder"} - {"table", "label-studio", *ANNOTATION_READERS}
"""Those with a division of their own."""


def scan(source: Source, format_: str) -> pd.DataFrame:
    """Returns the table of clips in a source, read as `format_`; where it gives no ids these are the paths within.

    Where a list has no test clips with labels, its val clips are the test clips: the figures come from them.

    Raises:
        InputError: no such source or format, an option that changes nothing, or no clip of that format in it.
    """
    if format_ not in FORMATS:
        raise InputError(f"unknown format '{format_}'{suggest(format_, FORMATS)}")
    found = mode(source.path)
    packed = source.path.suffix.lower() in ARCHIVES
    if not found or packed or (format_ == "folder" and not stat.S_ISDIR(found)):
        unpack = "; unpack it first" if packed and found else ""
        raise InputError(
            f"{source.path}: expected a folder of clips, found {'a file' if found else 'nothing'} there{unpack}"
        )
    if format_ == "table" and clip_at(source.path):
        raise InputError(f"{source.path}: is a clip; give the folder that it lies in")
    if source.apart is not None and format_ not in LISTS:
        raise InputError(f"--videos would change nothing: the format {format_} has no lists beside its clips")
    if source.columns and format_ != "table":
        raise InputError(f"--columns would change nothing: it is for the format table, not for {format_}")
    if source.tiers and format_ != "elan":
        raise InputError(f"--tier would change nothing: it is for ELAN's files, not for the format {format_}")
    clips = pd.DataFrame(FORMATS[format_](source)).fillna("").reset_index(drop=True)
    if "path" not in clips:
        raise InputError(f"{source.path}: no clip of the format {format_} in it")
    if format_ in LISTS:
        clips = _there(clips, source)
    if format_ in OFFICIAL and "split" in clips:
        if not ((clips["split"] == "test") & (clips["label"] != "")).any():
            clips["split"] = clips["split"].replace("val", "test")
        if clips["split"].nunique() == 1:  # which divides nothing
            clips = clips.drop(columns="split")
    clips = clips if "id" in clips else clips.assign(id=clip_ids(clips))
    first = [name for name in ("path", "label") if name in clips]
    return clips[[*first, *(name for name in clips if name not in first)]]


def watched_in(source: Source, format_: str) -> Mapping[str, Sequence[Span]]:
    """Returns what somebody has watched of the recordings in a source, by path, as far as its format says it."""
    read = ANNOTATION_READERS.get(format_)
    return read(replace(source, remark=lambda _: None)).watched if read else {}


def _there(clips: pd.DataFrame, source: Source) -> pd.DataFrame:
    """Returns the clips whose files are there, or all where none is; says what is missing."""
    exists = {path: bool(mode(source.videos / path)) for path in clips["path"].unique()}
    there = clips["path"].map(exists)
    if there.all():
        return clips
    archives = [path.name for path in files_below(source.videos) if path.suffix.lower() in ARCHIVES]
    unpack = f"; not unpacked yet: {', '.join(archives[:3])}{' and others' * (len(archives) > 3)}" if archives else ""
    if not there.any():
        source.remark(
            f"{source.videos} has none of the files of {counted(len(clips), 'clip')}, which are listed all the same"
            f"{unpack}{'; --videos says where they are' if source.apart is None else ''}"
        )
        return clips
    missing = clips["path"][~there]
    source.remark(
        f"left out: {len(missing):,d} of {counted(len(clips), 'clip')}, whose files are not in {source.videos}, the "
        f"first {missing.iloc[0]}{unpack}"
    )
    return clips[there]
