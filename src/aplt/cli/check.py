"""`aplt check`: which clips and classes training could not use."""

from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aplt.cli.printing import print_json, remark, say, say_classes
from aplt.errors import InputError

if TYPE_CHECKING:
    from aplt.data.check import Finding


def check(
    clips: Annotated[Path, typer.Argument(help="clips.csv or a folder.")],
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Decode every clip, and list those that are broken, empty, too short, duplicated or unlike the others.

    So are clips that overlap and contradict each other, classes with too few labeled clips to train and test on, and
    names that look like "no label" or like another. Exit status 1 if anything is listed.
    """
    from dataclasses import asdict

    from aplt.data.check import check as check_clips
    from aplt.data.check import check_classes, check_names
    from aplt.data.formats.leftovers import left_out
    from aplt.data.index import read_index
    from aplt.data.modality import how_read
    from aplt.data.overlaps import check_overlaps
    from aplt.data.splits import require_classes
    from aplt.display import bar, counted

    found = read_index(clips)
    with bar("checking clips", len(found)) as progress:
        findings = check_clips(found, progress=progress.at)
    known = {finding.id for finding in findings}
    findings += [finding for finding in check_overlaps(found) if finding.id not in known]
    if clips.is_dir() and not found[0].bank and (left := left_out(clips, (clip.path for clip in found))):
        remark(f"left out of {clips}: {left}")
    if read := how_read(found):
        remark(read)
    classes: list[Finding] = []
    try:
        require_classes(found)
        classes = check_classes(found)
    except InputError as error:  # no fault: clips to predict need no labels
        remark(str(error))
    names = check_names(found)
    if json:
        print_json([asdict(finding) for finding in [*findings, *classes, *names]])
    else:
        say_classes(found)
        for alike in groupby(findings, key=attrgetter("problem", "detail")):
            finding, *others = alike[1]
            say(f"{finding.id}: {finding.problem}: {finding.detail}")
            if others:
                say(f"  the same of {counted(len(others), 'other clip')}, the last {others[-1].id}")
        for finding in classes:
            say(f"class '{finding.id}': {finding.problem}: {finding.detail}")
        for finding in names:
            say(f"{finding.problem} '{finding.id}': {finding.detail}")
        few = f"; {len(classes)} of {found.num_classes} classes with too few labels" if classes else ""
        odd = f"; {counted(len(names), 'name')} to look at" if names else ""
        say(f"{counted(len(found), 'clip')} checked, {len(findings)} with a problem{few}{odd}")
    raise typer.Exit(1 if findings or classes or names else 0)
