"""`aplt predict`: the micro-actions in new clips, and in recordings."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from aplt.cli.options import Stride, Tiers
from aplt.cli.printing import remark, say
from aplt.errors import InputError

CLIP_FORMATS = {"csv": "predictions.csv", "codabench": "prediction.zip", "label-studio": "tasks.json"}
"""Of predictions for clips, and the file that is written by default."""
TEST_CLIPS = (5_586, 1_138)
"""Of MA-52's lists, and of the subset that its challenges ask for."""


def predict(
    run: Annotated[Path, typer.Argument(help="Run folder, such as runs/NAME.")],
    paths: Annotated[list[Path], typer.Argument(help="Files, folders or clips.csv tables.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; by default predictions.csv, or events.csv.")
    ] = None,
    window: Annotated[
        float | None,
        typer.Option(help="Read the files as recordings: score windows of so many seconds, and write events."),
    ] = None,
    stride: Stride = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="csv or label-studio; of events also json, srt, elan or boris; of clips also codabench, a submission "
            "to MA-52's challenge.",
        ),
    ] = "csv",
    none: Annotated[str | None, typer.Option(help="Class that makes no event; by default 'nothing'.")] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            help="What a class must score for an event; by default 0.5, or 0 if the model has a class for none."
        ),
    ] = None,
    change: Annotated[
        float | None,
        typer.Option(
            help="What a change of class must gain in log probability; by default 1. More makes fewer events."
        ),
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="HTML page to write, too: the events beside the videos. Leave it near them.")
    ] = None,
    annotated: Annotated[
        Path | None,
        typer.Option(
            help="Known events, as a CSV or a file of ELAN's or BORIS', to be shown on the page; with --format elan or "
            "boris, the file that the events are added to, in a copy."
        ),
    ] = None,
    tier: Tiers = None,
) -> None:
    """Name the micro-action in new clips, or find those in recordings (--window).

    A file that cannot be read becomes a row with the reason; of recordings, a remark. Exit status 1 if no file can be
    read.
    """
    from aplt.runs.predict import gather_clips, load_model

    model = load_model(run)
    if window is not None:
        from aplt.cli.recordings import write_events
        from aplt.data.recordings import require_windows
        from aplt.runs.timeline import Reading

        step = require_windows(window, stride)
        own = Reading(window, step) if none is None else Reading(window, step, none)
        reading = replace(own, threshold=threshold, change=own.change if change is None else change)
        write_events(run, model, paths, reading, format_, output, page, annotated, tuple(tier or ()))
        return
    of_events = (stride, page, annotated, none, threshold, change, tier or None)
    if of_events != (None,) * len(of_events) or format_ not in CLIP_FORMATS:
        raise InputError(
            "--stride, --page, --annotated, --tier, --none, --threshold, --change and other formats are of events, "
            "which need --window"
        )
    from aplt.cli.overwriting import require_beginning, require_own
    from aplt.display import counted
    from aplt.parallel import is_main
    from aplt.runs.label_studio import BEGINS, clips_to_label_studio
    from aplt.runs.predict import FILE_COLUMNS
    from aplt.runs.predict import predict as predict_clips
    from aplt.storage import atomic, write_alone

    clips, output = gather_clips(paths), output or Path(CLIP_FORMATS[format_])
    read = [*paths, *(clip.path for clip in clips)]
    if format_ == "codabench":
        from aplt.runs.submission import submission

        require_beginning(output, (), read)
        packed = submission(model, clips)
        if not is_main():
            return
        if len(clips) not in TEST_CLIPS:
            remark(
                f"{counted(len(clips), 'clip')}; a submission needs all of the test set's ({TEST_CLIPS[0]:,d} of MA-52)"
            )
        with atomic(output) as stream:
            stream.write(packed)
        say(f"{output}: {counted(len(clips), 'clip')}")
        return
    tasks = format_ == "label-studio"
    if tasks:
        require_beginning(output, (BEGINS,), read)
    else:
        require_own(output, FILE_COLUMNS, read)
    table = predict_clips(model, clips)
    if not is_main():
        return
    write_alone(output, clips_to_label_studio(table, output) if tasks else table.to_csv(index=False))
    failed = int((table["error"] != "").sum())
    say(f"{output}: {counted(len(table) - failed, 'clip')} predicted, {failed} unreadable")
    if failed:
        first = table[table["error"] != ""].iloc[0]
        reasons = table["error"][table["error"] != ""].nunique()
        others = "the table has the other reasons" if reasons > 1 else "the others have the same reason"
        remark(f"{first['path']}: {first['error']}{f'; {others}' * (failed > 1)}")
    raise typer.Exit(1 if failed == len(table) else 0)
