"""A comparison's folder as trainings would leave it, made up in a moment."""

from pathlib import Path

import numpy as np

from aplt.comparison.plan import UPPER_BOUND, Plan
from aplt.comparison.record import CompareDir, RoundLabels, Row, write_rows
from aplt.rundir import RunDir
from aplt.storage import write_text
from tests.report.fake_run import fake_run

SHARES = (0.05, 0.2)


def fake_comparison(
    folder: Path,
    *,
    methods: tuple[str, ...] = ("supervised", "fixmatch", "aplt"),
    shares: tuple[float, ...] = SHARES,
    folds: int = 0,
    datasets: tuple[str, ...] = ("tiny",),
) -> Path:
    """Writes a comparison's folder with three small runs that the cells have in turn, so that neighbors differ."""
    draw = np.random.default_rng(0)
    runs = [fake_run(folder / "runs" / f"run{number}", rounds=4, val=False, seed=number) for number in range(3)]
    plan = Plan.model_validate(
        {
            "datasets": {name: {"clips": "/clips.csv", "folds": [{}] * folds} for name in datasets},
            "methods": methods,
            "labeled": shares,
            "seeds": 3,
            "reference": methods[-1],
            "commands": ["aplt compare clips.csv --seeds 3"],
        }
    )
    write_text(CompareDir(folder).plan, plan.to_yaml())
    rows = []
    for number, key in enumerate(plan.cells()):
        bound = key.method == UPPER_BOUND
        run = runs[number % (len(methods) * len(shares) + 1) % 3]
        made = [(line.round, line.pseudo) for line in RunDir(run).read_rounds() if line.pseudo]
        level = 0.9 if bound else round(0.4 + key.labeled / 3 + 0.05 * methods.index(key.method), 3)
        rows.append(
            Row(
                **key._asdict(),
                labeled_clips=9,
                test_clips=60,
                top1=min(1.0, level + draw.random() / 50),
                top5=1.0,
                macro_f1=0.5,
                unlabeled_top1=None if bound else 0.7,
                pseudo_precision=0.8,
                pseudo_coverage=0.5,
                pseudo_wrong=12,
                pseudo_fitted=0.25,
                pseudo_unknown=3,
                pseudo_by_round=tuple(RoundLabels(k, one.precision, one.coverage) for k, one in made),
                steps=400,
                version="0.1.0",
                read_out="classifier",
                run=run.relative_to(folder).as_posix(),
                seconds=60.0,
                offline_seconds=15.0,
                online_seconds=40.0,
                evaluation_seconds=5.0,
                ms_per_step=100.0,
            )
        )
    write_rows(CompareDir(folder), rows)
    return folder
