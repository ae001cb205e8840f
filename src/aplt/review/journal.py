"""What people said of clips, kept as it is said: a table that only grows."""

import csv
import io
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from aplt.errors import InputError
from aplt.runs.reviews import COLUMNS, read_words
from aplt.storage import mode, naming

Act = Literal["label", "none", "withdrawn", "settled"]


@dataclass(frozen=True)
class Said:
    """What somebody said of a clip."""

    act: Act
    label: str
    """The class; "" where it is none of them."""


class Journal:
    """One person's corrections in a file that others may write to, too, each through a journal of their own.

    A row is on the disk before `say` returns. A row that a kill cut short is dropped when the file is opened again.
    """

    def __init__(self, path: Path, by: str) -> None:
        self.path, self.by = path, by
        self.now: dict[str, Said] = {}
        """What this person says of each clip by now."""
        self._lock = threading.Lock()
        self._undo: list[list[tuple[str, Said | None, str]]] = []
        if not mode(path):
            self._append(_lines([COLUMNS]))
            return
        self._drop_half_a_row()
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
            before = [(id_, self.now.get(id_), was) for id_, _, was in made]
            self._write(made)
            self._undo.append(before)

    def undo(self) -> list[str]:
        """Takes back what was said last since the journal was opened, and returns the ids of its clips."""
        with self._lock:
            if not self._undo:
                return []
            last = self._undo[-1]
            self._write([(id_, said or Said("withdrawn", ""), was) for id_, said, was in last])
            self._undo.pop()
            return [id_ for id_, *_ in last]

    def _write(self, acts: list[tuple[str, Said, str]]) -> None:
        when = datetime.now(UTC).isoformat(timespec="seconds")
        self._append(_lines((id_, said.label, self.by, when, was, said.act) for id_, said, was in acts))
        for id_, said, _ in acts:
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

    def _drop_half_a_row(self) -> None:
        with naming(self.path), self.path.open("rb+") as stream:
            content = stream.read()
            if not content.endswith(b"\n"):
                stream.truncate(content.rfind(b"\n") + 1)


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
