"""The picture of what a tracker saw: skeletons are drawn where they were seen, on the frames in which they were."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from aplt.data.tracking.clips import track_index
from aplt.data.tracking.landmarks import Landmarks
from aplt.data.tracking.sheet import CAPTION, CLIPS, HEIGHT, MOMENTS, WIDEST, draw_sheet
from tests.data.tracking.fake import body, pictures, seen, tracker
from tests.data.videos import number_of, picture, write_text, write_video

WIDTH = round(HEIGHT * 64 / 48)


def sheet(
    tmp_path: Path, *, clips: int, frames: int, rate: float | None = None, nobody: bool = False, later: int = 0
) -> np.ndarray:
    """Returns the picture [H, W, 3] of gray films, in which a body goes to the right by 2 pixels a frame, if there.

    Each film begins by so many frames `later` than the one before.
    """

    def see(frame: np.ndarray, _: float) -> Landmarks:
        return seen() if nobody else seen(body(8 + 2 * (number_of(frame) - 10), 24, 10))

    for number in range(clips):
        write_video(tmp_path / "in" / f"{number:02d}.mp4", pictures(frames + later * number)[later * number :])
    output = tmp_path / "poses.csv"
    table = track_index(tmp_path / "in", output, tracker(see, hands=False), rate=rate, processes=1)
    path = draw_sheet(tmp_path / "in", table, output, rate)
    assert path == tmp_path / "poses-seen.jpg"
    return pixels_of(path)


def pixels_of(path: Path | None) -> np.ndarray:
    """Returns a picture's pixels [H, W, 3]."""
    assert path is not None
    pixels: np.ndarray = np.asarray(Image.open(path).convert("RGB")).astype(int)
    return pixels


def colored(pixels: np.ndarray) -> np.ndarray:
    """Returns where a picture is not gray, [H, W]."""
    is_colored: np.ndarray = np.ptp(pixels, axis=2) > 60
    return is_colored


def numbers(row: np.ndarray) -> list[int]:
    """Returns which of `pictures` the frames of a row of the picture are."""
    return [number_of(cell) - 10 for cell in np.split(row[CAPTION:], MOMENTS, axis=1)]


def places(row: np.ndarray) -> list[float]:
    """Returns for each frame of a row of the picture the mean x of what is drawn there, in the film's pixels."""
    cells = colored(row[CAPTION:]).reshape(HEIGHT, MOMENTS, -1).transpose(1, 0, 2)
    return [float(np.nonzero(cell)[1].mean()) * 48 / HEIGHT for cell in cells]


def test_bodies_are_drawn_where_they_were_seen(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    shown = sheet(tmp_path, clips=2, frames=10)
    assert shown.shape == (2 * (HEIGHT + CAPTION), MOMENTS * WIDTH, 3)
    for row in np.split(shown, 2):
        assert numbers(row) == [1, 3, 5, 7, 9]
        at = places(row)
        np.testing.assert_allclose(np.diff(at), 4, atol=0.6)
        assert abs(at[0] - 10) < 1.5
        assert row[:CAPTION].max() > 200  # the caption


def test_with_a_rate_the_frames_are_those_that_were_looked_at(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    row = sheet(tmp_path, clips=1, frames=10, rate=5)
    assert numbers(row) == [0, 2, 4, 6, 8]  # of ten a second
    at = places(row)
    np.testing.assert_allclose(np.diff(at), 4, atol=0.6)
    assert abs(at[0] - 8) < 1.5


def test_a_clip_without_anybody_is_shown_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    shown = sheet(tmp_path, clips=1, frames=3, nobody=True)
    assert not colored(shown).any()
    assert shown[CAPTION:].mean() > 5


def test_of_many_clips_some_from_the_first_to_the_last(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    rows = np.split(sheet(tmp_path, clips=CLIPS + 3, frames=5, later=1), CLIPS)
    assert [len(row) for row in rows] == [HEIGHT + CAPTION] * CLIPS
    assert numbers(rows[0]) == [0, 1, 2, 3, 4]
    assert numbers(rows[-1])[0] == CLIPS + 2


def test_intervals_are_shown_and_not_their_files(tmp_path: Path) -> None:
    write_video(tmp_path / "long.mp4", pictures(10))
    pd.DataFrame({"path": ["long.mp4"], "id": ["a"], "start": [0.5], "end": [1.0]}).to_csv(
        tmp_path / "c.csv", index=False
    )
    see = tracker(lambda frame, _: seen(body(8 + 2 * (number_of(frame) - 10), 24, 10)), hands=False)
    table = track_index(tmp_path / "c.csv", tmp_path / "poses.csv", see, processes=1)
    path = draw_sheet(tmp_path / "c.csv", table, tmp_path / "poses.csv", None)
    row = pixels_of(path)
    assert numbers(row) == [5, 6, 7, 8, 9]
    at = places(row)
    np.testing.assert_allclose(np.diff(at), 2, atol=0.6)
    assert abs(at[0] - 18) < 1.5


def test_clips_that_are_gone_or_damaged_since_have_no_row(tmp_path: Path) -> None:
    for name in "abc":
        write_video(tmp_path / f"{name}.mp4", pictures(5))
    source, output = tmp_path / "c.csv", tmp_path / "poses.csv"
    source.write_text("path\na.mp4\nb.mp4\nc.mp4\n")
    table = track_index(source, output, tracker(hands=False), processes=1)
    source.write_text("path\na.mp4\nb.mp4\n")
    write_text(tmp_path / "b.mp4")
    assert len(pixels_of(draw_sheet(source, table, output, None))) == HEIGHT + CAPTION
    write_text(tmp_path / "a.mp4")
    assert draw_sheet(source, table, output, None) is None


def test_wide_films_and_odd_names_fit(tmp_path: Path) -> None:
    write_video(tmp_path / "wide.mp4", [picture(20, 1600, 16)] * 3)
    source, output = tmp_path / "c.csv", tmp_path / "poses.csv"
    source.write_text(f'path,id\nwide.mp4,"\u6325\u624b\n{"long " * 200}"\n', encoding="utf-8")
    table = track_index(source, output, tracker(lambda *_: seen(), hands=False), processes=1)
    shown = pixels_of(draw_sheet(source, table, output, None))
    assert len(shown) == HEIGHT + CAPTION
    assert shown.shape[1] > 3 * WIDEST  # the name is there as a whole
    assert shown[CAPTION:, 3 * WIDEST + 8 :].max() < 20  # in one line
