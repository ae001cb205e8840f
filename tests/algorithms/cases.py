"""Every method by the name of its recipe, as the contract sees it."""

from functools import partial
from inspect import signature

from aplt.algorithms.aplt import APLT
from aplt.algorithms.pseudo_label import PseudoLabel
from aplt.algorithms.tubemix import TubeMix
from aplt.training.recipes import RECIPES
from tests.algorithms.contract import Case

# These differ from one another only after training.
ON_LABELED_CLIPS = ("supervised", "label_propagation", "self_training")


def cases_of(method: str) -> dict[str, Case]:
    recipe = RECIPES[method]
    make = partial(recipe.algorithm, **recipe.settings.get("method_settings", {}))
    case = Case(
        make,
        trained_view="weak" if recipe.algorithm is PseudoLabel else "strong",
        draws_partners=recipe.algorithm in (APLT, TubeMix),
    )
    if "offline" not in recipe.settings:
        return {method: case}
    guided = Case(make, guided=True, draws_partners=True)
    return {method: guided, f"{method} without guidance": case}


CASES = {name: case for method in RECIPES for name, case in cases_of(method).items()}
WITH_A_CHOICE = [name for name, case in CASES.items() if "target" in signature(case.make).parameters]
