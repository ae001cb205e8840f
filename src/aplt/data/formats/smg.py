"""SMG: spontaneous micro-gestures of 40 people, as intervals of long videos (IJCV 2023)."""

import pandas as pd

from aplt.data.formats.frames import intervals
from aplt.data.formats.source import Source

TRAINED_ON = 35
"""The usual protocol tests on people with a higher number."""


def smg(source: Source) -> pd.DataFrame:
    """SMG's intervals: SampleXXXX_finelabels.csv with label and frames, from 1; its videos are SampleXXXX_color.mp4.

    A sample is a person: those up to 35 are for training, the others for testing. Labels are the file's numbers.
    """
    table = pd.DataFrame(intervals(source, r"(Sample\d{4})_finelabels\.csv", first=1, video="{}_color"))
    person = [int(id_[6:10]) for id_ in table["id"]]
    return table.drop(columns="list").assign(
        subject=[f"s{number:02d}" for number in person],
        split=["train" if number <= TRAINED_ON else "test" for number in person],
    )
