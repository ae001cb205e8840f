"""N-UCLA's skeletons: the multiview actions of Northwestern and Los Angeles, as JSON."""

from pathlib import Path

import pandas as pd

from aplt.data.formats.names import clips_by_name

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


def nucla(folder: Path) -> pd.DataFrame:
    """N-UCLA's skeletons: aAA_sSS_eEE_vVV.json, action and subject from the name."""
    return clips_by_name(folder, r"(a\d\d)_(s\d\d)_e\d\d_v\d\d\.json", ACTIONS, "a01_s01_e00_v01.json")
