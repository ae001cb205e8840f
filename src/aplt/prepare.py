"""What the user asked for, as a run or a comparison that could begin; refused here where it cannot."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aplt.clips import ClipIndex
from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.settings import merge, shown
from aplt.storage import absolute, read_json

if TYPE_CHECKING:
    from aplt.comparison.plan import Plan
    from aplt.comparison.record import CompareDir
    from aplt.config import RunConfig
    from aplt.methods.method import Method
    from aplt.models.encoders import Encoder
    from aplt.runs.corrections import Corrected


@dataclass(frozen=True)
class Prepared:
    """A run that could begin: what it is made of and where it goes."""

    config: "RunConfig"
    index: ClipIndex
    folder: RunDir


def prepare(
    source: Path,
    options: Mapping[str, Any],
    *,
    settings: Mapping[str, Any],
    preset: str | None = None,
    seed: int | None,
    name: str | None,
    runs: Path,
) -> Prepared:
    """Returns what a run is made of, once everything that can be refused at once is refused.

    Arguments are those of `aplt.train`; `options` are settings that have an option of their own, None where not set.
    """
    from aplt.runs.configure import configure_new

    chosen = {key: value for key, value in options.items() if value is not None}
    if "split_file" in chosen and "split" in chosen:
        raise InputError("--split says which clips are labeled; --labeled would change nothing beside it")
    if name is not None:
        _require_folder_name(name)
    config, index = configure_new(source, merge(chosen, dict(settings)), seed, preset)
    method = re.sub(r"[^\w.-]+", "-", config.method)
    return Prepared(config, index, RunDir(runs / (name or f"{method}-seed{config.train.seed}")))


def _require_folder_name(name: str) -> None:
    if name in ("", "..") or Path(name).name != name:
        raise InputError(f"--name {shown(name)} is not the name of a folder; --runs says where the run's folder lies")


def prepare_first(
    clips: Path,
    corrections: Path,
    options: Mapping[str, Any],
    *,
    settings: Mapping[str, Any],
    name: str | None,
    runs: Path,
    **others: Any,
) -> "tuple[Prepared, Corrected]":
    """Returns what a run with people's first labels is made of, and these laid over the index, in the run's folder.

    It does not take the classes' shares among the labels for those among all clips, as in `prepare_next`. `clips` and
    `corrections` are as `aplt.runs.corrections.label_first` takes them, all others as `prepare` does.

    Raises:
        InputError: the run has no name, so no folder yet, or is what either of them refuses.
    """
    from aplt.runs.begin import require_free
    from aplt.runs.corrections import label_first

    if name is None:
        raise InputError("--corrections needs a --name for the run")
    if options.get("split_file") is not None or "split_file" in settings:
        raise InputError("--split says which clips are labeled; --corrections would change nothing beside it")
    _require_folder_name(name)
    require_free(RunDir(runs / name))
    corrected = label_first(clips, corrections, runs / name / "corrected")
    prepared = prepare(corrected.clips, options, settings=settings, name=name, runs=runs, **others)
    return _without_prior(prepared, settings), corrected


def prepare_next(
    first: RunDir,
    clips: Path | None,
    corrections: Path | None,
    options: Mapping[str, Any],
    *,
    settings: Mapping[str, Any],
    name: str,
    runs: Path,
) -> "tuple[Prepared, Corrected]":
    """Returns what a run after `first` is made of: its settings, weights and test clips, and corrected labels.

    It has a third of the steps, and one round of warm-up, unless `settings` say otherwise: it begins from weights that
    know the clips. Nor does it take the classes' shares among corrected labels for those among all clips: what people
    were shown was chosen because it is hard, much of it of the same few classes. `clips` and `corrections` are as
    `aplt.runs.corrections.correct` takes them, all others as `prepare` does.
    """
    from aplt.config import UNSET_BUDGET
    from aplt.runs.begin import require_free
    from aplt.runs.configure import begun_config
    from aplt.runs.corrections import correct

    _require_folder_name(name)
    if name == first.path.name and runs.absolute() == first.path.parent.absolute():
        raise InputError(f"--name {shown(name)} is the run to begin from; choose another one")
    require_free(RunDir(runs / name))
    corrected = correct(first, clips, corrections, runs / name / "corrected")
    config = begun_config(first)
    train: dict[str, Any] = {"warm_up_rounds": min(1, config.train.warm_up_rounds)}
    said = settings.get("train") or {}
    if not isinstance(said, Mapping) or not UNSET_BUDGET.keys() & said.keys():
        train["steps"] = -(-first.read_result().steps // 3)
    weights = first.require(lambda run: run.model / "model.safetensors", "the run begins with its weights")
    own = {
        "clips": str(corrected.clips),
        "split_file": str(corrected.split),
        "encoder_weights": str(absolute(weights)),
        "input": config.input.model_dump(mode="json") | _joints(first),
        "train": train,
    }
    chosen = merge(own, dict(settings))
    prepared = prepare(first.config, options, settings=chosen, seed=None, name=name, runs=runs)
    return prepared if corrections is None else _without_prior(prepared, settings), corrected


def _joints(run: RunDir) -> dict[str, Any]:
    """Returns the names of the joints in the order that a run's weights know, as the setting that keeps it."""
    joints = read_json(run.model / "config.json").get("input", {}).get("joints")
    return {"joints": joints} if joints else {}


