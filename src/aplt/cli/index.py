"""`aplt index`: a folder's clips and labels as a table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption

from aplt.cli.printing import remark, say

if TYPE_CHECKING:
    import pandas as pd


def index(
    source: Annotated[Path, typer.Argument(help="Folder of clips; subfolders named after classes hold labeled clips.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = Path("clips.csv"),
    format_: Annotated[str, typer.Option("--format")] = "folder",
    window: Annotated[
        float | None, typer.Option(help="Cut recordings, longer files without a label, into clips of so many seconds.")
    ] = None,
    stride: Annotated[
        float | None, typer.Option(help="Seconds from one window to the next; by default half a window.")
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(help="CSV with path, start, end and label: labeled clips, which windows do not overlap."),
    ] = None,
    none: Annotated[
        str,
        typer.Option(help="Class of the windows in recordings with events, if these are all there are; else unknown."),
    ] = "",
) -> None:
    """List a folder's clips and labels in a CSV table. An existing table with other content is not overwritten."""
    import numpy as np

    from aplt.data.formats import left_out, scan
    from aplt.data.index import to_index, write_index
    from aplt.data.modality import how_read
    from aplt.data.names import doubtful_names
    from aplt.data.recordings import cut_folder
    from aplt.display import counted
    from aplt.errors import InputError

    table = scanned = scan(source, format_)
    if window is not None:
        table = cut_folder(table, source, window=window, stride=stride, events=events, none=none)
    elif stride is not None or events is not None or none:
        raise InputError("--stride, --events and --none say how recordings are cut, which needs --window")
    # Before it is written, so that no file stays behind that cannot be read again.
    found = to_index(table, source, source)
    write_index(table, source, output)
    classes, unlabeled = found.num_classes, sum(clip.label < 0 for clip in found)
    say(
        f"{output}: {counted(len(found), 'clip')}, {counted(classes, 'class', 'classes')}, "
        f"{counted(unlabeled, 'clip')} without a label"
    )
    for name, count in zip(found.class_names, np.bincount(found.labels[found.labels >= 0]), strict=True):
        say(f"  {name}: {count}")
    if format_ == "folder" and not classes:
        remark(f"no class-named folder with clips in {source}; if {source} is one itself, give the folder above it")
    if left := left_out(source, (clip.path for clip in found)):
        remark(f"left out of {source}: {left}")
    if read := how_read(found):
        remark(read)
    for doubt in doubtful_names(found):
        remark(str(doubt))
    if format_ == "folder" and (deep := _deeper_folders(scanned)):
        remark(
            f"classes are named by the upper folders ({', '.join(found.class_names[:3])}), not by those inside "
            f"({', '.join(deep[:3])}); if that is the wrong way round, correct the labels in {output}"
        )


class IndexCommand(TyperCommand):
    """Explains the formats by their docstrings, which are imported only when help is asked for."""

    def format_help(self, *args: Any, **keywords: Any) -> None:
        """Writes the help."""
        from aplt.data.formats import FORMATS

        lines = (f"{name}: {(function.__doc__ or '').splitlines()[0]}" for name, function in FORMATS.items())
        for option in self.params:
            if isinstance(option, TyperOption) and option.name == "format_":
                option.help = "\n\n".join(lines)
        super().format_help(*args, **keywords)


def _deeper_folders(table: "pd.DataFrame") -> list[str]:
    """Returns the names of the folders inside those named after classes."""
    labeled = table[table["label"] != ""]
    names: set[str] = set()
    for path, label in zip(labeled["path"], labeled["label"], strict=True):
        folders = Path(path).parent.parts
        names.update(folders[folders.index(label) + 1 :])
    return sorted(names)
