"""KARD's skeletons: the Kinect Activity Recognition Dataset, as text."""

import pandas as pd

from aplt.data.formats.names import clips_by_name
from aplt.data.formats.source import Source

NAMES = (
    ("horizontal arm wave", "high arm wave", "two-hand wave", "catch cap", "high throw", "draw X", "draw tick")
    + ("toss paper", "forward kick", "side kick", "take umbrella", "bend", "hand clap", "walk", "phone call", "drink")
    + ("sit down", "stand up")
)
ACTIONS = {f"a{number:02d}": name for number, name in enumerate(NAMES, start=1)}


def kard(source: Source) -> pd.DataFrame:
    """KARD's skeletons: aAA_sSS_eEE_realworld.txt, action and subject from the name."""
    names = r"(?P<label>a\d\d)_(?P<subject>s\d\d)_e\d\d_realworld\.txt"
    return clips_by_name(source, names, ACTIONS, "a01_s01_e01_realworld.txt")
