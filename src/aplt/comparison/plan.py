"""What is compared: data sets, methods, shares of labels and seeds, typed and checked, as in compare.yaml."""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import yaml
from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from aplt.config import DEFAULT_METHOD, MAX_SEED, METHOD_GROUPS, UNSET_BUDGET, Fraction, PathText
from aplt.display import share_text
from aplt.errors import InputError, suggest
from aplt.reference import is_reference
from aplt.settings import Settings, load_yaml, merge, shown, validated
from aplt.storage import absolute, way

DEFAULT_METHODS = ("supervised", "fixmatch_teacher", "aplt_paper", "aplt")
UPPER_BOUND = "upper bound"
"""The method under which compare.csv lists supervised training with all labels."""
ALL = 1.0
"""The share of labels of the upper bound."""
MOST_SEEDS = 1000  # a larger number was meant as the seed itself
LONGEST_NAME = 60
UNUSABLE = '<>:"/\\|?*'  # in the name of a folder on one system or another
# What the plan itself sets: it cannot be a setting of all cells.
SET_BY_PLAN = ("clips", "split_file", "method", "split.labeled", "split.seed", "train.seed")
# What must not differ between methods. Weights may: an encoder is a variant, too.
SAME_BUDGET = tuple(
    f"train.{name}" for name in ("budget", "epochs", "steps", "steps_per_round", "batch_labeled", "batch_unlabeled")
)
SAME_FOR_ALL = ("clips", "split_file", "method", "split", "input", "train.seed", "train.precision", *SAME_BUDGET)

Place = Callable[[Path], Path]


class Key(NamedTuple):
    """Which cell: the first columns of compare.csv."""

    dataset: str
    fold: str
    """Counted from 1; empty where the data set has no folds."""
    method: str
    """The row of the tables: the name of a method or variant, or UPPER_BOUND."""
    labeled: float
    seed: int

    def __str__(self) -> str:
        fold = f" fold {self.fold}" if self.fold else ""
        row = f"'{self.method}'" if "," in self.method else self.method
        return f"{self.dataset}{fold}, {row}, {share_text(self.labeled)} labeled, seed {self.seed}"


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
    """Settings laid over these per fold, such as {split: {test_subjects: [s01, s02]}}; none: one fold."""


class Variant(Settings):
    """A method with settings of its own, as a row of the tables."""

    method: str = DEFAULT_METHOD
    settings: dict[str, Any] = Field({})
    """Settings of `aplt train` for this variant alone; with another number of rounds the total of steps stays."""


