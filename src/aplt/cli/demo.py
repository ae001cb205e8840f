"""`aplt demo`: the whole story on synthetic people, in a few minutes on two cores."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aplt.cli.printing import say, say_lines
from aplt.cli.stopping import stoppable

if TYPE_CHECKING:
    from aplt.finished import Run

METHODS = ("supervised", "fixmatch_teacher", "aplt")
CLIPS, FILMS = 600, 120
SEEDS = 3


def demo(
    folder: Annotated[Path, typer.Argument(help="Folder for clips, runs and report; kept and used again.")] = Path(
        "demo"
    ),
    seed: Annotated[int, typer.Option(help="Seed of the clips, and the first of three splits and trainings.")] = 0,
) -> None:
    """Compare three methods on poses of synthetic people with 10 % of the labels, and train once on films of them."""
    from aplt.comparison.launchers import Launch
    from aplt.comparison.page import main_tables
    from aplt.comparison.plan import make_plan
    from aplt.comparison.record import CompareDir
    from aplt.comparison.study import compare
    from aplt.display import bar
    from aplt.parallel import cores
    from aplt.synthetic import make_dataset, make_keypoints

    with bar("tracking poses", CLIPS) as progress:
        poses = make_keypoints(folder / "poses", clips=CLIPS, seed=seed, progress=progress.at)
    plan = make_plan(demo_plan(poses, seed), "demo", Path())
    with stoppable(lambda: "; the same command goes on from there"):
        command = shlex.join(["aplt", "demo", str(folder), "--seed", str(seed)])
        comparison = compare(
            plan, CompareDir(folder), launch=Launch(jobs=min(2, cores())), replace=True, command=command
        )
        say_lines(main_tables(comparison))
        with bar("rendering films", FILMS) as progress:
            films = make_dataset(folder / "films", clips=FILMS, seed=seed, progress=progress.at)
        run = _train_on_films(films, folder, seed)
    test = run.result.test
    right = "" if test is None else f": {test.top1:.1%} of {test.clips} test films right"
    say(f"a short training of aplt on {FILMS} films{right}, report {run.report}")
    say(f"report {comparison.folder.report}")


def demo_plan(poses: Path, seed: int) -> dict[str, Any]:
    """Returns the plan of the comparison."""
    return {
        "datasets": {"poses": {"clips": str(poses)}},
        "settings": {
            "encoder_settings": {"width": 64},
            "train": {"steps": 800, "rounds": 6, "warm_up_rounds": 2, "batch_labeled": 8, "batch_unlabeled": 16},
        },
        "methods": list(METHODS),
        "labeled": [0.1],
        "seeds": list(range(seed, seed + SEEDS)),
        "upper_bound": False,
    }


def film_settings(films: Path) -> dict[str, Any]:
    """Returns the settings of the training on films: a size for a CPU."""
    return {
        "input": {"frames": 8, "size": 64, "cache_dir": str(films.parent / "cache")},
        "train": {"steps": 60, "rounds": 3, "warm_up_rounds": 1, "batch_labeled": 8, "batch_unlabeled": 8},
    }


def _train_on_films(films: Path, folder: Path, seed: int) -> "Run":
    """Returns the run, begun, continued or as it is."""
    from aplt import resume, train
    from aplt.rundir import RunDir

    name = "video"
    if RunDir(folder / name).config.exists():
        return resume(folder / name)
    return train(films, labeled=0.3, seed=seed, settings=film_settings(films), name=name, runs=folder)
