"""Tables of corrections: what people said of clips, how far they agree, and what became of their disagreements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import pandas as pd
from sklearn.metrics import cohen_kappa_score

from aplt.display import counted
from aplt.errors import InputError, suggest
from aplt.storage import read_table

COLUMNS = ("id", "label", "by", "when", "was", "act")
"""clip, its label now, who said so, when (ISO 8601), the label that was shown, and one of `ACTS`."""
ACTS = ("label", "none", "withdrawn", "settled")
"""A clip has the label, is of none of the classes, or is as if this person had said nothing of it; or has the label
whatever people said before, an empty one meaning none of the classes, until somebody says something else or takes back
what they said."""
NONE = ""
"""The label of a clip of none of the classes."""


@dataclass
class Review:
    """What people say of a clip by now."""

    words: dict[str, str] = field(default_factory=dict)
    """The label by each person's own judgment."""
    settled: str | None = None
    """The label that holds whatever they say."""
    settled_by: str = ""

    @property
    def labels(self) -> set[str]:
        """The labels that the clip could have: one, unless people disagree; none if all was withdrawn."""
        return set(self.words.values()) if self.settled is None else {self.settled}


@dataclass(frozen=True)
class Agreement:
    """How far two people agree on the clips that both have judged."""

    people: tuple[str, str]
    clips: int
    alike: int
    kappa: float | None
    """Cohen's; None where both gave all clips one and the same label, so that chance agrees, too."""

    def __str__(self) -> str:
        alike = f"{self.alike} alike ({self.alike / self.clips:.0%})"
        kappa = "undefined" if self.kappa is None else f"{self.kappa:.2f}"
        return (
            f"{' and '.join(self.people)}: {counted(self.clips, 'clip')} seen by both, {alike}, Cohen's kappa {kappa}"
        )


def read_words(path: Path, needed: Sequence[str] = ("id", "label")) -> pd.DataFrame:
    """Returns a table of corrections with all of `COLUMNS`; who says nothing of who they are has the file's name.

    Raises:
        InputError: no such table, an act is none of `ACTS`, or a time none of ISO 8601.
    """
    table = read_table(path, needed)
    if "path" in table and "act" not in table:  # an index: most of its clips have no label yet
        table = table[table["label"] != ""].reset_index(drop=True)
    table = table.reindex(columns=list(COLUMNS), fill_value="")
    for row, act in enumerate(table["act"], start=1):
        if act not in ("", *ACTS):
            raise InputError(f"{path} row {row}: act is '{act}'{suggest(act, ACTS)}")
    wrong = _times(table).isna() & (table["when"] != "")
    for row in wrong[wrong].index[:1]:
        raise InputError(f"{path} row {row + 1}: when is '{table['when'][row]}', expected such as 2026-11-26T14:30:00")
    return table.assign(by=table["by"].where(table["by"] != "", path.stem))


def merged(paths: Iterable[Path]) -> pd.DataFrame:
    """Returns the rows of tables of corrections in the order of their times, those in several of them once."""
    table = pd.concat([read_words(path) for path in paths], ignore_index=True).drop_duplicates(keep="last")
    order = _times(table).sort_values(kind="stable", na_position="first").index
    return table.loc[order].reset_index(drop=True)


def reviews_of(words: pd.DataFrame) -> dict[str, Review]:
    """Returns what people say of each clip by now: of each person the last row counts, and the last that settles."""
    found: dict[str, Review] = {}
    for id_, label, by, act in zip(*(words[name] for name in ("id", "label", "by", "act")), strict=True):
        review = found.setdefault(id_, Review())
        if act == "settled":
            review.settled, review.settled_by = label, by
        elif (by == review.settled_by) if act == "withdrawn" else (label != review.settled):
            # Who says the same, or takes back what did not settle it, leaves it as it is.
            review.settled = None
        if act == "withdrawn":
            review.words.pop(by, None)
        elif act != "settled":
            review.words[by] = label
    return found


def read_corrections(path: Path) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Returns the label of each corrected clip by id, and what each person says of those that people disagree on."""
    reviews = reviews_of(read_words(path))
    agreed = {id_: label for id_, review in reviews.items() if len(review.labels) == 1 for label in review.labels}
    return agreed, {id_: review.words for id_, review in reviews.items() if len(review.labels) > 1}


def spoken(words: dict[str, str]) -> str:
    """Returns what people say of a clip in words."""
    return ", ".join(f"{by}: {label or 'none of the classes'}" for by, label in words.items())


def agreements(reviews: dict[str, Review]) -> list[Agreement]:
    """Returns how far any two people agree who have judged a clip both; what was settled changes nothing in that."""
    people = sorted({by for review in reviews.values() for by in review.words})
    found = []
    for pair in combinations(people, 2):
        both = [[review.words[by] for by in pair] for review in reviews.values() if review.words.keys() >= set(pair)]
        if both:
            first, second = zip(*both, strict=True)
            kappa = float(cohen_kappa_score(first, second)) if len({*first, *second}) > 1 else None
            found.append(Agreement(pair, len(both), sum(one == other for one, other in both), kappa))
    return found


def _times(table: pd.DataFrame) -> "pd.Series[pd.Timestamp]":
    return pd.to_datetime(table["when"].where(table["when"] != ""), utc=True, format="ISO8601", errors="coerce")
