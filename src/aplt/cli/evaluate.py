"""`aplt evaluate`: a trained model's figures."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from aplt.errors import InputError


def evaluate(
    run: Annotated[Path, typer.Argument(help="Run folder, such as runs/NAME.")],
    clips: Annotated[Path | None, typer.Option(help="Evaluate on this index instead of the run's own clips.")] = None,
    role: Annotated[str, typer.Option(help="Which of the run's clips: test, val, unlabeled or labeled.")] = "test",
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure a trained model."""
    from json import dumps

    from aplt.clips import ROLES
    from aplt.display import counted
    from aplt.errors import suggest
    from aplt.rundir import RunDir
    from aplt.runs.predict import evaluate as evaluate_run
    from aplt.runs.predict import trained_on

    if role not in ROLES:
        raise InputError(f"--role is '{role}'{suggest(role, ROLES)}")
    figures = evaluate_run(RunDir(run), clips, role)
    if clips is not None and (known := trained_on(RunDir(run), clips)):
        print(
            f"aplt: {known} of {counted(figures['clips'], 'clip')} in {clips} with the id or the file of clips that "
            "the model was trained on: these figures say little of new clips",
            file=sys.stderr,
        )
    if json:
        print(dumps(figures, indent=2, ensure_ascii=False))
        return
    named = {"top-1": figures["top1"], "top-5": figures["top5"], "macro F1": figures["macro_f1"]}
    shown = ", ".join(f"{name} {figure:.1%}" for name, figure in named.items() if figure is not None)
    more = f" ({figures['unlabeled']} more without a label)" if figures["unlabeled"] else ""
    print(f"{counted(figures['clips'], 'clip')}{more}: {shown}")
    width = max(len(row["class"]) for row in figures["per_class"])
    print(f"{'class':{width}}  clips  precision  recall     f1")
    for row in figures["per_class"]:
        values = f"{row['precision']:9.1%}  {row['recall']:6.1%}  {row['f1']:5.1%}"
        print(f"{row['class']:{width}}  {row['clips']:5}  {values}")
