"""Options that several commands have alike."""

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
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="Any setting of `aplt train`, such as train.rounds=5. Repeatable.")
]
Stride = Annotated[float | None, typer.Option(help="Seconds from one window to the next; by default half a window.")]
Tiers = Annotated[
    list[str] | None, typer.Option("--tier", help="Of ELAN's files of events: the tier with the labels; repeatable.")
]


def budget_settings(budget: str | None, epochs: float | None, steps: int | None) -> dict[str, Any]:
    """Returns the settings for what was given of these; empty for nothing."""
    given = {"budget": budget, "epochs": epochs, "steps": steps}
    train = {name: value for name, value in given.items() if value is not None}
    return {"train": train} if train else {}
