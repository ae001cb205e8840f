"""The options that say how long a run is and for what machine, alike for `aplt train` and `aplt compare`."""

from typing import Annotated, Any, get_args

import typer

from aplt.config import Budget
from aplt.presets import PRESETS

PresetOption = Annotated[
    str | None,
    typer.Option(help=f"Settings for a machine, under all others: {', '.join(PRESETS['video'])}; for videos."),
]
BudgetOption = Annotated[
    str | None,
    typer.Option(help=f"How long a run is: {', '.join(get_args(Budget))}; long where a percent counts."),
]
Epochs = Annotated[float | None, typer.Option(help="Instead of --budget: passes over the training clips.")]
Steps = Annotated[int | None, typer.Option(help="Instead of --budget: training steps in all.")]


def budget_settings(budget: str | None, epochs: float | None, steps: int | None) -> dict[str, Any]:
    """Returns the settings for what was given of these; empty for nothing."""
    given = {"budget": budget, "epochs": epochs, "steps": steps}
    train = {name: value for name, value in given.items() if value is not None}
    return {"train": train} if train else {}
