"""What keywords of methods' constructors do to the loss, and the check that they do.

A keyword without an entry here, such as one of a new method, must change some part of the loss.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from inspect import Parameter, signature
from typing import Any, NamedTuple, get_args

import pytest

from aplt.methods.adamatch import AdaMatch
from aplt.methods.aplt import APLT
from aplt.methods.fixmatch import FixMatch
from aplt.methods.flexmatch import FlexMatch
from aplt.methods.freematch import FreeMatch
from aplt.methods.mean_teacher import MeanTeacher
from aplt.methods.pseudo_label import PseudoLabel
from aplt.methods.simmatch import SimMatch
from aplt.methods.softmatch import SoftMatch
from aplt.methods.tubemix import TubeMix
from aplt.methods.uda import UDA
from tests.methods.contract import shaded
from tests.methods.scene import Make, Toy, ToyStudent, make_batch, make_guidance, make_task, step

STEPS = 4


class Other(NamedTuple):
    """Another value of a keyword than its default."""

    value: Any
    parts: str  # of the loss that differ with it in some step, and no others
    given: Mapping[str, Any] = {}  # what else is set, with either value
    clearer: float = 1.0  # the weak views are multiplied by it


U = {"u_weight": Other(0.5, "u_logits")}
SURE = {"confidence": Other(0.6, "u_logits")}
TARGET = {"target": Other("teacher", "u_logits")}
ALIGNMENT = {
    "alignment": Other(True, "u_logits"),
    "alignment_momentum": Other(0.5, "u_logits", {"alignment": True}),
}
MARGINS = "sup_margin u_margin"
KEYWORDS: dict[Any, dict[str, Other]] = {
    PseudoLabel: U | SURE | {"ramp": Other(0.8, "u_logits")},
    MeanTeacher: {"u_weight": Other(10.0, "u_mse"), "ramp": Other(0.8, "u_mse")},
    UDA: U | SURE | TARGET | {"temperature": Other(0.8, "u_logits")},
    FixMatch: U | SURE | TARGET | ALIGNMENT,
    FlexMatch: U | SURE | TARGET,
    AdaMatch: U | SURE | TARGET | {"alignment_momentum": Other(0.5, "u_logits")},
    FreeMatch: U
    | {
        "fairness_weight": Other(0.5, "fairness"),
        "momentum": Other(0.5, "u_logits fairness"),
        "clip": Other(True, "u_logits fairness", {"momentum": 0.0}, clearer=20.0),
        "target": Other("teacher", "u_logits fairness", {"momentum": 0.5}),
    },
    SoftMatch: U
    | TARGET
    | {"momentum": Other(0.5, "u_logits"), "deviations": Other(6.0, "u_logits", {"momentum": 0.5})},
    SimMatch: U
    | SURE
    | {
        "instance_weight": Other(0.5, "u_instances"),
        "temperature": Other(0.5, "u_logits u_instances"),
        "smoothing": Other(0.5, "u_logits"),
        "memory_momentum": Other(0.2, "u_logits u_instances"),
        "alignment_window": Other(1, "u_logits u_instances"),
        "target": Other("teacher", "u_logits u_instances"),
    },
    TubeMix: U
    | {
        "mix_weight": Other(0.5, "u_mix"),
        "confidence": Other(0.6, "u_logits u_mix"),
        "beta": Other(0.3, "u_mix"),
        "target": Other("student", "u_logits u_mix"),
    },
    APLT: SURE
    | TARGET
    | {
        "alignment": Other(False, "u_logits"),
        "alignment_momentum": Other(0.5, "u_logits"),
        "offline_prior": Other(0.0, "u_logits"),
        "sup_margin_weight": Other(0.5, "sup_margin"),
        "u_logits_weight": Other(0.5, "u_logits"),
        "u_margin_weight": Other(0.5, "u_margin"),
        "margin": Other(0.0, MARGINS),
        "scale": Other(10.0, MARGINS),
        "mix": Other(0.0, MARGINS),
    },
}


def keywords(algorithm: Callable[..., Any]) -> dict[str, Parameter]:
    """Returns the settings of a method, by name."""
    return {name: p for name, p in signature(algorithm).parameters.items() if p.kind is Parameter.KEYWORD_ONLY}


def check_keyword(make: Make, name: str, other: Other) -> None:
    """The other value changes the parts of the loss that it is said to, in a step or the next ones, and no others.

    A weight multiplies its part.
    """
    default = keywords(make)[name].default
    assert other.value != default
    before, after = (_losses(make, {**other.given, name: value}, other.clearer) for value in (default, other.value))
    differ = {
        part
        for one, two in zip(before, after, strict=True)
        for part in one.keys() | two.keys()
        if one.get(part, 0.0) != pytest.approx(two.get(part, 0.0), rel=1e-4, abs=1e-7)
    }
    assert differ == set(other.parts.split()), f"{name} changes {differ}"
    if name.endswith("_weight"):
        for one, two in zip(before, after, strict=True):
            for part in differ & one.keys():
                assert two[part] == pytest.approx(one[part] * other.value / default, rel=1e-4), f"{part} is not weighed"


def check_matters(make: Make, name: str) -> None:
    """Some other value changes some part of the loss, if need be with another switch on or off."""
    found = keywords(make)
    switches = [{}, *({key: not p.default} for key, p in found.items() if isinstance(p.default, bool) and key != name)]
    for given in switches:
        before = _losses(make, given, clearer=1.0)
        for value in _others(found[name].default, found[name].annotation):
            with suppress(ValueError):  # not a value for it
                if _losses(make, {**given, name: value}, clearer=1.0) != before:
                    return
    raise AssertionError(f"{name} changes nothing")


def _others(default: Any, annotation: Any) -> list[Any]:
    """Returns other values of a keyword."""
    if isinstance(default, bool):
        return [not default]
    if isinstance(default, int | float):
        return [type(default)(default * 2), type(default)(default / 2), default * 0]
    if default is None:
        return [1, 2]
    return [value for value in get_args(annotation) if value != default]


def _losses(make: Make, settings: Mapping[str, Any], clearer: float) -> list[dict[str, float]]:
    """Returns the parts of the loss by step."""
    algorithm, student, teacher = make(make_task(), **settings), ToyStudent(Toy(0)), Toy(1)
    losses = []
    for seed in range(STEPS):
        batch = shaded(make_batch(seed, unlabeled=22))
        batch = batch._replace(weak=batch.weak * clearer)
        outcome = step(algorithm, student, teacher, batch, make_guidance(), seed=seed)
        losses.append({name: float(part) for name, part in outcome.parts.items()})
    return losses
