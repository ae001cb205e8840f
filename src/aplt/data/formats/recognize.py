"""Which format a folder or file is of, by the names of files that tell it, and how these begin."""

import re
import stat
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


def recognized(path: Path) -> str:
    """Returns the name of the format of a folder or file; "folder" where nothing tells another."""
    suffix = path.suffix.lower()
    if stat.S_ISDIR(mode(path)):
        beside = files_below(path)
    elif (found := _told(path)) != "folder":
        return found
    elif suffix == ".txt" and path.is_file():  # a list such as train.txt is told by what lies beside it
        beside = path.parent.iterdir()
    else:
        return FILES.get(suffix, "folder")
    told = {_told(file) for file in beside} - set(ANNOTATIONS)
    return next((format_ for format_ in TELLING if format_ in told), "folder")


def _told(path: Path) -> str:
    named = [(format_, begins) for format_, name, begins in _NAMES if name.fullmatch(path.name)]
    if not named or not stat.S_ISREG(mode(path)):
        return "folder"
    with naming(path), path.open("rb") as stream:
        start = stream.read(4096).removeprefix(b"\xef\xbb\xbf")
    return next((format_ for format_, begins in named if re.match(begins, start, re.DOTALL)), "folder")
