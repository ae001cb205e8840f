"""Whether a video file's bytes end before its container does: it was cut while it was copied or recorded.

A header that announces more pictures than follow tells nothing of that, for sound may last longer, and a last picture
may be held. What tells is a part of the container that goes on beyond the end of the file, or an end mark that the
format demands and the file lacks. A cut that falls just between two parts of a format without such a mark stays unseen.
"""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

HEADER = 32
"""Bytes of a part's beginning that say how long it is, in any of the formats below."""
MXF_HEADER = bytes.fromhex("060e2b34 02050101 0d010201 0102")
"""The key of the part that MXF files begin with."""
UNKNOWN_SIZES = (0, 0xFFFFFFFF)
TS_PACKETS = ((188, 0), (192, 4), (204, 0))
"""How long the packets of a transport stream may be, and where in them the mark 0x47 then is."""


def ends_early(path: Path) -> bool:
    """Returns whether the bytes of a video file end before its container does; False where nothing tells."""
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            start = stream.read(HEADER)
            found = (ends for magic, at, ends in FORMATS if start[at:].startswith(magic))
            return next(found, _ends_in_packet)(stream, size)
    except (OSError, ValueError):  # it cannot be opened, which its reader says
        return False


def _parts(
    length_of: Callable[[bytes], int | None], *, begin: int = 0, slack: int = 0
) -> Callable[[BinaryIO, int], bool]:
    """Returns what tells whether the last of a file's parts, which start at `begin`, goes on beyond its end.

    `length_of` returns a part's whole length by its first bytes; None where these are no part, or do not say. `slack`
    are bytes that may be missing, which known writers count wrongly.
    """

    def ends(stream: BinaryIO, size: int) -> bool:
        at = begin
        while at < size:
            stream.seek(at)
            header = stream.read(HEADER)
            length = length_of(header.ljust(HEADER, b"\0"))
            if not length:
                # Less than any header has, and no padding: the beginning of one.
                return len(header) < 8 and bool(header.strip(b"\0\r\n "))
            at += length
        return at > size + slack

    return ends


def _box(header: bytes) -> int | None:
    """MP4 and MOV: boxes of length and type; a length of 0 lasts to the end of the file."""
    length = int.from_bytes(header[:4])
    if not header[4:8].isalnum():
        return None
    return int.from_bytes(header[8:16]) if length == 1 else length


def _chunk(header: bytes) -> int | None:
    """AVI: chunks of type and length; lists that were never finished have none, and are gone into."""
    length = int.from_bytes(header[4:8], "little")
    if not header[:4].isalnum():
        return None
    if header[:4] in (b"RIFF", b"LIST") and length in UNKNOWN_SIZES:
        return 12
    return 8 + length + length % 2


def _element(header: bytes) -> int | None:
    """Matroska and WebM: elements of name and length; those whose length is unknown (all ones) are gone into."""
    name = 9 - header[0].bit_length()
    width = 9 - header[name].bit_length() if name <= 4 else 9
    if width > 8:
        return None
    length = int.from_bytes(header[name : name + width]) & (1 << 7 * width) - 1
    return name + width + (0 if length == (1 << 7 * width) - 1 else length)


def _tag(header: bytes) -> int | None:
    """FLV: tags of sound, pictures and data, each followed by its length."""
    return 15 + int.from_bytes(header[1:4]) if header[0] & 0x1F in (8, 9, 18) else None


def _object(header: bytes) -> int | None:
    """ASF and WMV: objects of name and length; that of a broadcast's data is the length of its header alone."""
    length = int.from_bytes(header[16:24], "little")
    return length if length > 50 else None


def _packet(header: bytes) -> int | None:
    """MPEG program streams: packs, packets and an end code."""
    if header[:3] != b"\0\0\1" or header[3] < 0xB9:
        return None
    if header[3] == 0xB9:
        return 4
    if header[3] == 0xBA:
        return 14 + (header[13] & 7) if header[4] & 0xC0 == 0x40 else 12
    return 6 + int.from_bytes(header[4:6])


def _triplet(header: bytes) -> int | None:
    """MXF: key, length and value."""
    if not header.startswith(b"\x06\x0e\x2b\x34"):
        return None
    width = header[16] & 0x7F if header[16] & 0x80 else 0
    return 17 + width + (int.from_bytes(header[17 : 17 + width]) if width else header[16])


def _ends_in_partitions(stream: BinaryIO, size: int) -> bool:
    """MXF: keys, lengths and values, the first of which may say where the last part begins."""
    stream.seek(0)
    start = stream.read(64).ljust(64, b"\0")
    at = 17 + (start[16] & 0x7F if start[16] & 0x80 else 0) + 24
    last = int.from_bytes(start[at : at + 8]) if start.startswith(MXF_HEADER) else 0
    return last >= size or _parts(_triplet)(stream, size)


def _ends_in_tags(stream: BinaryIO, size: int) -> bool:
    """FLV: tags, the first of which may say how long the file is."""
    stream.seek(0)
    start = stream.read(4096)
    at = start.find(b"filesize\0") + 9
    announced = struct.unpack(">d", start[at : at + 8])[0] if 9 <= at <= len(start) - 8 else 0.0
    return bool(announced > size) or _parts(_tag, begin=13, slack=4)(stream, size)


def _ends_in_pages(stream: BinaryIO, size: int) -> bool:
    """Ogg: pages, of which the first and the last of each stream are marked."""
    at, begun, ended = 0, 0, 0
    while at < size:
        stream.seek(at)
        header = stream.read(27)
        if not header.startswith(b"OggS"[: len(header)]):
            return False
        header = header.ljust(27, b"\0")
        begun += bool(header[5] & 2)
        ended += bool(header[5] & 4)
        at += 27 + header[26] + sum(stream.read(header[26]))
    return at > size or ended < begun


def _ends_in_blocks(stream: BinaryIO, size: int) -> bool:
    """GIF: images and extensions of small blocks each, then an end mark."""

    def table(packed: int) -> int:
        return 3 << (packed & 7) + 1 if packed & 0x80 else 0

    stream.seek(10)
    at = 13 + table(ord(stream.read(1) or b"\0"))
    while at < size:
        stream.seek(at)
        header = stream.read(10).ljust(10, b"\0")
        if header[0] == 0x2C:
            at += 11 + table(header[9])
        elif header[0] == 0x21:
            at += 2
        else:
            return False  # the mark, or nothing that is known
        length = 1
        while length and at < size:
            stream.seek(at)
            length = ord(stream.read(1))
            at += 1 + length
    return True


def _ends_in_packet(stream: BinaryIO, size: int) -> bool:
    """MPEG transport streams: packets of equal length."""
    stream.seek(0)
    start = stream.read(5 * 204)
    for length, mark in TS_PACKETS:
        if set(start[mark : 5 * length : length]) == {0x47}:
            return size % length != 0
    return False


FORMATS: tuple[tuple[bytes, int, Callable[[BinaryIO, int], bool]], ...] = (
    *((kind, 4, _parts(_box)) for kind in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")),
    (b"RIFF", 0, _parts(_chunk, slack=8)),
    (b"\x1a\x45\xdf\xa3", 0, _parts(_element)),
    (b"FLV", 0, _ends_in_tags),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", 0, _parts(_object)),
    (b"\0\0\1\xba", 0, _parts(_packet)),
    (b"\x06\x0e\x2b\x34", 0, _ends_in_partitions),
    (b"OggS", 0, _ends_in_pages),
    (b"GIF8", 0, _ends_in_blocks),
)
"""What files of a format begin with, where, and whether their bytes end early."""
