"""What a round and a run leave behind: their records, predictions, pseudo-labels and the model."""

import platform
from collections.abc import Iterator
from importlib.metadata import version

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from aplt.clips import UNKNOWN, Role
from aplt.config import RunConfig
from aplt.data.bank import banks_of
from aplt.display import Bar, counted
from aplt.errors import InputError
from aplt.figures import Figures
from aplt.models.embedder import ENCODER
from aplt.models.recognizer import save_model
from aplt.parallel import is_main
from aplt.processes import on_main
from aplt.record import Result, Round, Seconds, Watched
from aplt.rundir import RunDir
from aplt.runs.measure import Scored, online_label_figures, prediction_table, pseudo_label_figures, score_clips
from aplt.runs.reliability import held_out_of, reliability_of
from aplt.runs.schedule import learning_rate_factor
from aplt.runs.setup import Material, digests
from aplt.runs.state import Clock, TrainState
from aplt.runs.surroundings import Surroundings
from aplt.storage import link_or_copy, write_arrays, write_csv
from aplt.tensors import Guidance


def known_labels(material: Material) -> Tensor:
    """Returns the labels [N] of the labeled clips, -1 for all others: all that an offline phase may know."""
    labels = torch.full((len(material.index),), UNKNOWN)
    for position, label in material.data.label_of.items():
        labels[position] = label
    return labels


def remark_on_weights(config: RunConfig) -> str:
    """Returns a sentence about a run on videos from random weights, which learns less from few labels; else ""."""
    if config.input.kind != "video" or config.encoder_weights is not None:
        return ""
    other = "--encoder-weights starts an encoder from published ones where `aplt encoders` lists some"
    return f"{config.encoder} starts from random weights; {other}"


def introduce(config: RunConfig, material: Material) -> str:
    """Returns what a run learns from, as one line for the terminal: a share of labels that was not meant shows here."""
    index, counts = material.index, material.counts
    parts = [f"learning {counted(index.num_classes, 'class', 'classes')} from {counts.labeled:,d} labeled"]
    parts[0] += f" and {counted(counts.unlabeled, 'unlabeled clip')}"
    parts += [f"{counted(getattr(counts, role), f'{role} clip')}" for role in ("val", "test") if getattr(counts, role)]
    return f"{', '.join(parts)}; method {config.method}, encoder {config.encoder}"


def describe(line: Round, rounds: int) -> str:
    """Returns a round's figures as one line for the terminal."""
    parts = [f"round {line.round}/{rounds}", f"loss {line.loss['total']:.3f}"]
    if line.warm_up:
        parts[0] += " (warm-up)"
    if line.pseudo is not None:
        right = "" if line.pseudo.precision is None else f", {line.pseudo.precision:.1%} of them right"
        parts.append(f"pseudo-labels for {line.pseudo.coverage:.1%}{right}")
    if line.watched is not None:
        parts.append(f"{line.watched.role} accuracy {line.watched.figures.top1:.1%}")
    return "  ".join(parts)


