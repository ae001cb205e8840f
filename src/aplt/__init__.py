"""aplt: semi-supervised micro-action recognition. Clips and a few labels in, a recognizer and its evidence out.

    import aplt

    run = aplt.train("clips.csv", labeled="10%")
    print(run.result.test.top1, run.path)
    table = aplt.predict(run, ["new_clip.mp4"])

What is listed here is what a script needs; each name is imported when it is first used, so that `import aplt` is quick.
"""

import os
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aplt.clips import Clip, ClipIndex, Split
    from aplt.comparison.results import Comparison
    from aplt.data.index import read_index
    from aplt.errors import InputError
    from aplt.figures import Figures
    from aplt.finished import Run
    from aplt.lab import labels, suggest, to_fiftyone
    from aplt.library import compare, embed, evaluate, export, load, pose, predict, push, resume, train
    from aplt.methods.method import Method
    from aplt.models.encoders import Encoder
    from aplt.models.recognizer import Recognizer
    from aplt.models.weights import Weights
    from aplt.record import Result, Round
    from aplt.runs.predict import Evaluation
    from aplt.tensors import Algorithm, FeatureBank, Guidance, Offline, OnlineLabels, SemiBatch, Step, StepLoss, Task

__version__ = version("aplt")

if "OMP_WAIT_POLICY" not in os.environ:
    # Before torch is imported: its threads wait for each other busily, 300,000 turns by GCC's default, and where other
    # work wants the cores, too, most of their time goes into that. As few as these cost nothing on idle cores.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")

_HOME = {
    "aplt.clips": ("Clip", "ClipIndex", "Split"),
    "aplt.data.index": ("read_index",),
    "aplt.errors": ("InputError",),
    "aplt.comparison.results": ("Comparison",),
    "aplt.finished": ("Run",),
    "aplt.lab": ("labels", "suggest", "to_fiftyone"),
    "aplt.library": ("compare", "embed", "evaluate", "export", "load", "pose", "predict", "push", "resume", "train"),
    "aplt.methods.method": ("Method",),
    "aplt.models.encoders": ("Encoder",),
    "aplt.models.recognizer": ("Recognizer",),
    "aplt.figures": ("Figures",),
    "aplt.models.weights": ("Weights",),
    "aplt.record": ("Result", "Round"),
    "aplt.runs.predict": ("Evaluation",),
    "aplt.tensors": (
        *("Algorithm", "FeatureBank", "Guidance", "Offline", "OnlineLabels", "SemiBatch", "Step", "StepLoss", "Task"),
    ),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}
__all__ = [
    "Algorithm",
    "Clip",
    "ClipIndex",
    "Comparison",
    "Encoder",
    "Evaluation",
    "FeatureBank",
    "Figures",
    "Guidance",
    "InputError",
    "Method",
    "Offline",
    "OnlineLabels",
    "Recognizer",
    "Result",
    "Round",
    "Run",
    "SemiBatch",
    "Split",
    "Step",
    "StepLoss",
    "Task",
    "Weights",
    "__version__",
    "compare",
    "embed",
    "evaluate",
    "export",
    "labels",
    "load",
    "pose",
    "predict",
    "push",
    "read_index",
    "resume",
    "suggest",
    "to_fiftyone",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'aplt' has no attribute '{name}'")
    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
