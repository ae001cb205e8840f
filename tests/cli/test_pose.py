"""aplt pose as a user meets it, with a tracker that needs no model."""

from pathlib import Path

import numpy as np
import pytest

import aplt as package
from aplt.data.tracking import landmarks
from aplt.data.tracking.landmarks import Landmarks
from aplt.errors import InputError
from tests.data.tracking.fake import follow_number, pictures, seen, tracker
from tests.data.videos import write_text, write_video
from tests.test_cli import aplt


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two videos, one of which shows nobody but in its first frame; there is a tracker, and one core."""
    for name, count in (("nod/a", 3), ("wave/b", 7)):
        (tmp_path / "in" / name).parent.mkdir(parents=True)
        write_video(tmp_path / "in" / f"{name}.mp4", pictures(count))
    monkeypatch.setattr(landmarks, "mediapipe_tracker", lambda _, hands: tracker(hands=hands is not False))
    monkeypatch.setattr("aplt.parallel.cores", lambda: 1)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_shares_are_of_all_frames(capsys: pytest.CaptureFixture[str]) -> None:
    assert aplt("pose", "in") == 0
    said = "poses.csv: 2 clips of 10 frames; a body in 80.0%, a hand in 60.0% of them\n"
    assert capsys.readouterr() == (said + "poses-seen.jpg: what was seen in all of them\n", "")
    assert aplt("pose", "in", "--no-hands") == 0
    assert "a body in 80.0% of them" in capsys.readouterr().out
    assert aplt("check", "poses.csv") == 1  # one clip a class is few, but each is whole
    assert "2 clips checked, 0 with a problem" in capsys.readouterr().out


def test_clips_that_are_broken_or_show_nobody_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landmarks, "mediapipe_tracker", lambda *_, **__: tracker(lambda *_: seen()))
    write_text(folder / "in" / "nod" / "bad.mp4")
    assert aplt("pose", "in") == 0
    out, err = capsys.readouterr()
    assert "2 clips of 10 frames, 1 left out; a body in 0.0%" in out
    assert [line for line in err.splitlines() if "left out" in line and "nod/bad.mp4" in line]
    assert "in 2 clips: nod/a.mp4, wave/b.mp4" in err
    for path in (folder / "in").rglob("*.mp4"):
        write_text(path)
    assert aplt("pose", "in", "-o", "none.csv") == 1
    assert not (folder / "none.csv").exists()


def test_nothing_but_an_earlier_table_is_written_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert aplt("index", "in", "-o", "clips.csv") == 0
    content = (folder / "clips.csv").read_bytes()
    assert aplt("pose", "clips.csv", "-o", "clips.csv") == 2
    (folder / "mine.csv").write_text("path,label\nx,y\n")
    assert aplt("pose", "clips.csv", "-o", "mine.csv") == 2
    assert "mine.csv: exists" in capsys.readouterr().err
    assert (folder / "clips.csv").read_bytes() == content
    for _ in range(2):
        assert aplt("pose", "clips.csv") == 0


def test_it_says_how_to_go_on_after_a_stop(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(frame: np.ndarray, time: float) -> Landmarks:
        if time > 0.45:
            raise KeyboardInterrupt
        return follow_number(frame, time)

    monkeypatch.setattr(landmarks, "mediapipe_tracker", lambda *_, **__: tracker(stop))
    assert aplt("pose", "in") == 130
    assert "interrupted; the same command" in capsys.readouterr().err
    assert len(list((folder / "poses").iterdir())) == 1


@pytest.mark.usefixtures("folder")
def test_from_python() -> None:
    table = package.pose("in", "p.csv", rate=5, hands=False)
    assert list(table["frames"]) == [2, 4]
    assert Path("p.csv").exists()
    for rate in (0, -1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="rate is"):
            package.pose("in", rate=rate)


def test_poses_of_other_clips_and_corrected_labels_are_not_replaced_without_a_word(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert aplt("pose", "in") == 0
    (folder / "new" / "nod").mkdir(parents=True)
    write_video(folder / "new" / "nod" / "a.mp4", pictures(2))
    assert aplt("pose", "new") == 2
    assert "poses.csv: has the poses of 1 clip that new lacks, such as wave/b.mp4" in capsys.readouterr().err

    table = (folder / "poses.csv").read_text()
    assert ",wave\n" in table
    (folder / "poses.csv").write_text(table.replace(",wave\n", ",wink\n").replace(",nod\n", ", nod\n"))
    assert aplt("pose", "in") == 0
    assert "1 label changed, since in says otherwise: wave/b.mp4 from 'wink' to 'wave'" in capsys.readouterr().err
    assert ",wave\n" in (folder / "poses.csv").read_text()
    (folder / "bare.csv").write_text("path,id\nin/wave/b.mp4,wave/b.mp4\nin/nod/a.mp4,nod/a.mp4\n")
    assert aplt("pose", "bare.csv", "-o", "poses.csv") == 0
    lost = "2 labels changed, since bare.csv says otherwise: wave/b.mp4 from 'wave' to '', nod/a.mp4 from 'nod' to ''"
    assert lost in capsys.readouterr().err
    (folder / "poses.csv").write_text((folder / "poses.csv").read_text().splitlines()[0] + "\n")
    assert aplt("pose", "in") == 0  # of a table without rows nothing is lost


@pytest.mark.usefixtures("folder")
def test_the_table_needs_an_ending_and_a_place_beside_the_clips(capsys: pytest.CaptureFixture[str]) -> None:
    assert aplt("pose", "in", "-o", "p") == 2
    assert "p: expected a name with an ending, such as p.csv" in capsys.readouterr().err
    assert aplt("pose", "in", "-o", "in/poses.csv") == 2
    assert "would lie among the clips of in" in capsys.readouterr().err


def test_without_a_place_for_the_picture_the_poses_are_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "poses-seen.jpg").mkdir()
    assert aplt("pose", "in") == 0
    assert "no picture of what was seen: " in capsys.readouterr().err
    assert (folder / "poses.csv").exists()
