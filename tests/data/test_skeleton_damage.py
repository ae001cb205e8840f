"""Damaged skeleton files: whatever happened to the bytes, there is a sequence or an InputError that names the file."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from aplt.data.skeleton import read_skeleton
from aplt.errors import InputError

ARRAY = np.random.default_rng(0).normal(size=(3, 15, 3))


def contents() -> dict[str, bytes]:
    """Returns an undamaged file of each kind."""
    plain, stored, packed, text = io.BytesIO(), io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(plain, ARRAY)
    np.savez(stored, ARRAY)
    np.savez_compressed(packed, skeleton=ARRAY)
    np.savetxt(text, ARRAY.reshape(-1, 3), fmt="%.2f")
    return {
        "plain.npy": plain.getvalue(),
        "stored.npz": stored.getvalue(),
        "packed.npz": packed.getvalue(),
        "text.txt": text.getvalue(),
        "nucla.json": json.dumps({"skeletons": ARRAY.round(2).tolist()}).encode(),
    }


def damaged(content: bytes) -> Iterator[bytes]:
    """Yields the file truncated at many lengths, and with bytes flipped."""
    yield from (content[: len(content) * cut // 30] for cut in range(30))
    rng = np.random.default_rng(0)
    # Most of what can go wrong is in headers and trailers.
    headers, trailers = rng.integers(140, size=80), len(content) - 1 - rng.integers(140, size=40)
    for place in (*headers, *trailers, *rng.integers(len(content), size=40)):
        flipped = bytearray(content)
        flipped[place] ^= int(rng.integers(1, 256))
        yield bytes(flipped)


def read(path: Path, content: bytes) -> bool:
    """Returns whether there is a sequence in a file; otherwise its error names it in one line."""
    path.write_bytes(content)
    try:
        found = read_skeleton(path).points
    except InputError as error:
        message = str(error)
    else:
        assert found.ndim == 4
        assert found.shape[-1] in (2, 3)
        assert found.dtype == np.float32
        return True
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return False


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", contents())
def test_damage_is_an_error_that_names_the_file(tmp_path: Path, name: str) -> None:
    content = contents()[name]
    assert read(tmp_path / name, content)
    refused = sum(not read(tmp_path / name, changed) for changed in damaged(content))
    assert refused > 30


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b"[" * 100_000, "unreadable as a skeleton"),
        ("a.json", b'{"skeletons": [[[1e400, "x"]]]}', "unreadable as a skeleton"),
        ("a.json", b'{"skeletons": [[[1' + b"0" * 400 + b", 1]]]}", "unreadable as a skeleton"),
        ("a.json", b'{"skeletons": {"a": 1}}', "unreadable as a skeleton"),
        ("a.json", b"\xff\xfe", "unreadable as a skeleton"),
        ("a.json", b"[1, 2]", "found 1; known are N-UCLA"),
        ("a.txt", b" \n", "unreadable as a skeleton"),
        ("a.npy", b"", "unreadable as a skeleton"),
        ("a.npz", b"", "unreadable as a skeleton"),
    ],
)
def test_contents_that_are_no_skeleton(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_skeleton(tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path / name))
    assert message in str(caught.value)


def test_an_archive_that_unpacks_to_more_than_any_clip_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aplt.data.pose_files.arrays.LARGEST", 10_000_000)
    for frames, whole in ((130_000, True), (140_000, False)):  # of 72 bytes each, which is nearly nothing packed
        np.savez_compressed(tmp_path / "a.npz", np.zeros((frames, 3, 3)))
        assert (tmp_path / "a.npz").stat().st_size < 20_000
        assert read(tmp_path / "a.npz", (tmp_path / "a.npz").read_bytes()) == whole


def test_arrays_that_are_no_coordinates(tmp_path: Path) -> None:
    for array in (ARRAY.astype(complex), ARRAY.astype(str)):
        np.save(tmp_path / "a.npy", array)
        with pytest.raises(InputError, match="unreadable as a skeleton"):
            read_skeleton(tmp_path / "a.npy")
    np.save(tmp_path / "a.npy", (ARRAY * 100).astype(np.int64))
    assert read_skeleton(tmp_path / "a.npy").points.shape == (1, *ARRAY.shape)
    np.savez(tmp_path / "two.npz", a=ARRAY, b=ARRAY)
    with pytest.raises(InputError, match="expected one array or one named 'skeleton', found a, b"):
        read_skeleton(tmp_path / "two.npz")
    np.savez(tmp_path / "none.npz")
    with pytest.raises(InputError, match="found none"):
        read_skeleton(tmp_path / "none.npz")


def test_a_missing_coordinate_in_json_may_be_null_or_nan(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"skeletons": [[[1, 2]], [[null, NaN]], [[3, 4]]]}')
    assert read_skeleton(tmp_path / "a.json").points[0, 1, 0].tolist() == [2, 3]


def test_what_is_no_array_is_not_said_to_be_pickled(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_text('{"version": 1.1}')
    with pytest.raises(InputError, match=r"a\.npy: .*it is no array of NumPy's, .* with b'{\"vers'"):
        read_skeleton(tmp_path / "a.npy")
