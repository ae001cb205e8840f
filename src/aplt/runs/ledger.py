"""What each round believed, kept in the run folder: its guidance as arrays, and a row per training clip in the ledger.

A run hands its guidance on in memory; the files are there for resuming and for readers.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from aplt.clips import UNKNOWN, ClipIndex
from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.runs.setup import Material
from aplt.storage import naming, read_arrays, write_text
from aplt.tensors import Guidance

TYPES = {
    "label": ("int64",),
    "accepted": ("bool",),
    "given": ("bool",),
    "prototype": ("float32",),
    **dict.fromkeys(("distance", "belief", "confidence", "threshold"), ("float32", "float64")),
}
"""The arrays of a round's guidance, and of which types they may be."""


def kept_guidance(run: RunDir, round_: int, material: Material, prototypes: Sequence[int]) -> Guidance:
    """Returns a round's guidance, on the CPU; rounds begin at 0, and `prototypes` is the shape [K, D]."""
    hint = f"the offline phase of round {round_ + 1} wrote it and the run cannot go on without it"
    path = run.require(lambda r: r.guidance(round_), hint)
    try:
        guidance = Guidance.from_arrays(read_arrays(path))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: damaged, no guidance of a round ({error})") from error
    if guidance.round != round_:
        raise InputError(f"{path}: is of round {guidance.round + 1}, not {round_ + 1}")
    arrays = guidance.arrays()
    for name, types in TYPES.items():
        whole = (len(material.index),)
        shape = {"threshold": tuple(prototypes[:1]), "prototype": tuple(prototypes)}.get(name, whole)
        if arrays[name].shape != shape or arrays[name].dtype.name not in types:
            found = f"{arrays[name].dtype} {list(arrays[name].shape)}"
            raise InputError(f"{path}: {name} is {found}, expected {types[0]} {list(shape)}; it is of another run")
    label, least = arrays["label"], np.full(len(material.index), UNKNOWN)
    least[[*material.split.labeled, *material.split.unlabeled]] = 0
    for position in np.flatnonzero((label < least) | (label >= prototypes[0]))[:1]:
        clip, most = material.index[int(position)].id, prototypes[0] - 1
        raise InputError(
            f"{path}: the label of clip '{clip}' is {label[position]}, expected {least[position]} to {most}"
        )
    return guidance


def append_to_ledger(run: RunDir, index: ClipIndex, guidance: Guidance) -> None:
    """Adds what an offline phase believed of each training clip to the ledger: rows of earlier rounds stay as they are.

    A kill in between may leave half a row or rows that come again; `rewrite_ledger` mends that when the run goes on.
    """
    new = not run.ledger.exists()
    with naming(run.ledger), run.ledger.open("a", encoding="utf-8", newline="") as stream:
        _rows(index, guidance).to_csv(stream, index=False, header=new, lineterminator="\n")


def rewrite_ledger(run: RunDir, material: Material, rounds: Iterable[int], prototypes: Sequence[int]) -> None:
    """Writes the ledger of these rounds again from their kept guidance; see `kept_guidance`."""
    tables = [_rows(material.index, kept_guidance(run, number, material, prototypes)) for number in rounds]
    if tables:
        write_text(run.ledger, pd.concat(tables).to_csv(index=False, lineterminator="\n"))
    else:
        run.ledger.unlink(missing_ok=True)


def _rows(index: ClipIndex, guidance: Guidance) -> pd.DataFrame:
    names = np.array([*index.class_names, ""], dtype=object)
    ids = np.array([clip.id for clip in index], dtype=object)
    kept = guidance.arrays()
    rows = np.flatnonzero(kept["label"] != UNKNOWN)
    label = kept["label"][rows]
    return pd.DataFrame(
        {
            "round": guidance.round + 1,
            "id": ids[rows],
            "label": names[label],
            "distance": kept["distance"][rows].round(5),
            "threshold": kept["threshold"][label].round(5),
            "accepted": kept["accepted"][rows],
            "given": kept["given"][rows],
            "confidence": kept["confidence"][rows].round(5),
        }
    )
