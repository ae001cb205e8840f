"""A plan made of what a user gives: its names, its paths, and what could not be a fair comparison."""

import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from aplt.compare.plan import Plan, Variant, listed
from aplt.config import load_yaml, merge
from aplt.errors import InputError, suggest
from aplt.methods.catalog import find_method
from aplt.rundir import UPPER_BOUND, CompareDir
from aplt.runs.configure import METHOD_GROUPS, absolute
from aplt.settings import shown, validated

Place = Callable[[Path], Path]

LONGEST_NAME = 60
UNUSABLE = '<>:"/\\|?*'  # in a folder's name on one system or another
# What the comparison itself sets, and what belongs to one method: neither can be a setting of all cells.
SET_BY_PLAN = ("clips", "split_file", "method", "split.labeled", "split.seed", "train.seed")
# What must not differ between methods. Weights and the like may: an encoder is a variant, too.
SAME_BUDGET = tuple(f"train.{name}" for name in ("steps_per_round", "batch_labeled", "batch_unlabeled"))
SAME_FOR_ALL = ("clips", "split_file", "method", "split", "input", "train.seed", "train.precision", *SAME_BUDGET)


def load_plan(path: Path, over: dict[str, Any]) -> Plan:
    """Returns the plan in a YAML file, with `over` laid over it, its settings over those of data sets and folds, too.

    Paths in the file are relative to it, those in `over` to the working folder. Variants in `over` take the place of
    the file's methods, variants and reference: what stands beside them is for `over` to say, too. Methods in
    `over` without the file's reference drop it.

    Raises:
        InputError: a key or a value is not usable.
    """
    settings = _located(over.get("settings", {}), partial(_rooted, root=Path()))
    found = load_yaml(path)
    own = validated(Plan, found, str(path))
    dropped: tuple[str, ...] = ()
    if "variants" in over:
        dropped = ("methods", "variants", "reference")
    elif "methods" in over and own.reference in own.methods and own.reference not in listed(over["methods"]):
        dropped = ("reference",)
    found = {key: value for key, value in found.items() if key not in dropped}
    plan = make_plan(merge(found, over | ({"settings": settings} if settings else {})), str(path), path.parent)
    datasets = {
        name: data.model_copy(
            update={
                "settings": _replaced(data.settings, settings),
                "folds": tuple(_replaced(fold, settings) for fold in data.folds),
            }
        )
        for name, data in plan.datasets.items()
    }
    return plan.model_copy(update={"datasets": datasets})


def make_plan(settings: dict[str, Any], where: str, root: Path) -> Plan:
    """Returns the typed plan with paths made absolute, those in `settings` being relative to `root`.

    Raises:
        InputError: an unknown key (with a suggestion), an unusable value, or what could not be a fair comparison;
            `where` names the origin.
    """
    plan = validated(Plan, settings, where)
    # A variant that is the plain method, as one is in the ablation, is that row.
    plan = plan.model_copy(
        update={"methods": tuple(name for name in plan.methods if plan.variants.get(name) != Variant(method=name))}
    )
    names = list(plan.rows)
    if not names:
        raise InputError(f"{where}: setting 'methods' names none, and there are no variants")
    for key, values in (("methods", plan.methods), ("labeled", plan.labeled), ("seeds", plan.seeds)):
        double = next((value for k, value in enumerate(values) if value in values[:k]), None)
        if double is not None:
            raise InputError(f"{where}: setting '{key}' names {double} twice")
    for name in plan.variants:
        if name in plan.methods:
            raise InputError(f"{where}: '{name}' stands in methods and in variants; give the variant another name")
    for name in (*plan.datasets, *names):
        _require_name(name, where)
    for name, variant in plan.rows.items():
        find_method(variant.method)
        _refuse(variant.settings, SAME_FOR_ALL, f"{where}: variant '{name}'", "must be the same for all methods")
    shared = {"settings": plan.settings}
    for name, data in plan.datasets.items():
        shared[f"datasets.{name}.settings"] = data.settings
        shared |= {f"datasets.{name}.folds.{number}": fold for number, fold in enumerate(data.folds)}
    for name, group in shared.items():
        _refuse(group, SET_BY_PLAN, f"{where}: {name}", "is for the plan to say")
        _refuse(group, METHOD_GROUPS, f"{where}: {name}", "belongs to a method; give it to a variant")
        if group is not plan.settings:
            # A process trains with one alone.
            _refuse(group, ("train.precision",), f"{where}: {name}", "must be the same in all cells")
    if plan.reference not in names:
        raise InputError(f"{where}: setting 'reference' is '{plan.reference}'{suggest(plan.reference, names)}")
    try:
        return _located_plan(plan, partial(_rooted, root=root))
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def seen_from(plan: Plan, folder: Path) -> Plan:
    """Returns the plan with paths relative to a folder, so that a file there can move along with its clips."""
    return _located_plan(plan, partial(_relative, root=folder.resolve()))


