"""Methods by name: an algorithm for the online half and the settings that make it the method it is."""

from dataclasses import dataclass, field
from typing import Any

from aplt.config import OfflineSettings, RunConfig
from aplt.errors import InputError, suggest
from aplt.methods.adamatch import AdaMatch
from aplt.methods.aplt import APLT
from aplt.methods.fixmatch import FixMatch
from aplt.methods.flexmatch import FlexMatch
from aplt.methods.freematch import FreeMatch
from aplt.methods.mean_teacher import MeanTeacher
from aplt.methods.pseudo_label import PseudoLabel
from aplt.methods.simmatch import SimMatch
from aplt.methods.softmatch import SoftMatch
from aplt.methods.supervised import Supervised
from aplt.methods.tubemix import TubeMix
from aplt.methods.uda import UDA
from aplt.settings import shown
from aplt.tensors import Algorithm, AlgorithmType, Task


@dataclass(frozen=True)
class Recipe:
    """A method: `settings` are laid over the defaults of RunConfig and under what the user sets."""

    algorithm: AlgorithmType
    summary: str
    source: str
    settings: dict[str, Any] = field(default_factory=dict)


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
            "method_settings": {
                "confidence": 0.95,
                "alignment": False,
                "offline_prior": 0.0,
                "mix": 0.0,
                "sup_margin_weight": 1.0,
                "u_margin_weight": 1.0,
            },
            "offline": OfflineSettings(
                views=1, labeled_views=1, whiten=None, assignment="nearest", neighbors=0, threshold_momentum=0.0
            ).model_dump(),
        },
    ),
    "aplt": Recipe(
        APLT,
        "APLT with what measured better: whitened, balanced, propagated clusters; mixing; aligned, informed targets",
        PAPER,
        {"offline": OfflineSettings().model_dump(), "read_out": "both"},
    ),
}


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


def build_algorithm(config: RunConfig, task: Task) -> Algorithm:
    """Returns the online half of the config's method.

    Raises:
        InputError: a setting's value that the method refuses.
    """
    try:
        return find_recipe(config.method).algorithm(task, **config.method_settings)
    except ValueError as error:
        raise InputError(f"method_settings of {config.method}: {error}") from error
