"""Presets: settings for the machine at hand, by the kind of clips and by name."""

from typing import Any

from aplt.errors import InputError, suggest
from aplt.settings import merge

OF_ENCODER = ("encoder", "encoder_settings", "encoder_weights")

FINE_TUNING = {"learning_rate": 3e-4, "layer_decay": 0.85, "precision": "bf16", "gradient_checkpointing": True}

PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "video": {
        # About an hour for a thousand clips, from random weights.
        "laptop": {
            "encoder": "tsm_tiny",
            "input": {"frames": 8, "size": 96},
            "train": {"batch_labeled": 8, "batch_unlabeled": 16},
        },
        # One card of 8 to 16 GB.
        "gpu": {
            "encoder": "swin3d_t",
            "encoder_weights": "KINETICS400_V1",
            "input": {"frames": 16, "size": 160},
            "train": {"batch_labeled": 8, "batch_unlabeled": 16} | FINE_TUNING,
        },
        # One card of 40 to 80 GB.
        "gpu_large": {
            "encoder": "mvit_v2_s",
            "encoder_weights": "KINETICS400_V1",
            "input": {"frames": 16, "size": 224},
            "train": {"batch_labeled": 16, "batch_unlabeled": 32} | FINE_TUNING,
        },
    },
}


def over_preset(settings: dict[str, Any], preset: str | None, modality: str) -> dict[str, Any]:
    """Returns `settings` over those of a preset for this kind of clips; None: as they are.

    Settings that name another encoder do without what the preset says of its own.

    Raises:
        InputError: no preset of this name, or none for such clips.
    """
    if preset is None:
        return settings
    if modality not in PRESETS:
        raise InputError(f"preset '{preset}': there are none for {modality} clips, whose defaults suit any machine")
    known = PRESETS[modality]
    if preset not in known:
        raise InputError(f"unknown preset '{preset}'{suggest(preset, known)}")
    below = known[preset]
    if settings.get("encoder", below["encoder"]) != below["encoder"]:
        below = {key: value for key, value in below.items() if key not in OF_ENCODER}
    merged = merge(below, settings)
    if merged == settings:
        raise InputError(f"preset '{preset}' would change nothing: all that it sets is set already; leave it out")
    return merged
