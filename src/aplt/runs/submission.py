"""Predictions as the Micro-Action Analysis Grand Challenge takes them on Codabench (MA-52, classification).

A zip without a folder, in it prediction.csv with the file's name and the five best actions and parts of the body, as
the numbers of label_name.txt. The parts are ranked by the best action in each, as the figures of groups are here.
"""

import io
import zipfile
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from aplt.clips import Clip
from aplt.data.formats.ma52 import GROUPS, NAMES
from aplt.errors import InputError, suggest
from aplt.figures import rank
from aplt.models.recognizer import Recognizer
from aplt.runs.predict import score_each

BEST = 5
COLUMNS = ("vid", *(f"{level}_pred_{place + 1}" for level in ("action", "body") for place in range(BEST)))


def submission(model: Recognizer, clips: Sequence[Clip]) -> bytes:
    """Returns the zip of a model's predictions for clips.

    Raises:
        InputError: the model has other classes than MA-52, a clip cannot be read, or two have the same file name.
    """
    missing = next((name for name in model.class_names if name not in NAMES), None)
    if missing is not None:
        raise InputError(f"the model's class '{missing}' is none of MA-52's actions{suggest(missing, NAMES)}")
    actions = np.array([NAMES.index(name) for name in model.class_names])
    bodies = np.array([bisect_right(list(GROUPS.values()), number) for number in actions])
    if len(set(bodies)) < BEST:
        raise InputError(f"the model knows actions of {len(set(bodies))} parts of the body; a submission names {BEST}")
    videos = [f"{clip.path.stem}.mp4" for clip in clips]
    twice, times = Counter(videos).most_common(1)[0]
    if times > 1:
        raise InputError(f"{times} clips are of {twice}; a submission has one row for each video")
    scored, errors = score_each(model, clips)
    if errors:
        raise InputError(
            f"{len(errors)} of {len(clips)} clips cannot be read, the first: {next(iter(errors.values()))}"
        )
    rows = []
    for place, ranked in zip(scored.position, rank(scored.score), strict=True):
        parts = list(dict.fromkeys(bodies[ranked].tolist()))
        rows.append([videos[place], *actions[ranked][:BEST].tolist(), *parts[:BEST]])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        table = pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(index=False)
        archive.writestr(zipfile.ZipInfo("prediction.csv"), table, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
