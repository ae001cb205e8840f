"""`aplt train`: a recognizer from labeled and unlabeled clips."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from aplt.cli.options import BudgetOption, Epochs, PresetOption, SetOption, Steps, budget_settings
from aplt.cli.printing import remark, say
from aplt.cli.stopping import stoppable
from aplt.errors import InputError


def train(
    context: typer.Context,
    source: Annotated[Path | None, typer.Argument(help="clips.csv, a folder of clips, or a config.yaml.")] = None,
    split: Annotated[Path | None, typer.Option(help="Table written by `aplt split`.")] = None,
    labeled: Annotated[str | None, typer.Option(help="Share of each class's labels to use, such as 10%.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the split, the model and the order of clips.")] = None,
    method: Annotated[
        str | None,
        typer.Option(help="A name from `aplt recipes`, or package.module:name of your own; by default aplt."),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(help="A name from `aplt encoders`, or package.module:name of your own; by default by the clips."),
    ] = None,
    encoder_weights: Annotated[
        str | None, typer.Option(help="Published weights by a name from `aplt encoders`, such as DEFAULT, or a file.")
    ] = None,
    preset: PresetOption = None,
    budget: BudgetOption = None,
    epochs: Epochs = None,
    steps: Steps = None,
    track: Annotated[
        str | None, typer.Option(help="Show the curves in tensorboard, wandb, mlflow or trackio, too.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run's folder; by default METHOD-seedN.")] = None,
    runs: Annotated[Path, typer.Option(help="Folder for the folders of runs.")] = Path("runs"),
    set_: SetOption = None,
    from_: Annotated[
        Path | None,
        typer.Option("--from", help="Begin from this finished run: its settings, its weights and its test clips."),
    ] = None,
    corrections: Annotated[
        Path | None, typer.Option(help="Labels that people have given or corrected, as `aplt review` writes them.")
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue the interrupted run in this folder.")] = None,
    clips: Annotated[
        Path | None, typer.Option(help="With --resume: where the run's clips.csv or folder of clips is by now.")
    ] = None,
) -> None:
    """Train a recognizer on labeled and unlabeled clips."""
    from accelerate import PartialState

    from aplt import library
    from aplt.display import counted
    from aplt.prepare import prepare, prepare_first, prepare_next
    from aplt.report.words import wilson
    from aplt.rundir import RunDir
    from aplt.runs.reliability import FEWEST
    from aplt.settings import merge, parse_assignments

    if resume is not None:
        others = (value for key, value in context.params.items() if key not in ("resume", "clips", "runs"))
        if any(value not in (None, ()) for value in others):
            raise InputError(
                "--resume continues a run with the settings that it began with: give no other setting with it"
            )
        folder = RunDir(resume)
        if folder.result.exists():
            remark(f"{resume}: this run is finished")
        work = partial(library.resume, resume, clips)
    else:
        if clips is not None:
            raise InputError("--clips says where the clips of a run to --resume are; a new run takes them without it")
        options = {
            "split_file": str(split) if split else None,
            "split": {"labeled": labeled} if labeled is not None else None,
            "method": method,
            "encoder": encoder,
            "encoder_weights": encoder_weights,
        }
        settings = merge(parse_assignments(set_ or []), budget_settings(budget, epochs, steps))
        settings = settings if track is None else merge(settings, {"train": {"track": track}})
        if from_ is not None:
            given = {"--split": split, "--labeled": labeled, "--encoder": encoder, "--preset": preset, "--seed": seed}
            for option, value in (given | {"--encoder-weights": encoder_weights}).items():
                if value is not None:
                    raise InputError(f"{option} would change nothing beside --from, whose run says it")
            if name is None:
                raise InputError("--from needs a --name for the new run")
            prepared, corrected = prepare_next(
                RunDir(from_), source, corrections, {"method": method}, settings=settings, name=name, runs=runs
            )
        elif source is not None:
            rest: dict[str, Any] = {"settings": settings, "preset": preset, "seed": seed, "name": name, "runs": runs}
            if corrections is None:
                prepared = prepare(source, options, **rest)
            else:
                prepared, corrected = prepare_first(source, corrections, options, **rest)
        else:
            raise InputError(
                "train needs clips.csv, a folder, a config.yaml, --from or --resume; see aplt train --help"
            )
        if corrections is not None:
            say(f"{corrections}: {corrected}")
        folder = prepared.folder
        work = partial(library.begin, prepared)
    with stoppable(lambda: f"; continue with `aplt train --resume {folder.path}`" if folder.config.exists() else ""):
        run = work()
    processes = PartialState()
    # Else a process may be aborted at its exit (github.com/pytorch/pytorch/issues/190489).
    processes.destroy_process_group()
    if not processes.is_main_process:
        return
    result = run.result
    if result.test is not None:
        scored, test = result.test.clips, result.counts.test
        note = f" (on the {scored} of {test} test clips that have a label)" if scored < test else ""
        say(f"test clips: {result.test.text()}{note}")
        if scored < FEWEST:
            low, high = wilson(result.test.top1, scored)
            remark(
                f"{counted(scored, 'test clip')} say little: top-1 is between {low:.1%} and {high:.1%}, 95% confidence"
            )
    held_out = result.val or result.test
    if result.counts.unlabeled and (held_out is None or held_out.clips < FEWEST):
        found = counted(0 if held_out is None else held_out.clips, "clip")
        remark(f"{found} with a label held out: too few to measure how reliable the pseudo-labels are ({FEWEST})")
    say(f"run {run.path}, report {run.report}")