def _without_prior(prepared: Prepared, said: Mapping[str, Any]) -> Prepared:
    """Returns a run whose method takes no shares of classes from the labels, unless the settings that are `said` do."""
    from aplt.config import RunConfig
    from aplt.settings import validated

    without: dict[str, dict[str, Any]] = {"offline": {"assignment": "nearest"}, "method_settings": {"alignment": False}}
    whole = prepared.config.model_dump(mode="json")
    for group, settings in without.items():
        for name, value in settings.items():
            if name in (whole[group] or {}) and name not in (said.get(group) or {}):
                whole[group][name] = value
    return replace(prepared, config=validated(RunConfig, whole, "settings"))


def plan_comparison(
    source: Path, options: Mapping[str, Any], settings: Mapping[str, Any], output: str | Path | None
) -> "tuple[Plan, CompareDir]":
    """Returns the plan of a comparison and its folder.

    Arguments are those of `aplt.compare`; `options` are what the user sets of the plan, None where nothing is set.
    """
    from aplt.comparison.plan import LONGEST_NAME, UNUSABLE, load_plan, make_plan
    from aplt.comparison.record import CompareDir

    chosen = {key: value for key, value in options.items() if value is not None}
    if settings:
        chosen["settings"] = dict(settings)
    if source.is_dir() and CompareDir(source).plan.is_file():
        source = CompareDir(source).plan
    usual = source.stem in ("clips", "index", "compare")
    name = re.sub(f"[{re.escape(UNUSABLE)}]", "-", absolute(source).parent.name if usual else source.stem)
    name = name[:LONGEST_NAME].strip(" .") or "clips"
    if source.suffix.lower() in (".yaml", ".yml"):
        plan = load_plan(source, chosen)
    else:
        plan = make_plan({"datasets": {name: {"clips": str(source)}}} | chosen, "compare", Path())
    if output is not None:
        return plan, CompareDir(Path(output))
    own = CompareDir(source.parent)
    if source.name == own.plan.name and own.found and "variants" not in chosen:
        return plan, own
    return plan, CompareDir(Path("compare") / f"{name}{'-ablation' if 'variants' in chosen else ''}")


def name_of(value: "str | Method | Encoder | None") -> str | None:
    """Returns the name by which a config keeps a method or an encoder, whatever it was given as."""
    if value is None or isinstance(value, str):
        return value
    from aplt.methods.catalog import METHODS
    from aplt.models.encoders import ENCODERS
    from aplt.reference import reference_to

    known = next((name for name, one in (METHODS | ENCODERS).items() if one is value), None)
    return known or reference_to(value, type(value).__name__.lower())
