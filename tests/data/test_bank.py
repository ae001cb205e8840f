"""Banks: features beside a clips.csv are its clips, and what is wrong with them is said by file and row."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from aplt.config import FeatureInput, SplitSettings
from aplt.data.bank import features_digest, shard
from aplt.data.check import check
from aplt.data.index import index_table, read_index, write_index
from aplt.data.modality import MODALITIES, modality_of
from aplt.data.splits import make_split
from aplt.errors import InputError
from tests.data.features import write_bank


def test_features_beside_a_table_are_its_clips(tmp_path: Path) -> None:
    bank = write_bank(tmp_path / "bank")
    index = read_index(bank)
    assert modality_of(index).name == "features"
    assert [(clip.bank, clip.row) for clip in index] == [(bank, row) for row in range(48)]
    assert read_index(bank / "clips.csv") == index
    # The same rows without features are other clips, divided alike.
    pd.read_csv(bank / "clips.csv").to_csv(tmp_path / "clips.csv", index=False)
    videos = read_index(tmp_path)
    assert modality_of(videos).name == "video"
    assert videos.digest == index.digest
    settings = SplitSettings(labeled=0.2, by_subject=True)
    assert make_split(videos, settings) == make_split(index, settings)


def test_check_reads_the_rows(tmp_path: Path) -> None:
    bank = write_bank(tmp_path / "bank")
    features = np.load(bank / "features.npy")
    features[7], features[9, 2] = 0, np.nan
    np.save(bank / "features.npy", features)
    found = check(read_index(bank), processes=1)
    assert [(finding.id, finding.problem) for finding in found] == [("7.mp4", "zeros"), ("9.mp4", "broken")]


def pointing(folder: Path, features: str, *rows: str) -> Path:
    table = pd.DataFrame({"path": [f"{i}.mp4" for i in range(len(rows))], "label": "nod", "features": features})
    folder.mkdir(exist_ok=True)
    table.assign(features_row=rows).to_csv(folder / "some.csv", index=False)
    return folder / "some.csv"


def test_a_table_elsewhere_points_to_rows(tmp_path: Path) -> None:
    bank = write_bank(tmp_path / "bank")
    index = read_index(pointing(tmp_path / "else", "../bank", "3", " 1 ", "3"))
    assert [(clip.bank, clip.row) for clip in index] == [(bank, 2), (bank, 0), (bank, 2)]
    assert index.columns == {}
    assert [(found.id, found.problem) for found in check(index, processes=1)] == [("2.mp4", "duplicate")]
    write_index(index_table(index), Path(), tmp_path / "again.csv")
    assert read_index(tmp_path / "again.csv").clips == index.clips
    assert features_digest(index) != features_digest(read_index(pointing(tmp_path / "else", "../bank", "1", "3", "3")))


@pytest.mark.parametrize(
    ("features", "row", "why"),
    [
        ("../bank", "0", r"row 1: features_row is 0, expected 1 to 48, the rows of .*bank"),
        ("../bank", "49", r"row 1: features_row is 49, expected 1 to 48"),
        ("../bank", "2.0", r"row 1: features is '../bank' and features_row '2.0', expected a folder and a whole"),
        (" ", "2", r"row 1: features is '' and features_row '2'"),
        ("../gone", "2", r"gone is no folder"),
        (".", "2", r"else holds no features"),
    ],
)
def test_a_pointer_to_no_row_is_an_error(features: str, row: str, why: str, tmp_path: Path) -> None:
    write_bank(tmp_path / "bank")
    with pytest.raises(InputError, match=rf"some\.csv.*{why}"):
        read_index(pointing(tmp_path / "else", features, row))


def test_pointers_are_whole_and_of_one_bank(tmp_path: Path) -> None:
    bank, other = write_bank(tmp_path / "bank"), write_bank(tmp_path / "other")
    table = pd.read_csv(pointing(tmp_path / "else", str(bank), "1", "2"))

    def refused(changed: pd.DataFrame, folder: Path = tmp_path) -> str:
        changed.to_csv(folder / "clips.csv", index=False)
        with pytest.raises(InputError) as caught:
            read_index(folder / "clips.csv")
        return str(caught.value)

    assert "column 'features_row' without 'features'" in refused(table.drop(columns="features"))
    assert "did you mean 'features_row'" in refused(table.rename(columns={"features_row": "feature_row"}))
    assert f"{bank} and in {other}; expected one" in refused(table.assign(features=[str(bank), str(other)]))
    assert "features lie beside it" in refused(table, other)
    # A column of the user's own that is called so is no pointer.
    table.drop(columns="features_row").to_csv(tmp_path / "clips.csv", index=False)
    index = read_index(tmp_path / "clips.csv")
    assert index[0].bank is None
    assert index.columns["features"] == (str(bank), str(bank))


def save(array: np.ndarray) -> Callable[[Path], None]:
    return lambda bank: np.save(bank / "features.npy", array)


def instead(arrays: dict[str, torch.Tensor], name: str = "features.safetensors") -> Callable[[Path], None]:
    def write(bank: Path) -> None:
        (bank / "features.npy").unlink()
        save_file(arrays, bank / name)

    return write


def two(bank: Path) -> None:
    save_file({"x": torch.zeros(48, 3)}, bank / "features.safetensors")


ROWS = torch.zeros(48, 3)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (save(np.zeros((47, 3))), "bank: the features have 47 rows, but clips.csv has 48"),
        (save(np.zeros((48, 3), dtype=np.int64)), r"features.npy: is int64 \[48, 3\], expected floating-point numbers"),
        (save(np.zeros(48)), r"features.npy: is float64 \[48\], expected \[N, D\] or \[N, views, D\]"),
        (save(np.array([{}] * 48)), "features.npy: damaged, or not an array of numbers"),
        (lambda bank: (bank / "features.npy").write_bytes(b"\x93NUMPY"), "features.npy: damaged"),
        (two, "bank: holds both features.npy and features.safetensors"),
        (
            instead({"a": ROWS, "b": ROWS + 1}),
            "features.safetensors: expected one array, or center, weak, strong; found a, b",
        ),
        (
            instead({"center": ROWS, "weak": ROWS[:9, None] + 1, "strong": ROWS[:, None] + 1}),
            "features.safetensors: its arrays do not fit each other",
        ),
        (
            instead({"x": ROWS}, "features-00001-of-00002.safetensors"),
            "features-00002-of-00002.safetensors: no such file, so the features are not whole",
        ),
        (lambda bank: (bank / "features.npy").rename(bank / "bank.json"), "bank: no features in it yet"),
    ],
)
def test_says_which_file_is_wrong(tmp_path: Path, damage: Callable[[Path], object], message: str) -> None:
    bank = write_bank(tmp_path / "bank")
    damage(bank)
    with pytest.raises(InputError, match=message):
        read_index(bank)


@pytest.mark.parametrize("views", [0, 3])
def test_a_feature_that_is_no_number_is_named_by_row(tmp_path: Path, views: int) -> None:
    bank = write_bank(tmp_path / "bank", views=views)
    features = np.load(bank / "features.npy")
    features.reshape(48, -1)[30, -1] = np.inf
    parts = (features[:20], features[20:])
    (bank / "features.npy").unlink()
    for number, part in enumerate(parts):
        save_file({"x": torch.from_numpy(part)}, shard(bank, number, 2))
    index = read_index(bank)
    with pytest.raises(InputError, match=r"clip '30.mp4' .*: row 11 of .*features-00002-of-00002.safetensors"):
        MODALITIES["features"].prepare(index.clips, FeatureInput())
    MODALITIES["features"].prepare([clip for clip in index if clip.row != 30], FeatureInput())
