"""A disk that fails while the beginning of a file is looked at: the error names the file, wherever that happens."""

import errno
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aplt.cli.overwriting import require_own
from aplt.clips import Clip, ClipIndex
from aplt.data.bank import features_digest
from aplt.data.pose_files import clip_at


class Broken(io.BytesIO):
    """A file that can be opened, and not read."""

    def read(self, _: int | None = -1, /) -> bytes:
        raise OSError(errno.EIO, "Input/output error")


LOOKS: list[tuple[str, Callable[[Path], object]]] = [
    ("poses.json", clip_at),
    ("list.csv", lambda path: require_own(path, ("a", "b"), [])),
    ("features.npy", lambda path: features_digest(ClipIndex((Clip("a", path, bank=path.parent),), ()))),
]


@pytest.mark.parametrize(("name", "look"), LOOKS)
def test_the_error_names_the_file(
    name: str, look: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "features.npy", np.zeros((2, 3)))
    (tmp_path / name).touch()

    def broken(_: Path, *__: Any, **___: Any) -> Broken:
        return Broken()

    monkeypatch.setattr(Path, "open", broken)
    with pytest.raises(OSError, match=rf"Input/output error: '.*{name}'"):
        look(tmp_path / name)
