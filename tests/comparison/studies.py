"""Studies that train in a second, for the tests of comparisons."""

from pathlib import Path
from typing import Any

import pandas as pd

from aplt.comparison.cells import plan_cells
from aplt.comparison.launchers import Launch
from aplt.comparison.plan import make_plan
from aplt.comparison.record import TIMES, CompareDir
from aplt.comparison.study import Study
from aplt.settings import merge
from tests.runs.clips import TINY

TRAIN = {"rounds": 2, "steps_per_round": 2, "checkpoint_minutes": 1e-9}  # a checkpoint after every step
SHORT = {"train": TINY["train"] | TRAIN, "split": {"test": 0.25, "val": 0.2}}
BRIEF: dict[str, Any] = {
    "settings": {"train": {"rounds": 1, "warm_up_rounds": 0}}
}  # where what is trained matters little
SHARED = {key: TINY[key] for key in ("encoder_settings", "input")} | SHORT
METHODS = ["supervised", "fixmatch", "aplt"]
WILD = {"method": "supervised", "settings": {"train": {"learning_rate": 1e30}}}


def study_of(clips: Path, path: Path, jobs: int | Launch = 1, part: slice | None = None, **over: Any) -> Study:
    settings = {"datasets": {"tiny": {"clips": str(clips)}}, "settings": SHARED, "methods": METHODS, "seeds": 1}
    plan = make_plan(merge(settings | {"labeled": 0.2}, over), "plan", Path())
    folder = CompareDir(path)
    launch = Launch(jobs=jobs) if isinstance(jobs, int) else jobs
    return Study(plan, plan_cells(plan, folder), folder, launch, part)


def rows_of(path: Path) -> pd.DataFrame:
    return pd.read_csv(CompareDir(path).cells).drop(columns=list(TIMES))
