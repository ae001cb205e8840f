"""How long a run is, and its schedules: pure functions of the share of training done, so resuming restores nothing."""

import math
from typing import Literal

from aplt.config import UNSET_BUDGET, TrainSettings
from aplt.errors import InputError

WARM_UP = 0.02
EPOCHS = 60
FEWEST_STEPS = 3000
"""Of the default budget, which few clips need, too: they are no easier to learn from than many."""
OF_DEFAULT = {"quick": 0.1, "default": 1.0, "long": 4.0}
"""What each budget is of the default one."""


def require_one_budget(settings: TrainSettings, where: str) -> None:
    """Raises an InputError if settings say in two ways how long a run is."""
    given = [f"train.{name}" for name, unset in UNSET_BUDGET.items() if getattr(settings, name) != unset]
    if len(given) > 1:
        raise InputError(f"{where}: settings '{given[0]}' and '{given[1]}' both say how long a run is; remove one")


def steps_per_round(settings: TrainSettings, clips: int) -> int:
    """Returns the alternation period in steps for this number of training clips, labeled or not."""
    if settings.steps_per_round is not None:
        return settings.steps_per_round
    per_epoch = clips / (settings.batch_labeled + settings.batch_unlabeled)
    if settings.steps is not None:
        steps = float(settings.steps)
    elif settings.epochs is not None:
        steps = settings.epochs * per_epoch
    else:
        steps = OF_DEFAULT[settings.budget] * max(FEWEST_STEPS, EPOCHS * per_epoch)
    return max(1, math.ceil(steps / settings.rounds - 1e-9))


def learning_rate_factor(schedule: Literal["cosine", "step"], progress: float) -> float:
    """Returns the multiplier of the learning rate at `progress` (0 to 1), after a short linear start."""
    start = min(1.0, (progress + 1e-9) / WARM_UP) if progress < WARM_UP else 1.0
    if schedule == "cosine":
        return start * 0.5 * (1 + math.cos(math.pi * progress))
    return start * (1.0 if progress < 0.6 else 0.1 if progress < 0.85 else 0.01)


def unlabeled_progress(progress: float, warm_up: float) -> float:
    """Returns the share done of what comes after a warm-up that is the first `warm_up` of training: 0 during it."""
    return max(0.0, progress - warm_up) / (1 - warm_up) if warm_up < 1 else 0.0


def teacher_decay(done: int, highest: float | None) -> float:
    """Returns the decay by which the EMA teacher takes in the student after `done` steps, at most the `highest`.

    It remembers the last eighth of the training so far: a power-function average (Karras et al., CVPR 2024, arXiv
    2312.02696). A constant decay that remembers an eighth of the whole run has the random start in it for long: the
    teacher of the first offline phase would hardly know anything.
    """
    return min(done / (done + 8), 1.0 if highest is None else highest)
