"""Every method with an online half by its name, as the contract sees it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from inspect import signature
from typing import Any

from aplt.methods.aplt import APLT
from aplt.methods.catalog import METHODS
from aplt.methods.flexmatch import FlexMatch
from aplt.methods.softmatch import SoftMatch
from aplt.methods.tubemix import TubeMix
from tests.methods.contract import Case
from tests.methods.ripening import every_clip, first_partner, many_steps, one_step, own_partners

# They have no online half.
ON_LABELED_CLIPS = tuple(name for name, method in METHODS.items() if method.algorithm is None)
RIPEN: dict[Any, Callable[[Any], None]] = {
    FlexMatch: every_clip,
    SoftMatch: many_steps,
    TubeMix: own_partners,
    APLT: first_partner,
}


def cases_of(method: str) -> dict[str, Case]:
    found = METHODS[method]
    assert found.algorithm is not None
    case = Case(
        partial(found.algorithm, **found.settings.get("method_settings", {})),
        draws_partners=found.algorithm in (APLT, TubeMix),
        ripen=RIPEN.get(found.algorithm, one_step),
    )
    if found.offline is None:
        return {method: case}
    return {method: replace(case, guided=True), f"{method} without guidance": case}


CASES = {name: case for method in METHODS if method not in ON_LABELED_CLIPS for name, case in cases_of(method).items()}
WITH_A_CHOICE = [name for name, case in CASES.items() if "target" in signature(case.make).parameters]