class Plan(Settings):
    """A whole comparison: every combination of data set, fold, share, seed and method is a cell."""

    datasets: dict[str, DataSet] = Field(min_length=1)
    preset: str | None = None
    """Settings for a machine, which all others are laid over."""
    settings: dict[str, Any] = Field({})
    """Settings of `aplt train` for all cells."""
    variants: dict[str, Variant] = Field({})
    """Methods with settings, by their name in the tables."""
    methods: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(
        default_factory=lambda before: () if before["variants"] else DEFAULT_METHODS
    )
    """Methods by name: variants without settings, and above them in the tables."""
    labeled: Annotated[tuple[Annotated[Fraction, Field(gt=0)], ...], BeforeValidator(listed)] = Field(
        (0.1,), min_length=1
    )
    """Shares of the labels of each class."""
    seeds: Annotated[tuple[Annotated[int, Field(ge=0, le=MAX_SEED)], ...], BeforeValidator(_seeds)] = Field(
        (0, 1, 2), min_length=1
    )
    """Seeds of split, model and batches; a number n means 0 to n-1."""
    upper_bound: bool = True
    """Also train `supervised` with all labels, one cell per data set, fold and seed."""
    reference: str = Field(default_factory=_default_reference)
    """The method that all others are compared with; by default aplt if it is there, else the last."""
    commands: tuple[str, ...] = ()
    """The command lines that led to this plan."""

    @model_validator(mode="before")
    @classmethod
    def _own_methods_by_name(cls, values: Any) -> Any:
        """An own method, package.module:name, is a variant called by its name alone, since a row names a folder."""
        methods = (listed(values.get("methods")) if isinstance(values, dict) else None) or ()
        own = [name for name in methods if isinstance(name, str) and is_reference(name)]
        if not own:
            return values
        variants = {name.rpartition(":")[2]: {"method": name} for name in own} | (values.get("variants") or {})
        return values | {"methods": [name for name in methods if name not in own], "variants": variants}

    @property
    def rows(self) -> dict[str, Variant]:
        """Methods and variants by name, in the order of the tables, without the upper bound."""
        return {method: Variant(method=method) for method in self.methods} | self.variants

    def folds(self, dataset: str) -> tuple[str, ...]:
        """Returns the names of a data set's folds, or one empty name where it has none."""
        return tuple(str(number) for number, _ in enumerate(self.datasets[dataset].folds, start=1)) or ("",)

    def cells(self) -> Iterator[Key]:
        """Yields all cells as they are trained: seed by seed, so that a part of them is balanced."""
        rows = [(method, share) for share in self.labeled for method in self.rows]
        rows += [(UPPER_BOUND, ALL)] if self.upper_bound else []
        for seed, dataset in product(self.seeds, self.datasets):
            for fold, (method, share) in product(self.folds(dataset), rows):
                yield Key(dataset, fold, method, share, seed)

    def to_yaml(self) -> str:
        """Returns the plan as YAML; validation gives it back."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=1000)


def load_plan(path: Path, over: dict[str, Any]) -> Plan:
    """Returns the plan in a YAML file under `over`, whose settings also replace those of data sets and folds.

    Paths in the file are relative to it, those in `over` to the working folder. Variants in `over` replace the file's
    methods, variants and reference; methods in `over` without the file's reference drop that.
    """
    settings = _located(over.get("settings", {}), absolute)
    found = load_yaml(path)
    own = validated(Plan, found, str(path))
    dropped: tuple[str, ...] = ()
    if "variants" in over:
        dropped = ("methods", "variants", "reference")
    elif "methods" in over and own.reference in own.methods and own.reference not in listed(over["methods"]):
        dropped = ("reference",)
    found = {key: value for key, value in found.items() if key not in dropped}
    train = settings.get("train")
    if own_budget := UNSET_BUDGET.keys() & (train.keys() if isinstance(train, dict) else set()):
        found = _without(found, UNSET_BUDGET.keys() - own_budget)
    plan = make_plan(merge(found, over | ({"settings": settings} if settings else {})), str(path), path.parent)
    return _with_settings(plan, lambda group: _replaced(group, settings))


def _without(found: Any, names: Collection[str]) -> Any:
    """Returns the content of a plan without the training's settings of these names, wherever they are in it."""
    if not isinstance(found, dict):
        return [_without(one, names) for one in found] if isinstance(found, list) else found
    inner = {key: _without(value, names) for key, value in found.items()}
    if isinstance(inner.get("train"), dict):
        inner["train"] = {key: value for key, value in inner["train"].items() if key not in names}
    return inner


