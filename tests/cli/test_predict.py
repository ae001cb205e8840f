"""aplt predict as a user meets it."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.test_cli import aplt


def test_predict_files_folders_and_tables(run: Path, clips: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    broken = tmp_path / "broken.npy"
    broken.write_bytes(b"nothing")
    other = tmp_path / "other.npy"
    np.save(other, np.zeros((5, 9, 3)))
    assert aplt("predict", run, clips, broken, clips.parent / "000.npy", other, "-o", output) == 0
    table = pd.read_csv(output, keep_default_na=False)
    assert len(table) == 51
    assert table.columns.tolist()[:6] == ["path", "id", "start", "end", "prediction_1", "score_1"]
    assert "unreadable as a skeleton" in table["error"][48]
    assert "expected 4 joints of 3 coordinates" in table["error"][50]
    assert (table["error"] != "").sum() == 2
    assert not table["error"].str.contains("broken.npy|other.npy", regex=True).any()  # which the path says
    assert table["prediction_1"][0] == table["prediction_1"][49]
    assert set(table["prediction_1"]) <= {"nod", "shake", "wave", ""}
    # The same model says of the test clips what training wrote down.
    told = pd.read_csv(run / "predictions.csv").set_index("id")["prediction_1"]
    again = table[:48].set_index(table["path"][:48].map(lambda path: Path(path).name))["prediction_1"]
    assert again[told.index].equals(told)


def test_a_table_to_predict_needs_no_labels(
    run: Path, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, output = tmp_path / "new.csv", tmp_path / "out.csv"
    table.write_text(f"path\n{clips.parent / '000.npy'}\n")
    assert aplt("predict", run, table, "-o", output) == 0
    assert len(pd.read_csv(output)) == 1
    table.write_text(f"file\n{clips.parent / '000.npy'}\n")
    assert aplt("predict", run, table, "-o", output) == 2
    assert "column 'path' is missing; found columns: file" in capsys.readouterr().err


def test_predictions_destroy_nothing_but_earlier_ones(
    run: Path, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip, notes = tmp_path / "clip.npy", tmp_path / "notes.csv"
    shutil.copy(clips.parent / "000.npy", clip)
    notes.write_text("my notes")
    for paths, output, message in (
        ([clip], clip, "is one of the files to read"),
        ([tmp_path], clip, "is one of the files to read"),
        ([clips], clips, "is one of the files to read"),
        ([clip], notes, "exists, and is nothing that this command may write over"),
        ([clip], run / "predictions.csv", "exists, and is nothing that this command may write over"),
    ):
        before = output.read_bytes()
        assert aplt("predict", run, *paths, "-o", output) == 2
        assert f"{output}: {message}" in capsys.readouterr().err
        assert output.read_bytes() == before
    for _ in range(2):
        assert aplt("predict", run, clip, "-o", tmp_path / "out.csv") == 0


@pytest.mark.parametrize("words", [("--threshold", "0.9"), ("--none", "nod"), ("--change", "5"), ("--stride", "1")])
def test_options_of_events_need_windows(
    run: Path, clips: Path, tmp_path: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert aplt("predict", run, clips, *words, "-o", tmp_path / "out.csv") == 2
    assert "are of events, which need --window" in " ".join(capsys.readouterr().err.split())


def test_nothing_could_be_predicted(run: Path, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film, output = tmp_path / "film.mp4", tmp_path / "out.csv"
    film.write_bytes(b"nothing")
    assert aplt("predict", run, film, "-o", output) == 1
    said = capsys.readouterr()
    assert said.out == f"{output}: 0 clips predicted, 1 unreadable\n"
    error = pd.read_csv(output)["error"][0]
    assert error == "by its name a video, but the model was trained on skeletons; `aplt pose` makes these of videos"
    assert said.err == f"aplt: {film}: {error}\n"
    assert aplt("predict", run, film, clips, "-o", output) == 0
    assert aplt("predict", "--help") == 0
    assert "Exit status 1" in " ".join(capsys.readouterr().out.split())


def test_every_column_is_documented(run: Path, clips: Path, tmp_path: Path) -> None:
    assert aplt("predict", run, clips.parent / "000.npy", "-o", tmp_path / "out.csv") == 0
    page = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
    for table in (run / "predictions.csv", run / "pseudo_labels.csv", run / "ledger.csv", tmp_path / "out.csv"):
        columns = [name for name in table.read_text().splitlines()[0].split(",") if name[-1] not in "2345"]
        assert [name for name in columns if f"`{name}`" not in page] == []


def test_a_model_folder_works_without_its_run(run: Path, clips: Path, tmp_path: Path) -> None:
    assert aplt("predict", run / "model", clips, "-o", tmp_path / "out.csv") == 0


def test_a_submission_is_of_ma52s_actions(
    run: Path, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "prediction.zip"
    assert aplt("predict", run, clips, "--format", "codabench", "-o", output) == 2
    assert "class 'shake' is none of MA-52's" in capsys.readouterr().err.replace("'nod'", "'shake'")
    assert not output.exists()
