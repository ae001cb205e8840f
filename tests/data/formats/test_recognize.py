"""Which format a folder is of; tables and folders of other programs."""

import codecs
from pathlib import Path

import numpy as np
import pytest

from aplt.data.formats.leftovers import left_out
from aplt.data.formats.recognize import recognized
from aplt.data.index import read_index
from aplt.data.skeleton import read_skeleton
from aplt.errors import InputError
from tests.data.formats.files import indexed, touch, write


@pytest.mark.parametrize(
    ("name", "content", "format_"),
    [
        ("ma52/label_name.txt", "0\tshaking body\n", "ma52"),
        ("label_name.txt", "1 Archery\n", "folder"),
        ("lists/trainlist01.txt", "", "ucf101"),
        ("Sample0001_finelabels.csv", "1,2,3\n", "smg"),
        ("7/7_label.csv", "1,2,3\n", "imigue"),
        ("7_label.csv", "path,label\n", "folder"),
        ("any.csv", '"label","youtube_id","time_start"\n', "kinetics"),
        ("metadata.csv", "file_name,text\n", "videofolder"),
        ("metadata.csv", "date,camera\n", "folder"),
        ("train_list_videos.txt", "", "mmaction2"),
        ("a01_s01_e01_v01.json", "{}", "nucla"),
        ("a01_s01_e01_skeleton3D.txt", "", "msr-action3d"),
        ("nturgb+d_skeletons/S001C002P003R001A060.skeleton", "", "ntu"),
        ("nod/a.mp4", "", "folder"),
        ("notes.eaf", "", "folder"),
    ],
)
def test_folders_are_recognized_by_the_files_that_tell(tmp_path: Path, name: str, content: str, format_: str) -> None:
    assert recognized(write(tmp_path, **{name: content, "nod/other.mp4": "", "clips.txt": "x"})) == format_


@pytest.mark.parametrize(
    ("name", "content", "format_"),
    [
        ("trainlist01.txt", "A/v_A_g01_c01.avi 1\n", "ucf101"),
        ("ntu.pkl", "x", "pyskl"),
        ("train.csv", "label,youtube_id,time_start,time_end,split\n", "kinetics"),
        ("talk.eaf", "<?xml", "elan"),
        ("project.boris", "{}", "boris"),
        ("events.csv", "Observation id,Subject\n", "boris"),
    ],
)
def test_an_annotation_file_is_no_index_and_the_command_that_reads_it_is_named(
    tmp_path: Path, name: str, content: str, format_: str
) -> None:
    path = write(tmp_path, **{name: content}) / name
    with pytest.raises(InputError) as caught:
        read_index(path)
    assert f"`aplt index {path} --format {format_} -o clips.csv`" in str(caught.value)


def test_a_pose_file_is_a_clip(tmp_path: Path) -> None:
    path = write(tmp_path, **{"a.csv": "scorer,x,x\n"}) / "a.csv"
    with pytest.raises(InputError, match="is a clip; expected"):
        read_index(path)


ROWS = "File;Class;camera;start\r\nclips\\a.mp4;nod;left;1,5\r\nclips\\b.mp4;wave;right;2\r\n"


@pytest.mark.parametrize(
    "content",
    [
        codecs.BOM_UTF8 + ROWS.encode(),
        ROWS.encode("utf-16"),
        ROWS.replace(";", "\t").encode(),
        ROWS.replace("1,5", '"1,5"').replace(";", ",").encode(),
    ],
)
def test_a_table_as_people_have_it_is_read_by_the_command_that_its_error_names(tmp_path: Path, content: bytes) -> None:
    touch(tmp_path, "clips/a.mp4", "clips/b.mp4")
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_index(path)
    assert f"`aplt index {path} --columns path=File,label=Class -o clips.csv`" in str(caught.value)
    table, remarks = indexed(path, columns={"path": "File", "label": "Class"})
    assert table[["path", "label", "camera", "start"]].to_numpy().tolist() == [
        ["clips/a.mp4", "nod", "left", "1.5"],
        ["clips/b.mp4", "wave", "right", "2"],
    ]
    assert not remarks


def test_a_table_of_paths_alone_is_an_index_without_labels(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4")
    path = write(tmp_path, **{"list.csv": "path\na.mp4\n"}) / "list.csv"
    assert indexed(path)[0]["label"].tolist() == [""]


def test_what_is_no_table_says_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "clips.zip").write_bytes(b"PK")
    with pytest.raises(InputError, match="unpack it first"):
        read_index(tmp_path / "clips.zip")
    (tmp_path / "comma.csv").write_text('path,label,start\na.mp4,nod,"1,5"\n')
    with pytest.raises(InputError, match=r"start is '1,5', expected seconds.*`aplt index .*comma\.csv"):
        read_index(tmp_path / "comma.csv")
    (tmp_path / "names.csv").write_text("Datei,Klasse\na.mp4,nod\n")
    with pytest.raises(InputError, match=r"--columns path=\.\.\.,label=\.\.\."):
        indexed(tmp_path / "names.csv")


