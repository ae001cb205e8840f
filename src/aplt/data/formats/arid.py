"""ARID's videos: actions in the dark, with the lists that come with them."""

from pathlib import Path

import pandas as pd

from aplt.data.formats.source import Source, rows


def arid(source: Source) -> pd.DataFrame:
    """ARID's videos and lists; train.txt and validate.txt are the official split, a film's scene is its subject.

    The scene is the middle number of a training clip's name.
    """
    names = dict(rows(source.folder / "mapping_table_23.txt", fields=2))
    found = []
    for split, stem in (("train", "train"), ("test", "validate")):
        for _, label, name in rows(source.folder / f"{stem}.txt", fields=3):
            parts = Path(name).stem.split("_")
            scene = f"scene{parts[1]}" if len(parts) == 3 else ""
            found.append({"path": f"{stem}/{name}", "label": names.get(label, label), "subject": scene, "split": split})
    return pd.DataFrame(found)
