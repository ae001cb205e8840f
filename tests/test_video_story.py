"""The whole story on real video files: index, check, train, predict, and what a bad file does to each."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.data.videos import write_sound, write_video
from tests.test_cli import aplt

SMALL = [
    *("--encoder", "tsm_tiny", "--set", "encoder_settings.width=4"),
    *(
        "--set",
        "train={rounds: 2, warm_up_rounds: 1, steps_per_round: 2, batch_labeled: 4, batch_unlabeled: 4, workers: 0}",
    ),
]


def write_folder(folder: Path, clips: int = 6) -> Path:
    """Writes films of a square that moves sideways or up, and unlabeled ones of both."""
    rng = np.random.default_rng(0)
    for i in range(clips * 2 + 4):
        kind = ("sideways", "up")[i % 2]
        frames = []
        for t in range(8):
            frame = rng.integers(30, 60, (36, 48, 3), dtype=np.uint8)
            x, y = (4 + 4 * t, 10) if kind == "sideways" else (16, 24 - 3 * t)
            frame[y : y + 8, x : x + 8] = 200
            frames.append(frame)
        home = folder / (kind if i < clips * 2 else "unlabeled")
        home.mkdir(parents=True, exist_ok=True)
        write_video(home / f"{i}.mp4", frames)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("films"))


def settings(cache: Path) -> list[str]:
    return [*SMALL, "--set", f"input={{frames: 4, size: 32, cache_dir: {cache}}}"]


def test_from_a_folder_of_video_to_predictions(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = tmp_path / "clips.csv"
    assert aplt("index", folder, "-o", clips) == 0
    assert "16 clips, 2 classes, 4 clips without a label" in capsys.readouterr().out
    assert aplt("check", clips) == 0
    assert aplt("train", clips, "--name", "a", "--runs", tmp_path, *settings(tmp_path / "cache")) == 0
    pseudo = pd.read_csv(tmp_path / "a" / "pseudo_labels.csv")
    assert len(pseudo) == 4  # all known labels are used where there are unlabeled clips
    assert set(pseudo["label"]) <= {"sideways", "up"}
    bad = tmp_path / "notes.mp4"
    bad.write_text("not a film")
    assert aplt("predict", tmp_path / "a", folder, bad, "-o", tmp_path / "out.csv") == 0
    table = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert len(table) == 17
    assert (table["error"] != "").tolist() == [False] * 16 + [True]
    assert "FFmpeg cannot read it as a video" in table["error"][16]


@pytest.mark.usefixtures("one_process")
def test_the_cache_changes_nothing_but_the_time(folder: Path, tmp_path: Path) -> None:
    for name, cache in (("cached", "true"), ("decoded", "false")):
        words = ["--method", "fixmatch", *settings(tmp_path / "cache"), "--set", f"input.cache={cache}"]
        assert aplt("train", folder, "--name", name, "--runs", tmp_path, *words) == 0
    first, second = ((tmp_path / name / "model" / "model.safetensors").read_bytes() for name in ("cached", "decoded"))
    assert first == second


BAD = {
    "truncated": ("broken", "truncated"),
    "text": ("broken", "FFmpeg cannot read it as a video"),
    "sound": ("no video stream", "no video stream"),
    "empty": ("empty", "the file is empty"),
}


def write_bad(path: Path, kind: str) -> None:
    if kind == "truncated":
        whole = write_video(path, 60, muxer={"movflags": "faststart"}).read_bytes()
        path.write_bytes(whole[: len(whole) * 2 // 3])
    elif kind == "sound":
        write_sound(path)
    else:
        path.write_text("" if kind == "empty" else "not a film")


@pytest.mark.usefixtures("one_process")
def test_bad_films_are_named(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    films = shutil.copytree(folder, tmp_path / "films")
    words = ("train", films, "--name", "a", "--runs", tmp_path / "runs", *settings(tmp_path / "cache"))
    for kind, (_, message) in BAD.items():
        bad = films / "up" / f"{kind}.mp4"
        write_bad(bad, kind)
        assert aplt(*words) == 2
        *_, error = capsys.readouterr().err.splitlines()
        assert error.startswith(f"aplt: clip 'up/{kind}.mp4'")
        assert message in error
        bad.rename(tmp_path / bad.name)
    for kind in BAD:
        (tmp_path / f"{kind}.mp4").rename(films / "up" / f"{kind}.mp4")
    assert aplt("check", films) == 1
    out = capsys.readouterr().out
    for kind, (problem, message) in BAD.items():
        (line,) = [line for line in out.splitlines() if line.startswith(f"up/{kind}.mp4: ")]
        assert line.startswith(f"up/{kind}.mp4: {problem}: ")
        assert message in line
    assert "20 clips checked, 4 with a problem" in out


@pytest.mark.usefixtures("one_process")
def test_a_bad_film_that_a_split_leaves_out_does_not_stop_the_others(folder: Path, tmp_path: Path) -> None:
    films, split = shutil.copytree(folder, tmp_path / "films"), tmp_path / "split.csv"
    (films / "up" / "bad.mp4").write_text("not a film")
    assert aplt("split", films, "--labeled", "50%", "-o", split) == 0
    kept = [line for line in split.read_text().splitlines() if "bad.mp4" not in line]
    split.write_text("\n".join(kept) + "\n")
    words = [
        "--split",
        split,
        "--method",
        "supervised",
        "--name",
        "a",
        "--runs",
        tmp_path / "runs",
        *settings(tmp_path / "cache"),
    ]
    assert aplt("train", films, *words) == 0