def _located_plan(plan: Plan, place: Place) -> Plan:
    """Returns the plan with the `place` of each path in it: of clips and of frame caches."""
    datasets = {
        name: data.model_copy(
            update={
                "clips": place(data.clips),
                "settings": _located(data.settings, place),
                "folds": tuple(_located(fold, place) for fold in data.folds),
            }
        )
        for name, data in plan.datasets.items()
    }
    return plan.model_copy(update={"datasets": datasets, "settings": _located(plan.settings, place)})


def default_name(source: Path) -> str:
    """Returns the name of a data set or comparison: its file's, or its folder's where the file is called as usual."""
    name = absolute(source).parent.name if source.stem in ("clips", "index", "compare") else source.stem
    return re.sub(f"[{re.escape(UNUSABLE)}]", "-", name)[:LONGEST_NAME].strip(" .") or "clips"


def default_folder(source: Path, *, ablate: bool) -> CompareDir:
    """Returns the folder of a comparison that is given none: that of the plan where it is one's compare.yaml."""
    own = CompareDir(source.parent)
    if source.name == own.plan.name and own.found and not ablate:
        return own
    return CompareDir(Path("compare") / f"{default_name(source)}{'-ablation' if ablate else ''}")


def _require_name(name: str, where: str) -> None:
    whole = name and name == name.strip(" .") and name.isprintable() and not set(name) & set(UNUSABLE)
    if not whole or len(name) > LONGEST_NAME:
        raise InputError(
            f"{where}: {shown(name)} cannot be a name; it names a folder: at most {LONGEST_NAME} printable characters, "
            f"none of {UNUSABLE} among them and no dot or space at either end"
        )
    if name == UPPER_BOUND:
        raise InputError(f"{where}: '{name}' is the name of the fully labeled rows; choose another")


def _refuse(settings: dict[str, Any], keys: tuple[str, ...], where: str, why: str) -> None:
    for key in keys:
        group, _, inner = key.partition(".")
        found = settings.get(group)
        if group in settings and (not inner or (isinstance(found, dict) and inner in found)):
            raise InputError(f"{where}: setting '{key}' {why}")


def _replaced(settings: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Returns settings with the values that `over` has for them, and nothing else of it."""
    replaced = dict(settings)
    for key in settings.keys() & over.keys():
        both = isinstance(settings[key], dict) and isinstance(over[key], dict)
        replaced[key] = _replaced(settings[key], over[key]) if both else over[key]
    return replaced


def _relative(path: Path, root: Path) -> Path:
    return Path(os.path.relpath(path, root))


def _rooted(path: Path, root: Path) -> Path:
    return absolute(root / path)


def _located(settings: dict[str, Any], place: Place) -> dict[str, Any]:
    """Returns settings with the `place` of the one path that may stand in them."""
    group = settings.get("input")
    if isinstance(group, dict) and isinstance(group.get("cache_dir"), str):
        return merge(settings, {"input": {"cache_dir": str(place(Path(group["cache_dir"])))}})
    return settings
