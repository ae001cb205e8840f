"""What is compared: data sets, methods, shares of labels and seeds, typed, as in compare.yaml."""

from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from aplt.config import DEFAULT_METHOD, MAX_SEED, Fraction, PathText
from aplt.report.words import share_text
from aplt.settings import Settings

DEFAULT_METHODS = ("supervised", "fixmatch_teacher", "aplt_paper", "aplt")
ALL = 1.0
"""The share of labels of the upper bound."""
MOST_SEEDS = 1000  # a larger number was meant as the seed itself


def listed(value: Any) -> Any:
    """Returns the parts of a text such as '5%,10%', a list of one for a single number, and all else as it is."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return [value] if isinstance(value, int | float) else value


def _seeds(value: Any) -> Any:
    """Returns 0 to n-1 for a number n."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if type(value) is not int:
        return listed(value)
    if not 1 <= value <= MOST_SEEDS:
        wanted = f"expected a number of seeds from 1 to {MOST_SEEDS}, or a list such as 3,4,5"
        raise PydanticCustomError("seeds", wanted)
    return list(range(value))


def _default_reference(before: dict[str, Any]) -> str:
    names = [*before["methods"], *before["variants"]]
    return DEFAULT_METHOD if DEFAULT_METHOD in names else "".join(names[-1:])


class DataSet(Settings):
    """Clips, and how they are tested on."""

    clips: PathText
    """The index, a CSV or a folder; relative paths are relative to the plan's file."""
    settings: dict[str, Any] = Field({})
    """Settings of `aplt train` for all cells of this data set."""
    folds: tuple[dict[str, Any], ...] = ()
    """Settings laid over these, fold by fold, such as {split: {test_subjects: [s01, s02]}}; none: one fold."""


class Variant(Settings):
    """A method with settings of its own, as a row of the table."""

    method: str = DEFAULT_METHOD
    settings: dict[str, Any] = Field({})
    """Settings of `aplt train` for this variant alone."""
    period: float = Field(1.0, gt=0)
    """Length of a round in units of the others'; there are as many fewer rounds, so that the steps stay as many.

    At least two where a part of them is warm-up, or else nothing would come after it.
    """


class Plan(Settings):
    """A whole comparison: every data set, fold, share, seed and method is a cell."""

    datasets: dict[str, DataSet] = Field(min_length=1)
    settings: dict[str, Any] = Field({})
    """Settings of `aplt train` for all cells."""
    variants: dict[str, Variant] = Field({})
    """Methods with settings, by the name that the table gives them."""
    methods: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(
        default_factory=lambda before: () if before["variants"] else DEFAULT_METHODS
    )
    """Methods by name: variants without settings, and above them in the table."""
    labeled: Annotated[tuple[Annotated[Fraction, Field(gt=0)], ...], BeforeValidator(listed)] = Field(
        (0.1,), min_length=1
    )
    """Shares of each class's labels."""
    seeds: Annotated[tuple[Annotated[int, Field(ge=0, le=MAX_SEED)], ...], BeforeValidator(_seeds)] = Field(
        (0, 1, 2), min_length=1
    )
    """Seeds of split, model and batches; a number n means 0 to n-1."""
    upper_bound: bool = True
    """Also train `supervised` with all labels, a cell a data set, fold and seed."""
    reference: str = Field(default_factory=_default_reference)
    """The method that the others are set against; by default aplt if it is there, else the last."""

    @property
    def rows(self) -> dict[str, Variant]:
        """Methods and variants by name, in the table's order, without the upper bound."""
        return {method: Variant(method=method) for method in self.methods} | self.variants

    def without(self, row: str) -> "Plan":
        """Returns the plan without a row of the table."""
        variants = {name: variant for name, variant in self.variants.items() if name != row}
        return self.model_copy(update={"methods": tuple(n for n in self.methods if n != row), "variants": variants})

    def to_yaml(self) -> str:
        """Returns the plan as YAML; validation gives it back."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def cell_name(dataset: str, fold: int | str | None, method: str, labeled: float, seed: int) -> str:
    """Returns what a cell is called in a sentence; a data set without folds has none (None or empty)."""
    part = f" fold {fold}" if fold else ""
    row = f"'{method}'" if "," in method else method
    return f"{dataset}{part}, {row}, {share_text(labeled)} labeled, seed {seed}"
