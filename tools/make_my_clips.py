"""Makes the folders of the README's five commands, in this folder or in FOLDER, in half a minute.

my_clips/ has eight synthetic clips of each class in a folder of that name, and all others beside these folders;
new_clips/ has three more of each class.
"""

import argparse
import shutil
from pathlib import Path

import pandas as pd

from aplt.synthetic import make_dataset

LABELED, NEW = 8, 3
"""Clips of each class."""
CLIPS = 240


def main(home: Path) -> None:
    """Renders the clips and copies them to where a user would have them."""
    index = make_dataset(home / "rendered", clips=CLIPS, seed=0)
    table = pd.read_csv(index)
    train, test = (table[table["split"] == split] for split in ("train", "test"))
    labeled = train.groupby("label").head(LABELED)
    new = test.groupby("label").head(NEW)
    loose = table.drop([*labeled.index, *new.index])
    for row in labeled.itertuples():
        _copy(index.parent / str(row.path), home / "my_clips" / str(row.label).replace(" ", "_"))
    for path in loose["path"]:
        _copy(index.parent / path, home / "my_clips")
    for path in new["path"]:
        _copy(index.parent / path, home / "new_clips")
    shutil.rmtree(home / "rendered")


def _copy(clip: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy2(clip, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path())
    main(parser.parse_args().folder)
