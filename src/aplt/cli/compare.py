"""`aplt compare`: methods on the same clips, labels, views and steps; the label-efficiency study as one command."""

import os
import shlex
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from aplt.cli.stopping import stoppable
from aplt.errors import InputError

USUAL = "supervised, fixmatch_teacher, aplt_paper, aplt"
"""The methods of a plan that names none."""


def compare(
    source: Annotated[Path, typer.Argument(help="clips.csv, a folder of clips, a compare.yaml or its folder.")],
    methods: Annotated[str | None, typer.Option(help=f"By default {USUAL}; see `aplt recipes`.")] = None,
    labeled: Annotated[str | None, typer.Option(help="Shares of labels, such as 5%,20%; by default 10%.")] = None,
    seeds: Annotated[str | None, typer.Option(help="A number n for 0 to n-1, or a list: 3,4,5. By default 3.")] = None,
    encoder: Annotated[str | None, typer.Option(help="The same for all; by default by modality.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting of `aplt train`: train.rounds=5. Repeatable.")
    ] = None,
    ablate: Annotated[bool, typer.Option("--ablate", help="Compare APLT with each of its choices undone.")] = False,
    upper_bound: Annotated[
        bool | None,
        typer.Option("--upper-bound/--no-upper-bound", help="Also train supervised with all labels; by default yes."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Cells trained at once, on a share of the cores each.")] = 1,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder; by default compare/NAME, for --ablate NAME-ablation.")
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Give up finished cells there that it lacks or has other settings for."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the cells and how long they take; a trial decodes all videos.")
    ] = False,
) -> None:
    """Train methods on several shares of labels and seeds; writes a table and a report. Goes on where it stopped."""
    from aplt.compare.ablation import ABLATION
    from aplt.compare.cells import doubled_rows, plan_cells
    from aplt.compare.checks import default_folder, default_name, load_plan, make_plan
    from aplt.compare.comparison import plan_commands, read_comparison
    from aplt.compare.markdown import main_tables
    from aplt.compare.study import FailedError, Study, announce
    from aplt.config import parse_assignments
    from aplt.display import console
    from aplt.lock import held
    from aplt.rundir import CompareDir

    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError("compare trains each cell in one process: start it without a launcher, with --jobs")
    options: dict[str, Any] = {"methods": methods, "labeled": labeled, "seeds": seeds, "upper_bound": upper_bound}
    chosen = {key: value for key, value in options.items() if value is not None}
    settings = parse_assignments(set_ or []) | ({"encoder": encoder} if encoder is not None else {})
    if settings:
        chosen["settings"] = settings
    if ablate:
        chosen["variants"] = ABLATION
    if source.is_dir() and CompareDir(source).plan.is_file():
        source = CompareDir(source).plan
    if source.suffix.lower() in (".yaml", ".yml"):
        plan = load_plan(source, chosen)
    else:
        plan = make_plan({"datasets": {default_name(source): {"clips": str(source)}}} | chosen, "compare", Path())
    folder = CompareDir(output) if output else default_folder(source, ablate=ablate)
    if folder.path.is_file():
        raise InputError(f"{folder.path}: expected a folder for the comparison, found a file")
    cells = plan_cells(plan, folder)
    for name, other in doubled_rows(cells).items():
        same = f"'{name}' is the same training as '{other}' with these settings"
        if not ablate:
            raise InputError(f"{same}; leave one out")
        console.print(f"{same}: left out", soft_wrap=True)
        plan = plan.without(name)
        cells = [cell for cell in cells if cell.method != name]
    with (
        stoppable(lambda: "; the same command goes on from there"),
        nullcontext(True) if dry_run else held(folder.lock) as ours,
    ):
        if not ours:
            raise InputError(f"{folder.path}: another process is at work on this comparison; wait for it")
        study = Study(plan, cells, folder, jobs)
        if dry_run:
            for cell in study.cells:
                print(f"{cell}{'' if cell in study.left else ': finished'}")
        if not replace:
            study.require_kept()
        study.try_out()
        announce(study)
        if dry_run:
            return
        own = source.resolve() == folder.plan.resolve()
        commands = plan_commands(folder) if own or (study.rows and folder.plan.exists()) else []
        if chosen or not own:  # the folder's own plan, unchanged, adds nothing to what led to it
            commands.append(shlex.join(["aplt", *sys.argv[1:]]))
        failed: FailedError | None = None
        try:
            study.run(list(dict.fromkeys(commands)))
        except FailedError as error:
            failed = error
    print(main_tables(read_comparison(folder.path)))
    print(f"cells {folder.cells}, more tables {folder.table}, report {folder.report}")
    if failed:
        raise failed
