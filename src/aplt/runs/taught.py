"""Whose labels a run knows before it begins: those that its weights, or the makers of its features, were taught."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from aplt.clips import Clip, ClipIndex, Split
from aplt.config import RunConfig
from aplt.data.bank import RECORD, banks_of
from aplt.data.index import read_index
from aplt.display import counted
from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.settings import load_yaml
from aplt.storage import read_json, read_table

Taught = Mapping[str, str]
"""Where clips lie, by their ids: clips of other data may have the same ids."""


def run_of_model(folder: Path) -> RunDir | None:
    """Returns the run that a model's folder is of; None where it is of none."""
    run = RunDir(folder.parent)
    return run if folder.name == run.model.name and run.config.is_file() else None


def runs_before(weights: str | None) -> Iterator[RunDir]:
    """Yields the run that weights are of, then the one that it began from, and so on."""
    seen: set[Path] = set()
    while weights and (run := run_of_model(Path(weights).parent)) and run.path.resolve() not in seen:
        yield run
        seen.add(run.path.resolve())
        weights = load_yaml(run.config).get("encoder_weights")


def taught_to(run: RunDir) -> Taught:
    """Returns the clips whose labels a run, or one that it began from, was taught, as far as their files tell."""
    found: dict[str, str] = {}
    for one in runs_before(str(run.model / "model.safetensors")):
        with suppress(InputError, KeyError):  # its clips, or their roles, have not been copied along
            roles = read_table(one.split, needed=("id", "role"))
            labeled = set(roles["id"][roles["role"] == "labeled"])
            index = read_index(Path(load_yaml(one.config)["clips"]))
            found |= {clip.id: place_of(clip) for clip in index if clip.id in labeled}
    return found


def place_of(clip: Clip) -> str:
    """Returns where a clip lies."""
    return str(clip.path.resolve())


def known_before(config: RunConfig, index: ClipIndex) -> dict[str, Taught]:
    """Returns the clips whose labels the weights and the features of a run have learned, by where these come from."""
    weights = next(runs_before(config.encoder_weights), None)
    found = {} if weights is None else {f"{weights.path}, from whose weights it begins": taught_to(weights)}
    for record in (bank / RECORD for bank in banks_of(index)):
        if record.is_file() and "taught" in (made := read_json(record)):
            found[f"{made['encoder']}, which made the features"] = made["taught"]
    return found


def require_untaught(config: RunConfig, index: ClipIndex, split: Split) -> None:
    """Refuses test and val clips whose labels the weights or the features have learned: they would test nothing."""
    for source, taught in known_before(config, index).items():
        held_out = (index[position] for position in (*split.test, *split.val))
        tested = [clip.id for clip in held_out if clip.id in taught and taught[clip.id] == place_of(clip)]
        if tested:
            raise InputError(
                f"{counted(len(tested), 'clip')} to test on, first '{tested[0]}', had a label in the training of "
                f"{source}, and so would test nothing; --split with that run's split.csv tests on others"
            )
