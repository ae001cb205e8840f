"""ELAN's files as indexes and events."""

from pathlib import Path

import numpy as np
import pytest

from aplt.data.formats.source import Source
from aplt.data.index import read_index
from aplt.data.recordings import read_events
from aplt.errors import InputError
from tests.data.formats.eaf import Eaf
from tests.data.formats.files import indexed, touch
from tests.test_cli import aplt


def test_a_tier_becomes_clips_of_the_linked_video(tmp_path: Path) -> None:
    touch(tmp_path, "films/day 1/talk.mp4")
    eaf = Eaf().link("../films/day%201/talk.mp4", "file:///C:/lab/talk.mp4").link("talk.wav")
    eaf.tier("gestures", (1500, 2750, "nod"), (3000, 4000, " wave "), (5000, 6000, ""), person="P1").tier("empty")
    table, remarks = indexed(eaf.write(tmp_path / "eaf" / "talk.eaf"))
    assert table.index.tolist() == [
        f"../films/day 1/talk.mp4#{span}" for span in ("1.500-2.750", "3.000-4.000", "5.000-6.000")
    ]
    assert table["label"].tolist() == ["nod", "wave", ""]
    assert table[["start", "end", "subject"]].iloc[0].tolist() == ["1.500", "2.750", "P1"]
    assert not remarks


@pytest.mark.parametrize("place", ["relative", "absolute", "beside", "elsewhere", "missing"])
def test_where_the_video_is(tmp_path: Path, place: str) -> None:
    names = {"relative": "eaf/sub/a.mp4", "absolute": "far/a.mp4", "beside": "eaf/a.mp4", "elsewhere": "new/x/a.mkv"}
    touch(tmp_path, names.get(place, "b.mp4"))
    url = (tmp_path / "far" / "a.mp4").as_uri()
    path = Eaf().link("./sub/a.mp4", url).tier("t", (0, 1000, "nod")).write(tmp_path / "eaf" / "x.eaf")
    apart = tmp_path / "new" if place == "elsewhere" else None
    table, remarks = indexed(path, apart=apart)
    if place == "missing":
        assert table["path"].tolist() == ["a.mp4"]
        assert "--videos" in remarks[0]
    else:
        assert ((apart or path.parent) / table["path"].iloc[0]).resolve() == tmp_path / names[place]
        assert not remarks


def test_of_several_recordings_with_one_name_the_one_in_the_same_folder(tmp_path: Path) -> None:
    touch(tmp_path, "new/P01/front.mp4", "new/P02/front.mp4", "new/P02/front.npz")
    path = Eaf().link("../P02/front.mp4", "file:///lab/P02/front.mp4").tier("t", (0, 1000, "nod"))
    table, _ = indexed(path.write(tmp_path / "eaf" / "x.eaf"), apart=tmp_path / "new")
    assert table["path"].tolist() == ["P02/front.mp4"]
    other = Eaf().link("front.mp4", "file:///C:/front.mp4").tier("t", (0, 1000, "nod")).write(tmp_path / "y.eaf")
    with pytest.raises(InputError, match=r"front.mp4 may be P01/front.mp4 or P02/front.mp4"):
        indexed(other, apart=tmp_path / "new")


def test_the_skeletons_that_were_tracked_in_the_recording(tmp_path: Path) -> None:
    touch(tmp_path, "poses/P01-front.mp4-0123abcd.npz", "poses/P02-front.mp4-0123abce.npz")
    path = Eaf().link("../P02/front.mp4", "file:///lab/P02/front.mp4").tier("t", (0, 1000, "nod"))
    table, _ = indexed(path.write(tmp_path / "eaf" / "x.eaf"), apart=tmp_path / "poses")
    assert table["path"].tolist() == ["P02-front.mp4-0123abce.npz"]


def test_offsets_and_several_videos(tmp_path: Path) -> None:
    touch(tmp_path, "side.mp4")
    eaf = Eaf().link("front.mp4", origin=500).link("side.mp4", origin=-1000)
    path = eaf.tier("t", (0, 900, "before"), (500, 2500, "nod"), (3000, 4000, "wave")).write(tmp_path / "x.eaf")
    table, remarks = indexed(path)  # front.mp4 is not there
    assert table["path"].unique().tolist() == ["side.mp4"]
    assert table[["label", "start", "end"]].to_numpy().tolist() == [
        ["nod", "0.000", "1.500"],
        ["wave", "2.000", "3.000"],
    ]
    assert any("front.mp4" in remark for remark in remarks)
    assert any("1 x annotation" in remark for remark in remarks)
    touch(tmp_path, "front.mp4")
    assert indexed(path)[0]["start"].tolist() == ["0.500", "1.000", "3.500"]


