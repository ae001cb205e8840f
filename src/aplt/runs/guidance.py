"""The guidance of each round in the run folder: one file a round, kept for the next round, the ledger and resuming."""

import numpy as np

from aplt.config import RunConfig
from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.storage import read_arrays
from aplt.tensors import Guidance


def guided_rounds(config: RunConfig, done: int) -> range:
    """Returns those of the first `done` rounds that had an offline phase."""
    return range(config.train.warm_up_rounds if config.offline else done, done)


def kept_arrays(run: RunDir, round_: int) -> dict[str, np.ndarray]:
    """Returns the arrays of a round's guidance.

    Raises:
        InputError: the file is missing or damaged.
    """
    hint = f"the offline phase of round {round_ + 1} wrote it and the run cannot go on without it"
    return read_arrays(run.require(lambda r: r.guidance(round_), hint))


def kept_guidance(run: RunDir, round_: int) -> Guidance:
    """Returns a round's guidance, on the CPU.

    Raises:
        InputError: the file is missing, damaged or of another round.
    """
    arrays = kept_arrays(run, round_)
    try:
        guidance = Guidance.from_arrays(arrays)
    except (KeyError, TypeError) as error:
        raise InputError(f"{run.guidance(round_)}: damaged, no guidance of a round ({error})") from error
    if guidance.round != round_:
        raise InputError(f"{run.guidance(round_)}: is of round {guidance.round + 1}, not {round_ + 1}")
    return guidance
