"""A bank of made-up features for the clips of an index, with its classes, groups, subjects and long tail.

    aplt index LISTS -o lists.csv                                    # such as MA-52's published lists
    python -m bench.long_tail lists.csv -o bank
    aplt compare bank --methods supervised,fixmatch,aplt ...

A clip is its group's center, its class's offset, its subject's offset and noise. The noise is such that a linear
classifier (ridge regression) on all training labels names --right of the test clips rightly.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeClassifier

SIZE = 768
TRIES = 12


def features(table: pd.DataFrame, noise: float, seed: int = 0) -> np.ndarray:
    """Returns the features [N, 768] of an index's rows, float32."""
    draw = np.random.default_rng(seed)
    groups, classes, subjects = (pd.factorize(table[name])[0] for name in ("group", "label", "subject"))

    def offsets(kinds: np.ndarray, scale: float) -> np.ndarray:
        made: np.ndarray = scale * draw.standard_normal((kinds.max() + 1, SIZE), dtype=np.float32)
        chosen: np.ndarray = made[kinds]
        return chosen

    found: np.ndarray = offsets(groups, 0.5) + offsets(classes, 0.5) + offsets(subjects, 0.5)
    found += noise * draw.standard_normal((len(table), SIZE), dtype=np.float32)
    return found


def main() -> None:
    """Writes clips.csv and features.npy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("bank"))
    parser.add_argument("--right", type=float, default=0.66)
    given = parser.parse_args()
    table = pd.read_csv(given.index, dtype=str, keep_default_na=False)
    train, test = (np.flatnonzero(table["split"] == part) for part in ("train", "test"))
    low, high = 0.5, 20.0
    for _ in range(TRIES):
        noise = (low + high) / 2
        made = features(table, noise)
        linear = RidgeClassifier(alpha=SIZE * noise**2).fit(made[train], table["label"].iloc[train])
        right = float((linear.predict(made[test]) == table["label"].iloc[test]).mean())
        low, high = (noise, high) if right > given.right else (low, noise)
    print(f"noise {noise:.2f}: a linear classifier names {right:.1%} of the test clips rightly")
    given.output.mkdir(parents=True, exist_ok=True)
    np.save(given.output / "features.npy", made)
    table.to_csv(given.output / "clips.csv", index=False)


if __name__ == "__main__":
    main()
