"""PYSKL's pickles become an index and one file a clip."""

import os
import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aplt.cli.main import main
from aplt.data.formats import scan
from aplt.data.formats.source import Source
from aplt.data.index import read_index
from aplt.data.skeleton import read_skeleton
from aplt.errors import InputError
from tests.data.pose_files.files import FRAMES, annotation, walk


def annotations() -> list[dict[str, Any]]:
    names = [f"S001C00{view}P00{person}R001A001" for view in (1, 2) for person in (1, 2)]
    made = [annotation(name, walk(17)[None].astype(np.float16), label) for label, name in enumerate(names)]
    two = np.concatenate([made[0]["keypoint"], np.zeros((1, FRAMES, 17, 2), dtype=np.float16)])
    two[0, 2, 5] = 0
    made[0] |= annotation(names[0], two)
    return made


def test_clips_labels_subjects_and_protocols(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = annotations()
    names = [one["frame_dir"] for one in made]
    split = {"xsub_train": names[::2], "xsub_val": names[1::2], "xview_train": names[:2], "xview_val": names[2:]}
    Path("ntu.pkl").write_bytes(pickle.dumps({"split": split, "annotations": made}))
    monkeypatch.setattr("sys.argv", ["aplt", "index", "ntu.pkl", "--format", "pyskl", "-o", "ntu.csv"])
    with suppress(SystemExit):
        main()
    index = read_index(Path("ntu.csv"))
    assert [clip.id for clip in index] == names
    assert [clip.subject for clip in index] == ["P001", "P002"] * 2
    assert [clip.official for clip in index] == ["train", "test"] * 2
    assert index.class_names == ("0", "1", "2", "3")
    assert Path("ntu.csv").read_text().splitlines()[0] == "path,label,id,subject,split,xview"
    found = read_skeleton(index[0].path)
    assert found.points.shape == (2, FRAMES, 17, 2)
    expected = np.full((2, FRAMES, 17), 0.5)
    expected[0, 2, 5], expected[1] = 0, 0
    np.testing.assert_array_equal(found.confidence, expected)
    assert abs(found.points[0, 2, 5] - made[0]["keypoint"][0, [1, 3], 5].mean(axis=0)).max() < 5
    assert (found.points[1] == 0).all()
    with pytest.raises(InputError, match="ntu: is not empty"):
        scan(Source(Path("ntu.pkl"), output=Path("ntu.csv")), "pyskl")


def test_a_bare_list_as_of_ma_52(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([annotation("0007_01_0003", walk(28)[None], 5)], protocol=2))
    table = scan(Source(tmp_path / "a.pkl", output=tmp_path / "ma.csv"), "pyskl")
    assert table.drop(columns="path").to_dict("records") == [{"label": "5", "id": "0007_01_0003", "subject": "0007"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"split": {}}, "expected PYSKL's {'split': .., 'annotations': [..]}, found the keys split"),
        (
            [{"frame_dir": "a"}],
            "annotation 1: expected a frame_dir and a keypoint [M, T, V, C], found the keys frame_dir",
        ),
        ([annotation("../a", walk(17)[None])], "annotation 1: its frame_dir '../a' is no file name"),
        ([annotation("a", walk(17)[None])] * 2, "annotation 2: its frame_dir 'a' is no file name, or that of another"),
        (
            [annotation("a", walk(17)[None]) | {"keypoint_score": np.ones(3)}],
            "expected a keypoint_score [1, 6, 17], found [3]",
        ),
        ([annotation("a", np.array([[[["x"]]]], dtype=object))], "found those of type 'O8'"),
    ],
)
def test_what_is_no_annotation(tmp_path: Path, content: Any, message: str) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(InputError) as caught:
        scan(Source(tmp_path / "a.pkl", output=tmp_path / "out.csv"), "pyskl")
    assert str(caught.value).startswith(f"{tmp_path / 'a.pkl'}: ")
    assert message in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_hostile_pickle_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {tmp_path / 'left'}",)

    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"annotations": [annotation("a", walk(17)[None]), Hostile()]}))
    with pytest.raises(InputError, match=r"it names \w+\.system, expected numpy's arrays and plain values alone"):
        scan(Source(tmp_path / "a.pkl", output=tmp_path / "out.csv"), "pyskl")
    assert [path.name for path in tmp_path.iterdir()] == ["a.pkl"]
