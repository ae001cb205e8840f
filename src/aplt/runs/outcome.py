"""What a round and a run leave behind: metrics, predictions, pseudo-labels, the model, result.json."""

import platform
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from aplt.clips import UNKNOWN, Role
from aplt.config import RunConfig
from aplt.display import Bar
from aplt.models.recognizer import save_model
from aplt.rundir import RunDir
from aplt.runs.measure import (
    classification_metrics,
    online_label_metrics,
    prediction_table,
    pseudo_label_metrics,
)
from aplt.runs.reliability import measured_reliability
from aplt.runs.schedule import learning_rate_factor
from aplt.runs.scoring import Scored, score_clips
from aplt.runs.setup import Material, digests
from aplt.runs.state import Clock, TrainState
from aplt.storage import write_csv, write_json
from aplt.tensors import Guidance


def known_labels(material: Material) -> Tensor:
    """Returns the labels [N] of the labeled clips, -1 for all others: all that an offline phase may know."""
    labels = torch.full((len(material.index),), UNKNOWN)
    for position, label in material.data.label_of.items():
        labels[position] = label
    return labels


def round_metrics(
    config: RunConfig,
    material: Material,
    state: TrainState,
    guidance: Guidance | None,
    device: torch.device,
    progress: Bar,
    *,
    warm_up: bool,
) -> dict[str, Any]:
    """Returns one line of metrics.jsonl for the round that ends; hidden labels are read here and go nowhere else."""
    steps, labels = material.steps_per_round, material.index.labels
    watched, role = None, material.watched
    if role is not None:
        figures = _evaluate(material, state, role, device, progress)[1]
        watched = {"role": role, "top1": figures["top1"], "macro_f1": figures["macro_f1"]}
    # Beside val, so that the test accuracy of the round that val would choose can be told; nothing is chosen here.
    test = _evaluate(material, state, "test", device, progress)[1].get("top1") if role == "val" else None
    pseudo = None
    if guidance is not None and material.split.unlabeled:
        on_cpu = guidance.to(torch.device("cpu")).pseudo
        pseudo = pseudo_label_metrics(on_cpu, labels, material.split.unlabeled)
    share = (state.round + 1) / config.train.rounds
    return {
        "round": state.round + 1,
        "warm_up": warm_up,
        "steps_done": (state.round + 1) * steps,
        "learning_rate": config.train.learning_rate * learning_rate_factor(config.train.schedule, share),
        "loss": {name: total / steps for name, total in state.loss_sums.items()},
        "pseudo": pseudo,
        "online": online_label_metrics(state.online.label.cpu().numpy(), state.online.weight.cpu().numpy(), labels),
        "watched": watched,
        "test_beside_val": test,
    }


def describe_round(metrics: dict[str, Any], rounds: int) -> str:
    """Returns a round's figures as one line for the terminal."""
    parts = [f"round {metrics['round']}/{rounds}", f"loss {metrics['loss']['total']:.3f}"]
    if metrics["warm_up"]:
        parts[0] += " (warm-up)"
    if (pseudo := metrics["pseudo"]) is not None:
        right = "" if pseudo["precision"] is None else f", {pseudo['precision']:.1%} of them right"
        parts.append(f"pseudo-labels for {pseudo['coverage']:.1%}{right}")
    if (watched := metrics["watched"]) is not None:
        parts.append(f"{watched['role']} accuracy {watched['top1']:.1%}")
    return "  ".join(parts)


