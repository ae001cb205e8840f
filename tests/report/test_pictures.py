"""Clips in a page: their pictures, few enough, in the tables that speak of them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aplt.report.pictures import MOST, MOST_BYTES, Album, Clips, Frames, Skeleton
from aplt.rundir import RunDir

from .fake_run import add_bank, fake_run
from .reading import page_of

POSE = Skeleton(np.array([[[[-1.0, -1.0], [1.0, 1.0]]], [[[0.0, 0.0], [1.0, -1.0]]]]), [(1, 0)])


def test_a_skeleton_is_drawn_moment_beside_moment() -> None:
    drawn = Album(Clips(lambda _: POSE)).show("<a>")
    assert drawn is not None
    assert 'd="M96 96L4 4M196 4L150 50"' in drawn
    assert "<a>" not in drawn


def test_joints_are_drawn_where_no_bone_is_known() -> None:
    drawn = Album(Clips(lambda _: Skeleton(POSE.points, []))).show("a")
    assert drawn is not None
    assert "M4 4L4 4M96 96L96 96" in drawn


@pytest.mark.parametrize(("size", "shown"), [(10, MOST), (MOST_BYTES // 8, 5)])
def test_a_page_carries_so_many_pictures(size: int, shown: int) -> None:
    album = Album(Clips(lambda _: Frames(b"0" * size, 40, 10)))
    drawn = [album.show(str(k)) for k in range(MOST + 10)]
    assert sum(one is not None for one in drawn) == shown
    assert sum(len(one or "") for one in drawn) <= MOST_BYTES


def test_tables_show_the_clips_that_they_speak_of(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run")
    given = add_bank(folder, labels_wrong=2)
    table = pd.read_csv(RunDir(folder).predictions)
    first = str(table["id"][table["truth"] != table["prediction_1"]].iloc[0])
    clips = Clips(lambda id_: "its file is gone" if id_ == first else POSE, given)
    page = page_of(folder, clips=clips)
    drawn = [svg.get("aria-label", "") for svg in page.tags("svg") if svg.get("class") == "still"]
    assert 22 <= len(drawn) <= MOST
    assert {row["Clip"] for row in page.table("Clip", "suspected")} == {"clip-00000", "clip-00001"}
    assert all(any(f"clip {id_} " in one for one in drawn) for id_ in ("clip-00000", "clip-00001"))
    # The example of a confusion is its surest clip.
    row = page.table("True class")[0]
    own = table[(table["truth"] == row["True class"]) & (table["prediction_1"] == row["Taken for"])]
    assert row["Its surest clip"].startswith(own.nlargest(1, "score_1")["id"].iloc[0])
    assert "its file is gone" in page.text
    assert "--show suspected" in page.text


def test_labels_held_out_of_training_are_asked_first(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run")
    given = add_bank(folder)
    page = page_of(folder, clips=Clips(lambda _: "", given))
    assert "None of the 30 labeled clips is taken for another class. But this model has learned" in page.text
    other = next(name for name in given.values() if name != given["clip-00003"])
    held = {"id": ["clip-00003"], "truth": [given["clip-00003"]], "label": [other], "score": [0.75], "of": ["fold 1"]}
    pd.DataFrame(held).to_csv(RunDir(folder).held_out, index=False)
    (row,) = page_of(folder, clips=Clips(lambda _: "", given)).table("Clip", "suspected")
    assert (row["Clip"], row["Taken for"], row["Score"]) == ("clip-00003", other, "0.750")


def test_a_run_without_its_clips_says_so(tmp_path: Path) -> None:
    page = page_of(fake_run(tmp_path / "run"), clips=Clips(lambda _: "", missing="x.csv is no longer there"))
    assert "none: x.csv is no longer there" in page.text
    assert not [svg for svg in page.tags("svg") if svg.get("class") == "still"]
    assert len(page.table("Clip")) == 20
