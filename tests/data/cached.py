"""What tests ask of a frame cache."""

from pathlib import Path

import pytest

from aplt.data import cache as module
from aplt.data.frames import Frames
from tests.data.videos import number_of


def entries(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "frames").rglob("*.safetensors"))


def numbers(frames: Frames, rows: list[int]) -> list[int]:
    return [number_of(image.permute(1, 2, 0).numpy()) for image in frames.read(rows)]


def forbid(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError(f"{name} was called")

    monkeypatch.setattr(module, name, forbidden)