def make_plan(settings: dict[str, Any], where: str, root: Path) -> Plan:
    """Returns the typed plan with paths made absolute, those in `settings` being relative to `root`.

    Raises:
        InputError: an unknown key (with a suggestion), an unusable value, or what could not be a fair comparison;
            `where` names the origin.
    """
    plan = validated(Plan, settings, where)
    # A variant that is the plain method, such as one of the ablation, is that row.
    plain = {name for name, variant in plan.variants.items() if variant == Variant(method=name)}
    plan = plan.model_copy(update={"methods": tuple(name for name in plan.methods if name not in plain)})
    names = list(plan.rows)
    if not names:
        raise InputError(f"{where}: setting 'methods' names none, and there are no variants")
    for key, values in (("methods", plan.methods), ("labeled", plan.labeled), ("seeds", plan.seeds)):
        double = next((value for k, value in enumerate(values) if value in values[:k]), None)
        if double is not None:
            raise InputError(f"{where}: setting '{key}' names {double} twice")
    for name in (*plan.datasets, *names):
        _require_name(name, where)
    for name, variant in plan.variants.items():
        if name in plan.methods:
            raise InputError(f"{where}: '{name}' is in methods and in variants; give the variant another name")
        _refuse(variant.settings, SAME_FOR_ALL, f"{where}: variant '{name}'", "must be the same for all methods")
    if plan.reference not in names:
        raise InputError(f"{where}: setting 'reference' is '{plan.reference}'{suggest(plan.reference, names)}")
    shared = {"settings": plan.settings}
    for name, data in plan.datasets.items():
        shared[f"datasets.{name}.settings"] = data.settings
        shared |= {f"datasets.{name}.folds.{number}": fold for number, fold in enumerate(data.folds)}
    for name, group in shared.items():
        _refuse(group, SET_BY_PLAN, f"{where}: {name}", "is for the plan to say")
        _refuse(group, METHOD_GROUPS, f"{where}: {name}", "belongs to a method; give it to a variant")
        if group is not plan.settings:
            # A process trains with one precision only.
            _refuse(group, ("train.precision",), f"{where}: {name}", "must be the same in all cells")
    try:
        return _placed(plan, lambda path: absolute(root / path))
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def seen_from(plan: Plan, folder: Path) -> Plan:
    """Returns the plan with paths relative to a folder, so that a file there can move along with its clips."""
    root = folder.resolve()
    return _placed(plan, lambda path: Path(way(path, root)))


def _require_name(name: str, where: str) -> None:
    whole = name and name == name.strip(" .") and name.isprintable() and not set(name) & set(UNUSABLE)
    if not whole or len(name) > LONGEST_NAME:
        raise InputError(
            f"{where}: {shown(name)} cannot be the name of a folder: expected at most {LONGEST_NAME} printable "
            f"characters, none of {UNUSABLE} among them and no dot or space at either end"
        )
    if name == UPPER_BOUND:
        raise InputError(f"{where}: '{name}' is the name of the fully labeled rows; choose another")


def _refuse(settings: dict[str, Any], keys: tuple[str, ...], where: str, why: str) -> None:
    for key in keys:
        group, _, inner = key.partition(".")
        found = settings.get(group)
        if group in settings and (not inner or (isinstance(found, dict) and inner in found)):
            raise InputError(f"{where}: setting '{key}' {why}")


def _with_settings(plan: Plan, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Plan:
    """Returns the plan with a change of the settings of its data sets and folds."""
    datasets = {
        name: data.model_copy(update={"settings": change(data.settings), "folds": tuple(map(change, data.folds))})
        for name, data in plan.datasets.items()
    }
    return plan.model_copy(update={"datasets": datasets})


def _replaced(settings: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Returns settings with the values that `over` has for them, and nothing else of it."""
    replaced = dict(settings)
    for key in settings.keys() & over.keys():
        both = isinstance(settings[key], dict) and isinstance(over[key], dict)
        replaced[key] = _replaced(settings[key], over[key]) if both else over[key]
    return replaced


def _placed(plan: Plan, place: Place) -> Plan:
    """Returns the plan with the `place` of each path in it: of clips and of frame caches."""
    plan = _with_settings(plan, partial(_located, place=place))
    datasets = {name: data.model_copy(update={"clips": place(data.clips)}) for name, data in plan.datasets.items()}
    return plan.model_copy(update={"datasets": datasets, "settings": _located(plan.settings, place)})


def _located(settings: dict[str, Any], place: Place) -> dict[str, Any]:
    """Returns settings with the `place` of the one path that they may hold."""
    group = settings.get("input")
    if isinstance(group, dict) and isinstance(group.get("cache_dir"), str):
        return merge(settings, {"input": {"cache_dir": str(place(Path(group["cache_dir"])))}})
    return settings