def test_paths_of_windows_are_refused_in_an_index(tmp_path: Path) -> None:
    touch(tmp_path, "clips/a.mp4")
    path = write(tmp_path, **{"clips.csv": "path,label\nclips\\a.mp4,nod\n"}) / "clips.csv"
    with pytest.raises(
        InputError, match=r"row 1: no file 'clips\\a\.mp4' here; `aplt index .*clips\.csv -o index\.csv`"
    ):
        read_index(path)
    assert indexed(path, "table")[0]["path"].tolist() == ["clips/a.mp4"]


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, **{"list.csv": "file,class\na.mp4,nod\n"}) / "list.csv"
    with pytest.raises(InputError, match=r"list\.csv: column 'video' is missing; found columns: file, class"):
        indexed(path, columns={"path": "video"})


def test_options_that_change_nothing_are_errors(tmp_path: Path) -> None:
    touch(tmp_path, "nod/a.mp4")
    with pytest.raises(InputError, match="--videos would change nothing"):
        indexed(tmp_path, apart=tmp_path)
    with pytest.raises(InputError, match="--columns would change nothing"):
        indexed(tmp_path, columns={"path": "file"})


def test_videofolder(tmp_path: Path) -> None:
    folder = touch(tmp_path, "train/nod/a.mp4", "validation/wave/b.mp4")
    plain, _ = indexed(folder, "videofolder")
    assert plain[["label", "split"]].to_numpy().tolist() == [["nod", "train"], ["wave", "test"]]
    write(
        folder, **{"train/metadata.jsonl": '{"file_name": "nod/a.mp4", "label": 3, "subject": null, "text": "x"}\n\n'}
    )
    write(folder, **{"validation/metadata.csv": "file_name,label,subject\nwave/b.mp4,wave,s1\n"})
    table, _ = indexed(folder)
    assert table[["path", "label", "subject", "split", "text"]].to_numpy().tolist() == [
        ["train/nod/a.mp4", "3", "", "train", "x"],
        ["validation/wave/b.mp4", "wave", "s1", "test", ""],
    ]
    write(folder, **{"validation/metadata.csv": "file_name,path,split\nwave/b.mp4,/old/place/b.mp4,validation\n"})
    found = indexed(folder)[0][["path", "split"]].to_numpy().tolist()
    assert found[1] == ["validation/wave/b.mp4", "test"]
    write(folder, **{"train/metadata.jsonl": '{"file": "a.mp4"}\n'})
    with pytest.raises(InputError, match=r"metadata\.jsonl line 1: expected a file_name, found the keys file"):
        indexed(folder)


def test_msr_action3d(tmp_path: Path) -> None:
    joints = np.random.default_rng(0).normal(size=(5, 20, 3))
    rows = np.concatenate((joints, np.ones((5, 20, 1))), axis=2)
    rows[2, 0, 3] = 0
    path = tmp_path / "a11_s03_e02_skeleton3D.txt"
    np.savetxt(path, rows.reshape(-1, 4))
    table, _ = indexed(tmp_path)
    assert table[["label", "subject"]].to_numpy().tolist() == [["two-hand wave", "s03"]]
    poses = read_skeleton(path)
    assert (poses.points.shape, poses.joints[0], poses.tool) == ((1, 5, 20, 3), "hip center", "MSR-Action3D")
    np.testing.assert_allclose(poses.points[0, :, 3], joints[:, 19], rtol=1e-5)  # the head
    shoulder = poses.joints.index("right shoulder")
    assert poses.confidence[0, :, shoulder].tolist() == [1, 1, 0, 1, 1]


def test_folders_of_frames_are_said_to_be_frames(tmp_path: Path) -> None:
    touch(tmp_path, *(f"nod/clip1/img_{i:05d}.jpg" for i in range(5)), "nod/a.HEIC", "nod/notes.docx", "nod/cover1.jpg")
    said = left_out(tmp_path, ())
    assert said.startswith("6 .jpg, 1 .docx, 1 .heic; the pictures in 1 folder such as nod/clip1 are frames")
    with pytest.raises(InputError, match=r"no video or .* in this folder, but 6 \.jpg.*are frames: videos are needed"):
        read_index(tmp_path)
    assert "frames" not in left_out(touch(tmp_path / "other", "a1.jpg", "b2.jpg", "c3.jpg", "d4.jpg"), ())
    (tmp_path / "other" / "wave").mkdir()
    assert left_out(tmp_path / "other", ()).endswith("4 .jpg; 1 empty folder such as wave")
