"""The run folder: the name of every file in it, and writing them so that a kill leaves the old or the new.

Free of torch, so that a copied run folder can be read anywhere.
"""

import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from aplt.errors import InputError


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """Opens a file that takes the name `path` only when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = aside_of(path)
    try:
        with aside.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def aside_of(path: Path) -> Path:
    """Returns a name beside `path` that nobody else uses, hidden and ending in .aside."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.aside")


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically, in UTF-8."""
    with atomic(path) as stream:
        stream.write(text.encode())


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
    """Returns the arrays of an .npz; never unpickles."""
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


class RunDir:
    """One run's folder. Paths are properties; nothing is created until it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def config(self) -> Path:
        """The whole effective config: `aplt train` on it repeats the run."""
        return self.path / "config.yaml"

    @property
    def split(self) -> Path:
        """The role of every clip: id, role."""
        return self.path / "split.csv"

    @property
    def metrics(self) -> Path:
        """One JSON line a round."""
        return self.path / "metrics.jsonl"

    @property
    def ledger(self) -> Path:
        """What each round believed about each training clip."""
        return self.path / "ledger.csv"

    @property
    def checkpoint(self) -> Path:
        """Everything needed to continue, in one file so that replacing it is atomic."""
        return self.path / "checkpoint" / "state.safetensors"

    @property
    def model(self) -> Path:
        """The finished model's folder: model.safetensors and config.json."""
        return self.path / "model"

    @property
    def predictions(self) -> Path:
        """The test clips' predictions: id, truth, top-5, scores."""
        return self.path / "predictions.csv"

    @property
    def pseudo_labels(self) -> Path:
        """The final model's label for every unlabeled clip, with its measured reliability."""
        return self.path / "pseudo_labels.csv"

    @property
    def result(self) -> Path:
        """The final figures; its presence says that the run is finished."""
        return self.path / "result.json"

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.path / "report.html"

    def sweep(self) -> None:
        """Removes what a kill left half written; to be called by the only process that writes here."""
        for aside in self.path.rglob(".*.aside"):
            shutil.rmtree(aside) if aside.is_dir() else aside.unlink()

    def guidance(self, round_: int) -> Path:
        """The arrays that the offline phase of a round handed to its online phase."""
        return self.path / "rounds" / f"{round_:03d}.npz"

    def read_metrics(self) -> list[dict[str, Any]]:
        """Returns the metrics of the rounds done so far, oldest first."""
        if not self.metrics.exists():
            return []
        return [json.loads(line) for line in self.metrics.read_text(encoding="utf-8").splitlines()]

    def write_metrics(self, rounds: list[dict[str, Any]]) -> None:
        """Writes the metrics of all rounds done so far: one short line each, so writing all anew is cheap."""
        write_text(self.metrics, "".join(json.dumps(line) + "\n" for line in rounds))

    def read_result(self) -> dict[str, Any]:
        """Returns the final figures.

        Raises:
            InputError: the run is not finished or is no run folder.
        """
        if not self.result.exists():
            raise InputError(f"{self.path} holds no result.json: not a run folder, or its training is unfinished")
        result: dict[str, Any] = json.loads(self.result.read_text(encoding="utf-8"))
        return result

    def require(self, file: Callable[["RunDir"], Path], hint: str) -> Path:
        """Returns one of the paths above when it exists, otherwise an InputError that ends in `hint`."""
        path = file(self)
        if not path.exists():
            found = "no such folder" if not self.path.exists() else f"no {path.relative_to(self.path)} in it"
            raise InputError(f"{self.path}: {found}; {hint}")
        return path
