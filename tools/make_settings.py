"""Writes docs/settings.md from the settings themselves: python tools/make_settings.py."""

from pathlib import Path
from typing import Any

from aplt.config import OfflineSettings, RunConfig, SkeletonInput, SplitSettings, TrainSettings, VideoInput
from aplt.methods.catalog import RECIPES
from aplt.models.encoders import DEFAULT_ENCODER
from aplt.runs.configure import effective_config
from aplt.settings import Settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
GROUPS: tuple[tuple[str, str, type[Settings]], ...] = (
    ("", "The run", RunConfig),
    ("split.", "Split", SplitSettings),
    ("input.", "Video clips and their views", VideoInput),
    ("input.", "Skeleton clips and their views", SkeletonInput),
    ("train.", "Schedule, optimizer, budget: the same for every method of a comparison", TrainSettings),
    ("offline.", "The offline phase", OfflineSettings),
)
INTRODUCTION = """# Settings

Made by `python tools/make_settings.py`; do not edit. Set any of them with `--set key=value` or in a YAML file given to
`aplt train`. An unknown key is an error. A method's recipe may change a default; the last section lists these changes.
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
    parts.append("## Methods\n")
    for method, recipe in RECIPES.items():
        config = effective_config({"clips": "clips.csv", "method": method}, "skeleton", method)
        parts.append(f"### {method}\n\n{recipe.summary[0].upper()}{recipe.summary[1:]} ({recipe.source}).\n")
        own = ", ".join(f"`{key}` {_shown(value)}" for key, value in config.method_settings.items())
        parts.append(f"`method_settings`: {own}.\n")
        others = _differences(recipe.settings)
        if others:
            parts.append(f"Its recipe sets {others}.\n")
    defaults = ", ".join(f"`{encoder}` for {modality}s" for modality, encoder in DEFAULT_ENCODER.items())
    parts.append(f"Default encoders: {defaults}.\n")
    return "\n".join(parts)


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value}" if value not in ("", (), {}) else "empty"


def _differences(settings: dict[str, Any]) -> str:
    flat = {key: value for key, value in settings.items() if not isinstance(value, dict)}
    offline = settings.get("offline", {})
    standard = OfflineSettings().model_dump()
    flat |= {f"offline.{key}": value for key, value in offline.items() if value != standard[key]}
    shown = [f"`{key}` {_shown(value)}" for key, value in flat.items()]
    if offline:
        shown.insert(0, "an offline phase")
    return ", ".join(shown)


if __name__ == "__main__":
    PAGE.write_text(settings_page(), encoding="utf-8")
