"""`aplt labels`: the labels of a run's unlabeled clips, as reliable as asked."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from aplt.cli.printing import remark, say
from aplt.display import share_text
from aplt.errors import InputError

MOST_NAMED = 10


def labels(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run, such as runs/NAME.")],
    precision: Annotated[
        str | None, typer.Option(help="Only the largest set of labels of which so many are right, such as 95%.")
    ] = None,
    confidence: Annotated[str, typer.Option(help="With which that holds.")] = "90%",
    folds: Annotated[
        int | None,
        typer.Option(
            help="Measure on the labeled clips: train again so many times, each time without the labels of some."
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Of these trainings at once.")] = 1,
    output: Annotated[Path, typer.Option("--output", "-o", help="Index to write.")] = Path("labels.csv"),
) -> None:
    """Write the labels of a run's unlabeled clips, and how often such labels are right.

    Measured on the run's held-out clips with a known label (val, else test), or with --folds on the labeled clips.
    """
    import pandas as pd

    from aplt.cli.stopping import stoppable
    from aplt.data.index import write_index
    from aplt.display import counted
    from aplt.offline.novelty import NOVEL
    from aplt.rundir import RunDir
    from aplt.runs.crossfit import crossfit
    from aplt.runs.labels import labels_of, require_unlabeled
    from aplt.runs.reliability import held_out_of

    asked = None if precision is None else _share(precision, "--precision")
    sure = _share(confidence, "--confidence")
    folder = RunDir(run)
    if folds is None or asked is not None:
        require_unlabeled(folder)
    if folds is not None:
        with stoppable(lambda: "; the same command goes on"):
            folded = crossfit(folder, folds, jobs)
        if (others := len(held_out_of(folder).right)) > len(folded):
            remark(f"measured on the {others} held-out clips, since the folds have but {len(folded)}")
    if not folder.read_result().counts.unlabeled:
        report = f"aplt report {shlex.quote(str(run))}"
        say(f"{run}: no unlabeled clips to label; `{report}` shows the labels that the folds' models doubt")
        return
    found = labels_of(folder, asked, sure)
    write_index(found.table, Path(), output)
    kept = f"{output}: {len(found.table):,d} of {counted(found.unlabeled, 'unlabeled clip')}"
    if asked is not None and found.promise is not None:
        held = (
            f"{found.promise.right} of {counted(found.promise.held_out, 'held-out clip')} with such a score are right"
        )
        kept += f"; at least {share_text(asked)} of these labels are right, with {share_text(sure)} confidence ({held})"
    say(kept)
    novel = int((pd.to_numeric(found.table["novelty"]) >= NOVEL).sum())
    if novel:
        remark(f"{counted(novel, 'clip')} may be of none of the classes: novelty {NOVEL} or more")
    if found.short:
        named = ", ".join(found.short[:MOST_NAMED])
        remark(f"no label for {named}{' and others' * (len(found.short) > MOST_NAMED)}")


def _share(text: str, option: str) -> float:
    from pydantic import TypeAdapter, ValidationError

    from aplt.config import Fraction

    try:
        share = TypeAdapter(Fraction).validate_python(text)
    except ValidationError as error:
        raise InputError(f"{option} is '{text}', expected a share such as 95%") from error
    if not 0 < share < 1:
        raise InputError(f"{option} is '{text}', expected more than 0 and less than 100%")
    return share
