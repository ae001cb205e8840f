"""Verbs on clips: index, check, split."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aplt.errors import InputError

if TYPE_CHECKING:
    from aplt.data.check import Finding

Output = Annotated[Path, typer.Option("--output", "-o", help="File to write.")]


def index(
    source: Annotated[Path, typer.Argument(help="Folder of clips; class-named subfolders are labeled.")],
    output: Output = Path("clips.csv"),
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="folder: class-named subfolders of videos or arrays, within train, val and test if there are any. "
            "nucla: N-UCLA's skeletons, JSON. kard: KARD's skeletons, text. arid: ARID's videos and lists.",
        ),
    ] = "folder",
) -> None:
    """List a folder's clips and labels in a CSV table; an existing one with another content is kept."""
    import numpy as np

    from aplt.data.formats import scan
    from aplt.data.index import deeper_folders, to_index, write_index
    from aplt.display import counted

    table = scan(source, format_)
    # Before it is written, so that no file stays behind that cannot be read again.
    found = to_index(table, source, source)
    write_index(table, source, output)
    classes, unlabeled = found.num_classes, sum(clip.label < 0 for clip in found)
    print(
        f"{output}: {counted(len(found), 'clip')}, {counted(classes, 'class', 'classes')}, "
        f"{counted(unlabeled, 'clip')} without a label"
    )
    for name, count in zip(found.class_names, np.bincount(found.labels[found.labels >= 0]), strict=True):
        print(f"  {name}: {count}")
    if format_ == "folder" and (deep := deeper_folders(table)):
        print(
            f"aplt: classes are named by the upper folders ({', '.join(found.class_names[:3])}), not by those inside "
            f"({', '.join(deep[:3])}); if that is the wrong way round, correct the labels in {output}",
            file=sys.stderr,
        )


def check(
    clips: Annotated[Path, typer.Argument(help="clips.csv or a folder.")],
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Decode every clip; name each that is broken, empty, too short, double or unlike the rest. Exit status 1 if any.

    So it is with a class that has too few labeled clips to train and test on.
    """
    from dataclasses import asdict
    from json import dumps

    from aplt.data.check import check as check_clips
    from aplt.data.check import check_classes, remark_on_subjects
    from aplt.data.index import read_index
    from aplt.data.splits import require_classes
    from aplt.display import bar, counted

    found = read_index(clips)
    with bar("checking clips", len(found)) as progress:
        findings = check_clips(found, progress=progress.at)
    classes: list[Finding] = []
    try:
        require_classes(found)
        classes = check_classes(found)
    except InputError as remark:  # no fault: clips to predict need no labels
        print(f"aplt: {remark}", file=sys.stderr)
    if subjects := remark_on_subjects(found):
        print(f"aplt: {subjects}", file=sys.stderr)
    if json:
        print(dumps([asdict(finding) for finding in [*findings, *classes]], default=str, ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            print(f"{finding.id}: {finding.problem}: {finding.detail}")
        for finding in classes:
            print(f"class '{finding.id}': {finding.problem}: {finding.detail}")
        few = f"; {len(classes)} of {found.num_classes} classes with too few labels" if classes else ""
        print(f"{counted(len(found), 'clip')} checked, {len(findings)} with a problem{few}")
    raise typer.Exit(1 if findings or classes else 0)


def split(
    clips: Annotated[Path, typer.Argument(help="clips.csv or a folder.")],
    output: Output = Path("split.csv"),
    labeled: Annotated[str | None, typer.Option(help="Share of each class's labels to use, such as 10%.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
    test: Annotated[str, typer.Option(help="Share to test on, unless a split column says it.")] = "20%",
    val: Annotated[str, typer.Option(help="Share to validate on.")] = "0%",
    by_subject: Annotated[bool, typer.Option(help="Hold out whole subjects for test and val.")] = False,
    test_subjects: Annotated[str, typer.Option(help="Test on exactly these: s01,s02.")] = "",
    val_subjects: Annotated[str, typer.Option(help="Validate on exactly these: s03,s04.")] = "",
    ignore_official: Annotated[bool, typer.Option(help="Draw anew although there is a split column.")] = False,
) -> None:
    """Draw which clips are labeled, unlabeled, val and test; the file can be shared and used with train --split."""
    from aplt.cli.overwriting import require_own
    from aplt.clips import ROLES
    from aplt.config import split_settings
    from aplt.data.index import read_index
    from aplt.data.splits import FILE_COLUMNS, make_split, save_split
    from aplt.settings import as_option

    settings = split_settings(
        labeled=labeled,
        seed=seed,
        test=test,
        val=val,
        by_subject=by_subject,
        test_subjects=_names(test_subjects),
        val_subjects=_names(val_subjects),
        ignore_official=ignore_official,
    )
    found = read_index(clips)
    require_own(output, FILE_COLUMNS, [clips, *(clip.path for clip in found)])
    drawn = make_split(found, settings, as_option)
    save_split(output, found, drawn)
    counts = ", ".join(f"{len(drawn.positions(role))} {role}" for role in ROLES)
    unscored = sum(found[position].label < 0 for position in (*drawn.val, *drawn.test))
    note = f" ({unscored} of val and test without a label, so not scored)" if unscored else ""
    print(f"{output}: {counts}{note}; digest {drawn.digest(found)[:12]}")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
