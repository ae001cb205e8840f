"""`aplt split`: which clips are labeled, unlabeled, val and test."""

from pathlib import Path
from typing import Annotated, Any

import typer

from aplt.cli.printing import remark, say
from aplt.errors import InputError


def split(
    clips: Annotated[Path, typer.Argument(help="clips.csv or a folder.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write: by default split.csv, or folds.yaml.")
    ] = None,
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
    by: Annotated[
        str, typer.Option(help="Hold out whole values of this column of the index, such as view, for test and val.")
    ] = "",
    test_by: Annotated[str, typer.Option(help="Test on exactly these values of a column: view=v03.")] = "",
    folds: Annotated[
        int | None,
        typer.Option(min=2, help="Write a plan for `aplt compare` that tests on each subject, or value of --by, once."),
    ] = None,
    ignore_official: Annotated[bool, typer.Option(help="Draw even if there is a split column.")] = False,
) -> None:
    """Draw which clips are labeled, unlabeled, val and test. Share the file, or use it in `aplt train --split`."""
    from aplt.cli.overwriting import require_own
    from aplt.clips import ROLES
    from aplt.config import SplitSettings
    from aplt.data.folds import draw_folds
    from aplt.data.index import read_index
    from aplt.data.split_file import FILE_COLUMNS, save_split
    from aplt.data.split_remarks import remark_on_split
    from aplt.data.splits import make_split
    from aplt.settings import as_option, validated

    column, _, values = test_by.partition("=")
    if test_by and (not column or not _names(values) or by or test_subjects):
        raise InputError(f"--test-by is '{test_by}', expected column=value and no --by or --test-subjects beside it")
    given = {
        "labeled": labeled,
        "seed": seed,
        "test": test,
        "val": val,
        "by_subject": by_subject or bool(by),
        "by": by or column or "subject",
        "test_subjects": _names(values or test_subjects),
        "val_subjects": _names(val_subjects),
        "ignore_official": ignore_official,
    }
    settings = validated(SplitSettings, given, "split", as_option)
    found = read_index(clips)
    if folds is not None:
        idle = {"--test": test != "20%", "--test-subjects": test_subjects, "--val-subjects": val_subjects}
        if unused := [name for name, is_given in (idle | {"--test-by": test_by}).items() if is_given]:
            raise InputError(f"{unused[0]} would change nothing: folds test on each subject, or value of --by, once")
        shared: dict[str, Any] = {} if labeled is None else {"labeled": [settings.labeled]}
        if settings.val:  # whole subjects, as those that are tested on
            shared["settings"] = {"split": {"val": settings.val, "by_subject": True}}
        _write_folds(clips, draw_folds(found, settings, folds), shared, output or Path("folds.yaml"))
        return
    output = output or Path("split.csv")
    require_own(output, FILE_COLUMNS, [clips, *(clip.path for clip in found)])
    drawn = make_split(found, settings, as_option)
    save_split(output, found, drawn)
    counts = ", ".join(f"{len(drawn.positions(role))} {role}" for role in ROLES)
    unscored = sum(found[position].label < 0 for position in (*drawn.val, *drawn.test))
    note = f" ({unscored} of val and test without a label, so not scored)" if unscored else ""
    say(f"{output}: {counts}{note}; digest {drawn.digest(found)[:12]}")
    if doubt := remark_on_split(found, drawn, "--by-subject"):
        remark(doubt)


def _write_folds(clips: Path, folds: list[dict[str, Any]], shared: dict[str, Any], output: Path) -> None:
    from aplt.comparison.plan import make_plan, seen_from
    from aplt.storage import absolute, mode, write_text

    if mode(output):
        raise InputError(f"{output}: exists; remove it or give another name with -o")
    name = absolute(clips).stem
    data = {name: {"clips": str(clips), "folds": [{"split": fold} for fold in folds]}}
    plan = make_plan({"datasets": data, **shared}, name, Path())
    write_text(output, seen_from(plan, output.parent).to_yaml())
    for number, fold in enumerate(folds, start=1):
        say(f"fold {number}: tests on {', '.join(fold['test_subjects'])}")
    say(f"{output}: {len(folds)} folds; `aplt compare {output}` trains on them")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
