"""From clips to labels in ten lines.

python examples/from_python.py clips.csv new_clips/
"""

import sys
from typing import Any

import aplt


def main(clips: str, new: str, runs: str = "runs", settings: dict[str, Any] | None = None) -> None:
    """Trains on `clips`, prints how good the model and its labels are, and names what is in `new`."""
    run = aplt.train(clips, labeled="10%", name="from-python", runs=runs, settings=settings)
    print(run.result.to_frame().T)
    print(run.rounds[["round", "pseudo_precision", "pseudo_coverage"]])
    print(run.pseudo_labels.nlargest(5, "score"))
    table = aplt.predict(run, new)
    print(table[["path", "prediction_1", "score_1"]])
    print("report:", run.report)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
