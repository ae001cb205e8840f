"""`aplt demo`: the whole story on synthetic clips, in a few minutes on two cores."""

from pathlib import Path
from typing import Annotated, Any

import typer

METHODS = ("supervised", "fixmatch_teacher", "aplt")
CLIPS = 600


def demo(
    folder: Annotated[Path, typer.Argument(help="Where the clips, runs and report go; kept and used again.")] = Path(
        "demo"
    ),
    seed: Annotated[int, typer.Option(help="Seed of the clips, the split and the training.")] = 0,
) -> None:
    """Render synthetic micro-actions, train three methods on 10 % labels, and compare them."""
    from aplt.display import bar, console
    from aplt.report import write_overview, write_report
    from aplt.rundir import RunDir
    from aplt.runs.begin import train_or_reuse
    from aplt.runs.configure import configure
    from aplt.synthetic import make_dataset

    with bar("rendering clips", CLIPS) as progress:
        clips = make_dataset(folder / "clips", clips=CLIPS, seed=seed, progress=progress.at)
    results: dict[str, dict[str, Any]] = {}
    for method in METHODS:
        console.print(f"training {method}")
        run = RunDir(folder / "runs" / method)
        results[method] = train_or_reuse(configure(demo_settings(clips, method, seed), "demo"), run)
        write_report(run.path)
    overview = write_overview(
        [folder / "runs" / method for method in METHODS],
        folder / "report.html",
        "Synthetic micro-actions with 10 % of the labels",
    )
    print_table(results, {method: RunDir(folder / "runs" / method).read_metrics() for method in METHODS})
    print(f"report: {overview}")


def demo_settings(clips: Path, method: str, seed: int) -> dict[str, Any]:
    """Returns the settings of the demo: the defaults, at a size for a CPU."""
    return {
        "clips": str(clips),
        "method": method,
        "split": {"labeled": 0.1, "seed": seed},
        # Left and right are nuisance in these clips, so mirroring them is sound.
        "input": {"kind": "video", "frames": 8, "size": 64, "cache_dir": str(clips.parent / "cache")},
        "train": {
            "seed": seed,
            "rounds": 6,
            "warm_up_rounds": 2,
            "steps_per_round": 42,
            "batch_labeled": 8,
            "batch_unlabeled": 16,
        },
    }


def print_table(results: dict[str, dict[str, Any]], metrics: dict[str, list[dict[str, Any]]]) -> None:
    """Prints test accuracy and, by round, precision and coverage of the pseudo-labels."""
    print(f"\n{'method':16} {'test accuracy':>13} {'macro F1':>9}   pseudo-labels by round: precision/coverage in %")
    for method, result in results.items():
        # Of the offline phase where the method has one, else those that the steps made.
        labels = [found for line in metrics[method] if (found := line["pseudo"] or line["online"])]
        rounds = " ".join(f"{percent(p['precision'])}/{percent(p['coverage'])}" for p in labels) or "-"
        print(f"{method:16} {result['top1']:13.1%} {result['macro_f1']:9.1%}   {rounds}")


def percent(share: float | None) -> str:
    """Returns a share in whole percent, or a dash where it is not known."""
    return "-" if share is None else f"{100 * share:.0f}"
