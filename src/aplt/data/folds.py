"""Folds: each subject, or value of another column, is tested on once."""

from typing import Any

import numpy as np

from aplt.clips import ClipIndex
from aplt.config import SplitSettings
from aplt.data.splits import by_column, require_classes, require_subjects, together
from aplt.errors import InputError


def draw_folds(index: ClipIndex, settings: SplitSettings, count: int) -> list[dict[str, Any]]:
    """Returns the settings `split` of each fold, as a plan of a comparison has them.

    Subjects are dealt from `settings.seed` so that folds are about equally large and have about the same share of each
    class (scikit-learn's StratifiedGroupKFold); those who share a film are dealt together.

    Raises:
        InputError: fewer than two classes, no such column, a clip without a value in it, or fewer values than folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    require_classes(index)
    index = by_column(index, settings.by)
    require_subjects(index)
    group = together(index, range(len(index)))
    groups = [group[clip.subject or ""] for clip in index]
    if len(set(groups)) < count:
        raise InputError(
            f"{count} folds need as many values of '{settings.by}' that share no film, found {len(set(groups))}"
        )
    dealt = StratifiedGroupKFold(count, shuffle=True, random_state=settings.seed)
    official = {"ignore_official": True} if any(clip.official for clip in index) else {}
    column = {"by": settings.by} if settings.by != "subject" else {}
    return [
        column | official | {"test_subjects": sorted({index[int(position)].subject or "" for position in held})}
        for _, held in dealt.split(np.zeros(len(index)), index.labels, groups)
    ]