class Outcome:
    """Measures the state of a run; hidden labels are read here and go nowhere else."""

    def __init__(
        self, config: RunConfig, run: RunDir, material: Material, state: TrainState, device: torch.device
    ) -> None:
        self.config, self.run, self.material, self.state, self.device = config, run, material, state, device

    def of_round(self, guidance: Guidance | None, progress: Bar, *, warm_up: bool) -> Round:
        """Returns the record of the round that ends, without its seconds; of several processes the main one's is it."""
        config, state, steps = self.config.train, self.state, self.material.steps_per_round
        labels, unlabeled, role = self.material.index.labels, self.material.split.unlabeled, self.material.watched
        watched = None
        if role is not None and (figures := self._evaluate(role, progress)[1]) is not None:
            watched = Watched(role=role, figures=figures)
        pseudo = None
        if guidance is not None and unlabeled:
            pseudo = pseudo_label_figures(guidance.to(torch.device("cpu")).pseudo, labels, unlabeled)
        return Round(
            round=state.round + 1,
            warm_up=warm_up,
            steps_done=(state.round + 1) * steps,
            learning_rate=config.learning_rate
            * learning_rate_factor(config.schedule, (state.round + 1) / config.rounds),
            loss={name: total / steps for name, total in state.loss_sums.items()},
            pseudo=pseudo,
            online=online_label_figures(state.online.label.cpu().numpy(), state.online.weight.cpu().numpy(), labels),
            watched=watched,
            seconds=Seconds(),
        )

    def of_run(self, guidance: Guidance | None, clock: Clock, progress: Bar) -> None:
        """Writes the model, the predictions and, last, result.json; all processes share the work that leads there."""
        with clock.phase("evaluation"):
            test, figures = self._evaluate("test", progress)
            val, val_figures = self._evaluate("val", progress)
            unlabeled, unlabeled_figures = self._evaluate("unlabeled", progress, features=True)
            labeled, _ = self._evaluate("labeled", progress, features=True)
        if not is_main():
            return
        save_model(self.state.recognizer, self.run.model)
        for folder in banks_of(self.material.index):
            if (folder / ENCODER).is_file():
                link_or_copy(folder / ENCODER, self.run.model / ENCODER)
        index, split = self.material.index, self.material.split
        truth = [index.class_names[k] if k != UNKNOWN else "" for k in index.labels[test.position]]
        table = pd.DataFrame({"id": [index[p].id for p in test.position], "truth": truth})
        write_csv(self.run.predictions, pd.concat([table, prediction_table(test.score, index.class_names)], axis=1))
        together = {
            "position": np.concatenate([labeled.position, unlabeled.position]).astype(np.int64),
            "feature": np.concatenate([labeled.feature, unlabeled.feature]),
            "probability": np.concatenate([labeled.score, unlabeled.score]).astype(np.float16),
        }
        write_arrays(self.run.features, together)
        held_out, of = (val, "val") if val_figures is not None else (test, "test")
        write_csv(self.run.held_out, self._held_out(held_out).assign(of=of))
        if split.unlabeled:
            self._write_pseudo_labels(guidance, labeled, unlabeled)
        known = sum(index[p].label != UNKNOWN for p in (*split.labeled, *split.unlabeled))
        per_class = np.bincount(index.labels[list(split.labeled)], minlength=index.num_classes)
        packages = ("aplt", "torch", "torchvision", "accelerate")
        self.run.write_result(
            Result(
                method=self.config.method,
                encoder=self.config.encoder,
                seed=self.config.train.seed,
                labeled_fraction=len(split.labeled) / known,
                labeled_asked=None if self.config.split_file else self.config.split.labeled,
                counts=self.material.counts,
                classes=index.class_names,
                labeled_per_class=tuple(per_class.tolist()),
                groups=index.groups,
                test=figures,
                val=val_figures,
                unlabeled=unlabeled_figures,
                parameters=sum(p.numel() for p in self.state.recognizer.parameters()),
                steps=self.config.train.rounds * self.material.steps_per_round,
                seconds=Seconds(**self.state.seconds),
                versions={"python": platform.python_version()} | {name: version(name) for name in packages},
                digests=digests(index, split),
            )
        )

    def _held_out(self, scored: Scored) -> pd.DataFrame:
        """Returns the predictions of the clips whose label is known: id, truth, label, score."""
        index = self.material.index
        truth = index.labels[scored.position]
        known = truth != UNKNOWN
        best = self._best(scored.position[known], scored.score[known])
        best.insert(1, "truth", [index.class_names[k] for k in truth[known]])
        return best

    def _best(self, position: np.ndarray, score: np.ndarray) -> pd.DataFrame:
        """Returns the best class of clips: id, label, score."""
        index = self.material.index
        best = prediction_table(score, index.class_names, best=1).set_axis(["label", "score"], axis="columns")
        best.insert(0, "id", [index[p].id for p in position])
        return best

    def _write_pseudo_labels(self, guidance: Guidance | None, labeled: Scored, scored: Scored) -> None:
        """Writes the final model's label for each unlabeled clip, how reliable such a score is, and what it was taught.

        `reliability` is measured on the held-out clips and empty where there are too few of them; `novelty` says how
        little a clip looks like any class; `offline_label` and `accepted` are the last offline phase's, where there
        was one; `online_label` and `weight` are of the last step that showed the clip, where the method's steps make
        labels.
        """
        index, online = self.material.index, self.state.online
        reliable = reliability_of(scored.score.max(axis=1), held_out_of(self.run))
        table = self._best(scored.position, scored.score).assign(reliability=reliable.value.round(4))
        table["novelty"] = self._novelty(labeled, scored)
        if guidance is not None:
            last = guidance.arrays()
            table["offline_label"] = [index.class_names[k] for k in last["label"][scored.position]]
            table["accepted"] = last["accepted"][scored.position]
        label = online.label.cpu().numpy()[scored.position]
        if (label != UNKNOWN).any():
            table["online_label"] = np.array([*index.class_names, ""], dtype=object)[label]
            table["weight"] = online.weight.cpu().numpy()[scored.position].round(4)
        write_csv(self.run.pseudo_labels, table)

    def _novelty(self, labeled: Scored, scored: Scored) -> np.ndarray:
        """Returns the novelty of `scored`, and leaves in the model's folder what tells it of later clips."""
        feature = torch.from_numpy(np.concatenate([labeled.feature, scored.feature])).float()
        label = torch.from_numpy(self.material.index.labels[labeled.position])
        known = torch.cat([label, torch.full((len(scored.position),), UNKNOWN)])
        surroundings, found = Surroundings.of(feature, known, self.material.index.num_classes)
        surroundings.save(self.run.model)
        return found[len(label) :].round(4)

    def _evaluate(self, role: Role, progress: Bar, *, features: bool = False) -> tuple[Scored, Figures | None]:
        """Returns the scores of the clips with this role and, where their labels are known, the figures.

        Of several processes each scores its share, and the main one has them all.
        """
        index, data, positions = self.material.index, self.material.data, self.material.split.positions(role)
        row = data.own_rows(len(positions))
        with progress.part(f"{role} clips", len(row)) as part:

            def batches() -> Iterator[tuple[Tensor, Tensor]]:
                for batch in data.view_batches(positions, "center"):
                    yield batch
                    part.advance(len(batch[0]))

            own = score_clips(self.state.recognizer.eval(), batches(), self.device, features=features)
        parts = (own.position, own.score, own.feature) if features else (own.position, own.score)
        scored = Scored(*(on_main(torch.from_numpy(p), row, len(positions), self.device).numpy() for p in parts))
        for place in np.flatnonzero(~np.isfinite(scored.score).all(axis=1))[:1]:
            clip = index[int(scored.position[place])]
            raise InputError(
                f"{self.run.path}: the model's scores of clip '{clip.id}' ({clip.path}) are not finite; "
                "train.learning_rate may be too high, or the checkpoint that the run went on from damaged"
            )
        return scored, Figures.of(index.labels[scored.position], scored.score, index.class_names, index.groups)
