"""`aplt train`: a recognizer from labeled and unlabeled clips."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aplt.cli.stopping import stoppable
from aplt.errors import InputError

if TYPE_CHECKING:
    from aplt.config import RunConfig


def train(
    source: Annotated[Path | None, typer.Argument(help="clips.csv, a folder of clips, or a config.yaml.")] = None,
    split: Annotated[Path | None, typer.Option(help="Split made by `aplt split`.")] = None,
    labeled: Annotated[str | None, typer.Option(help="Share of each class's labels to use, such as 10%.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the split, the model and the order of clips.")] = None,
    method: Annotated[str | None, typer.Option(help="By default aplt; see `aplt recipes`.")] = None,
    encoder: Annotated[str | None, typer.Option(help="By default by modality.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run's folder.")] = None,
    runs: Annotated[Path, typer.Option(help="Folder of run folders.")] = Path("runs"),
    set_: Annotated[list[str] | None, typer.Option("--set", help="Any setting: train.rounds=5. Repeatable.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue an interrupted run folder.")] = None,
) -> None:
    """Train a recognizer on labeled and unlabeled clips."""
    from accelerate import PartialState

    from aplt.config import merge, parse_assignments
    from aplt.report import write_report
    from aplt.rundir import RunDir
    from aplt.runs.begin import resume as resume_run
    from aplt.runs.begin import train as train_run
    from aplt.settings import shown

    if resume is not None:
        if any(given is not None for given in (source, split, labeled, seed, method, encoder, name, set_)):
            raise InputError("--resume continues a run as it was begun: give no other setting with it")
        run = RunDir(resume)
        work = partial(resume_run, run)
    else:
        if source is None:
            raise InputError("train needs clips.csv, a folder, a config.yaml or --resume; see aplt train --help")
        if split is not None and labeled is not None:
            raise InputError("--split says which clips are labeled; --labeled would change nothing beside it")
        if name is not None and (name in ("", "..") or Path(name).name != name):
            raise InputError(
                f"--name {shown(name)} is not the name of a folder; --runs says where the run's folder lies"
            )
        options: dict[str, Any] = {"split_file": str(split) if split else None, "method": method, "encoder": encoder}
        chosen = {key: value for key, value in options.items() if value is not None}
        if labeled is not None:
            chosen["split"] = {"labeled": labeled}
        config = _configured(source, merge(chosen, parse_assignments(set_ or [])), seed)
        run = RunDir(runs / (name or f"{config.method}-seed{config.train.seed}"))
        work = partial(train_run, config, run)
    with stoppable(lambda: f"; continue with `aplt train --resume {run.path}`" if run.config.exists() else ""):
        result = work()
    processes = PartialState()
    # Else a process may be aborted at its exit (github.com/pytorch/pytorch/issues/190489).
    processes.destroy_process_group()
    if not processes.is_main_process:
        return
    page = write_report(run.path)
    if result["top1"] is not None:
        scored, test = sum(row["clips"] for row in result["per_class"]), result["counts"]["test"]
        note = f", on the {scored} of {test} test clips that have a label" if scored < test else ""
        print(f"test accuracy {result['top1']:.1%}, macro F1 {result['macro_f1']:.1%}{note}")
    print(f"run {run.path}, report {page}")


def _configured(source: Path, chosen: dict[str, Any], seed: int | None) -> "RunConfig":
    """Returns the config of a new run: the clips or config.yaml in `source`, under what the command line sets."""
    from aplt.config import load_yaml, merge
    from aplt.runs.configure import configure

    if source.suffix.lower() in (".yaml", ".yml"):
        settings, where = _without_others(load_yaml(source), chosen, source), str(source)
    else:
        settings, where = {"clips": str(source)}, "settings"
    split_file = chosen.get("split_file", settings.get("split_file"))
    if split_file is not None and (idle := chosen.get("split")):
        name = f"split.{next(iter(idle))}" if isinstance(idle, dict) else "split"
        raise InputError(f"{split_file} says the role of every clip: {name} would change nothing beside it")
    if seed is not None:
        seeds = {"train": {"seed": seed}} | ({"split": {"seed": seed}} if split_file is None else {})
        settings = merge(settings, seeds)
    return configure(merge(settings, chosen), where)


def _without_others(settings: dict[str, Any], chosen: dict[str, Any], source: Path) -> dict[str, Any]:
    """Returns the settings in a config.yaml without those of the method, encoder or split that the command changes."""
    from aplt.runs.configure import of_method

    if "method" in chosen:
        settings, left = of_method(settings, chosen["method"])
        if left:
            print(f"aplt: {', '.join(left)} in {source} belong to another method and are left out", file=sys.stderr)
    if chosen.get("encoder", settings.get("encoder")) != settings.get("encoder"):
        settings = {key: value for key, value in settings.items() if key not in ("encoder_settings", "encoder_weights")}
        print(f"aplt: the settings of the encoder in {source} belong to another and are left out", file=sys.stderr)
    if chosen.get("split_file") is not None:
        # As a run's config.yaml has them they say nothing beside a file.
        settings = {key: value for key, value in settings.items() if key != "split"}
    return settings
