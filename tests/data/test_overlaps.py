"""Clips of one file that contradict each other."""

from pathlib import Path

from aplt.clips import Clip, ClipIndex
from aplt.data.overlaps import check_overlaps

FILM = Path("film.mp4")


def index_of(*clips: Clip) -> ClipIndex:
    return ClipIndex(clips, ("nod", "wave"))


def test_overlapping_intervals_with_different_labels_are_named() -> None:
    nod = Clip("nod", FILM, 0, start=1, end=3)
    index = index_of(
        Clip("wave", FILM, 1, start=2.5, end=4),
        nod,
        Clip("touching", FILM, 1, start=2.9, end=4.9),  # by rounding alone
        Clip("same", FILM, 0, start=0.5, end=3),
        Clip("unknown", FILM, start=1, end=3.1),
        Clip("elsewhere", Path("other.mp4"), 1, start=1, end=3),
    )
    (finding,) = [one for one in check_overlaps(index) if one.id == "wave"]
    assert (finding.problem, "'wave'" in finding.detail, "labeled 'nod'" in finding.detail) == ("overlap", True, True)
    assert {one.id for one in check_overlaps(index)} == {"wave"}
    (whole,) = check_overlaps(index_of(Clip("whole", FILM, 1), nod))
    assert whole.id == "nod"


def test_windows_that_cover_test_clips_are_named() -> None:
    tested = Clip("tested", FILM, 0, start=1, end=3, official="test")
    window = Clip("window", FILM, start=0, end=2)
    (finding,) = check_overlaps(index_of(tested, window, Clip("after", FILM, start=3, end=5)))
    assert (finding.id, finding.problem) == ("window", "seen in test")
    assert "clip without a label that shows what test clip 'tested' (from 1 s to 3 s) shows" in finding.detail
    (finding,) = check_overlaps(index_of(tested, Clip("train", FILM, 0, start=2, end=3, official="train")))
    assert finding.id == "train"
    assert not check_overlaps(index_of(tested, Clip("second", FILM, 0, start=2, end=3, official="test")))
