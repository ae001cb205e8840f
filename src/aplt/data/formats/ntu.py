"""NTU RGB+D's skeletons: actions before three cameras, as text (arXiv 1604.02808, 1905.04757)."""

import pandas as pd

from aplt.data.formats.names import clips_by_name
from aplt.data.formats.source import Source

ACTIONS = {name: name for name in (f"A{number:03d}" for number in range(1, 121))}


def ntu(source: Source) -> pd.DataFrame:
    """NTU RGB+D's skeletons: SsssCcccPpppRrrrAaaa.skeleton, with setup, camera, subject, replication and action.

    Labels are the file's: A001 to A120. The other parts are columns, by which a split may hold out.
    """
    names = (
        r"(?P<setup>S\d{3})(?P<camera>C\d{3})(?P<subject>P\d{3})(?P<replication>R\d{3})(?P<label>A\d{3})"
        r"(?:\.skeleton|_rgb\.avi)"
    )
    return clips_by_name(source, names, ACTIONS, "S001C001P001R001A001.skeleton")
