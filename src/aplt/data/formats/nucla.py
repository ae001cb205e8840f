"""N-UCLA's skeletons: the multiview actions of Northwestern and Los Angeles, as JSON."""

import pandas as pd

from aplt.data.formats.names import clips_by_name
from aplt.data.formats.source import Source

ACTIONS = {
    "a01": "pick up with one hand",
    "a02": "pick up with two hands",
    "a03": "drop trash",
    "a04": "walk",
    "a05": "sit down",
    "a06": "stand up",
    "a08": "donning",
    "a09": "doffing",
    "a11": "throw",
    "a12": "carry",
}


def nucla(source: Source) -> pd.DataFrame:
    """N-UCLA's skeletons: aAA_sSS_eEE_vVV.json, action, subject and view from the name."""
    names = r"(?P<label>a\d\d)_(?P<subject>s\d\d)_e\d\d_(?P<view>v\d\d)\.json"
    return clips_by_name(source, names, ACTIONS, "a01_s01_e00_v01.json")
