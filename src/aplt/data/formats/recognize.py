"""Which format a folder or file is of, by the names of files that tell it, and how these begin."""

import re
import stat
from collections.abc import Iterable
from pathlib import Path

from aplt.data.files import files_below
from aplt.storage import mode, naming

TELLING = {
    "ma52": (r"label_name\.txt", rb"\s*0\s+shaking body"),
    "arid": (r"mapping_table_23\.txt", b""),
    "ucf101": (r"(?:train|test)list\d\d\.txt", b""),
    "smg": (r"sample\d{4}_finelabels\.csv", b""),
    "imigue": (r"\d+_label\.csv", rb"\s*(?:\d|\w*gesture\w*,)"),
    "videofolder": (r"metadata\.(?:csv|jsonl)", rb".*file_name"),
    "nucla": (r"a\d\d_s\d\d_e\d\d_v\d\d\.json", b""),
    "ntu": (r"s\d{3}c\d{3}p\d{3}r\d{3}a\d{3}(?:\.skeleton|_rgb\.avi)", b""),
    "kard": (r"a\d\d_s\d\d_e\d\d_realworld\.txt", b""),
    "msr-action3d": (r"a\d\d_s\d\d_e\d\d_skeleton3d\.txt", b""),
    "mmaction2": (r"(?:.*_)?(?:train|val|test)(?:_.*)?_videos?\.txt", b""),
    "elan": (r".*\.eaf", b""),
    "boris": (r".*\.boris|.*\.[ct]sv", rb"\s*\{|\"?Observation id"),
    "label-studio": (r".*\.json", rb"\s*\[\s*\{.*\"(?:annotations|predictions)\"\s*:\s*\["),
    "kinetics": (r".*\.csv", rb"\"?(?:label\"?,\"?)?youtube_id"),
}
"""Of formats, in the order in which they are tried where a folder has files of several."""
FILES = {".pkl": "pyskl", ".pickle": "pyskl", ".csv": "table", ".tsv": "table"}
"""By the ending of a single file."""
ANNOTATIONS = ("elan", "boris", "label-studio")
"""Formats that are told by a file given itself, and never by one beside clips."""
_NAMES = [(format_, re.compile(name, re.IGNORECASE), begins) for format_, (name, begins) in TELLING.items()]
_ANY = re.compile("|".join(f"(?:{name})" for name, _ in TELLING.values()), re.IGNORECASE)


def recognized(path: Path) -> str:
    """Returns the name of the format of a folder or file; "folder" where nothing tells another."""
    beside: Iterable[Path]
    if not stat.S_ISDIR(mode(path)):
        found = _told(path)
        if found != "folder" or path.suffix.lower() in FILES:
            return found if found != "folder" else FILES[path.suffix.lower()]
        # A list such as train.txt is told by what lies beside it.
        beside = sorted(path.parent.iterdir()) if path.suffix.lower() == ".txt" and path.is_file() else []
    else:
        beside = files_below(path)
    told = {_told(file) for file in beside} - set(ANNOTATIONS)
    return next((format_ for format_ in TELLING if format_ in told), "folder")


def _told(path: Path) -> str:
    if not _ANY.fullmatch(path.name) or not stat.S_ISREG(mode(path)):
        return "folder"
    with naming(path), path.open("rb") as stream:
        start = stream.read(4096).removeprefix(b"\xef\xbb\xbf")
    return next(
        (
            format_
            for format_, name, begins in _NAMES
            if name.fullmatch(path.name) and re.match(begins, start, re.DOTALL)
        ),
        "folder",
    )
