"""The index: CSV and folder in, CSV out, and what is wrong with a bad one."""

import os
from pathlib import Path

import pytest

from aplt.clips import ClipIndex
from aplt.data.formats import scan
from aplt.data.formats.folder import scan_folder
from aplt.data.formats.source import Source
from aplt.data.index import read_index, write_index
from aplt.errors import InputError
from aplt.runs.predict import gather_clips


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_reads_every_column(tmp_path: Path) -> None:
    index = read_index(
        write(
            tmp_path / "clips.csv",
            "path,label,id,subject,start,end,split\n"
            "a.mp4,nicken,one,s1,,,train\n"
            "long/b.mp4,Kopfschütteln,,s2,1.5,3,test\n"
            "c.mp4,,,,,,\n",
        )
    )
    assert index.class_names == ("Kopfschütteln", "nicken")
    first, second, third = index
    assert (first.id, first.path, first.label, first.subject) == ("one", tmp_path / "a.mp4", 1, "s1")
    assert (second.id, second.start, second.end, second.official) == ("long/b.mp4#1.5-3", 1.5, 3.0, "test")
    assert (third.label, third.subject, third.official) == (-1, None, None)


def test_numbers_are_sorted_as_numbers_and_na_is_a_label(tmp_path: Path) -> None:
    numbers = read_index(write(tmp_path / "n.csv", "path,label\na.mp4,10\nb.mp4,9\nc.mp4,1\n"))
    assert numbers.class_names == ("1", "9", "10")
    words = read_index(write(tmp_path / "w.csv", "path,label\na.mp4,NA\nb.mp4,null\n"))
    assert words.class_names == ("NA", "null")


def test_whole_numbers_only_are_sorted_as_numbers(tmp_path: Path) -> None:
    def classes(*labels: str) -> tuple[str, ...]:
        rows = "".join(f"{i}.mp4,{label}\n" for i, label in enumerate(labels))
        return read_index(write(tmp_path / "c.csv", "path,label\n" + rows)).class_names

    assert classes("10", "9", "-1", "007", "7") == ("-1", "007", "7", "9", "10")
    assert classes("7", "007") == classes("007", "7") == ("007", "7")
    assert classes("10", "9", "--1") == ("--1", "10", "9")
    assert classes("10", "9", "²") == ("10", "9", "²")
    assert classes("10", "9" * 5000) == ("10", "9" * 5000)


def test_blanks_around_values_do_not_count_but_those_of_paths_do(tmp_path: Path) -> None:
    text = "path, label ,id,subject,start,end,split\n a.mp4,nod , one , s1, 1 , 2,test \nb.mp4, nod,,s1 ,,, train\n"
    index = read_index(write(tmp_path / "c.csv", text))
    assert index.class_names == ("nod",)
    first, second = index
    assert (first.id, first.subject, first.start, first.end, first.official) == ("one", "s1", 1, 2, "test")
    assert (second.id, second.subject, second.official) == ("b.mp4", "s1", "train")
    assert first.path == tmp_path / " a.mp4"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,lable\na.mp4,x\n", "column 'label' is missing; found columns: path, lable; is it 'lable'?"),
        ("path\na.mp4\n", "found columns: path; add it, empty where a clip has no label yet"),
        ("path,label,subjcet\na.mp4,x,s1\n", "unknown column 'subjcet'; did you mean 'subject'?"),
        ("path,label\n", "no clips"),
        ("path,label\na.mp4,x\n,y\n", "row 2: path is empty"),
        ("path,label\na.mp4,x\n  ,y\n", "row 2: path is empty"),
        ("path,label\na.mp4,x,s1\nb.mp4,y,s1\n", "row 1: found 3 fields, expected at most 2"),
        ("path,label,ID\na.mp4,x,1\n", "unknown column 'ID'; did you mean 'id'?"),
        ("path,label,start,End\na.mp4,x,1,2\n", "unknown column 'End'; did you mean 'end'?"),
        ("path,label,Strat\na.mp4,x,1\n", "unknown column 'Strat'; did you mean 'start'?"),
        ("path,label,spilt\na.mp4,x,test\n", "unknown column 'spilt'; did you mean 'split'?"),
        ("path,label,subjects\na.mp4,x,s1\n", "unknown column 'subjects'; did you mean 'subject'?"),
        ("path,label,split\na.mp4,x,trian\n", "row 1: split is 'trian'; did you mean 'train'?"),
        ("path,label,start,end\na.mp4,x,one,2\n", "row 1: start is 'one', expected seconds"),
        ("path,label,start,end\na.mp4,x,3,2\n", "row 1: the interval is 3-2"),
        ("path,label,start,end\na.mp4,x,nan,2\n", "row 1: the interval is nan-2"),
        ("path,label\na.mp4,x\na.mp4,y\n", "clip id 'a.mp4' (row 2) appears twice"),
        ("", "not a CSV table"),
    ],
)
def test_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_index(write(tmp_path / "clips.csv", text))
    assert message in str(caught.value)
    assert "clips.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    cases = (
        ("clips.csv", "no video or skeleton array or pose file in this folder"),
        ("pipe.csv", "not a regular file"),
        ("x" * 300, "cannot be read"),
        ("nul\0.csv", "cannot be read"),
    )
    for name, message in cases:
        with pytest.raises(InputError, match=message):
            read_index(tmp_path / name)
    for format_ in ("folder", "nucla", "arid"):
        with pytest.raises(InputError, match="cannot be read"):
            scan(Source(tmp_path / ("x" * 300)), format_)


