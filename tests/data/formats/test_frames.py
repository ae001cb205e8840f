"""Data sets of intervals in frames, on miniatures of their layouts."""

from pathlib import Path

import pytest

from aplt.errors import InputError
from tests.data.formats.files import indexed, write
from tests.data.videos import RATE, write_video


def test_imigue(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{
            "imigue_train/2/2_label.csv": "gestureID,startFrame,endFrame\n1,0,9\n99,10,14\n32,5,5\n",
            "imigue_validate/10/10_label.csv": "20,3,12",
        },
    )
    with pytest.raises(InputError, match=r"2_label\.csv: its intervals are in frames.*--rate 25"):
        indexed(tmp_path)
    lists, remarks = indexed(tmp_path, rate=25.0)
    assert lists[["path", "label", "start", "end", "split"]].to_numpy().tolist() == [
        ["2.mp4", "Turtle neck", "0.0000", "0.4000", "train"],
        ["2.mp4", "Illustrative hand gestures", "0.2000", "0.2400", "train"],
        ["10.mp4", "Moving torso", "0.1200", "0.5200", "test"],
    ]
    assert "has none of the files of 3 clips" in remarks[0]
    # The video's own rate counts where none is said.
    (tmp_path / "films").mkdir()
    write_video(tmp_path / "films" / "10.mp4", 20)
    assert indexed(tmp_path, rate=25.0)[0][["start", "end"]].to_numpy().tolist() == [["0.1200", "0.5200"]]
    table, remarks = indexed(tmp_path)
    assert table[["path", "start", "end"]].to_numpy().tolist() == [
        ["films/10.mp4", f"{3 / RATE:.4f}", f"{13 / RATE:.4f}"]
    ]
    assert "left out: 2 of 3 clips" in remarks[0]


def test_smg_counts_frames_from_one(tmp_path: Path) -> None:
    write(
        tmp_path / "labels",
        **{
            "Sample0035/Sample0035_finelabels.csv": "17,1,10\n3,12,11\n",
            "Sample0036/Sample0036_finelabels.csv": "3,11,20\n",
        },
    )
    for sample in ("Sample0035", "Sample0036"):
        (tmp_path / "rgb" / sample).mkdir(parents=True)
        write_video(tmp_path / "rgb" / sample / f"{sample}_color.mp4", 20)
    table, remarks = indexed(tmp_path / "labels", apart=tmp_path / "rgb")
    assert table[["path", "label", "start", "end", "subject", "split"]].to_numpy().tolist() == [
        ["Sample0035/Sample0035_color.mp4", "17", "0.0000", f"{10 / RATE:.4f}", "s35", "train"],
        ["Sample0036/Sample0036_color.mp4", "3", f"{10 / RATE:.4f}", f"{20 / RATE:.4f}", "s36", "test"],
    ]
    assert remarks == [
        "left out: 1 interval that would end before it begins, first "
        f"{tmp_path / 'labels' / 'Sample0035' / 'Sample0035_finelabels.csv'} line 2"
    ]
    write(tmp_path / "labels", **{"Sample0036/Sample0036_finelabels.csv": "3,11\n"})
    with pytest.raises(InputError, match=r"Sample0036_finelabels\.csv line 1: expected 3 fields, found 2"):
        indexed(tmp_path / "labels", apart=tmp_path / "rgb")
