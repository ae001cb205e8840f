"""`aplt demo`: the whole story on synthetic clips, in a few minutes on two cores."""

from pathlib import Path
from typing import Annotated, Any

import typer

from aplt.cli.printing import say, say_lines
from aplt.cli.stopping import stoppable

METHODS = ("supervised", "fixmatch_teacher", "aplt")
CLIPS = 600


def demo(
    folder: Annotated[Path, typer.Argument(help="Folder for clips, runs and report; kept and used again.")] = Path(
        "demo"
    ),
    seed: Annotated[int, typer.Option(help="Seed of the clips, the split and the training.")] = 0,
) -> None:
    """Render synthetic micro-actions, train three methods with 10 % of the labels, and compare them."""
    from aplt.comparison.page import main_tables
    from aplt.comparison.plan import make_plan
    from aplt.comparison.record import CompareDir
    from aplt.comparison.study import compare
    from aplt.display import bar
    from aplt.synthetic import make_dataset

    with bar("rendering clips", CLIPS) as progress:
        clips = make_dataset(folder / "clips", clips=CLIPS, seed=seed, progress=progress.at)
    plan = make_plan(demo_plan(clips, seed), "demo", Path())
    with stoppable(lambda: "; the same command goes on from there"):
        comparison = compare(plan, CompareDir(folder), replace=True, command=f"aplt demo {folder} --seed {seed}")
    say_lines(main_tables(comparison))
    say(f"report {comparison.folder.report}")


def demo_plan(clips: Path, seed: int) -> dict[str, Any]:
    """Returns the plan of the demo."""
    return {
        "datasets": {"synthetic": {"clips": str(clips)}},
        "settings": demo_settings(clips),
        "methods": list(METHODS),
        "labeled": [0.1],
        "seeds": [seed],
        "upper_bound": False,
    }


def demo_settings(clips: Path) -> dict[str, Any]:
    """Returns the settings of the demo: the defaults, at a size for a CPU."""
    return {
        # Left and right are nuisance in these clips, so mirroring them is sound.
        "input": {"kind": "video", "frames": 8, "size": 64, "cache_dir": str(clips.parent / "cache")},
        "train": {"rounds": 6, "warm_up_rounds": 2, "steps_per_round": 42, "batch_labeled": 8, "batch_unlabeled": 16},
    }
