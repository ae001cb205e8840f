"""How numbers are written in a report: one place, so that the same figure reads the same everywhere."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Z = 1.959963984540054
"""A normal distribution has 95 % within so many deviations."""
ABSENT = "–"  # noqa: RUF001  the typographic sign for "no value"


def known(value: float | None) -> bool:
    """Says whether a figure exists: neither missing nor NaN."""
    return value is not None and not math.isnan(value)


def percent(value: float | None, digits: int = 1) -> str:
    """Returns a share as '61.3 %'."""
    return f"{value * 100:.{digits}f}\u00a0%" if value is not None and known(value) else ABSENT


def number(value: float | None) -> str:
    """Returns a figure with three significant digits (a larger one whole), an integer, or infinity as its sign."""
    if value is None or math.isnan(value):
        return ABSENT
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"  # noqa: RUF001
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def fixed(value: float | None) -> str:
    """Returns a figure with three decimals, for columns that are compared by eye."""
    return f"{value:.3f}" if value is not None and math.isfinite(value) else number(value)


def duration(seconds: float | None) -> str:
    """Returns a time in the one unit that suits it: '9.6 s', '45 s', '6.1 min' or '3.3 h'."""
    if seconds is None or not math.isfinite(seconds):
        return ABSENT
    if seconds < 120:
        return f"{seconds:.{1 if seconds < 9.95 else 0}f}\u00a0s"
    return f"{seconds / 60:.1f}\u00a0min" if seconds < 7200 else f"{seconds / 3600:.1f}\u00a0h"


def clock(seconds: float) -> str:
    """Returns a moment of a film as '1:05.2' or '1:00:05'; tenths only where there are any."""
    tenths = round(10 * seconds)
    hours, minutes, rest = tenths // 36000, tenths // 600 % 60, tenths % 600
    whole = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{whole}:{rest // 10:02}" + (f".{rest % 10}" if rest % 10 else "")


def share(part: float, whole: float) -> float | None:
    """Returns part / whole, None where there is no whole."""
    return part / whole if whole else None


def wilson(rate: float, count: int) -> tuple[float, float]:
    """Returns the 95 % confidence interval of a rate seen on `count` independent clips.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 1927.
    Unlike rate ± 1.96 deviations it stays inside 0 to 1 and does not collapse at either end.
    """
    center = rate + Z * Z / (2 * count)
    half = Z * math.sqrt(rate * (1 - rate) / count + Z * Z / (4 * count * count))
    scale = 1 + Z * Z / count
    return max(0.0, (center - half) / scale), min(1.0, (center + half) / scale)


@dataclass(frozen=True)
class Spread:
    """Mean and sample deviation of so many figures; the deviation of one is unknown."""

    mean: float
    deviation: float | None
    count: int

    @classmethod
    def of(cls, values: Sequence[float] | np.ndarray) -> "Spread | None":
        """Returns the spread of those of the values that exist; None without any."""
        known = np.asarray(values, dtype=np.float64)
        known = known[np.isfinite(known)]
        if not len(known):
            return None
        return cls(float(known.mean()), float(known.std(ddof=1)) if len(known) > 1 else None, len(known))

    def text(self) -> str:
        """Returns the spread in percent, such as '67.7 ± 6.7'."""
        deviation = "" if self.deviation is None else f" ± {100 * self.deviation:.1f}"
        return f"{100 * self.mean:.1f}{deviation}"
