"""How bench/fuzz.py damages files: bits, bytes, numbers, words, lines and parts, and single values in their places."""

import csv
import io
import json
import random
import re
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
import yaml

WORDS = (
    *(
        b"nan",
        b"NaN",
        b"-inf",
        b"1e999",
        b"-1",
        b"0",
        b"1e-320",
        b"0.5",
        b"99999999999999999999",
        b"null",
        b"true",
        b"",
    ),
    *(
        b"[]",
        b"{}",
        b'""',
        b'"',
        b"'",
        b",",
        b";",
        b":",
        b"\n",
        b"\r",
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
    ),
    *(b"../../x", b"/", b"\\", b"~", b"2020-13-01", b"&a [*a]", b"*a", b"!!python/object/apply:os.getcwd []", b"<<: 1"),
    *(
        b"[" * 3000,
        b'{"a":' * 3000,
        b"x" * 200_000,
        b"train:",
        b"video",
        b"skeleton",
        b"os:system",
        b"this:s",
        b"\\ud800",
    ),
)
NUMBERS = (0, 1, -1, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1)
WORD = re.compile(rb"[\w.+-]+|[^\s\w]")


PLAIN: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1,
    2,
    7,
    1e999,
    -0.5,
    2**31,
    10**30,
    "",
    "x",
    "nan",
    "\0",
    "\x1b[2J",
    "../x",
    [],
    [[]],
    {},
    {"a": 1},
)
"""Values that stand in place of others."""
WRONG = {"f": (0.0, -1.0, 1e30, np.nan, np.inf), "i": (-2, -1, 0, 99, 2**31 - 1), "u": (0, 255), "b": (True, False)}
"""Values in arrays, by kind."""
ARRAYS = ("f2", "f4", "f8", "i1", "i8", "u8", "?", "U5", "S3", "c16", "M8[s]")


def damage(file: Path, another: Path, draw: random.Random) -> bytes:
    """Returns a file's content damaged at one to four places: in its bytes, or in the values that it means."""
    content, other = file.read_bytes(), another.read_bytes()
    change = VALUES.get(file.suffix)
    if change is not None and draw.random() < 0.6:
        return change(content, draw)
    if change is None and draw.random() < 0.2:
        with suppress(av.FFmpegError, OSError, ValueError, OverflowError):  # the muxer refuses such time stamps
            return _in_time(file, draw)
    return _bytes(content, other, draw)


def _bytes(content: bytes, other: bytes, draw: random.Random) -> bytes:
    """Returns bytes of which some are replaced, cut out, doubled or taken from others."""
    data = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        at = _place(len(data), draw)
        length = min(draw.choice((1, 2, 4, 16, 100, 1000)), len(data) - at)
        how = draw.randrange(9)
        if how == 0 and data:
            data[min(at, len(data) - 1)] ^= 1 << draw.randrange(8)
        elif how == 1:
            data[at : at + length] = draw.randbytes(length)
        elif how == 2:
            size, order = draw.choice("bhiq"), draw.choice("<>")
            number = draw.choice(NUMBERS) % (1 << 8 * struct.calcsize(size))
            packed = struct.pack(order + size.upper(), number)
            data[at : at + len(packed)] = packed
        elif how == 3:
            del data[at:]
        elif how == 4:
            del data[at : at + length]
        elif how == 5:
            data[at:at] = data[at : at + length] * draw.choice((1, 1, 50))
        elif how == 6:
            start = _place(len(other), draw)
            data[at : at + draw.choice((0, length))] = other[start : start + length]
        else:
            _damage_text(data, draw)
    return bytes(data)


def _place(length: int, draw: random.Random) -> int:
    """Returns where to damage: headers and trailers as often as all the rest."""
    near = draw.randrange(max(1, min(length, 300)))
    return draw.choice((near, max(0, length - 1 - near), draw.randrange(max(1, length))))


def _damage_text(data: bytearray, draw: random.Random) -> None:
    """Replaces a word or a line by another."""
    if draw.random() < 0.7:
        words = list(WORD.finditer(data, 0, 20_000))
        if words:
            found = draw.choice(words)
            data[found.start() : found.end()] = draw.choice((*WORDS, *[word[0] for word in words[:200]]))
        return
    lines = data.split(b"\n")
    at = draw.randrange(len(lines))
    lines[at : at + draw.randrange(2)] = draw.choices(lines, k=draw.randrange(3))
    data[:] = b"\n".join(lines)


