"""Clips that cost nothing, for tests of what stands around the rendering."""

import numpy as np


def sketch(motion: str, *, seed: int, number: int, subject: int, size: int) -> tuple[np.ndarray, float]:
    """Stands in for `render_clip`: two plain frames."""
    color = [seed * 50, number * 5, subject * 20 + len(motion)]
    return np.full((2, size, size, 3), color, np.uint8), 25.0
