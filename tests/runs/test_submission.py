"""Submissions to the challenge of MA-52."""

import io
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from aplt.clips import Clip
from aplt.data.formats.ma52 import NAMES
from aplt.errors import InputError
from aplt.runs import submission
from aplt.runs.measure import Scored

CLIPS = [Clip(name, Path("clips") / name) for name in ("test0000.mp4", "test0001.npz", "test0002.mp4")]


def made(
    monkeypatch: pytest.MonkeyPatch, best: list[list[int]], clips: list[Clip] = CLIPS, failed: int | None = None
) -> list[str]:
    """Returns the lines of prediction.csv for a model that ranks MA-52's actions, its classes by name, like this."""
    names = sorted(NAMES)
    score = np.zeros((len(best), len(names)), dtype=np.float32)
    for row, numbers in enumerate(best):
        for place, number in enumerate(numbers):
            score[row, names.index(NAMES[number])] = 1 / (2 + place)
    order = np.arange(len(best))[::-1]  # however they are read
    errors = {} if failed is None else {failed: InputError("clip 'b': broken")}
    monkeypatch.setattr(submission, "score_each", lambda *_: (Scored(order, score[order]), errors))
    model: Any = SimpleNamespace(class_names=names)
    with zipfile.ZipFile(io.BytesIO(submission.submission(model, clips))) as archive:
        assert archive.namelist() == ["prediction.csv"]
        return archive.read("prediction.csv").decode().splitlines()


def test_the_five_best_actions_and_parts_of_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = made(
        monkeypatch, [[51, 49, 4, 5, 23, 24], [0, 1, 2, 3, 4, 47, 38, 10, 31, 37], [9, 8, 7, 6, 11, 24, 32, 38]]
    )
    assert lines[0] == (
        "vid,action_pred_1,action_pred_2,action_pred_3,action_pred_4,action_pred_5,"
        "body_pred_1,body_pred_2,body_pred_3,body_pred_4,body_pred_5"
    )
    assert sorted(lines[1:]) == [
        "test0000.mp4,51,49,4,5,23,6,0,1,2,3",
        "test0001.mp4,0,1,2,3,4,0,5,1,3,4",
        "test0002.mp4,9,8,7,6,11,1,2,3,4,5",
    ]


def test_what_would_fail_there_is_refused_here(monkeypatch: pytest.MonkeyPatch) -> None:
    best = [[0], [1], [2]]
    with pytest.raises(InputError, match=r"1 of 3 clips .*'b': broken"):
        made(monkeypatch, best, failed=1)
    with pytest.raises(InputError, match=r"2 clips are of test0000\.mp4"):
        made(monkeypatch, best, [*CLIPS[:2], Clip("again", Path("other/test0000.mp4"))])
    for names, expected in ((("nod",), "'nod' is none of MA-52's"), (NAMES[:6], "2 parts of the body")):
        model: Any = SimpleNamespace(class_names=names)
        with pytest.raises(InputError, match=expected):
            submission.submission(model, CLIPS)
