"""KARD's skeletons: the Kinect Activity Recognition Dataset, as text."""

import pandas as pd

from aplt.data.formats.names import clips_by_name
from aplt.data.formats.source import Source

ACTIONS = {
    "a01": "horizontal arm wave",
    "a02": "high arm wave",
    "a03": "two-hand wave",
    "a04": "catch cap",
    "a05": "high throw",
    "a06": "draw X",
    "a07": "draw tick",
    "a08": "toss paper",
    "a09": "forward kick",
    "a10": "side kick",
    "a11": "take umbrella",
    "a12": "bend",
    "a13": "hand clap",
    "a14": "walk",
    "a15": "phone call",
    "a16": "drink",
    "a17": "sit down",
    "a18": "stand up",
}


def kard(source: Source) -> pd.DataFrame:
    """KARD's skeletons: aAA_sSS_eEE_realworld.txt, action and subject from the name."""
    names = r"(?P<label>a\d\d)_(?P<subject>s\d\d)_e\d\d_realworld\.txt"
    return clips_by_name(source, names, ACTIONS, "a01_s01_e01_realworld.txt")
