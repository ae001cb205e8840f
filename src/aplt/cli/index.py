"""`aplt index`: a folder's clips and labels as a table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption

from aplt.cli.options import Stride, Tiers
from aplt.cli.printing import remark, say, say_classes
from aplt.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def index(
    source: Annotated[
        Path,
        typer.Argument(help="Folder of clips; subfolders named after classes hold labeled ones. Or lists, or a table."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = Path("clips.csv"),
    format_: Annotated[str | None, typer.Option("--format")] = None,
    videos: Annotated[Path | None, typer.Option(help="Folder of the videos, if they are not with the lists.")] = None,
    rate: Annotated[
        float | None,
        typer.Option(help="Frames a second that lists count in; by default those of each video.", min=1e-3),
    ] = None,
    columns: Annotated[str, typer.Option(help="What a table calls its columns: path=file,label=class.")] = "",
    window: Annotated[
        float | None, typer.Option(help="Cut recordings, longer files without a label, into clips of so many seconds.")
    ] = None,
    stride: Stride = None,
    events: Annotated[
        Path | None,
        typer.Option(
            help="CSV with path, start, end and label, or a file of ELAN's or BORIS': labeled clips, which windows do "
            "not overlap."
        ),
    ] = None,
    tier: Tiers = None,
    none: Annotated[
        str,
        typer.Option(help="Class of the windows in recordings with events, if these are all there are; else unknown."),
    ] = "",
) -> None:
    """List the clips and labels of a folder, list or table in a CSV. One with other content is not overwritten."""
    from aplt.data.formats import scan, watched_in
    from aplt.data.formats.leftovers import left_out
    from aplt.data.formats.recognize import recognized
    from aplt.data.formats.source import Source
    from aplt.data.index import to_index, write_index
    from aplt.data.modality import how_read
    from aplt.data.names import doubtful_names
    from aplt.data.recordings import cut_folder
    from aplt.display import counted

    tiers = tuple(tier or ())
    given = Source(
        source,
        videos,
        output,
        rate,
        pairs(columns, "--columns"),
        tiers=tiers if events is None else (),
        window=window,
        remark=remark,
    )
    asked, format_ = format_, format_ or recognized(source)
    if asked is None and format_ != "folder":
        remark(f"{source} is read as of the format {format_}; --format says otherwise")
    table = scanned = scan(given, format_)
    if window is not None:
        known = None if events is None else Source(events, given.videos, tiers=tiers, window=window, remark=remark)
        watched = watched_in(given, format_)
        table = cut_folder(table, given.videos, window=window, stride=stride, events=known, none=none, watched=watched)
    elif stride is not None or events is not None or none:
        raise InputError("--stride, --events and --none say how recordings are cut, which needs --window")
    # Before it is written, so that no file stays behind that cannot be read again.
    found = to_index(table, given.videos, source)
    write_index(table, given.videos, output)
    classes, unlabeled = found.num_classes, sum(clip.label < 0 for clip in found)
    say(
        f"{output}: {counted(len(found), 'clip')}, {counted(classes, 'class', 'classes')}, "
        f"{counted(unlabeled, 'clip')} without a label"
    )
    say_classes(found)
    if format_ == "folder" and not classes:
        remark(f"no class-named folder with clips in {source}; if {source} is one itself, give the folder above it")
    if format_ == "folder" and classes == 1 and not unlabeled:
        remark(
            f"'{found.class_names[0]}' is taken for the class of all clips; for clips without labels give that folder"
        )
    lists = frozenset({".csv"} if format_ == "folder" else {".csv", ".tsv", ".jsonl", ".txt", ".eaf", ".boris"})
    if source.is_dir() and (left := left_out(given.videos, (clip.path for clip in found), lists)):
        remark(f"left out of {given.videos}: {left}")
    if read := how_read(found):
        remark(read)
    for doubt in doubtful_names(found):
        remark(str(doubt))
    if format_ == "folder" and (deep := _deeper_folders(scanned)):
        remark(
            f"classes are named by the upper folders ({', '.join(found.class_names[:3])}), not by those inside "
            f"({', '.join(deep[:3])}); if that is the wrong way round, correct the labels in {output}"
        )


def pairs(text: str, option: str) -> dict[str, str]:
    """Returns the names and values in a text such as path=file,label=class.

    Raises:
        InputError: it is none, or says one thing twice.
    """
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = (word.strip() for word in part.partition("="))
        if not name or not value or name in found:
            raise InputError(f"{option}: expected name=value pairs such as path=file,label=class, found '{text}'")
        found[name] = value
    return found


class IndexCommand(TyperCommand):
    """Explains the formats by their docstrings, which are imported only when help is asked for."""

    def format_help(self, *args: Any, **keywords: Any) -> None:
        """Writes the help."""
        from aplt.data.formats import FORMATS

        lines = (f"{name}: {(function.__doc__ or '').splitlines()[0]}" for name, function in FORMATS.items())
        for option in self.params:
            if isinstance(option, TyperOption) and option.name == "format_":
                option.help = "\n\n".join(("By default recognized.", *lines))
        super().format_help(*args, **keywords)


def _deeper_folders(table: "pd.DataFrame") -> list[str]:
    """Returns the names of the folders inside those named after classes."""
    labeled = table[table["label"] != ""]
    names: set[str] = set()
    for path, label in zip(labeled["path"], labeled["label"], strict=True):
        folders = Path(path).parent.parts
        names.update(folders[folders.index(label) + 1 :])
    return sorted(names)
