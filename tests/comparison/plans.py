"""Plans of tiny clips, for the tests of comparisons."""

from pathlib import Path
from typing import Any

from aplt.comparison.cells import Cell, plan_cells
from aplt.comparison.plan import Plan, make_plan
from aplt.comparison.record import CompareDir
from aplt.settings import merge
from tests.runs.clips import TINY

SHARED = {key: value for key, value in TINY.items() if key != "split"} | {"split": {"test": 0.25}}


def plan_of(clips: Path, **over: Any) -> Plan:
    return make_plan(merge({"datasets": {"tiny": {"clips": str(clips)}}, "settings": SHARED}, over), "plan", Path())


def cells_of(clips: Path, **over: Any) -> list[Cell]:
    return plan_cells(plan_of(clips, **over), CompareDir(Path("compare")))
