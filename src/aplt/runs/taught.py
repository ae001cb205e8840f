"""Whose labels a run knows before it begins: those that its weights, or the makers of its features, were taught."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from aplt.clips import ClipIndex, Split
from aplt.config import RunConfig
from aplt.data.bank import RECORD, banks_of
from aplt.data.split_file import clip_digest
from aplt.display import counted
from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.runs.configure import begun_config
from aplt.storage import read_json, read_table

Taught = Mapping[str, str]
"""What the rows of clips said, by their ids: clips of other data may have the same ids."""


def run_of_model(folder: Path) -> RunDir | None:
    """Returns the run that a model's folder is of; None where it is of none."""
    run = RunDir(folder.parent)
    return run if folder.name == run.model.name and run.config.is_file() else None


def runs_before(config: RunConfig) -> Iterator[tuple[RunDir, RunConfig]]:
    """Yields the run whose weights a run begins from, then the one before that, and so on, with their settings."""
    while config.encoder_weights is not None and (run := run_of_model(Path(config.encoder_weights).parent)) is not None:
        config = begun_config(run)
        yield run, config


def taught_to(run: RunDir) -> Taught:
    """Returns the clips whose labels a run, or one that it began from, was taught."""
    found: dict[str, str] = {}
    for one in (run, *(before for before, _ in runs_before(begun_config(run)))):
        table = read_table(one.split, needed=("id", "role", "digest"))
        labeled = table[table["role"] == "labeled"]
        found |= zip(labeled["id"], labeled["digest"], strict=True)
    return found


def known_before(config: RunConfig, index: ClipIndex) -> dict[str, Taught]:
    """Returns the clips whose labels the weights and the features of a run have learned, by where these come from."""
    weights = next(runs_before(config), None)
    found = {} if weights is None else {f"{weights[0].path}, from whose weights it begins": taught_to(weights[0])}
    for record in (bank / RECORD for bank in banks_of(index)):
        if record.is_file() and "taught" in (made := read_json(record)):
            found[f"{made['encoder']}, which made the features"] = made["taught"]
    return found


def require_untaught(config: RunConfig, index: ClipIndex, split: Split) -> None:
    """Refuses test and val clips whose labels the weights or the features have learned: they would test nothing."""
    for source, taught in known_before(config, index).items():
        tested = [p for p in (*split.test, *split.val) if taught.get(index[p].id) == clip_digest(index, p)]
        if tested:
            raise InputError(
                f"{counted(len(tested), 'clip')} to test on, first '{index[tested[0]].id}', had a label in the "
                f"training of {source}, and so would test nothing; --split with that run's split.csv tests on others"
            )
