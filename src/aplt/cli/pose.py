"""`aplt pose`: the skeletons of the people in videos."""

from pathlib import Path
from typing import Annotated

import typer

from aplt.cli.printing import remark, say
from aplt.cli.stopping import stoppable
from aplt.errors import InputError

NAMED = 10
"""How many clips a remark names at most."""


def pose(
    clips: Annotated[Path, typer.Argument(help="clips.csv or a folder of videos.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="CSV to write; the skeletons go to a folder of its name.")
    ] = Path("poses.csv"),
    body: Annotated[
        Path | None,
        typer.Option(help="MediaPipe's pose landmarker; by default models/pose_landmarker_full.task in the cache."),
    ] = None,
    hands: Annotated[
        Path | None, typer.Option(help="MediaPipe's hand landmarker; by default models/hand_landmarker.task there.")
    ] = None,
    no_hands: Annotated[bool, typer.Option("--no-hands", help="33 joints of the body alone; twice as fast.")] = False,
    rate: Annotated[float | None, typer.Option(help="Frames per second to look at; by default all.")] = None,
) -> None:
    """Track body and hands of the main person in each video, with MediaPipe, as clips of skeletons.

    A clip that cannot be read is named and left out. The same command goes on where it was stopped. A picture named
    like the table shows what was seen in some of the clips. Exit status 1 if no clip can be read.
    """
    import pandas as pd

    from aplt.cli.overwriting import require_own
    from aplt.data.tracking.clips import FILE_COLUMNS
    from aplt.data.tracking.sheet import CLIPS, draw_sheet
    from aplt.display import bar, counted
    from aplt.library import pose as track
    from aplt.storage import read_table

    require_own(output, FILE_COLUMNS, [clips])
    earlier = read_table(output) if output.exists() else None
    with stoppable(lambda: "; the same command goes on from there"):
        found = track(clips, output, body=body, hands=False if no_hands else hands, rate=rate)
    for error in found["error"][found["error"] != ""]:
        remark(f"left out: {error}")
    table = found[found["error"] == ""]
    if table.empty:
        raise typer.Exit(1)
    if earlier is not None and "label" in earlier:
        was = table["id"].map(earlier.drop_duplicates("id").set_index("id")["label"]).str.strip()
        now = table["label"].str.strip() if "label" in table else was.map(lambda _: "")
        changed = [
            f"{id_} from '{old}' to '{new}'"
            for id_, old, new in zip(table["id"], was, now, strict=True)
            if pd.notna(old) and old != new
        ]
        if changed:
            remark(f"{counted(len(changed), 'label')} changed, since {clips} says otherwise: {_some(changed)}")
    nobody = list(table["id"][table["body"] == 0])
    if nobody:
        remark(f"nobody is found in {counted(len(nobody), 'clip')}: {_some(nobody)}")
    frames = table["frames"].astype(int)
    parts = [("a body", "body")] + [("a hand", "hands")] * (not no_hands)
    shares = ", ".join(f"{what} in {(table[of] * frames).sum() / frames.sum():.1%}" for what, of in parts)
    left = f", {len(found) - len(table)} left out" if len(table) < len(found) else ""
    say(f"{output}: {counted(len(table), 'clip')} of {counted(int(frames.sum()), 'frame')}{left}; {shares} of them")
    try:
        with (
            stoppable(lambda: f"; {output} is whole, the picture is missing"),
            bar("drawing what was seen") as progress,
        ):
            picture = draw_sheet(clips, table, output, rate, progress.at)
    except (InputError, OSError) as error:  # the poses are there, and count
        remark(f"no picture of what was seen: {error}")
        return
    if picture is not None:
        say(f"{picture}: what was seen in {'all' if len(table) <= CLIPS else CLIPS} of them")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED:,d} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
