"""From what a user sets to the whole config: laid over the method's settings, and these over the defaults."""

from pathlib import Path
from typing import Any

from aplt.clips import ClipIndex
from aplt.config import DEFAULT_METHOD, METHOD_GROUPS, UNSET_BUDGET, RunConfig, SplitSettings
from aplt.data.index import read_index
from aplt.data.modality import MODALITIES, modality_of
from aplt.display import console
from aplt.errors import InputError, suggest
from aplt.methods.catalog import find_method
from aplt.methods.method import Method
from aplt.models.encoders import find_encoder, find_weights, whole_settings
from aplt.presets import over_preset
from aplt.rundir import RunDir
from aplt.runs.schedule import require_one_budget
from aplt.settings import keyword_settings, load_yaml, merge, shown, validated
from aplt.storage import absolute

BROUGHT = ("frames", "rate", "size", "crop", "aspect", "interpolation", "antialias", "mean", "deviation")
"""Settings `input` that weights may bring."""


def configured(settings: dict[str, Any], where: str, preset: str | None = None) -> tuple[RunConfig, ClipIndex]:
    """Returns the whole config for the clips that `settings` names, with paths made absolute, and these clips.

    The settings are laid over those of the preset, if one is named, and these over the method's.
    """
    if settings.get("clips") is None:
        raise InputError(f"{where}: setting 'clips' is missing; it names the index, a CSV or a folder")
    places = {key: _absolute(settings, key, where) for key in ("clips", "split_file") if settings.get(key) is not None}
    index = read_index(Path(places["clips"]))
    modality = modality_of(index).name
    config = effective_config(over_preset(settings | places, preset, modality), modality, where)
    # A run's config.yaml lists the defaults, too, so they count as not given.
    idle = [name for name, value in SplitSettings() if getattr(config.split, name) != value]
    if config.split_file is not None and idle:
        raise InputError(
            f"{where}: setting 'split.{idle[0]}' would change nothing beside 'split_file', which says the role of "
            "every clip; remove one of them"
        )
    return config, index


def configure_new(
    source: Path, chosen: dict[str, Any], seed: int | None, preset: str | None = None
) -> tuple[RunConfig, ClipIndex]:
    """Returns the config of a new run and its clips: those or the config.yaml in `source`, under what the user chose.

    Below both are the settings of the preset, if one is named.
    """
    if source.suffix.lower() in (".yaml", ".yml"):
        settings, where = _without_others(load_yaml(source), chosen, source), str(source)
    else:
        settings, where = {"clips": str(source)}, "settings"
    split_file = chosen.get("split_file", settings.get("split_file"))
    if split_file is not None and (idle := chosen.get("split")):
        name = f"split.{next(iter(idle))}" if isinstance(idle, dict) else "split"
        raise InputError(f"{split_file} says the role of every clip: {name} would change nothing beside it")
    if seed is not None:
        seeds = {"train": {"seed": seed}} | ({"split": {"seed": seed}} if split_file is None else {})
        settings = merge(settings, seeds)
    return configured(merge(settings, chosen), where, preset)


def _without_others(settings: dict[str, Any], chosen: dict[str, Any], source: Path) -> dict[str, Any]:
    """Returns the settings in a config.yaml without those of a method, encoder, split or budget that is not its own."""
    if "method" in chosen:
        settings, left = of_method(settings, chosen["method"])
        if left:
            console.print(f"{', '.join(left)} in {source} belong to another method and are left out", soft_wrap=True)
    others = [key for key in ("encoder", "encoder_weights") if chosen.get(key, settings.get(key)) != settings.get(key)]
    if others and settings.get("encoder_weights") is not None and isinstance(inputs := settings.get("input"), dict):
        # As the weights wanted clips prepared.
        settings = settings | {"input": {key: value for key, value in inputs.items() if key not in BROUGHT}}
    if "encoder" in others:
        settings = {key: value for key, value in settings.items() if key not in ("encoder_settings", "encoder_weights")}
        console.print(f"the settings of the encoder in {source} belong to another and are left out", soft_wrap=True)
    own, train = chosen.get("train"), settings.get("train")
    if isinstance(own, dict) and isinstance(train, dict) and own.keys() & UNSET_BUDGET.keys():
        settings = settings | {"train": {key: value for key, value in train.items() if key not in UNSET_BUDGET}}
    if chosen.get("split_file") is not None:
        # As a run's config.yaml has them they say nothing beside a file.
        settings = {key: value for key, value in settings.items() if key != "split"}
    return settings


