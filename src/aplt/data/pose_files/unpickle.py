"""Reads pickles of numpy arrays and plain containers without running anything that they name.

A pickle is a program that may call whatever it names. Here the few names that arrays are made of stand for classes that
only keep numbers, and every other name is refused: a pickle calls nothing of Python's or numpy's.
"""

import pickle
import re
from typing import Any, BinaryIO

import numpy as np

from aplt.storage import reason

PLAIN = re.compile(r"[<>|=]?[fiub]\d{1,2}")
"""Types of plain numbers, as numpy writes them."""


class _Type:
    """Stands for numpy.dtype."""

    def __init__(self, code: Any, *_: Any) -> None:
        if not PLAIN.fullmatch(code):
            raise ValueError(f"expected arrays of plain numbers, found those of type {code!r:.40}")
        self.type = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        self.type = self.type.newbyteorder(state[1])


class Packed:
    """Stands for an array, whose numbers may come later."""

    values: np.ndarray | None = None

    def __init__(self, *made_from: Any) -> None:
        if len(made_from) == 4:  # numpy's _frombuffer; _reconstruct has three, and its numbers are the state
            raw, type_, shape, order = made_from
            self.__setstate__((1, shape, type_, order == "F", raw))

    def __setstate__(self, state: Any) -> None:
        _, shape, type_, by_columns, raw = state
        self.values = np.frombuffer(raw, type_.type).reshape(shape, order="F" if by_columns else "C")


class _Number:
    """Stands for numpy's scalar: gives a plain number."""

    def __new__(cls, type_: Any, raw: Any) -> Any:
        return np.frombuffer(raw, type_.type)[0].item()


class _Bytes:
    """Stands for codecs.encode: gives bytes, which Python 2 had to be told of in letters; without any, for bytes."""

    def __new__(cls, letters: Any = "", _: Any = None) -> Any:
        return letters.encode("latin1")


STANDING: dict[tuple[str, str], type] = {
    ("numpy", "ndarray"): object,  # only named
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _Bytes,
    ("__builtin__", "bytes"): _Bytes,  # that are empty
} | {
    (f"numpy.{core}.{name}", function): stands
    for core in ("core", "_core")  # before numpy 2, and since
    for name, function, stands in (
        ("multiarray", "_reconstruct", Packed),
        ("multiarray", "scalar", _Number),
        ("numeric", "_frombuffer", Packed),
    )
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type:
        """Returns what stands for a name: for each use a class of its own, since a pickle may set its attributes."""
        if (module, name) not in STANDING:
            raise ValueError(f"it names {module}.{name}, expected numpy's arrays and plain values alone")
        return type(name, (STANDING[module, name],), {})


def unpickled(stream: BinaryIO) -> Any:
    """Returns what a pickle holds: plain values and containers, with `Packed` in place of arrays.

    Raises:
        ValueError: it is damaged, or names anything else.
    """
    try:
        return _Reader(stream).load()
    except Exception as error:  # of many kinds, from pickle and numpy
        raise ValueError(f"no pickle of arrays and plain values alone: {reason(error)}") from error
