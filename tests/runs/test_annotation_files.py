"""Events added to files of ELAN's and BORIS'."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from aplt.clips import Clip
from aplt.data.formats.source import Source
from aplt.data.recordings import events_table, read_events
from aplt.errors import InputError
from aplt.runs.event_files import WRITERS
from aplt.runs.timeline import Recording
from tests.data.formats.eaf import Eaf
from tests.data.formats.files import touch
from tests.data.formats.test_boris import project, seen
from tests.data.videos import RATE, write_video

EVENTS = ((1.5, 3.0, "nod", 0.9), (4.0, 4.25, 'a "b" & <c>', 0.5))


def recording(path: Path, *events: tuple[float, float, str, float]) -> Recording:
    return Recording(Clip(str(path), path), 10.0, events_table((str(path), *event) for event in events or EVENTS))


def write(format_: str, found: list[Recording], output: Path, original: Path | None = None) -> Path:
    output.write_text(WRITERS[format_].write(found, output, original), encoding="utf-8")
    return output


def without_ours(path: Path) -> ET.Element:
    """Returns a document without what aplt has added to it."""
    root = ET.parse(path, ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))).getroot()
    ours = [one for one in root if "aplt" in one.get("TIER_ID", one.get("LINGUISTIC_TYPE_ID", ""))]
    slots = {slot.get(name) for tier in ours for slot in tier.iter() for name in ("TIME_SLOT_REF1", "TIME_SLOT_REF2")}
    for one in [*ours, *root.iter("CONSTRAINT")]:
        root.remove(one)
    order = root.find("TIME_ORDER")
    assert order is not None
    for slot in [slot for slot in order if slot.get("TIME_SLOT_ID") in slots]:
        order.remove(slot)
    for used in root.iter("PROPERTY"):
        used.text = ""
    return root


def canonical(root: ET.Element) -> str:
    return ET.canonicalize(ET.tostring(root, encoding="unicode"), with_comments=True, strip_text=True)


@pytest.mark.parametrize("times", [1, 2])
def test_a_persons_file_keeps_all_it_has(tmp_path: Path, times: int) -> None:
    touch(tmp_path, "a.mp4")
    eaf = Eaf().link("./a.mp4", origin=500).tier("mine", (0, None, "x"), (None, 3000, "y"), (3500, 3500, "&lt;z&gt;"))
    original = eaf.refers("of", "mine", (1, "r")).write(tmp_path / "mine.eaf")
    given = original
    for number in range(times):
        given = write("elan", [recording(tmp_path / "a.mp4")], tmp_path / f"out{number}.eaf", given)
    assert canonical(without_ours(given)) == canonical(without_ours(original))
    root = ET.parse(given).getroot()
    times_ = [int(value) for slot in root.iter("TIME_SLOT") if (value := slot.get("TIME_VALUE"))]
    assert times_ == sorted(times_)
    ids = [value for one in root.iter() for name in ("TIME_SLOT_ID", "ANNOTATION_ID") if (value := one.get(name))]
    assert len(ids) == len(set(ids))
    last = max(int(name[1:]) for name in ids if not name.startswith("ts"))
    assert [one.text for one in root.iter("PROPERTY")] == [str(last)]
    names = ["aplt", "aplt-2"][:times]
    assert [name for one in root.iter("TIER") if "score" not in (name := one.get("TIER_ID", ""))] == [
        "mine",
        "of",
        *names,
    ]
    events, _ = read_events(Source(given, tiers=(names[-1],)))
    assert events[["start", "end", "label"]].to_numpy().tolist() == [list(event[:3]) for event in EVENTS]
    scores, _ = read_events(Source(given, tiers=(f"{names[-1]} score",)))
    assert scores["label"].tolist() == ["0.9000", "0.5000"]
    assert scores["start"].tolist() == events["start"].tolist()


def test_a_new_file_of_elans_links_the_recording(tmp_path: Path) -> None:
    video = touch(tmp_path, "films/a b.mp4") / "films" / "a b.mp4"
    (tmp_path / "out").mkdir()
    made = write("elan", [recording(video)], tmp_path / "out" / "e.eaf")
    events, _ = read_events(Source(made, tiers=("aplt",)))
    assert Path(events["path"].iloc[0]).resolve() == video
    assert [one.tag for one in ET.parse(made).getroot()] == [
        *("HEADER", "TIME_ORDER", "TIER", "TIER", "LINGUISTIC_TYPE", "LINGUISTIC_TYPE", "CONSTRAINT")
    ]


def test_a_copy_elsewhere_links_the_same_files(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4")
    (tmp_path / "out").mkdir()
    original = Eaf().link("a.mp4").tier("mine", (0, 1000, "x")).write(tmp_path / "mine.eaf")
    made = write("elan", [recording(tmp_path / "a.mp4")], tmp_path / "out" / "e.eaf", original)
    assert [one.get("RELATIVE_MEDIA_URL") for one in ET.parse(made).getroot().iter("MEDIA_DESCRIPTOR")] == ["../a.mp4"]


def test_what_elans_files_cannot_hold(tmp_path: Path) -> None:
    one, other = recording(tmp_path / "a.mp4"), recording(tmp_path / "b.mp4")
    original = Eaf().link("a.mp4").tier("mine", (0, 1000, "x")).write(tmp_path / "mine.eaf")
    with pytest.raises(InputError, match=r"links a\.mp4.*b\.mp4"):
        write("elan", [other], tmp_path / "e.eaf", original)
    original.write_text("no XML")
    with pytest.raises(InputError, match=r"mine\.eaf"):
        write("elan", [one], tmp_path / "e.eaf", original)


def test_a_project_keeps_all_it_has(tmp_path: Path) -> None:
    video = touch(tmp_path, "a.npz") / "a.npz"
    blink = recording(video, *EVENTS, (6.0, 7.0, "blink", 0.7))
    original = project(tmp_path / "p.boris", mine=seen([[1.0, "", "nod", "", ""]], "a.npz"))
    made = write("boris", [blink], tmp_path / "q.boris", original)
    again = write("boris", [blink], tmp_path / "r.boris", made)
    before, after = (json.loads(path.read_text()) for path in (original, again))
    assert list(after["observations"]) == ["mine", "aplt a", "aplt a-2"]
    ours = after["observations"].pop("aplt a")
    assert after["observations"].pop("aplt a-2")["events"] == ours["events"]
    assert after["behaviors_conf"].pop("4")["code"] == EVENTS[1][2]
    assert after == before
    assert ours["file"]["1"] == ["a.npz"]
    assert ours["media_info"]["length"] == {"a.npz": 10.0}
    assert [event[0] for event in ours["events"] if event[2] == "blink"] == [6.5]
    assert [event[0] for event in ours["events"] if event[2] == "nod"] == [1.5, 3.0]
    assert ours["events"][0][4] == "score 0.9000"


def test_a_project_says_which_part_of_a_video_was_read(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", 30)
    whole = Clip("a", video)
    events = events_table([(str(video), 0.5, 1.0, "nod", 0.9)])
    for clip, seconds, part in ((whole, 30 / RATE, [0, 0]), (replace(whole, start=0.5, end=1.5), 1.0, [0.5, 1.5])):
        made = write("boris", [Recording(clip, seconds, events)], tmp_path / "p.boris")
        (found,) = json.loads(made.read_text())["observations"].values()
        assert found["media_info"]["length"] == {"a.mp4": pytest.approx(30 / RATE, abs=1e-3)}
        assert found["observation time interval"] == part


def test_a_new_project(tmp_path: Path) -> None:
    files = touch(tmp_path, "a.npz", "b.npz")
    made = write("boris", [recording(files / "a.npz"), recording(files / "b.npz")], tmp_path / "p.boris")
    found = json.loads(made.read_text())
    assert [one["file"]["1"] for one in found["observations"].values()] == [["a.npz"], ["b.npz"]]
    assert {one["code"] for one in found["behaviors_conf"].values()} == {event[2] for event in EVENTS}
    (tmp_path / "events.csv").write_text("{}")
    with pytest.raises(InputError, match=r"events\.csv"):
        write("boris", [recording(files / "a.npz")], tmp_path / "q.boris", tmp_path / "events.csv")
