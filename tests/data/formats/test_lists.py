"""Data sets that are lists of videos, on miniatures of their layouts."""

from pathlib import Path

import pytest

from aplt.data.formats.recognize import recognized
from aplt.errors import InputError
from tests.data.formats.files import indexed, touch, write

NAMES = "0\tshaking body\n5\tbowing head\n9\tnodding\n"
# The second number of a name contradicts the label here: nobody may notice.
TRAIN = "0003_07_0001.mp4 9\n0003_03_0002.mp4 0\n"
VAL = "0004_05_0001.mp4 5\n0003_02_0003.mp4 9"  # no final newline
TEST = "test0000.mp4 0\ntest0001.mp4 0"


@pytest.fixture
def ma52(tmp_path: Path) -> Path:
    return write(tmp_path / "MA-52", **{"label_name.txt": NAMES, "train.txt": TRAIN, "val.txt": VAL, "test.txt": TEST})


def test_ma52s_lists_are_indexed_without_videos(ma52: Path) -> None:
    table, remarks = indexed(ma52)
    assert recognized(ma52) == "ma52"
    assert table.to_dict("index") == {
        id_: {"path": f"{id_}.mp4", "label": label, "split": split, "subject": id_[:4], "group": group}
        for id_, label, split, group in (
            ("0003_07_0001", "nodding", "train", "head"),
            ("0003_03_0002", "shaking body", "train", "body"),
            ("0004_05_0001", "bowing head", "test", "head"),
            ("0003_02_0003", "nodding", "test", "head"),
        )
    }
    assert "test.txt has no labels but dummies" in remarks[0]
    assert "has none of the files of 4 clips" in remarks[1]
    write(ma52, **{"test.txt": "test0000.mp4 0\ntest0001.mp4 9\n"})
    assert indexed(ma52)[0]["split"].value_counts().to_dict() == {"train": 2, "val": 2, "test": 2}


def test_ma52s_lists_may_name_the_folder_too(ma52: Path, tmp_path: Path) -> None:
    (ma52 / "train.txt").write_text("raw_videos/0003_07_0001.mp4 9\n")
    touch(tmp_path / "films", "0003_07_0001.mp4", "0004_05_0001.mp4", "0003_02_0003.mp4")
    table, remarks = indexed(ma52, apart=tmp_path / "films")
    assert table["path"].tolist() == ["0003_07_0001.mp4", "0004_05_0001.mp4", "0003_02_0003.mp4"]
    assert table["subject"].tolist() == ["0003", "0004", "0003"]
    # Who has said where they are is not told to.
    _, remarks = indexed(ma52, apart=write(tmp_path / "empty", **{"a.txt": ""}))
    assert "none of the files" in remarks[-1]
    assert "--videos" not in remarks[-1]


def test_ma52s_test_list_alone_has_no_labels(ma52: Path) -> None:
    table, _ = indexed(ma52 / "test.txt")
    assert table.index.tolist() == ["test0000", "test0001"]
    assert not table[["label", "group", "subject"]].to_numpy().any()


@pytest.mark.parametrize(
    "layout",
    [
        ("raw_videos", "raw_videos"),
        ("videos_train", "videos_val"),
        ("train", "val"),
        ("", ""),
    ],
)
@pytest.mark.parametrize("apart", [False, True])
def test_ma52s_videos_are_found_in_any_layout(ma52: Path, tmp_path: Path, layout: tuple[str, str], apart: bool) -> None:
    home = tmp_path / "videos" if apart else ma52
    train, val = (
        (Path(layout[k]) / f"{name}.mp4").as_posix() for k, name in enumerate(("0003_07_0001", "0004_05_0001"))
    )
    touch(home, train, val)
    table, remarks = indexed(ma52, apart=home if apart else None)
    assert table["path"].tolist() == [train, val]
    assert "left out: 2 of 4 clips" in remarks[-1]


def test_what_is_not_unpacked_yet_is_said(ma52: Path) -> None:
    touch(ma52, "val.zip", "train.zip")
    assert "not unpacked yet: train.zip, val.zip" in indexed(ma52)[1][-1]
    with pytest.raises(InputError, match="unpack it first"):
        indexed(ma52 / "train.zip")


def test_ma52s_lists_that_do_not_fit_are_named(ma52: Path) -> None:
    write(ma52, **{"train.txt": "0003_07_0001.mp4 77\n"})
    with pytest.raises(InputError, match=r"train\.txt: label '77' of 0003_07_0001\.mp4 is not in .*label_name\.txt"):
        indexed(ma52)
    (ma52 / "label_name.txt").unlink()
    with pytest.raises(InputError, match=r"expected MA-52's lists: .* and label_name\.txt"):
        indexed(ma52, "ma52")


