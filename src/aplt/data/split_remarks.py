"""What should be known about a split: people and files on both sides, untested classes, more labels than asked for."""

from aplt.clips import UNKNOWN, ClipIndex, Split
from aplt.data.names import doubtful_names, misspelled
from aplt.data.splits import file_of
from aplt.display import counted


def remark_on_split(index: ClipIndex, split: Split, by: str = "--set split.by_subject=true") -> str | None:
    """Returns remarks on people and files that training and test clips share, untested classes, and doubtful names.

    `by` is what holds out whole people; None where there is nothing to remark on.
    """
    found = (
        remark_on_people(index, split, by),
        remark_on_files(index, split),
        _untested(index, split),
        *map(str, doubtful_names(index)),
    )
    return "; besides, ".join(remark for remark in found if remark) or None


def remark_on_share(index: ClipIndex, split: Split, asked: float | None) -> str | None:
    """Returns a remark where one label per class is far more than the share of them that was asked for."""
    known = sum(index[position].label != UNKNOWN for position in (*split.labeled, *split.unlabeled))
    if asked is None or len(split.labeled) <= 1.5 * asked * known:
        return None
    used = len(split.labeled) / known
    return f"{used:.1%} of the known labels are used, more than the {asked:.1%} asked for: each class needs one"


def _untested(index: ClipIndex, split: Split) -> str | None:
    """Returns a remark on classes without a test clip, where others have some: mostly those with a single clip."""
    tested = {index[position].label for position in split.test} - {UNKNOWN}
    names = [name for label, name in enumerate(index.class_names) if label not in tested]
    if not tested or not names:
        return None
    hints = {name: misspelled(name, index).removeprefix("; ") for name in names[:3]}
    shown = ", ".join(f"'{name}'{f' ({hint})' if hint else ''}" for name, hint in hints.items())
    shown += " and others" * (len(names) > 3)
    return f"{counted(len(names), 'class is', 'classes are')} not tested, for want of clips with a label: {shown}"


def remark_on_files(index: ClipIndex, split: Split) -> str | None:
    """Returns a remark on files with clips in both training and test; or, where none is tested on, with several clips.

    Parts of one film are alike whatever their labels, and the more so where they overlap.
    """
    trained = {file_of(index[p]) for p in (*split.labeled, *split.unlabeled)}
    both = sorted(trained & {file_of(index[p]) for p in (*split.val, *split.test)})
    if both:
        return (
            f"parts of {counted(len(both), 'file')}, such as {both[0]}, are in both training and test or val clips, so "
            "the accuracy is measured on films already seen; without a split column or file the clips of a file stay "
            "together"
        )
    if not split.test and len(trained) < len(split.labeled) + len(split.unlabeled):
        return (
            "no clips are held out for testing: the clips of a file stay together, and too few files have clips of "
            "each class; a split column says otherwise"
        )
    return None


def remark_on_people(index: ClipIndex, split: Split, by: str = "--set split.by_subject=true") -> str | None:
    """Returns a remark on subjects who are in both training and test clips, and how `by` avoids that.

    None where there are none, or where the test clips are those of the index's own split column.
    """
    trained = {index[p].subject for p in (*split.labeled, *split.unlabeled)}
    people = {index[p].subject for p in split.test} & trained - {None}
    if not people or all(index[p].official == "test" for p in split.test):
        return None
    return (
        "the same people are in training and test clips, so the accuracy is measured on people already seen; "
        f"{by} holds out whole people"
    )
