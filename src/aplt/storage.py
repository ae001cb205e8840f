"""Files of any kind, written so that a kill leaves the old or the new, and read back without trusting them."""

import errno
import io
import json
import os
import re
import shutil
import uuid
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from aplt.errors import InputError

ASIDE = re.compile(r"\..+\.[0-9a-f]{12}\.aside")
"""Names of files that a kill left half written."""


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """Opens a file that takes the name `path` only when the block ends without an error.

    Raises:
        OSError: it cannot be written; names `path`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path.parent)) from error
    aside = aside_of(path)
    try:
        with aside.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
    except BaseException as error:
        aside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            # A full disk names no file, and the name aside is nobody's business.
            error.filename, error.filename2 = str(path), None
        raise


def aside_of(path: Path) -> Path:
    """Returns a name beside `path` that nobody else uses, hidden and ending in .aside."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.aside")


def sweep(folders: Iterable[Path]) -> None:
    """Removes what a kill left half written in folders; to be called by the only process that writes there."""
    for folder in folders:
        for aside in folder.glob(".*.aside"):
            if ASIDE.fullmatch(aside.name):
                shutil.rmtree(aside) if aside.is_dir() else aside.unlink()


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically, in UTF-8."""
    with atomic(path) as stream:
        stream.write(text.encode())


def read_text(path: Path) -> str:
    """Returns the text in a file.

    Raises:
        InputError: it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected text in UTF-8, found other bytes") from error


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON file atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Writes a table as CSV atomically, without its row numbers."""
    write_text(path, table.to_csv(index=False))


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Writes arrays as one compressed .npz atomically."""
    with atomic(path) as stream:
        # numpy's stub lets its own keyword `allow_pickle` collide with the arrays' names.
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Returns the arrays of an .npz; never unpickles.

    Raises:
        InputError: the file is damaged.
    """
    content = io.BytesIO(path.read_bytes())
    try:
        with np.load(content, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: damaged, its arrays cannot be read ({' '.join(str(error).split())})") from error


def read_json(path: Path) -> dict[str, Any]:
    """Returns the object in a JSON file.

    Raises:
        InputError: not JSON, or no object.
    """
    return json_object(path.read_bytes(), str(path))


def json_object(text: bytes, where: str) -> dict[str, Any]:
    """Returns the object in JSON text that comes from `where`.

    Raises:
        InputError: not JSON, or no object.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputError(f"{where}: not JSON ({error})") from error
    if not isinstance(found, dict):
        raise InputError(f"{where}: expected a JSON object, found {type(found).__name__}")
    return found
