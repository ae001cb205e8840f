"""`aplt evaluate`: a trained model's figures."""

from pathlib import Path
from typing import Annotated

import typer

from aplt.cli.options import Stride, Tiers
from aplt.cli.printing import print_json, remark, say
from aplt.errors import InputError


def evaluate(
    run: Annotated[Path, typer.Argument(help="Run folder, such as runs/NAME.")],
    clips: Annotated[
        Path | None, typer.Option(help="Another index, or where the run's own is by now; by default the run's own.")
    ] = None,
    role: Annotated[
        str | None,
        typer.Option(
            help="Which of the run's clips: test, val, unlabeled or labeled. By default its test clips, and all of "
            "another index."
        ),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(
            help="The events in recordings against which to measure: a CSV with path, start, end and label, or a file "
            "of ELAN's or BORIS'; --clips then says which recordings, or parts of them; by default all with an event."
        ),
    ] = None,
    tier: Tiers = None,
    window: Annotated[
        float | None, typer.Option(help="With --events: seconds of a window; by default the median training clip.")
    ] = None,
    stride: Stride = None,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure a trained model."""
    from aplt.clips import ROLES
    from aplt.display import counted
    from aplt.errors import suggest
    from aplt.runs.predict import evaluate as evaluate_run

    if role is not None and role not in ROLES:
        raise InputError(f"--role is '{role}'{suggest(role, ROLES)}")
    if events is not None:
        from aplt.cli.recordings import print_events
        from aplt.runs.predict import load_model

        if role is not None:
            raise InputError("--role is of clips, and --events of recordings; give one of them")
        print_events(run, load_model(run), clips, events, tuple(tier or ()), window, stride, json=json)
        return
    if window is not None or stride is not None or tier:
        raise InputError("--window, --stride and --tier are of recordings, which need --events")
    found = evaluate_run(run, clips, role)
    figures = found.figures
    if found.seen:
        remark(
            f"{found.seen} of {counted(figures.clips, 'clip')} in {clips} with the id or the file of clips that "
            "the model was trained on: these figures say little about new clips"
        )
    if json:
        counts = {"clips": figures.clips, "unlabeled": found.unlabeled}
        print_json(counts | figures.model_dump())
        return
    more = f" ({found.unlabeled} more without a label)" if found.unlabeled else ""
    say(f"{counted(figures.clips, 'clip')}{more}: {figures.text()}")
    say(figures.text(main=False))
    width = max(len(one.name) for one in figures.per_class)
    say(f"{'class':{width}}  clips  precision  recall     f1")
    for one in figures.per_class:
        say(f"{one.name:{width}}  {one.clips:5}  {one.precision:9.1%}  {one.recall:6.1%}  {one.f1:5.1%}")