def effective_config(settings: dict[str, Any], modality: str, where: str) -> RunConfig:
    """Returns the whole config: the user's `settings` over the method's over the defaults for this modality."""
    name, method = _method_of(settings, where)
    base: dict[str, Any] = {"method": name, "encoder": MODALITIES[modality].encoder, "input": {"kind": modality}}
    if method.offline is not None:
        base["offline"] = {}
    base = merge(base, method.settings)
    merged = merge(base, settings)
    config = validated(RunConfig, merged | _whole_method(name, method, merged, where), where)
    require_one_budget(config.train, where)
    if config.input.kind != modality:
        raise InputError(
            f"{where}: setting 'input.kind' is {config.input.kind}, but the clips are {MODALITIES[modality].many}"
        )
    meant_for = find_encoder(config.encoder).modality
    if meant_for not in MODALITIES:
        raise InputError(f"encoder {config.encoder}: its modality is '{meant_for}'{suggest(meant_for, MODALITIES)}")
    if meant_for != modality:
        kinds = f"is for {MODALITIES[meant_for].many}, but the clips are {MODALITIES[modality].many}"
        raise InputError(f"{where}: setting 'encoder' is {config.encoder}, which {kinds}")
    own: dict[str, Any] = {"encoder_settings": whole_settings(config.encoder, config.encoder_settings)}
    if config.encoder_weights is not None:
        weights, file = find_weights(config.encoder, own["encoder_settings"], config.encoder_weights)
        own["encoder_weights"] = config.encoder_weights if file is None else str(absolute(file))
        # What the user has set comes last.
        own["input"] = validated(RunConfig, merge(merge(base, {"input": dict(weights.input)}), settings), where).input
    return config.model_copy(update=own)


def begun_config(run: RunDir) -> RunConfig:
    """Returns the config in a run's own config.yaml, where nothing may be missing: a default may have changed since."""
    settings, where = load_yaml(run.config), str(run.config)
    name, method = _method_of(settings, where)
    config = validated(RunConfig, settings | _whole_method(name, method, settings, where), where)
    # Runs of before there were names of joints go without.
    missing = _first_missing(config.model_dump(mode="json", exclude={"input": {"joints"}}), settings)
    if missing:
        raise InputError(f"{where}: setting '{missing}' is missing; another version of aplt began this run")
    return config


def of_method(settings: dict[str, Any], method: Any) -> tuple[dict[str, Any], list[str]]:
    """Returns `settings` as far as they hold for `method`, too, and what is left out: that of their own method."""
    if method == settings.get("method", DEFAULT_METHOD):
        return settings, []
    left = [group for group in METHOD_GROUPS if group in settings]
    return {key: value for key, value in settings.items() if key not in left}, left


def _absolute(settings: dict[str, Any], key: str, where: str) -> str:
    value = settings[key]
    if not isinstance(value, str | Path) or not str(value):
        raise InputError(f"{where}: setting '{key}': expected a path, found {shown(value)}")
    try:
        return str(absolute(Path(value)))
    except InputError as error:
        raise InputError(f"{where}: setting '{key}': {error}") from error


def _method_of(settings: dict[str, Any], where: str) -> tuple[str, Method]:
    name = settings.get("method", DEFAULT_METHOD)
    if not isinstance(name, str):
        raise InputError(f"{where}: setting 'method': expected a method's name, found {shown(name)}")
    return name, find_method(name)


def _whole_method(name: str, method: Method, settings: dict[str, Any], where: str) -> dict[str, Any]:
    """Returns all keywords of a method's two halves, with their defaults where the settings give none."""
    where = f"{where}: method {name}"
    online = keyword_settings(
        method.algorithm or (lambda: None), settings.get("method_settings", {}), "method_settings", where
    )
    offline = settings.get("offline")
    if offline is not None:
        if method.offline is None:
            raise InputError(f"{where}: setting 'offline' says how its offline half works, but it has none")
        offline = keyword_settings(method.offline, offline, "offline", where)
    return {"method_settings": online, "offline": offline}


def _first_missing(whole: dict[str, Any], found: dict[str, Any]) -> str | None:
    """Returns the first key of `whole` that `found` lacks, written group.key."""
    for key, value in whole.items():
        if key not in found:
            return key
        inner = _first_missing(value, found[key]) if isinstance(value, dict) and isinstance(found[key], dict) else None
        if inner:
            return f"{key}.{inner}"
    return None
