"""Builds run folders as training writes them, small and reproducible, without training anything."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aplt.config import RunConfig
from aplt.record import Round
from aplt.rundir import RunDir
from aplt.settings import validated
from aplt.storage import write_arrays, write_csv, write_json, write_text

# MA-52's way of naming: short phrases, some long.
BODY = (
    "head",
    "hand",
    "leg",
    "shoulder",
    "upper body",
    "foot",
    "eye",
    "arm",
    "finger",
    "lip",
    "neck",
    "back",
    "knee",
)
MOVES = ("shaking", "scratching", "crossing and uncrossing", "touching the other one")
CLASSES = tuple(f"{part} {move}" for part in BODY for move in MOVES)


def fake_run(
    folder: Path,
    *,
    classes: int | Sequence[str] = 5,
    rounds: int = 8,
    offline: bool = True,
    finished: bool = True,
    test: bool = True,
    val: bool = True,
    truth_known: bool = True,
    ids: str = "clip-{:05d}",
    method: str = "aplt",
    seed: int = 0,
) -> Path:
    """Writes a run folder.

    Args:
        folder: where; made if need be.
        classes: how many, or their names.
        rounds: rounds done; of them the first two warm up.
        offline: the method makes pseudo-labels.
        finished: result.json and predictions.csv are there.
        test: there are test clips.
        val: there are validation clips.
        truth_known: the index holds the hidden truth of the unlabeled clips.
        ids: how a clip's id is made of its position.
        method: name of the method.
        seed: of everything drawn.
    """
    names = list(CLASSES[:classes]) if isinstance(classes, int) else list(classes)
    count = len(names)
    draw = np.random.default_rng(seed)
    run = RunDir(folder)
    sizes = {"labeled": 6 * count, "unlabeled": 54 * count, "val": 8 * count * val, "test": 24 * count * test}
    roles = np.repeat(list(sizes), list(sizes.values()))
    config = validated(
        RunConfig,
        {
            "clips": "clips.csv",
            "method": method,
            "encoder": "stgcn",
            "input": {"kind": "skeleton"},
            "train": {"rounds": rounds if finished else rounds + 6, "warm_up_rounds": 2, "seed": seed},
            "offline": {} if offline else None,
        },
        "fake run",
    )
    write_text(run.config, config.to_yaml())
    write_csv(run.split, pd.DataFrame({"id": [ids.format(k) for k in range(len(roles))], "role": roles}))
    watched = "val" if val else "test" if test else None
    lines = [_round(k, rounds, count, sizes["unlabeled"], watched, offline, truth_known, draw) for k in range(rounds)]
    run.write_rounds([Round.model_validate(line) for line in lines])
    if offline:
        _write_ledger(run, lines, names, ids, draw)
    if finished:
        result = _result(names, sizes, lines, method, seed)
        if test:
            first = int(np.flatnonzero(roles == "test")[0])
            predictions = _predictions(names, sizes["test"], first, ids, draw)
            write_csv(run.predictions, predictions)
            result["test"] = _scores(predictions, names)
        write_json(run.result, result)
    return folder


def _round(
    k: int,
    rounds: int,
    count: int,
    unlabeled: int,
    watched: str | None,
    offline: bool,
    truth_known: bool,
    draw: np.random.Generator,
) -> dict[str, Any]:
    warm, grown = k < 2, 1 - np.exp(-4 * (k + 1) / rounds)
    loss = {"total": 0.0, "sup_logits": 2.2 * (1 - 0.8 * grown), "sup_prototype": 1.4 * (1 - 0.7 * grown)}
    if not warm:
        loss |= {"unsup_logits": 0.9 * (1 - 0.5 * grown), "unsup_prototype": 0.7 * (1 - 0.5 * grown)}
    loss["total"] = sum(loss.values())
    pseudo = None
    if offline and not warm:
        accepted = draw.binomial(unlabeled // count, 0.4 + 0.35 * grown, size=count)
        correct = draw.binomial(accepted, np.clip(draw.normal(0.5 + 0.38 * grown, 0.08, count), 0.05, 1))
        threshold = draw.normal(0.8, 0.12, count) - 0.3 * grown + 0.15 * np.sin(np.arange(count))
        pseudo = {
            "coverage": float(accepted.sum() / unlabeled),
            "precision": float(correct.sum() / accepted.sum()) if truth_known else None,
            "rejected_precision": 0.2 + 0.25 * grown if truth_known else None,
            "all_precision": 0.4 + 0.3 * grown if truth_known else None,
            "accepted": accepted.tolist(),
            "known": (known := accepted - accepted // 3 if truth_known else 0 * accepted).tolist(),
            "correct": np.minimum(correct, known).tolist(),
            "threshold": threshold.tolist(),
        }
    top1 = float(0.15 + 0.55 * grown + draw.normal(0, 0.01))
    return {
        "round": k + 1,
        "warm_up": warm,
        "steps_done": 50 * (k + 1),
        "seconds": {"offline": 0.0 if warm or not offline else 3.1, "online": 41.7, "evaluation": 1.2},
        "learning_rate": 0.002 * (1 + np.cos(np.pi * k / rounds)) / 2,
        "loss": loss,
        "pseudo": pseudo,
        "online": None,
        "watched": {"role": watched, "figures": _figures(top1, top1 - 0.04)} if watched else None,
    }


def _write_ledger(
    run: RunDir, lines: list[dict[str, Any]], names: list[str], ids: str, draw: np.random.Generator
) -> None:
    rows = [
        (line["round"], ids.format(k), names[draw.integers(len(names))], 0.4, 0.5, True, False, 0.9)
        for line in lines
        if line["pseudo"]
        for k in range(20)
    ]
    columns = ["round", "id", "label", "distance", "threshold", "accepted", "given", "confidence"]
    write_csv(run.ledger, pd.DataFrame(rows, columns=columns))


def _predictions(names: list[str], clips: int, first: int, ids: str, draw: np.random.Generator) -> pd.DataFrame:
    count, top = len(names), min(5, len(names))
    truth = np.arange(clips) % count
    logits = draw.normal(0, 1, (clips, count))
    logits[np.arange(clips), truth] += 2.4
    # Neighbors are confused, as movements of one body part are.
    logits[np.arange(clips), (truth + 1) % count] += 0.9
    score = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    order = np.argsort(-score, axis=1)[:, :top]
    table: dict[str, Any] = {
        "id": [ids.format(first + k) for k in range(clips)],
        "truth": [names[k] for k in truth],
    }
    for place in range(top):
        table[f"prediction_{place + 1}"] = [names[k] for k in order[:, place]]
        table[f"score_{place + 1}"] = score[np.arange(clips), order[:, place]].round(6)
    return pd.DataFrame(table)


def _result(
    names: list[str], sizes: dict[str, int], lines: list[dict[str, Any]], method: str, seed: int
) -> dict[str, Any]:
    seconds = {key: sum(line["seconds"][key] for line in lines) for key in ("offline", "online", "evaluation")}
    return {
        "method": method,
        "encoder": "stgcn",
        "seed": seed,
        "labeled_fraction": 0.1,
        "labeled_asked": 0.08,
        "counts": {**sizes, "classes": len(names)},
        "classes": names,
        "labeled_per_class": [6] * len(names),
        "test": None,
        "val": _figures(0.66, 0.62, 0.91 if len(names) > 5 else None) if sizes["val"] else None,
        "unlabeled": None,
        "parameters": 1_234_567,
        "steps": 50 * len(lines),
        "seconds": seconds,
        "versions": {"aplt": "0.1.0", "torch": "2.10.0", "python": "3.11.7"},
        "digests": {"index": "sha256:4b1c", "split": "sha256:99fe"},
    }


def _figures(top1: float, macro_f1: float, top5: float | None = None) -> dict[str, Any]:
    return {"top1": top1, "top5": top5, "macro_f1": macro_f1, "per_class": []}


def _scores(predictions: pd.DataFrame, names: list[str]) -> dict[str, Any]:
    truth, guess = predictions["truth"], predictions["prediction_1"]
    guesses = predictions[[name for name in predictions.columns if name.startswith("prediction_")]]
    per_class = []
    for name in names:
        hits = int(((truth == name) & (guess == name)).sum())
        clips, guessed = int((truth == name).sum()), int((guess == name).sum())
        precision, recall = hits / guessed if guessed else 0.0, hits / clips
        f1 = 2 * hits / (clips + guessed)
        per_class.append({"name": name, "clips": clips, "precision": precision, "recall": recall, "f1": f1})
    return {
        "top1": float((truth == guess).mean()),
        "top5": float(guesses.eq(truth, axis=0).any(axis=1).mean()) if len(names) > 5 else None,
        "macro_f1": float(np.mean([row["f1"] for row in per_class])),
        "per_class": per_class,
    }


def add_bank(folder: Path, labels_wrong: int = 0) -> dict[str, str]:
    """Adds features.npz and held_out.csv to a finished run, and returns the given labels by id.

    Of the labeled clips the first `labels_wrong` are taken for another class than given.
    """
    run = RunDir(folder)
    names, draw = run.read_result().classes, np.random.default_rng(0)
    split = pd.read_csv(run.split)
    ids = [split["id"][split["role"] == role].tolist() for role in ("labeled", "unlabeled")]
    count, k = len(ids[0]) + len(ids[1]), len(names)
    label = np.arange(count) % k
    probability = np.full((count, k), 0.2 / k)
    probability[np.arange(count), label] += np.linspace(0.7, 0.8, count)
    # Loaders may hand clips on in another order than that of their positions.
    order = np.concatenate([draw.permutation(len(ids[0])), len(ids[0]) + draw.permutation(len(ids[1]))])
    feature = np.eye(k)[label] + draw.normal(0, 0.1, (count, k))
    arrays = {"position": np.arange(count), "feature": feature, "probability": probability}
    write_arrays(run.features, {name: array[order] for name, array in arrays.items()})
    table = pd.read_csv(run.predictions)[["id", "truth", "prediction_1", "score_1"]]
    write_csv(run.held_out, table.set_axis(["id", "truth", "label", "score"], axis="columns").assign(of="test"))
    return {id_: names[(label[p] + (p < labels_wrong)) % k] for p, id_ in enumerate(ids[0])}


def edit_json(path: Path, **changes: Any) -> None:
    """Changes keys of a JSON file; of one within another it is written test__top1."""
    content = json.loads(path.read_text())
    for name, value in changes.items():
        *groups, key = name.split("__")
        inner = content
        for group in groups:
            inner = inner[group]
        inner[key] = value
    write_json(path, content)


def edit_last_round(run: RunDir, **changes: Any) -> None:
    """Changes fields of the last round; those that are mappings are merged."""
    *before, last = (line.model_dump() for line in run.read_rounds())
    for name, value in changes.items():
        last[name] = (last[name] or {}) | value if isinstance(value, dict) else value
    run.write_rounds([Round.model_validate(line) for line in (*before, last)])
