"""The folder of a run: the names of its files.

Free of torch, so that a copied folder can be read anywhere.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from pydantic import ValidationError

from aplt.config import RunConfig
from aplt.errors import InputError
from aplt.figures import Record
from aplt.record import Result, Round
from aplt.settings import load_yaml, shown, validated, wanted
from aplt.storage import json_object, read_arrays, read_bytes, read_json, read_table, sweep, write_text

MODEL_FILES = ("config.json", "model.safetensors", "encoder.safetensors", "surroundings.safetensors", "README.md")
GUIDANCE = re.compile(r"\d{3,}\.npz")


class RunDir:
    """One run's folder and the paths of its files; nothing is created until it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        """The whole effective config: `aplt train` on it repeats the run."""
        self.split = path / "split.csv"
        """The role of every clip: id, role."""
        self.origin = path / "origin.json"
        """The digests of the index and the split that the run was begun with: rounds are kept by row of the index."""
        self.metrics = path / "metrics.jsonl"
        """One JSON line per round."""
        self.ledger = path / "ledger.csv"
        """What each round believed about each training clip."""
        self.checkpoint = path / "checkpoint" / "state.safetensors"
        """Everything needed to continue, in one file so that replacing it is atomic."""
        self.rounds = path / "rounds"
        """The folder of each round's guidance."""
        self.model = path / "model"
        """The finished model's folder; `MODEL_FILES` says what it may hold."""
        self.predictions = path / "predictions.csv"
        """The test clips' predictions: id, truth, top-5, scores."""
        self.pseudo_labels = path / "pseudo_labels.csv"
        """The final model's label for every unlabeled clip, with its measured reliability."""
        self.features = path / "features.npz"
        """What the final model makes of every training clip: position in the index, feature, class probabilities."""
        self.held_out = path / "held_out.csv"
        """Predictions by which reliability is measured, of clips that training did not know: id, truth, label, score.

        Those of val, else test clips; after `crossfit` of labeled ones. The column `of` says which.
        """
        self.result = path / "result.json"
        """The final figures; its presence says that the run is finished."""
        self.report = path / "report.html"
        self.tracker = path / "tracker.json"
        """By what an experiment tracker finds the run again."""
        self.lock = path / ".lock"
        """There while the run is being trained, and after a kill; what counts is who holds a lock on it."""

    def guidance(self, round_: int) -> Path:
        """The arrays that the offline phase of a round handed to its online phase; for who reads, rounds begin at 1."""
        return self.rounds / f"{round_ + 1:03d}.npz"

    def files(self) -> list[Path]:
        """Returns the files of a run that are there, config.yaml first; others in the folder are not ours."""
        folders_and_lock = ("path", "rounds", "model", "lock")
        own = [path for name, path in vars(self).items() if name not in folders_and_lock]
        model = [self.model / name for name in MODEL_FILES]
        rounds = sorted(path for path in self.rounds.glob("*.npz") if GUIDANCE.fullmatch(path.name))
        return [path for path in (*own, *model, *rounds) if path.is_file()]

    def clear(self) -> None:
        """Removes this run's files and no others; config.yaml goes first, so that half a run is never continued."""
        for path in self.files():
            path.unlink()
        self.sweep()
        for folder in (self.checkpoint.parent, self.rounds, self.model):
            with suppress(OSError):  # it is not there, or holds files of others
                folder.rmdir()

    def sweep(self) -> None:
        """Removes what a kill left half written; to be called by the only process that writes here."""
        sweep((self.path, self.checkpoint.parent, self.rounds, self.model))

    def drop_checkpoint(self) -> None:
        """Removes what only an unfinished run needs."""
        self.checkpoint.unlink(missing_ok=True)
        with suppress(OSError):  # it is not there, or holds files of others
            self.checkpoint.parent.rmdir()

    def read_config(self) -> RunConfig:
        """Returns the settings, with defaults where another version has left any out."""
        path = self.require(lambda run: run.config, "expected a run folder")
        return validated(RunConfig, load_yaml(path), str(path))

    def read_rounds(self) -> list[Round]:
        """Returns what the rounds done so far left, oldest first."""
        if not self.metrics.exists():
            return []
        lines = read_bytes(self.metrics).splitlines()
        places = (f"{self.metrics} line {number}" for number in range(1, len(lines) + 1))
        rounds = [_record(Round, json_object(line, place), place) for line, place in zip(lines, places, strict=True)]
        for number, line in enumerate(rounds, start=1):
            if line.round != number:
                raise InputError(f"{self.metrics} line {number}: round is {line.round}, expected {number}")
        return rounds

    def write_rounds(self, rounds: Sequence[Round]) -> None:
        """Writes all rounds done so far: one short line each, so writing all again is cheap."""
        write_text(self.metrics, "".join(line.model_dump_json() + "\n" for line in rounds))

    def write_result(self, result: Result) -> None:
        """Writes the final figures: the last file of a run."""
        write_text(self.result, result.model_dump_json(indent=2) + "\n")

    def read_result(self) -> Result:
        """Returns the final figures.

        Raises:
            InputError: the run is not finished or is no run folder.
        """
        if not self.result.exists():
            raise InputError(f"{self.path} holds no result.json: not a run folder, or its training is unfinished")
        return _record(Result, read_json(self.result), str(self.result))

    def read_digests(self) -> dict[str, str]:
        """Returns the digests of the index and the split that the run was made of; empty where nothing says it."""
        for file in (self.result, self.origin):
            if file.exists():
                found = read_json(file).get("digests")
                return found if isinstance(found, dict) else {}
        return {}

    def read_features(self, clips: int, classes: int) -> dict[str, np.ndarray]:
        """Returns what a finished run knows of its training clips: position [M], feature [M, D], probability [M, K]."""
        found = read_arrays(self.require(lambda run: run.features, "a finished run has it"))
        expected = {
            "position": ("i", (clips,)),
            "feature": ("f", (clips, None)),
            "probability": ("f", (clips, classes)),
        }
        for name, (kind, shape) in expected.items():
            array = found.get(name, np.empty(0, dtype=object))
            sizes = zip(shape, array.shape, strict=False)
            if array.dtype.kind != kind or array.ndim != len(shape) or any(w not in (None, n) for w, n in sizes):
                was = f"{array.dtype} {list(array.shape)}" if name in found else "missing"
                raise InputError(
                    f"{self.features}: {name} is {was}, expected {clips} clips as in split.csv, {classes} classes"
                )
        return found

    def read_unseen(self) -> pd.DataFrame:
        """Returns what labeled clips were taken for by trainings that did not know them: label, score, by id."""
        if not self.held_out.exists():
            return pd.DataFrame({"label": [], "score": []})
        table = read_table(self.held_out, needed=("id", "label", "score", "of"))
        return table[table["of"].str.startswith("fold")].set_index("id")

    def require(self, file: Callable[["RunDir"], Path], hint: str) -> Path:
        """Returns one of the paths above when it exists, otherwise an InputError that ends in `hint`."""
        path = file(self)
        if not path.exists():
            found = "no such folder" if not self.path.exists() else f"no {path.relative_to(self.path)} in it"
            raise InputError(f"{self.path}: {found}; {hint}")
        return path


_Record = TypeVar("_Record", bound=Record)


def _record(kind: type[_Record], found: dict[str, Any], where: str) -> _Record:
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        if first["type"] == "value_error":
            why = str(first["ctx"]["error"])
        else:
            why = "is missing" if first["type"] == "missing" else f"{wanted(first)}, found {shown(first['input'])}"
        raise InputError(
            f"{where}: {f'{key}: ' * bool(key)}{why}; another version of aplt may have written it"
        ) from error
