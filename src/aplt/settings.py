"""Groups of settings: typed, read from YAML, laid over each other, and what is wrong with one said in a sentence."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from aplt.errors import InputError, suggest

LONGEST = 100

# What is wanted instead of what pydantic finds wrong with a setting, by its error's type or the first word of that.
WANTED = {
    "bool": "expected true or false",
    "dict": "expected a mapping of settings",
    "finite": "expected a number",
    "float": "expected a number",
    "greater_than": "expected more than {gt:g}",
    "greater_than_equal": "expected at least {ge:g}",
    "int": "expected a whole number",
    "less_than": "expected less than {lt:g}",
    "less_than_equal": "expected at most {le}",  # not :g, which would round the largest seed
    "list": "expected a list",
    "literal_error": "expected {expected}",
    "model": "expected a mapping of settings",
    "path": "expected a path",
    "string": "expected text",
    "too_long": "expected {max_length} or fewer entries",
    "too_short": "expected {min_length} or more entries",
    "tuple": "expected a list",
    "union_tag_invalid": "expected {discriminator} to be one of {expected_tags}",
}


OF_KEY = "[key]"
"""The end of the place at which pydantic finds the key of a mapping to be wrong."""


class Settings(BaseModel):
    """A frozen group of settings that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


Group = TypeVar("Group", bound=Settings)


def as_setting(name: str) -> str:
    """Returns what a setting is called in a sentence."""
    return f"setting '{name}'"


def as_option(name: str) -> str:
    """Returns what a setting is called where it was given as an option of its own."""
    return f"--{name.replace('_', '-')}"


def validated(group: type[Group], settings: Any, where: str, called: Callable[[str], str] = as_setting) -> Group:
    """Returns the typed group; `where` names the settings' origin in the error, and `called` a setting by its key.

    Raises:
        InputError: the first unknown key (with a suggestion) or unusable value.
    """
    try:
        return group.model_validate(settings)
    except ValidationError as error:
        raise InputError(f"{where}: {_explain(error, group, settings, called)}") from error


def keyword_settings(build: Callable[..., Any], given: Any, group: str, where: str) -> dict[str, Any]:
    """Returns all keyword-only arguments of `build`: as `given`, else its defaults.

    `group` is what the mapping `given` is called among the settings; `where` begins the error.

    Raises:
        InputError: no mapping, an unknown key (with a suggestion), or a value that its annotation refuses.
    """
    if not isinstance(given, dict):
        raise InputError(f"{where}: {as_setting(group)}: expected a mapping of settings, found {shown(given)}")
    allowed = {p.name: p for p in inspect.signature(build).parameters.values() if p.kind is p.KEYWORD_ONLY}
    taken = {}
    for key, value in given.items():
        name = f"{group}.{key}"
        if key not in allowed:
            hint = suggest(str(key), allowed, f"{group}.") if allowed else "; it has none"
            raise InputError(f"{where}: unknown setting '{name}'{hint}")
        try:
            # A whole number becomes the one that is expected, for those of Python are larger than any of torch's.
            taken[key] = TypeAdapter(allowed[key].annotation).validate_python(value, strict=True)
        except ValidationError as error:
            why = f"{wanted(error.errors()[0])}, found {shown(value)}"
            raise InputError(f"{where}: {as_setting(name)}: {why}") from error
    return {name: parameter.default for name, parameter in allowed.items()} | taken


def load_yaml(path: Path) -> dict[str, Any]:
    """Returns the mapping in a YAML file.

    Raises:
        InputError: no such file, not YAML, or no mapping.
    """
    try:
        loaded = _parse_yaml(path.read_bytes(), str(path))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    if not isinstance(loaded, dict):
        raise InputError(f"{path}: expected a mapping of settings, found {type(loaded).__name__}")
    return loaded


def merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Returns `base` with `over` laid on it, mapping by mapping."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def parse_assignments(assignments: list[str], option: str = "--set", such_as: str = "train.rounds=5") -> dict[str, Any]:
    """Returns nested settings for the values of an option, such as 'train.rounds=5'; values are read as YAML."""
    settings: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key:
            raise InputError(f"{option} {assignment}: expected key=value, for example {such_as}")
        value = _parse_yaml(text, f"{option} {assignment}")
        for part in reversed(key.split(".")):
            value = {part: value}
        settings = merge(settings, value)
    return settings


def _parse_yaml(text: str | bytes, where: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date such as 2020-13-01
        raise InputError(f"{where}: not YAML in UTF-8 ({_why(error)})") from error


def _why(error: Exception) -> str:
    """Returns what an error of YAML says, without the parser's name for the text and its drawing of the place."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return str(error).partition("\n")[0]


def shown(value: Any) -> str:
    """Returns a value as a sentence shows it: on one line, and cut where it is long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def wanted(error: ErrorDetails) -> str:
    """Returns what is expected instead of a value that pydantic refuses: in plain words, else in its own."""
    known = WANTED.get(error["type"]) or WANTED.get(error["type"].partition("_")[0])
    return known.format(**error.get("ctx", {})) if known else error["msg"][0].lower() + error["msg"][1:]


def _explain(
    error: ValidationError, group: type[Settings], settings: dict[str, Any], called: Callable[[str], str]
) -> str:
    first = error.errors()[0]
    path = list(first["loc"])
    of_kind = ""
    if path[:1] == ["input"] and len(path) > 1:
        of_kind = f" of {path.pop(1)} clips"  # pydantic names the kind of input here
    key = ".".join(map(str, path))
    if first["type"] == "invalid_key" or (path[-1:] == [OF_KEY] and first["type"] == "string_type"):
        return f"{called(key.removesuffix(f'.{OF_KEY}'))}: expected text as its name; put it in quotes"
    if first["type"] == "extra_forbidden":
        last = str(path[-1])
        if "." in last:
            outer, _, inner = last.partition(".")
            return f"unknown setting '{key}'; in Python and YAML it is written {{'{outer}': {{'{inner}': ...}}}}"
        fields = group.model_fields.items() if len(path) == 1 else ()
        nested = [f"{name}.{last}" for name, field in fields if _has(field, last)]
        if nested:
            return f"unknown setting '{key}'; did you mean '{nested[0]}'?"
        hint = suggest(last, _siblings(path[:-1], group, settings), key.removesuffix(last))
        return f"unknown setting '{key}'{of_kind}{hint}"
    if first["type"] == "missing":
        return f"{called(key)} is missing"
    why = f"{wanted(first)}, found {shown(first['input'])}"
    return f"{called(key)}: {why}" if key else why


def _siblings(path: list[Any], group: type[Settings], settings: dict[str, Any]) -> list[str]:
    parts = iter(path)
    for part in parts:
        annotation = group.model_fields[str(part)].annotation
        options = _groups(annotation)
        if get_origin(annotation) is dict:
            next(parts, None)  # the name of the entry, which is the user's own
        if len(options) > 1:
            kind = settings.get("input", {}).get("kind")
            options = [o for o in options if o.model_fields["kind"].default == kind] or options
        group = options[0]
    return list(group.model_fields)


def _has(field: FieldInfo, key: str) -> bool:
    if get_origin(field.annotation) is dict:  # of groups under names that are the user's own
        return False
    return any(key in group.model_fields for group in _groups(field.annotation))


def _groups(annotation: Any) -> list[type[Settings]]:
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, Settings) else []
    return [group for option in get_args(annotation) for group in _groups(option)]
