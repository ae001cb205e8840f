"""MSR-Action3D's skeletons: games played with the first Kinect, as text."""

import pandas as pd

from aplt.data.formats.names import clips_by_name
from aplt.data.formats.source import Source

NAMES = (
    ("high arm wave", "horizontal arm wave", "hammer", "hand catch", "forward punch", "high throw", "draw X")
    + ("draw tick", "draw circle", "hand clap", "two-hand wave", "side boxing", "bend", "forward kick", "side kick")
    + ("jogging", "tennis swing", "tennis serve", "golf swing", "pick up and throw")
)
ACTIONS = {f"a{number:02d}": name for number, name in enumerate(NAMES, start=1)}


def msr_action3d(source: Source) -> pd.DataFrame:
    """MSR-Action3D's skeletons: aAA_sSS_eEE_skeleton3D.txt, action and subject from the name."""
    names = r"(?P<label>a\d\d)_(?P<subject>s\d\d)_e\d\d_skeleton3D\.txt"
    return clips_by_name(source, names, ACTIONS, "a01_s01_e01_skeleton3D.txt")
