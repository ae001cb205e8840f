"""`aplt split`: which clips are labeled, unlabeled, val and test."""

from pathlib import Path
from typing import Annotated

import typer

from aplt.cli.printing import remark, say


def split(
    clips: Annotated[Path, typer.Argument(help="clips.csv or a folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = Path("split.csv"),
    labeled: Annotated[
        str | None,
        typer.Option(
            help="Share of each class's labels to use, at least one per class; by default all if there are unlabeled "
            "clips, otherwise 10%."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
    test: Annotated[str, typer.Option(help="Share to test on, if no split column says which.")] = "20%",
    val: Annotated[str, typer.Option(help="Share to validate on.")] = "0%",
    by_subject: Annotated[bool, typer.Option(help="Hold out whole subjects for test and val.")] = False,
    test_subjects: Annotated[str, typer.Option(help="Test on exactly these: s01,s02.")] = "",
    val_subjects: Annotated[str, typer.Option(help="Validate on exactly these: s03,s04.")] = "",
    ignore_official: Annotated[bool, typer.Option(help="Draw even if there is a split column.")] = False,
) -> None:
    """Draw which clips are labeled, unlabeled, val and test. Share the file, or use it in `aplt train --split`."""
    from aplt.cli.overwriting import require_own
    from aplt.clips import ROLES
    from aplt.config import SplitSettings
    from aplt.data.index import read_index
    from aplt.data.split_file import FILE_COLUMNS, save_split
    from aplt.data.splits import make_split, remark_on_split
    from aplt.settings import as_option, validated

    given = {
        "labeled": labeled,
        "seed": seed,
        "test": test,
        "val": val,
        "by_subject": by_subject,
        "test_subjects": _names(test_subjects),
        "val_subjects": _names(val_subjects),
        "ignore_official": ignore_official,
    }
    settings = validated(SplitSettings, given, "split", as_option)
    found = read_index(clips)
    require_own(output, FILE_COLUMNS, [clips, *(clip.path for clip in found)])
    drawn = make_split(found, settings, as_option)
    save_split(output, found, drawn)
    counts = ", ".join(f"{len(drawn.positions(role))} {role}" for role in ROLES)
    unscored = sum(found[position].label < 0 for position in (*drawn.val, *drawn.test))
    note = f" ({unscored} of val and test without a label, so not scored)" if unscored else ""
    say(f"{output}: {counts}{note}; digest {drawn.digest(found)[:12]}")
    if shared := remark_on_split(found, drawn, "--by-subject"):
        remark(shared)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
