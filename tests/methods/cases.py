"""Every method by the name of its recipe, as the contract sees it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from inspect import signature
from typing import Any

from aplt.methods.aplt import APLT
from aplt.methods.catalog import RECIPES
from aplt.methods.flexmatch import FlexMatch
from aplt.methods.pseudo_label import PseudoLabel
from aplt.methods.softmatch import SoftMatch
from aplt.methods.tubemix import TubeMix
from tests.methods.contract import Case
from tests.methods.ripening import every_clip, first_partner, many_steps, one_step, own_partners

# These differ from one another only after training.
ON_LABELED_CLIPS = ("supervised", "label_propagation", "self_training")
RIPEN: dict[Any, Callable[[Any], None]] = {
    FlexMatch: every_clip,
    SoftMatch: many_steps,
    TubeMix: own_partners,
    APLT: first_partner,
}


def cases_of(method: str) -> dict[str, Case]:
    recipe = RECIPES[method]
    case = Case(
        partial(recipe.algorithm, **recipe.settings.get("method_settings", {})),
        trained_view="weak" if recipe.algorithm is PseudoLabel else "strong",
        draws_partners=recipe.algorithm in (APLT, TubeMix),
        ripen=RIPEN.get(recipe.algorithm, one_step),
    )
    if "offline" not in recipe.settings:
        return {method: case}
    return {method: replace(case, guided=True), f"{method} without guidance": case}


CASES = {name: case for method in RECIPES for name, case in cases_of(method).items()}
WITH_A_CHOICE = [name for name, case in CASES.items() if "target" in signature(case.make).parameters]
