"""Formats, protocols and contradictions as a user meets them at the command line."""

from pathlib import Path

import numpy as np
import pytest

from aplt.comparison.plan import load_plan
from aplt.data.index import read_index
from tests.data.formats.files import touch, write
from tests.data.videos import write_video
from tests.test_cli import aplt

pytestmark = pytest.mark.usefixtures("one_process")


def test_which_format_was_recognized_is_said_and_classes_with_their_groups(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lists = {
        "label_name.txt": "0\tshaking body\n9\tnodding\n",
        "train.txt": "0003_01_0001.mp4 9\n",
        "val.txt": "a.mp4 0",
    }
    write(tmp_path / "MA-52", **lists)
    output = tmp_path / "out" / "clips.csv"
    assert aplt("index", tmp_path / "MA-52", "-o", output) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1:] == ["  nodding (head): 1", "  shaking body (body): 1"]
    assert f"{tmp_path / 'MA-52'} is read as of the format ma52" in err
    assert read_index(output).groups == ("head", "body")
    touch(tmp_path / "films", "a.mp4", "0003_01_0001.mp4")
    assert aplt("index", tmp_path / "MA-52", "--videos", tmp_path / "films", "-o", tmp_path / "found.csv") == 0
    assert all(clip.path.exists() for clip in read_index(tmp_path / "found.csv"))
    touch(tmp_path / "plain", "nod/a.mp4")
    capsys.readouterr()
    (tmp_path / "plain" / "talk.eaf").touch()
    aplt("index", tmp_path / "plain", "-o", tmp_path / "plain.csv")
    err = capsys.readouterr().err
    assert "of the format" not in err
    assert "'nod' is taken for the class of all clips" in err
    assert "1 .eaf (--format elan reads it)" in err


def test_pairs_that_are_none_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write(tmp_path, **{"list.csv": "file,class\na.mp4,nod\n"}) / "list.csv"
    for columns in ("path", "path=", "path=file,path=class"):
        assert aplt("index", table, "--columns", columns, "-o", tmp_path / "clips.csv") == 2
        assert "--columns: expected name=value pairs" in capsys.readouterr().err


@pytest.fixture
def views(tmp_path: Path) -> Path:
    """A table of 12 clips of two classes, two people and three views."""
    rows = [f"{i}.npy,{('nod', 'wave')[i % 2]},s{i // 6},v{i % 3}" for i in range(12)]
    for i in range(12):
        np.save(tmp_path / f"{i}.npy", np.random.default_rng(i).normal(size=(5, 3, 2)))
    return write(tmp_path, **{"clips.csv": "\n".join(["path,label,subject,view", *rows])}) / "clips.csv"


def test_a_view_is_held_out_and_folds_are_a_plan(views: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output, plan = views.parent / "split.csv", views.parent / "folds.yaml"
    assert aplt("split", views, "--test-by", "view=v2", "-o", output) == 0
    tested = [line.split(",")[0] for line in output.read_text().splitlines() if ",test," in line]
    assert tested == [f"{i}.npy" for i in range(2, 12, 3)]
    assert aplt("split", views, "--by", "view", "--test", "30%", "-o", output) == 0
    assert ", 4 test" in capsys.readouterr().out.splitlines()[-1]
    assert aplt("split", views, "--by", "view", "--folds", "3", "-o", plan) == 0
    drawn = [fold["split"] for fold in load_plan(plan, {}).datasets["clips"].folds]
    assert sorted(fold["test_subjects"] for fold in drawn) == [["v0"], ["v1"], ["v2"]]
    assert {fold["by"] for fold in drawn} == {"view"}
    other = views.parent / "other.yaml"
    assert aplt("split", views, "--by", "view", "--folds", "3", "--labeled", "20%", "--val", "30%", "-o", other) == 0
    found = load_plan(other, {})
    assert (found.labeled, found.settings) == ((0.2,), {"split": {"val": 0.3, "by_subject": True}})
    assert aplt("compare", other, "--methods", "supervised", "--seeds", "1", "--dry-run") == 0
    capsys.readouterr()
    for words, said in (
        (["--by", "view", "--folds", "3", "-o", plan], "folds.yaml: exists"),
        (["--folds", "2", "--test", "30%"], "--test would change nothing: folds test on each subject"),
        (["--folds", "2", "--val-subjects", "s0"], "--val-subjects would change nothing"),
        (["--folds", "2", "--test-by", "view=v1"], "--test-by would change nothing"),
        (["--test-by", "=v1"], "--test-by is '=v1', expected column=value"),
        (["--test-by", "view"], "--test-by is 'view', expected column=value"),
        (["--by", "camera"], "--by is 'camera', no column of the index"),
    ):
        assert aplt("split", views, *words) == 2
        assert said in capsys.readouterr().err


def test_check_names_intervals_that_contradict_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_video(tmp_path / "film.mp4", 30)
    rows = "film.mp4,nod,0,1\nfilm.mp4,nod,2,3\nfilm.mp4,wave,0.5,1.5\nfilm.mp4,wave,1.6,1.9\n"
    table = write(tmp_path, **{"clips.csv": f"path,label,start,end\n{rows}"}) / "clips.csv"
    assert aplt("check", table) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[:2] == ["  nod: 2", "  wave: 2"]
    assert out[2].startswith("film.mp4#0.5-1.5: overlap: is labeled 'wave' and overlaps clip 'film.mp4#0-1'")
    assert out[3:] == ["4 clips checked, 1 with a problem"]
