"""Cross-fitting: how good the labels of unlabeled clips are, from labeled clips that were unlabeled for a while.

The labeled clips are divided into folds. For each a run like the first is trained anew, in which the clips of the fold
are unlabeled ones: nothing in it, be it the network, the clusters or the prototypes, has seen their labels. Only that
makes their scores like those of the unlabeled clips; held out of the offline phase alone, they would still be clips
that the network was taught. No label is lost to the run itself, as one held out for good would be; the price is a
training for each fold, and that these learn from fewer labels, so that what is measured is rather too low.
"""

from functools import partial

import numpy as np
import pandas as pd

from aplt.clips import ClipIndex, Split
from aplt.config import RunConfig
from aplt.data.split_file import save_split
from aplt.data.splits import by_class
from aplt.display import show_nothing, whole_bar
from aplt.errors import InputError
from aplt.parallel import as_they_finish
from aplt.rundir import RunDir
from aplt.runs.begin import finished, train_or_reuse
from aplt.runs.configure import begun_config
from aplt.runs.taught import known_before, place_of, runs_before, taught_to
from aplt.storage import read_table, write_csv


def crossfit(run: RunDir, folds: int, jobs: int = 1) -> pd.DataFrame:
    """Trains a run for each fold and returns a row per labeled clip that was held out, as RunDir.held_out.

    The run's own file is replaced by it, unless that has more clips. Where it was stopped it goes on. Of the runs so
    many `jobs` are trained at once, on a share of the cores each.
    """
    config, index, split = finished(run)
    parts = folds_of(index, split, folds, config.train.seed)
    config = _from_nothing(config, index, split)
    work = []
    for number, held in enumerate(parts, start=1):
        roles, folder = run.path / "crossfit" / f"fold-{number}.csv", RunDir(run.path / "crossfit" / f"fold-{number}")
        rest = tuple(position for position in split.labeled if position not in held)
        save_split(roles, index, Split(labeled=rest, unlabeled=tuple(sorted((*split.unlabeled, *held)))))
        work.append((config.model_copy(update={"split_file": roles.absolute()}), folder))
    with (
        as_they_finish(partial(_train, jobs=jobs), work, jobs) as done,
        whole_bar(f"{folds} folds", folds) as progress,
    ):
        for _ in done:
            progress.advance()
    places = enumerate(zip(parts, work, strict=True), start=1)
    table = pd.concat([_held_out(index, held, fold, number) for number, (held, (_, fold)) in places], ignore_index=True)
    if not run.held_out.exists() or len(read_table(run.held_out, needed=("id",))) <= len(table):
        write_csv(run.held_out, table)
    return table


def _from_nothing(config: RunConfig, index: ClipIndex, split: Split) -> RunConfig:
    """Returns the settings with the weights, and the steps, of the first run: later ones know the labels of a fold.

    Raises:
        InputError: the features know them, and cannot be made anew.
    """
    labeled = {index[position].id: place_of(index[position]) for position in split.labeled}
    for run in runs_before(config.encoder_weights):
        if labeled.items() & taught_to(run).items():
            before = begun_config(run)
            config = config.model_copy(update={"encoder_weights": before.encoder_weights, "train": before.train})
    for source, taught in known_before(config, index).items():
        if labeled.items() & taught.items():
            raise InputError(f"the labels cannot be held out in folds: {source}, has learned from them")
    return config


def folds_of(index: ClipIndex, split: Split, folds: int, seed: int) -> list[frozenset[int]]:
    """Returns the labeled positions of each fold: every class over all folds, and never all of a class in one.

    Raises:
        InputError: fewer than two folds, or no class with two labeled clips.
    """
    if folds < 2:
        raise InputError(f"expected 2 folds or more, found {folds}")
    draw, turn = np.random.default_rng(seed), 0
    found: list[list[int]] = [[] for _ in range(folds)]
    for members in by_class(index, split.labeled).values():
        if len(members) < 2:
            continue  # its only example
        for position in draw.permutation(members):
            found[turn % folds].append(int(position))
            turn += 1
    if not all(found):
        raise InputError(f"too few labeled clips for {folds} folds: only those count whose class has two")
    return [frozenset(part) for part in found]


def _train(work: tuple[RunConfig, RunDir], jobs: int) -> None:
    if jobs > 1:
        show_nothing()
    config, folder = work
    train_or_reuse(config, folder)
    folder.drop_checkpoint()


def _held_out(index: ClipIndex, held: frozenset[int], folder: RunDir, number: int) -> pd.DataFrame:
    labels = read_table(folder.pseudo_labels, needed=("id", "label", "score")).set_index("id")
    ids = [index[position].id for position in sorted(held)]
    truth = [index.class_names[index[position].label] for position in sorted(held)]
    found = labels.loc[ids, ["label", "score"]].reset_index()
    found.insert(1, "truth", truth)
    return found.assign(of=f"fold {number}")
