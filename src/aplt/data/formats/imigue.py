"""iMiGUE: micro-gestures in press conferences, as intervals of long videos (arXiv 2107.00285)."""

import re

import pandas as pd

from aplt.data.formats.frames import intervals
from aplt.data.formats.source import Source

NAMES = (
    ("Turtle neck", "Bulging face / deep breath", "Touch hat", "Touching or scratching head")
    + ("Touching or scratching forehead", "Cover face", "Rubbing eyes", "Touching or scratching facial parts")
    + ("Touching ears", "Biting nails", "Touching jaw", "Touching or scratching neck", "Playing or adjusting hair")
    + ("Buckle button / pulling shirt collar / adjusting tie", "Touching or covering suprasternal notch")
    + ("Scratching back", "Folding arms", "Dustoffing clothes", "Putting arms behind body", "Moving torso")
    + ("Sitting straightly", "Scratching or touching arms", "Rubbing or holding hands", "Crossing fingers")
    + ("Minaret gesture", "Playing or manipulating objects", "Hold back arms", "Head up", "Pressing lips")
    + ("Arms akimbo", "Shaking shoulders", "Illustrative hand gestures")
)
ACTIONS = {str(number): name for number, name in enumerate(NAMES, start=1)}
NO_GESTURE = "99"
SPLITS = {"train": "train", "val": "val", "test": "test"}


def imigue(source: Source) -> pd.DataFrame:
    """The intervals of iMiGUE: ID/ID_label.csv with gesture and frames, from 0; its videos are ID.mp4, anywhere.

    99 is no gesture and left out. Folders with train, val or test in their names are the split.
    """
    found = [row for row in intervals(source, r"(\d+)_label\.csv", first=0) if row["label"] != NO_GESTURE]
    table = pd.DataFrame(found)
    split = [re.search("|".join(SPLITS), place.lower()) for place in table["list"]]
    table = table.assign(
        label=[ACTIONS.get(label, label) for label in table["label"]],
        split=[part[0] if part else "" for part in split],
    )
    return table.drop(columns="list" if any(split) else ["list", "split"])
