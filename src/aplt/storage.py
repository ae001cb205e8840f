"""Files of any kind, written so that a kill leaves the old or the new, and read back without trusting them."""

import codecs
import csv
import difflib
import errno
import glob
import hashlib
import io
import json
import os
import re
import shutil
import stat
import time
import uuid
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from aplt.errors import InputError

ASIDE = re.compile(r"\..+\.[0-9a-f]{12}\.aside")
"""Names of files that a kill left half written."""


def reason(error: Exception) -> str:
    """Returns what an error says, in one line and without the file that the message around it names already."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__


def is_folder(path: Path) -> bool:
    """Returns whether there is a folder; False, too, where a name is too long to look, at which Path.is_dir raises."""
    return os.path.isdir(path)  # noqa: PTH112


def mode(path: Path) -> int:
    """Returns the mode of what lies at a path, links followed, for `stat.S_ISREG` and its like; 0: nothing does.

    Raises:
        InputError: the system refuses to say.
    """
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({reason(error)})") from error


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Gives an OSError of the block the name of a file that has none: opening names it, reading and writing do not."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


def read_bytes(path: Path) -> bytes:
    """Returns what a file holds; an OSError names it."""
    with naming(path):
        return path.read_bytes()


def file_digest(path: Path) -> str:
    """Returns the SHA-256 of a file's content."""
    with naming(path), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


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
            # A full disk names no file, and the user knows only the name that the file was to have.
            error.filename, error.filename2 = str(path), None
        raise


def aside_of(path: Path) -> Path:
    """Returns a name beside `path` that nobody else uses, hidden and ending in .aside."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.aside")


def take_place(aside: Path, path: Path) -> None:
    """Gives a file that a library wrote the name `path`, and a new file's mode: those of safetensors are private."""
    mask = os.umask(0)
    os.umask(mask)
    aside.chmod(0o666 & ~mask)
    aside.replace(path)


def link_or_copy(source: Path, path: Path) -> None:
    """Gives a file that is never changed in place another name, or copies it where the system has no such names."""
    aside = aside_of(path)
    try:
        os.link(source, aside)
    except OSError:
        shutil.copyfile(source, aside)
    aside.replace(path)


def absolute(path: Path) -> Path:
    """Returns a path, of a file that is there or not, made absolute.

    Raises:
        InputError: no system could have such a file.
    """
    try:
        found = path.resolve()
        with suppress(FileNotFoundError):  # to be said by what reads it
            found.stat()
    except (OSError, ValueError, RuntimeError) as error:  # too long, a null character, a loop of links
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{str(path)[:100]!r} is no usable path ({why})") from error
    return found


def seen_from(path: Path, file: Path) -> str:
    """Returns the way to a path from the folder of a file, with slashes."""
    return way(path.resolve(), file.resolve().parent)


def way(path: Path, folder: Path) -> str:
    """Returns the way to a path from a folder, with slashes; the path itself from another drive of Windows."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return path.as_posix()


def neighbor(path: Path, ending: str) -> Path:
    """Returns the path beside a folder whose name is the folder's with an ending, also of the folder `.`."""
    named = path.resolve() if path.name in ("", "..") else path
    return named.with_name(f"{named.name}{ending}")


def default_cache_dir() -> Path:
    """Returns $APLT_CACHE, else aplt in $XDG_CACHE_HOME, else ~/.cache/aplt."""
    if own := os.environ.get("APLT_CACHE"):
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "aplt"


def sweep(folders: Iterable[Path], abandoned: float = 0.0) -> None:
    """Removes what a kill left half written in folders, there or not.

    `abandoned` are seconds after which nobody is writing any more; to be given unless only this process writes there.
    """
    for folder in folders:
        for aside in folder.glob(".*.aside"):
            with suppress(FileNotFoundError):  # another process sweeps, too, or has written it
                if ASIDE.fullmatch(aside.name) and (not abandoned or aside.stat().st_mtime < time.time() - abandoned):
                    shutil.rmtree(aside) if aside.is_dir() else aside.unlink()


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically, in UTF-8."""
    with atomic(path) as stream:
        stream.write(text.encode())


def read_text(path: Path) -> str:
    """Returns the text in a file."""
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected text in UTF-8, found other bytes") from error


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON file atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_alone(path: Path, text: str) -> None:
    """Writes a text file that has one writer at a time; what a kill left of it half written is removed.

    Of several processes that were launched together each may write the same.
    """
    if "LOCAL_WORLD_SIZE" not in os.environ:
        for aside in path.parent.glob(f".{glob.escape(path.name)}.*.aside"):
            if ASIDE.fullmatch(aside.name):
                aside.unlink(missing_ok=True)
    write_text(path, text)


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Writes a table as CSV, without its row numbers, as `write_alone` does."""
    write_alone(path, table.to_csv(index=False))