def _in_time(file: Path, draw: random.Random) -> bytes:
    """Returns a video some of whose packets have other times, come twice, or are left out."""
    with TemporaryDirectory() as folder:
        target = Path(folder, file.name)
        with av.open(str(file)) as read, av.open(str(target), "w") as write:
            stream = write.add_stream_from_template(read.streams.video[0])
            for packet in read.demux(video=0):
                if packet.dts is None or draw.random() < 0.05:
                    continue
                packet.stream = stream
                if draw.random() < 0.2:
                    leap = draw.choice((1, -1, 50, -50, 10**4, -(10**4), 10**7, 2**33, 2**50, -(2**50)))
                    name = draw.choice(("pts", "pts", "dts", "duration"))
                    setattr(packet, name, (getattr(packet, name) or 0) + leap)
                with suppress(av.FFmpegError):  # not this packet, then
                    write.mux([packet] * draw.choice((1, 1, 1, 2)))
        return target.read_bytes()


def _in_json(content: bytes, draw: random.Random) -> bytes:
    return json.dumps(_changed(json.loads(content), draw)).encode()


def _in_json_lines(content: bytes, draw: random.Random) -> bytes:
    lines = content.splitlines()
    at = draw.randrange(len(lines))
    return b"\n".join([*lines[:at], _in_json(lines[at], draw), *lines[at + 1 :]])


def _in_yaml(content: bytes, draw: random.Random) -> bytes:
    return yaml.safe_dump(_changed(yaml.safe_load(content), draw)).encode()


def _in_safetensors(content: bytes, draw: random.Random) -> bytes:
    """Changes the header, which says of each tensor its type, shape and place."""
    length = int.from_bytes(content[:8], "little")
    header = _in_json(content[8 : 8 + length], draw)
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


def _in_csv(content: bytes, draw: random.Random) -> bytes:
    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
    for _ in range(draw.choice((1, 1, 3))):
        row = draw.choice(rows)
        at = draw.randrange(len(row))
        how = draw.randrange(4)
        if how == 0:
            row[at] = draw.choice(draw.choice(rows))
        elif how == 1:
            rows[:] = [cells[:at] + cells[at + 1 :] or [""] for cells in rows]
        elif how == 2:
            rows.insert(draw.randrange(len(rows)), list(row))
        else:
            row[at] = draw.choice(WORDS).decode(errors="ignore")
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode()


def _in_npy(content: bytes, draw: random.Random) -> bytes:
    stream = io.BytesIO()
    np.save(stream, _array(np.load(io.BytesIO(content)), draw))
    return stream.getvalue()


def _in_npz(content: bytes, draw: random.Random) -> bytes:
    with np.load(io.BytesIO(content)) as stored:
        arrays = dict(stored)
    name = draw.choice(list(arrays))
    changed = _array(arrays.pop(name), draw)
    stream = io.BytesIO()
    np.savez(stream, **(arrays | {draw.choice((name, name, name, "x")): changed}))
    return stream.getvalue()


def _array(array: np.ndarray, draw: random.Random) -> np.ndarray:
    """Returns an array with other values, another shape or of another type."""
    array = np.array(array)
    how = draw.randrange(5)
    if how == 0:
        return array.astype(draw.choice(ARRAYS))
    if how == 1:
        return array.reshape(draw.choice(((-1,), (-1, 1), (1, *array.shape), (*array.shape, 1), array.shape[::-1])))
    if how == 2:
        return array[: draw.randrange(3)] if array.ndim else np.zeros((0, 3))
    if how == 3:
        return np.concatenate([array.ravel(), array.ravel()])
    if array.dtype.kind in WRONG and array.size:
        for _ in range(draw.choice((1, 3, array.size))):
            array.flat[draw.randrange(array.size)] = draw.choice(WRONG[array.dtype.kind])
    return array


def _changed(value: Any, draw: random.Random) -> Any:
    """Returns a value of JSON or YAML with one of its parts changed, at any depth."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    if not keys or draw.random() < 0.15:
        return draw.choice(PLAIN)
    key, how = draw.choice(keys), draw.randrange(6)
    if how == 0:
        del value[key]
    elif how == 1 and isinstance(value, list):
        value.insert(key, value[key])
    elif how == 1:
        value[draw.choice(("x", "", "__class__", str(key).upper()))] = value[key]
    elif how == 2:
        value[key] = value[draw.choice(keys)]
    else:
        value[key] = _changed(value[key], draw)
    return value


VALUES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    ".json": _in_json,
    ".jsonl": _in_json_lines,
    ".yaml": _in_yaml,
    ".safetensors": _in_safetensors,
    ".csv": _in_csv,
    ".npy": _in_npy,
    ".npz": _in_npz,
}
"""What changes the values in a file, by its ending."""
