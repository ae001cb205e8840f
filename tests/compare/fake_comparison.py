"""A comparison's folder as trainings would leave it, made up in a moment."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from aplt.rundir import UPPER_BOUND, CompareDir, RunDir
from aplt.storage import write_csv
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
    plan = {
        "datasets": {name: {"clips": "/clips.csv", "settings": {}, "folds": [{}] * folds} for name in datasets},
        "settings": {},
        "methods": list(methods),
        "variants": {},
        "labeled": list(shares),
        "seeds": [0, 1, 2],
        "upper_bound": True,
        "reference": methods[-1],
    }
    CompareDir(folder).plan.write_text("# aplt compare clips.csv --seeds 3\n" + yaml.safe_dump(plan, sort_keys=False))
    parts = [str(number) for number in range(1, folds + 1)] or [""]
    cells = [(method, share) for share in shares for method in methods] + [(UPPER_BOUND, 1.0)]
    rows: list[dict[str, Any]] = [
        {
            "dataset": dataset,
            "fold": fold,
            "method": method,
            "labeled": share,
            "labeled_clips": 9,
            "test_clips": 60,
            "seed": seed,
        }
        | {"top1": round(0.4 + share / 3 + 0.05 * methods.index(method) if share < 1 else 0.9, 3) + draw.random() / 50}
        | {"top5": 1.0, "macro_f1": 0.5, "val_top1": None, "top1_by_val": None}
        | {"pseudo_precision": 0.8, "pseudo_coverage": 0.5, "online_precision": None, "online_coverage": None}
        | {
            "pseudo_wrong": 12,
            "pseudo_fitted": 0.25,
            "pseudo_unknown": 3,
            "unlabeled_top1": 0.7 if share < 1 else None,
            "online_wrong": None,
            "online_fitted": None,
            "online_unknown": None,
            "steps": 400,
            "version": "0.1.0",
            "read_out": "classifier",
            "remark": "",
            "online_by_round": "",
            "run": runs[number % 3].relative_to(folder).as_posix(),
            "pseudo_by_round": "; ".join(
                f"{line['round']} {line['pseudo']['precision']:.4f} {line['pseudo']['coverage']:.4f}"
                for line in RunDir(runs[number % 3]).read_metrics()
                if line["pseudo"]
            ),
        }
        | {"seconds": 60.0, "offline_seconds": 15.0, "online_seconds": 40.0, "evaluation_seconds": 5.0}
        | {"ms_per_step": 100.0}
        for seed, dataset, fold in product(range(3), datasets, parts)
        for number, (method, share) in enumerate(cells)
    ]
    write_csv(CompareDir(folder).cells, pd.DataFrame(rows))
    return folder