def test_a_clip_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.mp4: is a clip; expected a clips\.csv or a folder of clips"):
        read_index(touch(tmp_path, "a.mp4") / "a.mp4")


def test_missing_file_and_columns_of_ones_own(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        read_index(tmp_path / "none.csv")
    assert len(read_index(write(tmp_path / "c.csv", "path,label,camera\na.mp4,x,front\n"))) == 1


def test_columns_of_ones_own_that_are_near_to_none(tmp_path: Path) -> None:
    own = ["gender", "site", "side", "batch", "part", "parent", "state", "stage", "level", "x", "i"]
    (tmp_path / "clips.csv").write_text(f"path,label,{','.join(own)}\na.mp4,x{',1' * len(own)}\n")
    assert list(read_index(tmp_path / "clips.csv").columns) == own


def test_folder_of_classes(tmp_path: Path) -> None:
    touch(tmp_path, "nod/a.mp4", "nod/deep/b.MOV", "wave/c.npy", "unlabeled/d.mp4", "e.avi", "nod/x.txt", ".hid/f.mp4")
    table = scan_folder(tmp_path)
    assert dict(zip(table["path"], table["label"], strict=True)) == {
        "e.avi": "",
        "nod/a.mp4": "nod",
        "nod/deep/b.MOV": "nod",
        "unlabeled/d.mp4": "",
        "wave/c.npy": "wave",
    }
    assert "split" not in table


def test_the_table_in_a_folder_is_its_index_except_for_predict(tmp_path: Path) -> None:
    touch(tmp_path, "nod/a.npy", "nod/b.npy")
    assert [clip.label for clip in read_index(tmp_path)] == [0, 0]
    (tmp_path / "clips.csv").write_text("path,label\nnod/b.npy,shake\n")
    index = read_index(tmp_path)
    assert (index.class_names, [clip.path.name for clip in index]) == (("shake",), ["b.npy"])
    assert index == read_index(tmp_path / "clips.csv")
    assert [clip.path.name for clip in gather_clips([tmp_path])] == ["a.npy", "b.npy"]


def test_folder_of_official_parts(tmp_path: Path) -> None:
    touch(tmp_path, "train/nod/a.mp4", "train/unlabeled/b.mp4", "test/wave/c.mp4")
    rows = [tuple(row) for row in scan_folder(tmp_path)[["path", "label", "split"]].to_numpy()]
    assert rows == [
        ("test/wave/c.mp4", "wave", "test"),
        ("train/nod/a.mp4", "nod", "train"),
        ("train/unlabeled/b.mp4", "", "train"),
    ]


def test_unlabeled_clips_may_stand_beside_the_official_parts(tmp_path: Path) -> None:
    touch(tmp_path, "train/nod/a.mp4", "test/nod/b.mp4", "unlabeled/deep/c.mp4", "d.mp4", "notes/e.txt")
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "empty" / "pipe.mp4")
    table = scan_folder(tmp_path)
    assert table.set_index("path").to_dict("index") == {
        "d.mp4": {"label": "", "split": ""},
        "test/nod/b.mp4": {"label": "nod", "split": "test"},
        "train/nod/a.mp4": {"label": "nod", "split": "train"},
        "unlabeled/deep/c.mp4": {"label": "", "split": ""},
    }
    index = read_index(tmp_path)
    assert [clip.official for clip in index] == [None, "test", "train", None]


@pytest.mark.parametrize(
    "names",
    [
        ("train/nod/a.mp4", "test/nod/b.mp4", "wave/c.mp4"),
        ("test/nod/b.mp4", "wave/c.mp4"),
        ("val/a.mp4", "wave/b.mp4"),
    ],
)
def test_official_parts_beside_classes_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=r"clips in 'wave' beside '(test|val)'"):
        scan_folder(touch(tmp_path, *names))


def test_runs_and_caches_inside_the_folder_hold_no_clips(tmp_path: Path) -> None:
    touch(tmp_path, "nod/a.npy", "runs/x/config.yaml", "runs/x/split.csv", "runs/x/rounds/000.npz")
    touch(tmp_path, "cache/frames/ab/ab12.safetensors", "cache/digests/ab/ab12.json")
    assert scan_folder(tmp_path)["path"].tolist() == ["nod/a.npy"]


