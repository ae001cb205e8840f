"""`aplt predict`: the micro-actions in new clips."""

from pathlib import Path
from typing import Annotated

import typer

from aplt.cli.printing import remark, say


def predict(
    run: Annotated[Path, typer.Argument(help="Run folder, such as runs/NAME.")],
    paths: Annotated[list[Path], typer.Argument(help="Files, folders or clips.csv tables.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="CSV to write.")] = Path("predictions.csv"),
) -> None:
    """Name the micro-action in new clips. A file that cannot be read becomes a row with the reason.

    Exit status 1 if no file can be read.
    """
    from aplt.cli.overwriting import require_own
    from aplt.display import counted
    from aplt.runs.predict import FILE_COLUMNS, gather_clips, load_model
    from aplt.runs.predict import predict as predict_clips
    from aplt.storage import write_csv

    model, clips = load_model(run), gather_clips(paths)
    require_own(output, FILE_COLUMNS, [*paths, *(clip.path for clip in clips)])
    table = predict_clips(model, clips)
    write_csv(output, table)
    failed = int((table["error"] != "").sum())
    say(f"{output}: {counted(len(table) - failed, 'clip')} predicted, {failed} unreadable")
    if failed:
        first = table[table["error"] != ""].iloc[0]
        remark(f"{first['path']}: {first['error']}{'; the table has the other reasons' * (failed > 1)}")
    raise typer.Exit(1 if failed == len(table) else 0)
