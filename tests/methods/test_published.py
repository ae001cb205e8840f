"""The numbers that methods come with: those of their papers, or measured ones; None follows from the run's length."""

from inspect import signature
from typing import Any

import pytest

from aplt.methods.catalog import METHODS
from tests.methods.keywords import keywords

FIXMATCH = {"u_weight": 1.0, "confidence": 0.95, "target": "student"}
APLT = {
    "sup_margin_weight": 0.2,
    "u_logits_weight": 1.0,
    "u_margin_weight": 0.2,
    "margin": 0.3,
    "scale": 20.0,
    "confidence": 0.8,
    "target": "student",
    "alignment": True,
    "alignment_momentum": 0.98,
    "offline_prior": 1.0,
    "mix": 1.0,
}
SETTINGS: dict[str, dict[str, Any]] = {
    "pseudo_label": {"u_weight": 1.0, "confidence": 0.95, "ramp": 0.4},
    "mean_teacher": {"u_weight": 50.0, "ramp": 0.4},
    "uda": {"u_weight": 1.0, "confidence": 0.8, "temperature": 0.4, "target": "student"},
    "fixmatch": FIXMATCH | {"alignment": False, "alignment_momentum": 0.98},
    "fixmatch_teacher": FIXMATCH | {"target": "teacher", "alignment": True, "alignment_momentum": 0.98},
    "flexmatch": FIXMATCH,
    "adamatch": FIXMATCH | {"confidence": 0.9, "alignment_momentum": 0.999},
    "freematch": {"u_weight": 1.0, "fairness_weight": 0.01, "momentum": None, "clip": False, "target": "student"},
    "softmatch": {"u_weight": 1.0, "momentum": None, "deviations": 2.0, "target": "student"},
    "simmatch": FIXMATCH
    | {
        "instance_weight": 1.0,
        "temperature": 0.1,
        "smoothing": 0.9,
        "memory_momentum": 0.7,
        "alignment_window": 256,
    },
    "tubemix": {"u_weight": 2.0, "mix_weight": 2.0, "confidence": 0.95, "beta": 10.0, "target": "teacher"},
    "aplt": APLT,
    "aplt_paper": APLT
    | {
        "confidence": 0.95,
        "alignment": False,
        "offline_prior": 0.0,
        "mix": 0.0,
        "sup_margin_weight": 1.0,
        "u_margin_weight": 1.0,
    },
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_of_a_method(name: str) -> None:
    method = METHODS[name]
    assert method.algorithm is not None
    defaults = {keyword: parameter.default for keyword, parameter in keywords(method.algorithm).items()}
    assert defaults | method.settings.get("method_settings", {}) == SETTINGS[name]
    assert set(method.settings.get("method_settings", {})) <= set(signature(method.algorithm).parameters)


def test_the_literal_reading_of_the_paper_offline() -> None:
    assert METHODS["aplt"].offline is METHODS["aplt_paper"].offline
    assert "offline" not in METHODS["aplt"].settings
    assert METHODS["aplt_paper"].settings["offline"] == {
        "views": 1,
        "labeled_views": 1,
        "whiten": None,
        "assignment": "nearest",
        "neighbors": 0,
        "threshold_momentum": 0.0,
    }
