"""What is compared: data sets, methods, shares of labels and seeds, typed, as in compare.yaml."""

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, Field

from aplt.config import MAX_SEED, Fraction, PathText, TrainSettings, load_yaml, merge
from aplt.data.splits import round_half_up
from aplt.errors import InputError, suggest
from aplt.rundir import UPPER_BOUND
from aplt.settings import Settings, shown, validated
from aplt.training.configure import METHOD_GROUPS
from aplt.training.recipes import DEFAULT_METHOD, find_recipe

DEFAULT_METHODS = ("supervised", "fixmatch_teacher", "aplt_paper", "aplt")
LONGEST_NAME = 60
# What the comparison itself sets, and what belongs to one method: neither can be a setting of all cells.
SET_BY_PLAN = ("clips", "split_file", "method", "split.labeled", "split.seed", "train.seed")
# What must not differ between methods. Weights and the like may: an encoder is a variant, too.
SAME_FOR_ALL = ("clips", "split_file", "method", "split", "train.seed", "train.precision")


def _listed(value: Any) -> Any:
    """Returns the parts of a text such as '5%,10%', and a list of one for a single number."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return [value] if isinstance(value, int | float) else value


def _seeds(value: Any) -> Any:
    """Returns 0 to n-1 for a number n."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    return list(range(value)) if type(value) is int else _listed(value)


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
    """Length of a round in units of the others'; there are as many fewer rounds, so that the steps stay as many."""