def test_the_lists_of_the_ma52_repository(tmp_path: Path) -> None:
    folder = write(tmp_path, **{"label_name.txt": NAMES, "train_list_videos.txt": TRAIN, "val_list_videos.txt": VAL})
    assert len(indexed(folder)[0]) == 4


def test_ucf101(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        **{
            "ucfTrainTestlist/classInd.txt": "1 Archery\n2 Biking\n",
            "ucfTrainTestlist/trainlist01.txt": "Archery/v_Archery_g08_c01.avi 1\nBiking/v_Biking_g08_c02.avi 2\n",
            "ucfTrainTestlist/testlist01.txt": "Archery/v_Archery_g01_c01.avi\n",
            "ucfTrainTestlist/trainlist02.txt": "Archery/v_Archery_g01_c01.avi 1\n",
            "ucfTrainTestlist/testlist02.txt": "Archery/v_Archery_g08_c01.avi\n",
        },
    )
    touch(folder, "UCF-101/Archery/v_Archery_g08_c01.avi", "UCF-101/Archery/v_Archery_g01_c01.avi")
    table, remarks = indexed(folder)
    assert table[["path", "label", "subject", "split", "split02"]].to_numpy().tolist() == [
        ["UCF-101/Archery/v_Archery_g01_c01.avi", "Archery", "g01", "test", "train"],
        ["UCF-101/Archery/v_Archery_g08_c01.avi", "Archery", "g08", "train", "test"],
    ]
    assert "left out: 1 of 3 clips" in remarks[0]
    second, _ = indexed(folder / "ucfTrainTestlist" / "trainlist02.txt", apart=folder)
    assert second["split"].to_dict() == {"v_Archery_g01_c01": "train", "v_Archery_g08_c01": "test"}


def test_kinetics_and_its_missing_videos(tmp_path: Path) -> None:
    rows = "nodding,abc,10,20,train\nnodding,-x_y,0,10,train\nwaving,whole,5,15,validate\n"
    write(tmp_path, **{"train.csv": f"label,youtube_id,time_start,time_end,split\n{rows}"})
    touch(tmp_path, "train/nodding/abc_000010_000020.mp4", "whole.mkv")
    table, remarks = indexed(tmp_path)
    assert table[["path", "label", "start", "end", "split"]].to_numpy().tolist() == [
        ["train/nodding/abc_000010_000020.mp4", "nodding", "", "", "train"],
        ["whole.mkv", "waving", "5", "15", "test"],
    ]
    assert "left out: 1 of 3 clips" in remarks[0]
    assert "-x_y_000000_000010.mp4" in remarks[0]


def test_times_of_kinetics_that_are_no_numbers_are_named(tmp_path: Path) -> None:
    write(tmp_path, **{"a.csv": "label,youtube_id,time_start,time_end,split\nnod,abc,,ten,train\n"})
    with pytest.raises(InputError, match="the times of abc are '' and 'ten', expected seconds"):
        indexed(tmp_path)


@pytest.mark.parametrize(
    ("format_", "files"),
    [
        ("ma52", {"label_name.txt": NAMES, "test.txt": TEST}),
        ("imigue", {"0001/0001_label.csv": "gesture,start,end\n99,3,9\n", "0001/0001.mp4": ""}),
        ("mmaction2", {"a_train_list_videos.txt": "\n"}),
        ("ucf101", {"trainlist01.txt": ""}),
        ("videofolder", {"notes.md": ""}),
    ],
)
def test_lists_without_a_clip_are_named(tmp_path: Path, format_: str, files: dict[str, str]) -> None:
    write(tmp_path, **files)
    with pytest.raises(InputError, match=f"no clip of the format {format_} in it"):
        indexed(tmp_path, format_, rate=25.0)


def test_mmaction2(tmp_path: Path) -> None:
    lists = {
        "k_train_list_videos.txt": "a b/1.mp4 1\n",
        "k_val_list_videos.txt": "2.mp4 0\n",
        "label_map.txt": "nod\nwave\n",
    }
    write(tmp_path, **lists)
    touch(tmp_path, "videos_train/a b/1.mp4", "2.mp4")
    table, _ = indexed(tmp_path)
    assert table[["path", "label", "split"]].to_numpy().tolist() == [
        ["videos_train/a b/1.mp4", "wave", "train"],
        ["2.mp4", "nod", "test"],
    ]
    (tmp_path / "label_map.txt").unlink()
    assert indexed(tmp_path / "k_train_list_videos.txt")[0]["label"].tolist() == ["1"]
    for line in ("some/frames 163 1", "a.mp4 1 3", "a.mp4"):
        write(tmp_path, **{"k_train_list_videos.txt": line})
        with pytest.raises(
            InputError, match=rf"k_train_list_videos\.txt: '{line}' is no video and a number; .* frames"
        ):
            indexed(tmp_path)