def test_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no video or skeleton array"):
        read_index(tmp_path)


def test_written_paths_are_relative_to_the_csv(tmp_path: Path) -> None:
    touch(tmp_path / "clips", "nod/ä b.mp4")
    output = tmp_path / "lists" / "clips.csv"
    write_index(scan_folder(tmp_path / "clips"), tmp_path / "clips", output)
    index = read_index(output)
    assert index[0].path.resolve() == (tmp_path / "clips/nod/ä b.mp4").resolve()
    assert index[0].path.exists()
    assert not Path(output.read_text(encoding="utf-8").splitlines()[1].split(",")[0]).is_absolute()


def test_ids_and_with_them_the_digest_are_the_same_wherever_the_table_lies(tmp_path: Path) -> None:
    folder = touch(tmp_path / "clips", "nod/a.mp4", "wave/a.mp4")
    found = [read_index(folder)]
    for place in ("here.csv", "clips/there.csv", "far/off/clips.csv"):
        write_index(scan(Source(folder), "folder"), folder, tmp_path / place)
        found.append(read_index(tmp_path / place))
    assert [clip.id for clip in found[0]] == ["nod/a.mp4", "wave/a.mp4"]
    assert len({index.digest for index in found}) == 1


def test_classes_have_groups_where_their_clips_name_them(tmp_path: Path) -> None:
    def read(*rows: str) -> ClipIndex:
        (tmp_path / "clips.csv").write_text("\n".join(["path,label,group", *rows]))
        return read_index(tmp_path / "clips.csv")

    assert read("a.mp4,nod,head", "b.mp4,wave,arms", "c.mp4,nod,", "d.mp4,,").groups == ("head", "arms")
    assert read("a.mp4,nod,", "b.mp4,wave,").groups == ()
    with pytest.raises(InputError, match=r"clips\.csv: class 'wave' has no group"):
        read("a.mp4,nod,head", "b.mp4,wave,")
    with pytest.raises(InputError, match="class 'nod' has the groups 'head' and 'arms'"):
        read("a.mp4,nod,head", "b.mp4,nod,arms")


def test_digest_sees_labels(tmp_path: Path) -> None:
    one, same, other = (
        read_index(write(tmp_path / "c.csv", f"path,label\na.mp4,x\nb.mp4,{label}\n")) for label in ("y", "y", "x")
    )
    assert one.digest == same.digest != other.digest


def test_published_formats(tmp_path: Path) -> None:
    touch(tmp_path / "n", "a01_s02_e03_v01.json", "a12_s10_e00_v03.json", "readme.json")
    nucla = scan(Source(tmp_path / "n"), "nucla")
    assert nucla[["label", "subject"]].to_numpy().tolist() == [["pick up with one hand", "s02"], ["carry", "s10"]]
    touch(tmp_path / "k", "a03_s01_e02_realworld.txt")
    assert scan(Source(tmp_path / "k"), "kard")["label"].tolist() == ["two-hand wave"]
    arid = touch(tmp_path / "a", "train/Jump/Jump_11_1.mp4", "validate/24.mp4")
    write(arid / "mapping_table_23.txt", "0 Jump\n1 Run\n")
    write(arid / "train.txt", "0\t0\tJump/Jump_11_1.mp4\n")
    write(arid / "validate.txt", "0\t1\t24.mp4\n")
    table = scan(Source(arid), "arid")
    assert table[["path", "label", "subject", "split"]].to_numpy().tolist() == [
        ["train/Jump/Jump_11_1.mp4", "Jump", "scene11", "train"],
        ["validate/24.mp4", "Run", "", "test"],
    ]
    touch(tmp_path / "ntu", "S017C003P020R002A060.skeleton", "notes.txt")
    ntu = scan(Source(tmp_path / "ntu"), "ntu").iloc[0]
    columns = {"label": "A060", "subject": "P020", "camera": "C003", "setup": "S017", "replication": "R002"}
    assert {name: ntu[name] for name in columns} == columns
    with pytest.raises(InputError, match="did you mean 'nucla'"):
        scan(Source(tmp_path), "nulca")
    write(arid / "train.txt", "0 0\n")
    with pytest.raises(InputError, match=r"train\.txt line 1: expected 3 fields, found 2"):
        scan(Source(arid), "arid")
    (arid / "train.txt").write_bytes(b"0\t0\t\xff.mp4\n")
    with pytest.raises(InputError, match=r"train\.txt: expected text in UTF-8"):
        scan(Source(arid), "arid")
    os.mkfifo(tmp_path / "n" / "a01_s02_e03_v02.json")
    assert len(scan(Source(tmp_path / "n"), "nucla")) == 2
    with pytest.raises(InputError, match="no file with a name like"):
        scan(Source(tmp_path / "k"), "nucla")