def finish(
    config: RunConfig,
    run: RunDir,
    material: Material,
    state: TrainState,
    guidance: Guidance | None,
    clock: Clock,
    device: torch.device,
    progress: Bar,
) -> None:
    """Writes the model, the predictions and, last, result.json."""
    save_model(state.recognizer, run.model)
    index, split = material.index, material.split
    with clock.phase("evaluation"):
        test, figures = _evaluate(material, state, "test", device, progress)
        val_scored, val = _evaluate(material, state, "val", device, progress)
        unlabeled_scored, unlabeled = _evaluate(material, state, "unlabeled", device, progress)
    truth = [index.class_names[k] if k != UNKNOWN else "" for k in index.labels[test.position]]
    table = pd.DataFrame({"id": [index[p].id for p in test.position], "truth": truth})
    write_csv(run.predictions, pd.concat([table, prediction_table(test.score, index.class_names)], axis=1))
    if split.unlabeled:
        write_pseudo_labels(run, material, state, guidance, unlabeled_scored, held_out=val_scored if val else test)
    labeled = index.labels[list(split.labeled)]
    known = sum(index[p].label != UNKNOWN for p in (*split.labeled, *split.unlabeled))
    result = {
        "method": config.method,
        "encoder": config.encoder,
        "seed": config.train.seed,
        # Of the training clips whose label is known; None where a split file or the default said how many.
        "labeled_fraction": len(split.labeled) / known,
        "labeled_asked": None if config.split_file else config.split.labeled,
        "counts": {
            "labeled": len(split.labeled),
            "unlabeled": len(split.unlabeled),
            "val": len(split.val),
            "test": len(split.test),
            "classes": index.num_classes,
        },
        "classes": list(index.class_names),
        "labeled_per_class": np.bincount(labeled, minlength=index.num_classes).tolist(),
        **{name: figures.get(name) for name in ("top1", "top5", "macro_f1", "per_class")},
        "val": {name: val[name] for name in ("top1", "top5", "macro_f1")} if val else None,
        # Of the unlabeled clips whose label is known, which stayed hidden until here.
        "unlabeled": {name: unlabeled[name] for name in ("top1", "top5", "macro_f1")} if unlabeled else None,
        "parameters": sum(p.numel() for p in state.recognizer.parameters()),
        "steps": config.train.rounds * material.steps_per_round,
        "seconds": {"total": sum(state.seconds.values()), **state.seconds},
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("aplt", "torch", "torchvision", "accelerate")},
        "digests": digests(index, split),
    }
    write_json(run.result, result)


def write_pseudo_labels(
    run: RunDir, material: Material, state: TrainState, guidance: Guidance | None, scored: Scored, held_out: Scored
) -> None:
    """Writes the final model's label for each unlabeled clip, how reliable such a score is, and what it was taught.

    `reliability` is measured on the held-out clips (val, else test) and empty where there are too few of them;
    `offline_label` and `accepted` are the last offline phase's, where there was one; `online_label` and `weight` are
    of the last step that showed the clip, where the method's steps make labels.
    """
    index = material.index
    best = prediction_table(scored.score, index.class_names, best=1).set_axis(["label", "score"], axis="columns")
    reliability = measured_reliability(scored.score, held_out.score, index.labels[held_out.position])
    table = best.assign(reliability=reliability.round(4))
    table.insert(0, "id", [index[p].id for p in scored.position])
    if guidance is not None:
        last = guidance.arrays()
        table["offline_label"] = [index.class_names[k] for k in last["label"][scored.position]]
        table["accepted"] = last["accepted"][scored.position]
    online = state.online.label.cpu().numpy()[scored.position]
    if (online != UNKNOWN).any():
        table["online_label"] = np.array([*index.class_names, ""], dtype=object)[online]
        table["weight"] = state.online.weight.cpu().numpy()[scored.position].round(4)
    write_csv(run.pseudo_labels, table)


def _evaluate(
    material: Material, state: TrainState, role: Role, device: torch.device, progress: Bar
) -> tuple[Scored, dict[str, Any]]:
    """Returns the scores of the clips with this role and, where their labels are known, the figures."""
    positions = material.split.positions(role)
    with progress.part(f"{role} clips", len(positions)) as part:

        def batches() -> Iterator[tuple[Tensor, Tensor]]:
            for batch in material.data.view_batches(positions, "center"):
                yield batch
                part.advance(len(batch[0]))

        scored = score_clips(state.recognizer.eval(), batches(), device)
    return scored, classification_metrics(
        material.index.labels[scored.position], scored.score, material.index.class_names
    )
