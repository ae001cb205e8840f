"""What people said of clips, kept as it is said: a table that only grows."""

import csv
import io
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from aplt.display import console
from aplt.errors import InputError
from aplt.runs.reviews import ACTS, COLUMNS, Review, read_words, reviews_of
from aplt.storage import mode, naming, read_table, write_csv

Row = tuple[str, "Said", str, str]
"""A clip, what is said of it, the label that was shown, and by whom."""
Act = Literal["label", "none", "withdrawn", "settled"]


@dataclass(frozen=True)
class Said:
    """What somebody said of a clip."""

    act: Act
    label: str
    """The class; "" where it is none of them."""


class Journal:
    """One person's corrections in a file that others may write to, too, each through a journal of their own.

    A row is on the disk before `say` returns. A row that a kill cut short is dropped when the file is opened again. A
    table that another program has saved in its own way is written anew, so that rows can be added to it.
    """

    def __init__(self, path: Path, by: str) -> None:
        self.path, self.by = path, by
        self.now: dict[str, Said] = {}
        """What this person says of each clip by now."""
        self._lock = threading.Lock()
        self._undo: list[list[Row]] = []
        if not mode(path):
            self._append(_lines([COLUMNS]))
            return
        self._mend()
        table = read_words(path, needed=COLUMNS)
        own = table[table["by"] == by]
        for id_, label, act in zip(own["id"], own["label"], own["act"], strict=True):
            self._keep(id_, Said(act, label))

    def say(self, acts: Iterable[tuple[str, Said, str]]) -> None:
        """Adds what was said now, as one that is undone together.

        Args:
            acts: (id, what is said, the label that was shown) of each clip.

        Raises:
            InputError: it cannot be written; nothing of it counts then.
        """
        with self._lock:
            made = list(acts)
            reviews = reviews_of(read_words(self.path, needed=COLUMNS))
            back = [row for id_, said, was in made for row in self._back(id_, said, was, reviews.get(id_, Review()))]
            self._write([(id_, said, was, self.by) for id_, said, was in made])
            self._undo.append(back)

    def undo(self) -> list[str]:
        """Takes back what was said last since the journal was opened, and returns the ids of its clips."""
        with self._lock:
            if not self._undo:
                return []
            last = self._undo[-1]
            self._write(last)
            self._undo.pop()
            return list(dict.fromkeys(id_ for id_, *_ in last))

    def _back(self, id_: str, said: Said, was: str, review: Review) -> Iterator[Row]:
        """Yields the rows after which a clip is as it was before something was said of it."""
        before = self.now.get(id_)
        if before and before.act == "settled" and (review.settled is None or review.settled_by != self.by):
            word = review.words.get(self.by)  # somebody has said something else since
            before = None if word is None else Said("label" if word else "none", word)
        if before is None or said.act == "settled":
            yield id_, Said("withdrawn", ""), was, self.by
        if before is not None:
            yield id_, before, was, self.by
        if review.settled is not None and (before is None or before.act != "settled"):
            yield id_, Said("settled", review.settled), was, review.settled_by

    def _write(self, rows: list[Row]) -> None:
        when = datetime.now(UTC).isoformat(timespec="seconds")
        self._append(_lines((id_, said.label, by, when, was, said.act) for id_, said, was, by in rows))
        for id_, said, _, by in rows:
            if by == self.by:
                self._keep(id_, said)

    def _keep(self, id_: str, said: Said) -> None:
        if said.act == "withdrawn":
            self.now.pop(id_, None)
        else:
            self.now[id_] = said

    def _append(self, text: bytes) -> None:
        with naming(self.path), self.path.open("ab") as stream:
            before = stream.tell()
            try:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            except OSError as error:
                stream.truncate(before)
                raise InputError(f"{self.path}: {error.strerror}; what was said last is not kept") from error

    def _mend(self) -> None:
        """Makes the file one that rows can be added to."""
        with naming(self.path):
            content = self.path.read_bytes()
        header = _lines([COLUMNS])
        if header.startswith(content):  # cut short, or empty
            self._append(header[len(content) :])
        elif not content.startswith(header.rstrip()) or b"\r" in content:
            table = read_table(self.path, needed=COLUMNS)
            write_csv(self.path, table[[*COLUMNS, *(name for name in table if name not in COLUMNS)]])
        elif not content.endswith(b"\n"):
            start = content.rfind(b"\n") + 1
            (row,) = csv.reader([content[start:].decode(errors="replace")])
            if len(row) >= len(COLUMNS) and row[len(COLUMNS) - 1] in ACTS:  # an editor has left out the last new line
                self._append(b"\n")
                return
            with naming(self.path):
                os.truncate(self.path, start)
            console.print(f"{self.path}: its last row is not whole, and is left out", soft_wrap=True)


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
