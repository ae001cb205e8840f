"""Schedules: pure functions of the share of training done, so that resuming restores nothing."""

import math
from typing import Literal

WARM_UP = 0.02


def learning_rate_factor(schedule: Literal["cosine", "step"], progress: float) -> float:
    """Returns the multiplier of the learning rate at `progress` (0 to 1), after a short linear start."""
    start = min(1.0, (progress + 1e-9) / WARM_UP) if progress < WARM_UP else 1.0
    if schedule == "cosine":
        return start * 0.5 * (1 + math.cos(math.pi * progress))
    return start * (1.0 if progress < 0.6 else 0.1 if progress < 0.85 else 0.01)


def unlabeled_progress(progress: float, warm_up: float) -> float:
    """Returns the share done of what comes after a warm-up that is the first `warm_up` of training: 0 during it."""
    return max(0.0, progress - warm_up) / (1 - warm_up) if warm_up < 1 else 0.0


def default_ema_decay(steps: int) -> float:
    """Returns the teacher's decay for a run of this length: it remembers an eighth of the run, 0.98 at 400 steps."""
    return min(0.9999, max(0.0, 1 - 8 / steps))
