"""Methods by name: an algorithm for the online half and the settings that make it the method it is."""

import inspect
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aplt.algorithms.adamatch import AdaMatch
from aplt.algorithms.aplt import APLT
from aplt.algorithms.fixmatch import FixMatch
from aplt.algorithms.flexmatch import FlexMatch
from aplt.algorithms.freematch import FreeMatch
from aplt.algorithms.mean_teacher import MeanTeacher
from aplt.algorithms.pseudo_label import PseudoLabel
from aplt.algorithms.simmatch import SimMatch
from aplt.algorithms.softmatch import SoftMatch
from aplt.algorithms.supervised import Supervised
from aplt.algorithms.tubemix import TubeMix
from aplt.algorithms.uda import UDA
from aplt.config import OfflineSettings, RunConfig, SplitSettings, merge, validate
from aplt.data.index import modality, read_index
from aplt.errors import InputError, suggest
from aplt.models.encoders import DEFAULT_ENCODER, whole_settings
from aplt.settings import shown
from aplt.values import Algorithm, AlgorithmType, Task


@dataclass(frozen=True)
class Recipe:
    """A method: `settings` are laid over the defaults of RunConfig and under what the user sets."""

    algorithm: AlgorithmType
    summary: str
    source: str
    settings: dict[str, Any] = field(default_factory=dict)


DEFAULT_METHOD: str = RunConfig.model_fields["method"].default
PAPER = "IJCAI 2025, arXiv 2504.07785"
RECIPES: dict[str, Recipe] = {
    "supervised": Recipe(Supervised, "the labeled clips alone", "-"),
    "pseudo_label": Recipe(PseudoLabel, "the network's own confident predictions as labels", "ICML workshop 2013"),
    "mean_teacher": Recipe(MeanTeacher, "the EMA teacher's probabilities, by squared difference", "arXiv 1703.01780"),
    "uda": Recipe(UDA, "sharpened soft targets for the strong view", "arXiv 1904.12848"),
    "fixmatch": Recipe(FixMatch, "the weak view's confident prediction as the strong view's label", "arXiv 2001.07685"),
    "flexmatch": Recipe(FlexMatch, "FixMatch, a threshold a class by how far it is learned", "arXiv 2110.08263"),
    "adamatch": Recipe(AdaMatch, "FixMatch, aligned, the threshold relative to labeled clips", "arXiv 2106.04732"),
    "freematch": Recipe(FreeMatch, "self-adaptive global and class thresholds, and fairness", "arXiv 2205.07246"),
    "softmatch": Recipe(SoftMatch, "every clip weighted by a Gaussian of its confidence", "arXiv 2301.10921"),
    "simmatch": Recipe(SimMatch, "agreement on classes and on similarities to labeled clips", "arXiv 2203.06915"),
    "tubemix": Recipe(TubeMix, "SVFormer's EMA teacher, tube mixing and temporal warping", "arXiv 2211.13222"),
    "label_propagation": Recipe(
        Supervised,
        "labels spread over the frozen features' neighbor graph (scikit-learn)",
        "Zhou et al., NIPS 2003",
        {"head": "label_propagation"},
    ),
    "self_training": Recipe(
        Supervised,
        "a logistic regression on frozen features, refitted on its own predictions (scikit-learn)",
        "Yarowsky, ACL 1995",
        {"head": "self_training"},
    ),
    "fixmatch_teacher": Recipe(
        FixMatch,
        "FixMatch well equipped: the EMA teacher's targets, aligned to the labeled classes' shares",
        "arXiv 2001.07685",
        {"method_settings": {"target": "teacher", "alignment": True}},
    ),
    "aplt_paper": Recipe(
        APLT,
        "asynchronous pseudo labeling and training, the literal reading of the paper",
        PAPER,
        {
            "method_settings": {"target": "student", "alignment": False, "mix": 0.0},
            "offline": OfflineSettings(
                views=1, labeled_views=1, whiten=None, assignment="nearest", neighbors=0, threshold_momentum=0.0
            ).model_dump(),
        },
    ),
    "aplt": Recipe(
        APLT,
        "APLT with what measured better: whitened, balanced, propagated clusters; mixing; the teacher's targets",
        PAPER,
        {"offline": OfflineSettings().model_dump(), "read_out": "both"},
    ),
}


# What a recipe may set, and means nothing to another method.
METHOD_GROUPS = ("method_settings", "offline", "read_out", "head")


def find_recipe(method: Any) -> Recipe:
    """Returns the recipe of this name.

    Raises:
        InputError: no such method; suggests one.
    """
    if not isinstance(method, str):
        raise InputError(f"setting 'method': expected a method's name, found {shown(method)}")
    if method not in RECIPES:
        raise InputError(f"unknown method '{method}'{suggest(method, RECIPES)}")
    return RECIPES[method]