def read_table(path: Path, needed: Sequence[str] = (), numbers: Sequence[str] = ()) -> pd.DataFrame:
    """Returns the table in a CSV file, every field as text; fields missing at the end of a row are empty.

    The columns `numbers` are float64. Not by pandas, which takes the first field of rows longer than the header for
    their name, or cuts them.

    Raises:
        InputError: no such file, not CSV in UTF-8 or UTF-16 with commas, semicolons or tabs, a `needed` column is
            missing, a column appears twice, a row has more fields than there are columns, or what is no number where
            one is expected.
    """
    header, *rows = [row for row in _csv_rows(path) if len(row) > 1 or "".join(row).strip()] or [[]]
    columns = [name.strip() for name in header]
    if not columns:
        raise InputError(f"{path}: not a CSV table (the file is empty)")
    if twice := [name for name in columns if name and columns.count(name) > 1]:
        raise InputError(f"{path}: column '{twice[0]}' appears twice")
    nameless = [number for number, name in enumerate(columns) if not name]
    for number, row in enumerate(rows, start=1):
        if len(row) > len(columns):
            raise InputError(
                f"{path} row {number}: found {len(row)} fields, expected at most {len(columns)} as in the header; "
                "a field that contains a comma needs quotes"
            )
        filled = [row[place] for place in nameless if place < len(row) and row[place].strip()]
        if filled:
            raise InputError(f"{path} row {number}: '{filled[0]}' is in a column without a name")
    whole = [row + [""] * (len(columns) - len(row)) for row in rows]
    table = pd.DataFrame(whole, columns=columns, dtype=object)
    require_columns(table, (*needed, *numbers), path)
    for name in numbers:
        values = pd.to_numeric(table[name], errors="coerce").astype(float)
        for row in values.isna().to_numpy().nonzero()[0][:1]:
            raise InputError(f"{path} row {row + 1}: {name} is '{table[name].iloc[row]}', expected a number")
        table[name] = values
    # A spreadsheet leaves empty columns behind.
    return table.loc[:, [bool(name) for name in columns]]


def require_columns(table: pd.DataFrame, needed: Iterable[str], where: Path) -> None:
    """Raises an InputError that names the first of the `needed` columns that a table lacks."""
    for column in needed:
        if column not in table:
            found = ", ".join(table.columns) or "none"
            close = difflib.get_close_matches(column, table.columns, n=1)
            meant = f"; is it '{close[0]}'?" if close else ""
            raise InputError(f"{where}: column '{column}' is missing; found columns: {found}{meant}")


def _csv_rows(path: Path) -> list[list[str]]:
    found = mode(path)
    if not stat.S_ISREG(found):
        raise InputError(f"{path}: {'not a regular file' if found else 'no such file'}")
    line, rows = 0, []
    try:
        content = path.read_bytes()
        wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = content.decode("utf-16" if wide else "utf-8-sig")
        header = next((line for line in text.splitlines() if line.strip()), "")
        if said := re.match(r"sep=(.)\r?\n", text):  # what spreadsheets tell each other
            text, separator = text[said.end() :], said[1]
        else:  # a comma, or what spreadsheets elsewhere write
            separator = next((mark for mark in ",;\t" if mark in header), ",")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        for row in reader:
            line = reader.line_num
            rows.append(row)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({reason(error)})") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path} line {line}: not in UTF-8; save it as what spreadsheets call 'CSV UTF-8'") from error
    except csv.Error as error:
        raise InputError(f"{path}: not a CSV table (after line {line}: {reason(error)})") from error
    return rows


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Writes arrays as one compressed .npz atomically."""
    with atomic(path) as stream:
        # numpy's stub lets its own keyword `allow_pickle` collide with the arrays' names.
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Returns the arrays of an .npz; never unpickles."""
    content = io.BytesIO(read_bytes(path))
    try:
        with np.load(content, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: damaged, its arrays cannot be read ({reason(error)})") from error


def read_json(path: Path) -> dict[str, Any]:
    """Returns the object in a JSON file; see `json_object`."""
    return json_object(read_bytes(path), str(path))


def json_object(text: bytes, where: str) -> dict[str, Any]:
    """Returns the object in JSON text that comes from `where`, else raises an InputError."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON ({error})") from error
    if not isinstance(found, dict):
        raise InputError(f"{where}: expected a JSON object, found {type(found).__name__}")
    return found