class Plan(Settings):
    """A whole comparison: every data set, fold, share, seed and method is a cell."""

    datasets: dict[str, DataSet] = Field(min_length=1)
    settings: dict[str, Any] = Field({})
    """Settings of `aplt train` for all cells."""
    methods: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    """Methods by name: variants without settings."""
    variants: dict[str, Variant] = Field({})
    """Methods with settings, by the name that the table gives them."""
    labeled: Annotated[tuple[Fraction, ...], BeforeValidator(_listed)] = Field((0.1,), min_length=1)
    """Shares of each class's labels."""
    seeds: Annotated[tuple[Annotated[int, Field(ge=0, le=MAX_SEED)], ...], BeforeValidator(_seeds)] = Field(
        (0, 1, 2), min_length=1
    )
    """Seeds of split, model and batches; a number n means 0 to n-1."""
    upper_bound: bool = True
    """Also train `supervised` with all labels, a cell a data set, fold and seed."""
    reference: str | None = None
    """The method that the others are set against; by default aplt if it is there, else the last."""

    @property
    def rows(self) -> dict[str, Variant]:
        """Methods and variants by name, in the table's order, without the upper bound."""
        return {method: Variant(method=method) for method in self.methods} | self.variants

    def to_yaml(self) -> str:
        """Returns the plan as YAML; `load_plan` gives it back."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def load_plan(path: Path, over: dict[str, Any]) -> Plan:
    """Returns the plan in a YAML file, with `over` laid over it.

    Raises:
        InputError: a key or a value is not usable.
    """
    return make_plan(merge(load_yaml(path), over), str(path), path.parent)


def make_plan(settings: dict[str, Any], where: str, root: Path) -> Plan:
    """Returns the typed plan with paths made absolute, those in `settings` being relative to `root`.

    Raises:
        InputError: an unknown key (with a suggestion), an unusable value, or what could not be a fair comparison;
            `where` names the origin.
    """
    plan = validated(Plan, settings, where)
    if not plan.rows:
        plan = plan.model_copy(update={"methods": DEFAULT_METHODS})
    names = list(plan.rows)
    for key, listed in (("methods", plan.methods), ("labeled", plan.labeled), ("seeds", plan.seeds)):
        double = next((value for k, value in enumerate(listed) if value in listed[:k]), None)
        if double is not None:
            raise InputError(f"{where}: setting '{key}' names {double} twice")
    for name in plan.variants:
        if name in plan.methods:
            raise InputError(f"{where}: '{name}' stands in methods and in variants; give the variant another name")
    for name in (*plan.datasets, *names):
        _require_name(name, where)
    for name, variant in plan.rows.items():
        find_recipe(variant.method)
        _refuse(variant.settings, SAME_FOR_ALL, f"{where}: variant '{name}'", "must be the same for all methods")
    shared = {"settings": plan.settings}
    for name, data in plan.datasets.items():
        shared[f"datasets.{name}.settings"] = data.settings
        shared |= {f"datasets.{name}.folds.{number}": fold for number, fold in enumerate(data.folds)}
    for name, group in shared.items():
        _refuse(group, SET_BY_PLAN, f"{where}: {name}", "is for the plan to say")
        _refuse(group, METHOD_GROUPS, f"{where}: {name}", "belongs to a method; give it to a variant")
    reference = plan.reference or (DEFAULT_METHOD if DEFAULT_METHOD in names else names[-1])
    if reference not in names:
        raise InputError(f"{where}: setting 'reference' is '{reference}'{suggest(reference, names)}")
    return plan.model_copy(
        update={
            "datasets": {name: _located_data(data, root) for name, data in plan.datasets.items()},
            "settings": _located(plan.settings, root),
            "variants": {
                name: variant.model_copy(update={"settings": _located(variant.settings, root)})
                for name, variant in plan.variants.items()
            },
            "reference": reference,
        }
    )


def fit_rounds(train: TrainSettings, steps: int, variant: Variant, where: str) -> dict[str, int]:
    """Returns rounds, warm-up rounds and steps a round of a variant: as it wants them, at the same steps in all.

    Args:
        train: the settings of all methods.
        steps: steps a round with these.
        variant: its period and what its settings say.
        where: names the settings' origin in an error.
    """
    own = variant.settings.get("train", {})
    if not isinstance(own, dict):
        raise InputError(f"{where}: setting 'train': expected a mapping of settings, found {shown(own)}")
    wanted = validated(TrainSettings, merge(train.model_dump(), own), where)
    rounds = max(1, round_half_up(wanted.rounds / variant.period))
    warm_up = round_half_up(wanted.warm_up_rounds / variant.period)
    if wanted.warm_up_rounds < wanted.rounds:
        warm_up = min(warm_up, rounds - 1)  # rounding may not make all of it a warm-up
    given = wanted.steps_per_round if "steps_per_round" in own else None
    period = given or max(1, round_half_up(train.rounds * steps / rounds))
    return {"rounds": rounds, "warm_up_rounds": warm_up, "steps_per_round": period}


def share_text(share: float) -> str:
    """Returns a share of labels as it is asked for: '5%'."""
    return f"{100 * share:.6g}%"


def default_name(source: Path) -> str:
    """Returns the name of a data set or comparison: its file's, or its folder's where the file is called as usual."""
    name = source.resolve().parent.name if source.stem in ("clips", "index", "compare") else source.stem
    return name.lstrip(".")[:LONGEST_NAME] or "clips"


def _require_name(name: str, where: str) -> None:
    if not name or len(name) > LONGEST_NAME or name.startswith(".") or "/" in name or not name.isprintable():
        raise InputError(
            f"{where}: {shown(name)} cannot be a name; it names a folder: at most {LONGEST_NAME} printable characters, "
            "no slash, and no dot at the start"
        )
    if name == UPPER_BOUND:
        raise InputError(f"{where}: '{name}' is the name of the fully labeled rows; choose another")


def _refuse(settings: dict[str, Any], keys: tuple[str, ...], where: str, why: str) -> None:
    for key in keys:
        group, _, inner = key.partition(".")
        found = settings.get(group)
        if group in settings and (not inner or (isinstance(found, dict) and inner in found)):
            raise InputError(f"{where}: setting '{key}' {why}")


def _located_data(data: DataSet, root: Path) -> DataSet:
    return DataSet(
        clips=(root / data.clips).resolve(),
        settings=_located(data.settings, root),
        folds=tuple(_located(fold, root) for fold in data.folds),
    )


def _located(settings: dict[str, Any], root: Path) -> dict[str, Any]:
    """Returns settings with the one path that may stand in them made absolute."""
    group = settings.get("input")
    if isinstance(group, dict) and isinstance(group.get("cache_dir"), str):
        return merge(settings, {"input": {"cache_dir": str((root / group["cache_dir"]).resolve())}})
    return settings
