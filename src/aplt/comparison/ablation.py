"""APLT's own choices, one switch at a time against the recipe `aplt`; docs/method.md says what each is."""

from typing import Any

# Name -> fields of a Variant, whose method is aplt by default.
ABLATION: dict[str, dict[str, Any]] = {
    "aplt": {},
    # Its read-out needs prototypes, which the offline phase makes.
    "no offline half": {"settings": {"offline": None, "read_out": "classifier"}},
    "no clustering": {"settings": {"offline": {"source": "classifier", "labeled_views": 0}}},
    "no clamp": {"settings": {"offline": {"clamp": False}}},
    "no threshold": {"settings": {"offline": {"threshold": "none"}}},
    "thresholds without memory": {"settings": {"offline": {"threshold_momentum": 0.0}}},
    "prototypes with memory": {"settings": {"offline": {"prototype_momentum": 0.7}}},
    "no labeled augmentation": {"settings": {"offline": {"labeled_views": 0}}},
    "no whitening": {"settings": {"offline": {"whiten": None}}},
    "nearest assignment": {"settings": {"offline": {"assignment": "nearest"}}},
    "novel clips accepted": {"settings": {"offline": {"novel": 1.0}}},
    "no neighbors": {"settings": {"offline": {"neighbors": 0}}},
    "no margin": {"settings": {"method_settings": {"margin": 0.0}}},
    "no sup_logits": {"settings": {"train": {"weak_weight": 0.0}}},
    "no strong": {"settings": {"train": {"strong_weight": 0.0}}},
    "no sup_margin": {"settings": {"method_settings": {"sup_margin_weight": 0.0}}},
    "no u_logits": {"settings": {"method_settings": {"u_logits_weight": 0.0}}},
    "no u_margin": {"settings": {"method_settings": {"u_margin_weight": 0.0}}},
    "no mixing": {"settings": {"method_settings": {"mix": 0.0}}},
    "teacher's targets": {"settings": {"method_settings": {"target": "teacher"}}},
    "confidence 0.95": {"settings": {"method_settings": {"confidence": 0.95}}},
    "no alignment": {"settings": {"method_settings": {"alignment": False}}},
    "no offline prior": {"settings": {"method_settings": {"offline_prior": 0.0}}},
    # Rounds of other lengths than the default's 10 with 3 of warm-up; the total of steps stays.
    "20 rounds": {"settings": {"train": {"rounds": 20, "warm_up_rounds": 6}}},
    "3 rounds": {"settings": {"train": {"rounds": 3, "warm_up_rounds": 1}}},
    # Rounds are equally long, so the one before the only offline phase is half of the run.
    "one offline phase": {"settings": {"train": {"rounds": 2, "warm_up_rounds": 1}}},
    "no warm-up": {"settings": {"train": {"warm_up_rounds": 0}}},
    "classifier alone": {"settings": {"read_out": "classifier"}},
    "aplt_paper": {"method": "aplt_paper"},
    "fixmatch_teacher": {"method": "fixmatch_teacher"},
}
