"""`aplt compare`: methods on the same clips, labels, views and steps; the label-efficiency study as one command."""

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from aplt.cli.options import BudgetOption, Epochs, PresetOption, SetOption, Steps, budget_settings
from aplt.cli.printing import say, say_lines
from aplt.cli.stopping import stoppable
from aplt.errors import InputError

USUAL = "supervised, fixmatch_teacher, aplt_paper, aplt"
"""The methods of a plan that names none."""


def compare(
    source: Annotated[Path, typer.Argument(help="clips.csv, a folder of clips, a compare.yaml or its folder.")],
    methods: Annotated[str | None, typer.Option(help=f"By default {USUAL}; see `aplt recipes`.")] = None,
    labeled: Annotated[str | None, typer.Option(help="Shares of labels, such as 5%,20%; by default 10%.")] = None,
    seeds: Annotated[str | None, typer.Option(help="How many, or a list such as 3,4,5. By default 3.")] = None,
    encoder: Annotated[
        str | None, typer.Option(help="The same for all; by default it depends on the kind of clips.")
    ] = None,
    encoder_weights: Annotated[
        str | None, typer.Option(help="Its weights by a name from `aplt encoders`, or a file. The same for all.")
    ] = None,
    preset: PresetOption = None,
    budget: BudgetOption = None,
    epochs: Epochs = None,
    steps: Steps = None,
    set_: SetOption = None,
    ablate: Annotated[
        bool, typer.Option("--ablate", help="Compare APLT with itself, with one choice undone at a time.")
    ] = False,
    upper_bound: Annotated[
        bool | None,
        typer.Option("--upper-bound/--no-upper-bound", help="Also train supervised with all labels; by default yes."),
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=1, help="How many trainings run at once, each on its share of the cores.")
    ] = 1,
    launcher: Annotated[
        str, typer.Option(help="Who trains the cells: local (this machine), ray or slurm (a cluster's machines).")
    ] = "local",
    launcher_set: Annotated[
        list[str] | None,
        typer.Option(help="What a cell asks of ray or slurm, such as num_gpus=1 or slurm_partition=gpu. Repeatable."),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(help="i/n: only the i-th of n parts of the cells. All n may be at work in the folder at once."),
    ] = None,
    gather: Annotated[
        bool, typer.Option("--gather", help="Train nothing, write the tables of what parts have finished so far.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder; by default compare/NAME, with --ablate compare/NAME-ablation."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Give up finished trainings in the folder that this plan does not have.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be trained, and train nothing.")] = False,
) -> None:
    """Train several methods with several shares of labels and seeds, and write tables and a report.

    The same command continues where it stopped.
    """
    from aplt.comparison.ablation import ABLATION
    from aplt.comparison.cells import plan_cells
    from aplt.comparison.launchers import Launch
    from aplt.comparison.page import main_tables
    from aplt.comparison.results import read_comparison
    from aplt.comparison.study import FailedError, Study, part_of
    from aplt.comparison.study import compare as run_comparison
    from aplt.prepare import plan_comparison
    from aplt.settings import merge, parse_assignments

    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError("compare trains each cell in one process: start it without a launcher, and use --jobs")
    options = {
        "methods": methods,
        "labeled": labeled,
        "seeds": seeds,
        "upper_bound": upper_bound,
        "preset": preset,
        "variants": ABLATION if ablate else None,
    }
    own = {"encoder": encoder, "encoder_weights": encoder_weights}
    settings = parse_assignments(set_ or []) | {key: value for key, value in own.items() if value is not None}
    settings = merge(settings, budget_settings(budget, epochs, steps))
    asked = parse_assignments(launcher_set or [], "--launcher-set", "num_gpus=1")
    if gather and only is not None:
        raise InputError("--gather trains nothing, so --only would change nothing")
    part = slice(0) if gather else None if only is None else part_of(only)
    launch = Launch(launcher, jobs, asked)
    plan, folder = plan_comparison(source, options, settings, output)
    if dry_run:
        study = Study(plan, plan_cells(plan, folder), folder, launch, part)
        for cell in study.own:
            say(f"{cell}{'' if cell in study.left else ': finished'}")
        if not replace:
            study.require_fit()
        study.announce()
        return
    # The folder's own plan, unchanged, adds nothing to the commands that it lists.
    given = settings or any(value is not None for value in options.values())
    unchanged = not given and source.resolve() in (folder.plan.resolve(), folder.path.resolve())
    command = None if unchanged else shlex.join(["aplt", *sys.argv[1:]])
    failed: FailedError | None = None
    with stoppable(lambda: "; the same command goes on from there"):
        try:
            comparison = run_comparison(plan, folder, launch=launch, part=part, replace=replace, command=command)
        except FailedError as error:
            failed, comparison = error, read_comparison(folder.path)
    say_lines(main_tables(comparison))
    say(f"cells {folder.cells}, more tables {folder.table}, report {folder.report}")
    if failed:
        raise failed