def test_times_that_are_not_said(tmp_path: Path) -> None:
    eaf = Eaf().link("a.mp4").tier("phrase", (1000, 4000, "x"), (5000, 6000, "y"))
    eaf.tier("parts", (1000, None, "prep"), (None, None, "stroke"), (None, 4000, "retract"))
    eaf.refers("kind", "phrase", (1, "beat"), (1, "point"), (2, "beat")).refers("hand", "kind", (7, "left"))
    path = eaf.write(touch(tmp_path, "a.mp4") / "a.eaf")

    def spans(tier: str) -> list[list[str]]:
        return indexed(path, tiers=(tier,))[0][["label", "start", "end"]].to_numpy().tolist()

    assert spans("parts") == [["prep", "1.000", "2.000"], ["stroke", "2.000", "3.000"], ["retract", "3.000", "4.000"]]
    assert spans("kind") == [["beat", "1.000", "2.500"], ["point", "2.500", "4.000"], ["beat", "5.000", "6.000"]]
    assert spans("hand") == [["left", "2.500", "4.000"]]


def test_which_tier(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4")
    one = ((0, 1000, "nod"),)
    path = Eaf().link("a.mp4").tier("mine", *one).tier("aplt", *one).tier("watched", *one).write(tmp_path / "a.eaf")
    assert len(indexed(path)[0]) == 1
    table = indexed(path, tiers=("mine", "aplt"))[0]
    assert table["tier"].tolist() == ["mine", "aplt"]
    assert table.index.tolist() == ["a.mp4#0.000-1.000", "a.mp4#0.000-1.000~2"]
    several = Eaf().link("a.mp4").tier("left hand", *one).tier("head", *one).write(tmp_path / "b" / "a.eaf")
    own = Eaf().link("a.mp4").tier("aplt", *one).write(tmp_path / "c" / "a.eaf")
    for where in (several, own):
        with pytest.raises(InputError, match=r"--tier.*(left hand, head|aplt)"):
            indexed(where)
    with pytest.raises(InputError, match=r"no tier 'hed'.*left hand, head"):
        indexed(several, tiers=("hed",))
    with pytest.raises(InputError, match="--tier would change nothing"):
        indexed(tmp_path, "folder", tiers=("head",))


def test_a_folder_of_files(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "b.mp4")
    for name in "ab":
        Eaf().link(f"{name}.mp4").tier("t", (0, 1000, name)).write(tmp_path / f"{name}.eaf")
    Eaf().link("b.mp4").tier("other", (0, 1000, "c")).write(tmp_path / "c.eaf")
    table, remarks = indexed(tmp_path, "elan")
    assert table["label"].tolist() == ["a", "b", "c"]
    assert any("b.eaf, c.eaf" in remark for remark in remarks)
    table, remarks = indexed(tmp_path, "elan", tiers=("t",))
    assert table["label"].tolist() == ["a", "b"]
    assert any("1 of 3 files left out" in remark and "c.eaf" in remark for remark in remarks)


@pytest.mark.parametrize("text", ["", "<a/>", "<ANNOTATION_DOCUMENT", "no XML"])
def test_what_is_no_file_of_elans(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.eaf").write_text(text)
    with pytest.raises(InputError, match=r"a\.eaf"):
        indexed(tmp_path / "a.eaf")
    with pytest.raises(InputError, match=r"aplt index .*a\.eaf --format elan"):
        read_index(tmp_path / "a.eaf")


def test_windows_beside_what_was_watched(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", skeleton=np.random.default_rng(0).random((200, 5, 3)), fps=10)
    rows = ((2000, 4000, "nod"), (6000, 7000, ""), (15000, 16000, "wave"))
    path = Eaf().link("a.npz").tier("t", *rows).tier("watched", (1000, 9000, "")).write(tmp_path / "a.eaf")
    words = ["index", path, "--window", 1, "--stride", 1, "--none", "nothing", "-o", tmp_path / "clips.csv"]
    assert aplt(*words) == 0
    index = read_index(tmp_path / "clips.csv")
    spans = {
        name: sorted((clip.start, clip.end) for clip in index if clip.label == number)
        for number, name in enumerate(index.class_names)
    }
    assert spans["nothing"] == [(1, 2), (4, 5), (5, 6), (7, 8), (8, 9)]
    assert (spans["nod"], spans["wave"]) == ([(2, 4)], [(15, 16)])
    rest = sorted((clip.start, clip.end) for clip in index if clip.label < 0)
    assert rest == [(0, 1), (6, 7), *((k, k + 1) for k in (*range(9, 15), *range(16, 20)))]
    # The same from the folder of recordings, with the annotations beside it.
    assert aplt("index", tmp_path, *words[2:8], "--events", path, "-o", tmp_path / "same.csv") == 0
    assert (tmp_path / "same.csv").read_text() == (tmp_path / "clips.csv").read_text()


def test_events_of_elans(tmp_path: Path) -> None:
    path = Eaf().link("a.mp4").tier("t", (0, 1000, "nod")).tier("watched", (0, 5000, "")).write(tmp_path / "a.eaf")
    events, watched = read_events(Source(path))
    assert events[["path", "start", "end", "label"]].to_numpy().tolist() == [[str(tmp_path / "a.mp4"), 0.0, 1.0, "nod"]]
    assert watched == {str(tmp_path / "a.mp4"): [(0.0, 5.0)]}
