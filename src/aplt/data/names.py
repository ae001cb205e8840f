"""Names that hardly mean what they say: labels for "no label", and one name of a class or subject in two spellings."""

import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Literal

from aplt.clips import UNKNOWN, ClipIndex
from aplt.errors import suggest

NO_LABEL = frozenset(
    ("na", "nan", "nil", "none", "null", "missing", "unknown", "undefined", "tbd", "todo", "nolabel")
    + ("unlabeled", "unlabelled", "notlabeled", "notlabelled", "unannotated", "notannotated")
)
"""What tools and people write where there is no label, without signs, blanks and capitals; and then there are numbers
below 0, and names without any letter or digit."""

FORMULA = re.compile(r"[=+\-@][^\n]*[(!|]")


@dataclass(frozen=True, slots=True)
class Doubt:
    """A name that hardly means what it says."""

    of: Literal["class", "subject"]
    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.of} '{self.name}' {self.why}"


def doubtful_names(index: ClipIndex) -> list[Doubt]:
    """Returns the classes and subjects with a name that hardly means what it says.

    These are classes that look like no label, names that a spreadsheet computes, and names that are nearly the same.
    """
    advice = "leave the label of such clips empty, or they are learned as a class of this name"
    doubts = [Doubt("class", name, f"looks like: no label; {advice}") for name in index.class_names if _is_none(name)]
    subjects = tuple(dict.fromkeys(clip.subject for clip in index if clip.subject))
    formula = "looks like a formula, which a spreadsheet computes when it opens a table with this name"
    doubts += [Doubt("class", name, formula) for name in index.class_names if FORMULA.match(name)]
    doubts += [Doubt("subject", name, formula) for name in subjects if FORMULA.match(name)]
    count = Counter(index.class_names[clip.label] for clip in index if clip.label != UNKNOWN)
    common = tuple(sorted(index.class_names, key=lambda name: -count[name]))
    return [*doubts, *_alike("class", common), *_alike("subject", subjects)]


def misspelled(name: str, index: ClipIndex) -> str:
    """Returns "; did you mean 'x'?" for a class with a name much like another's, else ""."""
    on_purpose = re.compile(r"\d|left|right", re.IGNORECASE)  # as class1 and class2, left hand and right hand
    bare = on_purpose.sub("", name)
    close = suggest(name, {other for other in index.class_names if on_purpose.sub("", other) != bare})
    return close if close.startswith("; did you mean") else ""


def _is_none(name: str) -> bool:
    folded = _folded(name)
    bare = "".join(letter for letter in folded if letter.isalnum())
    return bare in NO_LABEL or not bare or re.fullmatch(r"[-\u2212]\d+(\.0*)?", folded) is not None


def _spelled(name: str) -> str:
    """Returns what a reader does not see of a name, where there is something."""
    return "" if name.isascii() else f": {name!a}"


def _alike(of: Literal["class", "subject"], names: tuple[str, ...]) -> list[Doubt]:
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[_folded(name)].append(name)
    return [
        Doubt(of, other, f"differs from {of} {first!a} in case, blanks or Unicode form alone{_spelled(other)}")
        for first, *others in groups.values()
        for other in others
    ]


def _folded(name: str) -> str:
    """Returns a name without what a reader does not see: capitals, ways to encode a letter, kinds of blanks."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join("".join(letter for letter in folded if unicodedata.category(letter) != "Cf").split())
