"""What `aplt predict` and `aplt evaluate` do with recordings."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import typer

from aplt.cli.printing import print_json, remark, say
from aplt.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from aplt.clips import Clip
    from aplt.models.recognizer import Recognizer
    from aplt.report.strip import Strip
    from aplt.runs.timeline import Reading, Recording


def write_events(
    run: Path,
    model: "Recognizer",
    paths: list[Path],
    reading: "Reading",
    format_: str,
    output: Path | None,
    page: Path | None,
    annotated: Path | None,
    tiers: tuple[str, ...],
) -> None:
    """Writes the events in recordings, and the page of them."""
    from aplt.cli.overwriting import require_beginning
    from aplt.data.formats.source import Source
    from aplt.data.recordings import read_events
    from aplt.display import counted
    from aplt.errors import suggest
    from aplt.report.strip import strip_page
    from aplt.rundir import RunDir
    from aplt.runs.event_files import WRITERS, require_fit
    from aplt.runs.predict import gather_clips
    from aplt.runs.reliability import held_out_of
    from aplt.runs.timeline import read_recordings
    from aplt.storage import write_alone

    if format_ not in WRITERS:
        raise InputError(f"--format is '{format_}'{suggest(format_, WRITERS)}")
    writer = WRITERS[format_]
    clips, output = gather_clips(paths), output or Path(f"events{writer.ending}")
    require_fit(format_, clips)
    known = None
    if annotated is not None and (page is not None or not writer.adds):
        known = _labeled(read_events(Source(annotated, tiers=tiers, window=reading.window, remark=remark))[0])
    read = [*paths, *(clip.path for clip in clips), *([] if annotated is None else [annotated])]
    require_beginning(output, writer.begins, read)
    if page is not None:
        require_beginning(page, (strip_page([]).partition("<style>")[0],), read)
    found, errors = read_recordings(model, clips, reading, held_out_of(RunDir(run)))
    for error in errors[:3]:
        remark(error)
    if len(errors) > 3:
        remark(f"{len(errors) - 3:,d} more parts cannot be read")
    if not found:
        raise typer.Exit(1)
    write_alone(output, writer.write(found, output, annotated))
    events = sum(len(one.events) for one in found)
    say(f"{output}: {counted(events, 'event')} in {counted(len(found), 'recording')}")
    if page is not None:
        write_alone(page, strip_page([_strip(one, known, page) for one in found]))
        say(str(page))


def print_events(
    run: Path,
    model: "Recognizer",
    clips: Path | None,
    events: Path,
    tiers: tuple[str, ...],
    window: float | None,
    stride: float | None,
    *,
    json: bool,
) -> None:
    """Prints how well the events in recordings are found, against those in a table."""
    from aplt.clips import Clip
    from aplt.data.formats.source import Source
    from aplt.data.recordings import read_events, require_windows
    from aplt.display import counted
    from aplt.runs.predict import gather_clips
    from aplt.runs.segmental import Compared, event_figures
    from aplt.runs.timeline import Reading, read_recordings

    if window is None:
        if model.clip_seconds is None:
            raise InputError(f"{run}: the model does not say how long its clips were; give the windows' with --window")
        window = round(model.clip_seconds[0], 2)
    truth, watched = read_events(Source(events, tiers=tiers, window=window, remark=remark))
    truth = _labeled(truth)
    own = {**{str(path): [(0.0, None)] for path in truth["path"]}, **watched}
    parts = (
        gather_clips([clips])
        if clips
        else [Clip(path, Path(path), start=start, end=end) for path, spans in own.items() for start, end in spans]
    )
    if not parts:
        raise InputError(f"{events}: no event in it and nothing that was watched, so that nothing can be compared")
    found, errors = read_recordings(model, parts, Reading(window, require_windows(window, stride)))
    if errors:
        raise InputError(errors[0])
    compared = []
    for one in found:
        start = one.clip.start or 0.0
        compared.append(Compared(one.events, of_file(truth, one.clip), start, start + one.seconds))
    figures = event_figures(compared)
    table = figures.per_class
    if json:
        f1 = {f"f1_{100 * k:.0f}": value for k, value in figures.f1.items()}
        rest = {"frame_accuracy": figures.frame_accuracy, "per_class": table.to_dict("records")}
        print_json({"seconds": figures.seconds, "window": window, **f1, **rest})
        return
    shares = ", ".join(f"F1@{100 * k:.0f} {value:.1%}" for k, value in figures.f1.items())
    say(f"{counted(len(found), 'recording')}, {figures.seconds:.1f} s in windows of {window:g} s: {shares}")
    say(f"frame accuracy {figures.frame_accuracy:.1%}")
    width = max([len("class"), *map(len, table["class"])])
    say(f"{'class':{width}}  events  predicted   F1@10   F1@25   F1@50")
    for name, true, made, *values in table.itertuples(index=False):
        say(f"{name:{width}}  {true:6}  {made:9}  " + "  ".join(f"{value:6.1%}" for value in values))


def of_file(events: "pd.DataFrame", clip: "Clip") -> "pd.DataFrame":
    """Returns the events of the file that a clip is of, however its path is written."""
    here = clip.path.resolve()
    return events[[Path(path).resolve() == here for path in events["path"]]]


def _labeled(events: "pd.DataFrame") -> "pd.DataFrame":
    """Returns the events that somebody has named."""
    return events[events["label"] != ""]


def _strip(one: "Recording", known: "pd.DataFrame | None", page: Path) -> "Strip":
    from aplt.data.modality import modality_of_clip
    from aplt.report.strip import Strip
    from aplt.storage import seen_from

    path = one.clip.path
    video = quote(seen_from(path, page)) if modality_of_clip(one.clip).name == "video" else None
    own = None if known is None else of_file(known, one.clip)
    annotated = None if own is None or own.empty else own
    return Strip(str(path), video, one.clip.start or 0.0, one.seconds, one.events, annotated)