def configure(settings: dict[str, Any], where: str) -> RunConfig:
    """Returns the whole config for the clips that `settings` names, with paths made absolute.

    Raises:
        InputError: the clips or a setting are not usable.
    """
    if settings.get("clips") is None:
        raise InputError(f"{where}: setting 'clips' is missing; it names the index, a CSV or a folder")
    places = {key: _absolute(settings, key, where) for key in ("clips", "split_file") if settings.get(key) is not None}
    config = effective_config(settings | places, modality(read_index(Path(places["clips"]))), where)
    # A run's config.yaml lists the defaults, too, so they count as not given.
    idle = [name for name, value in SplitSettings() if getattr(config.split, name) != value]
    if config.split_file is not None and idle:
        raise InputError(
            f"{where}: setting 'split.{idle[0]}' would change nothing beside 'split_file', which says the role of "
            "every clip; remove one of them"
        )
    return config


def effective_config(settings: dict[str, Any], modality: str, where: str) -> RunConfig:
    """Returns the whole config: the user's `settings` over the recipe's over the defaults for this modality.

    Raises:
        InputError: an unknown key, name or unusable value; `where` names the settings' origin.
    """
    method = settings.get("method", DEFAULT_METHOD)
    recipe = find_recipe(method)
    base = {"method": method, "encoder": DEFAULT_ENCODER[modality], "input": {"kind": modality}}
    merged = merge(merge(base, recipe.settings), settings)
    merged["method_settings"] = _constructor_settings(method, merged.get("method_settings", {}), where)
    config = validate(merged, where)
    if config.input.kind != modality:
        raise InputError(f"{where}: setting 'input.kind' is {config.input.kind}, but the clips are {modality} clips")
    whole = whole_settings(config.encoder, config.encoder_settings, config.encoder_weights)
    return config.model_copy(update={"encoder_settings": whole})


def begun_config(settings: dict[str, Any], where: str) -> RunConfig:
    """Returns the config in a run's own config.yaml, where nothing may be missing: a default may have changed since.

    Raises:
        InputError: an unknown or a missing key, or an unusable value.
    """
    method = settings.get("method", DEFAULT_METHOD)
    whole = _constructor_settings(method, settings.get("method_settings", {}), where)
    config = validate(settings | {"method_settings": whole}, where)
    missing = _first_missing(config.model_dump(mode="json"), settings)
    if missing:
        raise InputError(f"{where}: setting '{missing}' is missing; another version of aplt began this run")
    return config


def of_method(settings: dict[str, Any], method: Any) -> tuple[dict[str, Any], list[str]]:
    """Returns `settings` as far as they hold for `method`, too, and what is left out: that of their own method."""
    if method == settings.get("method", DEFAULT_METHOD):
        return settings, []
    left = [group for group in METHOD_GROUPS if group in settings]
    return {key: value for key, value in settings.items() if key not in left}, left


def build_algorithm(config: RunConfig, task: Task) -> Algorithm:
    """Returns the online half of the config's method.

    Raises:
        InputError: a setting's value that the method refuses.
    """
    try:
        return find_recipe(config.method).algorithm(task, **config.method_settings)
    except ValueError as error:
        raise InputError(f"method_settings of {config.method}: {error}") from error


def _absolute(settings: dict[str, Any], key: str, where: str) -> str:
    value = settings[key]
    if not isinstance(value, str | Path) or not str(value):
        raise InputError(f"{where}: setting '{key}': expected a path, found {shown(value)}")
    try:
        path = Path(value).resolve()
        with suppress(FileNotFoundError):  # to be said by what reads it
            path.stat()
    except (OSError, ValueError, RuntimeError) as error:  # too long, a null character, a loop of links
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{where}: setting '{key}': {shown(value)} is no usable path ({why})") from error
    return str(path)


def _constructor_settings(method: Any, given: Any, where: str) -> dict[str, Any]:
    """Returns all keywords of the method's constructor, with its defaults where the user gives none."""
    parameters = inspect.signature(find_recipe(method).algorithm).parameters.values()
    allowed = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    if not isinstance(given, dict):
        raise InputError(f"{where}: setting 'method_settings': expected a mapping, found {shown(given)}")
    for key, value in given.items():
        if key not in allowed:
            hint = suggest(str(key), allowed, "method_settings.")
            raise InputError(f"{where}: method {method}: unknown setting 'method_settings.{key}'{hint}")
        default = allowed[key]
        fits = isinstance(value, type(default)) or (isinstance(default, float) and type(value) is int)
        if not fits or (isinstance(value, bool) and not isinstance(default, bool)):
            wanted = f"{type(default).__name__} such as {default!r}"
            raise InputError(
                f"{where}: method {method}: setting 'method_settings.{key}' is {shown(value)}, expected {wanted}"
            )
    return allowed | given


def _first_missing(whole: dict[str, Any], found: dict[str, Any]) -> str | None:
    """Returns the first key of `whole` that `found` lacks, written group.key."""
    for key, value in whole.items():
        if key not in found:
            return key
        inner = _first_missing(value, found[key]) if isinstance(value, dict) and isinstance(found[key], dict) else None
        if inner:
            return f"{key}.{inner}"
    return None
