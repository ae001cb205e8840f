"""Pickles: arrays and plain values are read, in every protocol; nothing that a pickle names is ever called."""

import io
import os
import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aplt.data.pose_files.unpickle import Packed, unpickled

ARRAYS: tuple[np.ndarray, ...] = (
    np.arange(24.0).reshape(2, 3, 4),
    np.asfortranarray(np.arange(6, dtype=np.float16).reshape(2, 3)),
    np.arange(6, dtype=">i4"),
    np.zeros((0, 3), dtype=np.uint8),
    np.array([True, False]),
)


def read(content: bytes) -> Any:
    return unpickled(io.BytesIO(content))


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("module", [b"numpy._core", b"numpy.core"])
def test_arrays_and_plain_values_in_every_protocol(protocol: int, module: bytes) -> None:
    plain = {"a": [1, -2.5, None, True], "b": ("x", b"\xff\0"), 3: {"c": np.float32(0.5), "d": np.int64(7)}}
    content = pickle.dumps((plain, list(ARRAYS)), protocol=protocol)
    if protocol < 4:  # in later ones each name has its length beside it
        content = content.replace(b"numpy._core", module)
    found, arrays = read(content)
    assert found == {"a": [1, -2.5, None, True], "b": ("x", b"\xff\0"), 3: {"c": 0.5, "d": 7}}
    for one, expected in zip(arrays, ARRAYS, strict=True):
        assert isinstance(one, Packed)
        assert one.values is not None
        assert one.values.dtype == expected.dtype
        np.testing.assert_array_equal(one.values, expected)


class Call:
    """Is pickled as a call."""

    def __init__(self, function: Any, *given: Any) -> None:
        self.made = function, given

    def __reduce__(self) -> Any:
        return self.made


def hostile(target: Path) -> dict[str, bytes]:
    """Returns pickles that would leave a file `target` behind, each in another way."""
    command = f"touch {target}"
    code = f"open({str(target)!r}, 'w').close()"
    named = b"c%s\n%s\n"
    text = pickle.dumps(code, 0)[:-1].replace(b"\n.", b"\n")
    return {
        "os.system": pickle.dumps(Call(os.system, command)),
        "eval": pickle.dumps({"annotations": [Call(eval, code)]}),
        "exec": pickle.dumps([np.zeros(2), Call(exec, code)], protocol=2),
        "open": pickle.dumps(Call(open, str(target), "w")),
        "subprocess": named % (b"subprocess", b"getoutput") + b"(V" + command.encode() + b"\ntR.",
        "instance": b"(V" + command.encode() + b"\nios\nsystem\n.",
        "dotted": b"\x80\x04\x8c\x05numpy\x8c\x19ndarray.__init__.__class__\x93.",
        "through numpy": named % (b"numpy.core.multiarray", b"fromfile") + b"(" + text + b"tR.",
        "reconstructs another": named % (b"numpy.core.multiarray", b"_reconstruct")
        + b"("
        + named % (b"os", b"system")
        + b"(I0\ntS'b'\ntR.",
        "objects in an array": pickle.dumps(np.array([Call(os.system, command)], dtype=object)),
        "type of objects": named % (b"numpy", b"dtype") + b"(VO8\nI0\nI1\ntR.",
        "array at an address": named % (b"numpy", b"ndarray") + b"((I1\ntVO8\nS'AAAAAAAA'\ntR.",
        "extension": b"\x82\x01.",
        "persistent": b"Pos\n.",
    }


@pytest.mark.parametrize("name", hostile(Path("x")))
def test_a_hostile_pickle_does_nothing(tmp_path: Path, name: str) -> None:
    target = tmp_path / "left-behind"
    with pytest.raises(ValueError, match="no pickle of arrays and plain values alone"):
        read(hostile(target)[name])
    assert not target.exists()


def test_what_the_hostile_ones_would_do(tmp_path: Path) -> None:
    for name in ("os.system", "eval", "instance", "objects in an array"):
        target = tmp_path / name.replace(" ", "-")
        pickle.loads(hostile(target)[name])
        assert target.exists()


def test_attributes_that_a_pickle_sets_are_its_own() -> None:
    setting = b"cnumpy\ndtype\n}(V__init__\nI1\nV__new__\nI2\nub."
    for name in (b"cnumpy\ndtype\n", b"cnumpy\nndarray\n", b"c_codecs\nencode\n"):
        for state in (setting[13:], b"(N}(V__new__\nI2\nutb."):
            with suppress(ValueError):
                read(name + state)
    (one,) = read(pickle.dumps([np.arange(3.0)], protocol=2))
    np.testing.assert_array_equal(one.values, np.arange(3.0))


def test_damaged_pickles_are_refused() -> None:
    content = pickle.dumps({"a": np.arange(6.0), "b": ["x"]}, protocol=2)
    rng = np.random.default_rng(0)
    for number in range(200):
        changed = bytearray(content[: len(content) * number // 40] if number < 40 else content)
        if number >= 40:
            changed[rng.integers(len(content))] = rng.integers(256)
        with suppress(ValueError):
            read(bytes(changed))
