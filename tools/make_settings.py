"""Writes docs/settings.md from the settings themselves: python tools/make_settings.py."""

from pathlib import Path
from typing import Any

from aplt.config import FeatureInput, RunConfig, SkeletonInput, SplitSettings, TrainSettings, VideoInput
from aplt.data.modality import MODALITIES
from aplt.methods.catalog import METHODS
from aplt.methods.method import Method
from aplt.models.encoders import ENCODERS, whole_settings
from aplt.offline.phase import Clusters
from aplt.presets import PRESETS
from aplt.runs.configure import effective_config
from aplt.settings import Settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
GROUPS: tuple[tuple[str, str, type[Settings]], ...] = (
    ("", "The run", RunConfig),
    ("split.", "Split", SplitSettings),
    ("input.", "Video clips and their views", VideoInput),
    ("input.", "Skeleton clips and their views", SkeletonInput),
    ("input.", "Features and their views", FeatureInput),
    ("train.", "Schedule, optimizer, budget: the same for every method of a comparison", TrainSettings),
    ("offline.", "The offline phase of APLT", Clusters),
)
INTRODUCTION = """# Settings

Made by `python tools/make_settings.py`; do not edit. Set any of them with `--set key=value` or in a YAML file given to
`aplt train`. An unknown key is an error. A method may change a default; the last section lists these changes.
"""


def settings_page() -> str:
    """Returns docs/settings.md."""
    parts = [INTRODUCTION]
    for prefix, title, group in GROUPS:
        parts.append(f"## {title}\n\n| setting | default | what it does |\n|--|--|--|")
        for name, field in group.model_fields.items():
            if name in ("split", "input", "train", "offline", "kind"):
                continue
            default = "(needed)" if name == "clips" else "by modality" if name == "encoder" else _shown(field.default)
            text = " ".join((field.description or "").split())
            parts.append(f"| `{prefix}{name}` | {default} | {text} |")
        parts.append("")
    parts.append("## Presets\n")
    parts.append(
        "`--preset NAME` sets these, under all that is set otherwise; another encoder does without its weights.\n"
    )
    parts.append("| preset | clips | what it sets |\n|--|--|--|")
    for kind, presets in PRESETS.items():
        parts += [f"| `{name}` | {kind} | {_listed(preset)} |" for name, preset in presets.items()]
    parts.append("\n## Methods\n")
    for method, found in METHODS.items():
        config = effective_config({"clips": "clips.csv", "method": method}, "skeleton", method)
        parts.append(f"### {method}\n\n{found.summary[0].upper()}{found.summary[1:]} ({found.source}).\n")
        own = ", ".join(f"`{key}` {_shown(value)}" for key, value in config.method_settings.items())
        if own:
            parts.append(f"`method_settings`: {own}.\n")
        others = _differences(found)
        if others:
            parts.append(f"It sets {others}.\n")
    defaults = ", ".join(f"`{modality.encoder}` for {modality.many}" for modality in MODALITIES.values())
    parts.append(f"## Encoders\n\nBy default {defaults}.\n")
    parts.append("| encoder | clips | what it is | `encoder_settings` | published weights |\n|--|--|--|--|--|")
    for name, encoder in ENCODERS.items():
        own = ", ".join(f"`{key}` {_shown(value)}" for key, value in whole_settings(name, {}).items())
        row = (f"`{name}`", encoder.modality, encoder.summary, own or "-", ", ".join(encoder.weights({})) or "-")
        parts.append(f"| {' | '.join(row)} |")
    parts.append("")
    return "\n".join(parts)


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value}" if value not in ("", (), {}) else "empty"


def _differences(method: Method) -> str:
    shown = ["an offline phase"] if method.offline is not None else []
    others = {key: value for key, value in method.settings.items() if key != "method_settings"}
    return ", ".join([*shown, *([_listed(others)] if others else [])])


def _listed(settings: dict[str, Any]) -> str:
    """Returns settings by their names as for `--set`, those in groups last."""
    flat = {key: value for key, value in settings.items() if not isinstance(value, dict)}
    for group, inner in settings.items():
        flat |= {f"{group}.{key}": value for key, value in inner.items()} if isinstance(inner, dict) else {}
    return ", ".join(f"`{key}` {_shown(value)}" for key, value in flat.items())


if __name__ == "__main__":
    PAGE.write_text(settings_page(), encoding="utf-8")
