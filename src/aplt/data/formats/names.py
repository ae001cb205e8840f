"""Skeletons whose file names say the action and the subject: those of KARD, N-UCLA, MSR-Action3D and NTU RGB+D."""

import re
from collections.abc import Sequence

from aplt.data.files import files_below
from aplt.data.formats.source import Row, Source
from aplt.errors import InputError

KARD = (
    ("horizontal arm wave", "high arm wave", "two-hand wave", "catch cap", "high throw", "draw X", "draw tick")
    + ("toss paper", "forward kick", "side kick", "take umbrella", "bend", "hand clap", "walk", "phone call", "drink")
    + ("sit down", "stand up")
)
MSR_ACTION3D = (
    ("high arm wave", "horizontal arm wave", "hammer", "hand catch", "forward punch", "high throw", "draw X")
    + ("draw tick", "draw circle", "hand clap", "two-hand wave", "side boxing", "bend", "forward kick", "side kick")
    + ("jogging", "tennis swing", "tennis serve", "golf swing", "pick up and throw")
)
NUCLA = (
    ("pick up with one hand", "pick up with two hands", "drop trash", "walk", "sit down", "stand up")
    + ("", "donning", "doffing", "", "throw")
    + ("carry",)
)
"""The actions from 1 on; "": there is none of this number."""
NTU = tuple(f"A{number:03d}" for number in range(1, 121))


def kard(source: Source) -> list[Row]:
    """KARD's skeletons: aAA_sSS_eEE_realworld.txt, action and subject from the name."""
    return _by_name(source, KARD, "_realworld.txt")


def msr_action3d(source: Source) -> list[Row]:
    """MSR-Action3D's skeletons: aAA_sSS_eEE_skeleton3D.txt, action and subject from the name."""
    return _by_name(source, MSR_ACTION3D, "_skeleton3D.txt")


def nucla(source: Source) -> list[Row]:
    """N-UCLA's skeletons: aAA_sSS_eEE_vVV.json, action, subject and view from the name."""
    return _by_name(source, NUCLA, "_v01.json", r"_(?P<view>v\d\d)\.json")


def ntu(source: Source) -> list[Row]:
    """NTU RGB+D's skeletons: SsssCcccPpppRrrrAaaa.skeleton, with setup, camera, subject, replication and action.

    Labels are the file's: A001 to A120. The other parts are columns, by which a split may hold out.
    """
    names = r"(?P<setup>S\d{3})(?P<camera>C\d{3})(?P<subject>P\d{3})(?P<replication>R\d{3})(?P<label>A\d{3})"
    return _by_name(source, NTU, ".skeleton", r"(?:\.skeleton|_rgb\.avi)", names, "S001C001P001R001A001")


def _by_name(
    source: Source,
    actions: Sequence[str],
    ending: str,
    pattern: str = "",
    begins: str = r"(?P<label>a\d\d)_(?P<subject>s\d\d)_e\d\d",
    example: str = "a01_s01_e01",
) -> list[Row]:
    """Returns a row for each file whose name ends so, or matches the pattern, each of whose groups is a column."""
    names = re.compile(begins + (pattern or re.escape(ending)))
    rows = []
    for path in files_below(source.folder):
        match = names.fullmatch(path.name)
        number = int(match["label"][1:]) if match else 0
        if match and 1 <= number <= len(actions) and actions[number - 1]:
            place = {"path": path.relative_to(source.folder).as_posix(), "id": path.stem}
            rows.append(match.groupdict() | {"label": actions[number - 1]} | place)
    if not rows:
        raise InputError(f"{source.path}: no file with a name like {example}{ending}")
    return rows
