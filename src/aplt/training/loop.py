"""The loop: offline and online phases in turn. A baseline is the same loop without an offline phase.

Batches, views and the random numbers inside a step are pure functions of (seed, round, step), so a run that was
killed anywhere and resumed ends with the same weights as one that was not.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from aplt.config import RunConfig, load_yaml, validate
from aplt.data.splits import save_split
from aplt.display import Bar, bar
from aplt.errors import InputError
from aplt.offline.bank import build_bank
from aplt.offline.phase import believe
from aplt.rundir import RunDir, read_arrays, write_arrays, write_text
from aplt.training.outcome import describe_round, finish, known_labels, round_metrics, write_ledger
from aplt.training.schedule import learning_rate_factor
from aplt.training.setup import Material, build_state, prepare_material
from aplt.training.state import load_checkpoint, save_checkpoint
from aplt.training.student import PolicyStudent
from aplt.values import Guidance

CHECK_EVERY = 20  # steps between looks at the loss, which make an accelerator wait


def train(config: RunConfig, run: RunDir) -> dict[str, Any]:
    """Trains a new run in an empty or missing folder and returns its result.json.

    Raises:
        InputError: the folder holds a run already, or the clips, split or settings are not usable.
    """
    if run.config.exists():
        raise InputError(f"{run.path} holds a run already; continue it with --resume or choose another --name")
    trainer = Trainer(config, run, prepare_material(config))
    save_split(run.split, trainer.material.index, trainer.material.split)
    # Last: its presence says that the run can be resumed.
    write_text(run.config, config.to_yaml())
    return trainer.train()


def resume(run: RunDir) -> dict[str, Any]:
    """Continues an interrupted run from its last checkpoint and returns its result.json; a finished one is only read.

    Raises:
        InputError: no run in this folder, or its clips or settings have changed.
    """
    settings = load_yaml(run.require(lambda r: r.config, "--resume takes the folder of a run"))
    if run.result.exists():
        return run.read_result()
    # The split as it was drawn, not drawn again: an index that has changed since is noticed.
    settings["split_file"] = str(run.require(lambda r: r.split, "the run cannot be resumed without it"))
    config = validate(settings, str(run.config))
    run.sweep()
    return Trainer(config, run, prepare_material(config)).train()


def train_or_reuse(config: RunConfig, run: RunDir) -> dict[str, Any]:
    """Returns the result of a run with this very config: as found, continued, or trained anew over another's."""
    if run.config.exists() and run.config.read_text(encoding="utf-8") == config.to_yaml():
        return resume(run)
    if run.config.exists():
        shutil.rmtree(run.path)
    return train(config, run)


class Trainer:
    """One run under way: its state, and the two phases that change it."""

    def __init__(self, config: RunConfig, run: RunDir, material: Material) -> None:
        self.config, self.run, self.material = config, run, material
        self.accelerator = Accelerator(mixed_precision=config.train.precision)
        self.device = self.accelerator.device
        self.state = build_state(config, material, self.device)
        model, self.optimizer = self.accelerator.prepare(self.state.student, self.state.optimizer)
        self.student = PolicyStudent(self.state.student, model, config.train.batch_norm)
        self.labels = known_labels(material)
        self.saved_at = time.monotonic()

    def train(self) -> dict[str, Any]:
        """Goes on from the last checkpoint, or begins; returns result.json."""
        state, rounds = self.state, self.config.train.rounds
        self._restore()
        with bar("training", rounds * self.material.steps_per_round) as progress:
            progress.advance(state.round * self.material.steps_per_round + state.step)
            while state.round < rounds:
                warm_up = state.round < self.config.train.warm_up_rounds
                guidance = None
                if self.config.offline is not None and not warm_up:
                    # Offline: the network stands still. Look at every clip once and decide what to believe.
                    guidance = self._guidance(progress)
                # Online: the beliefs stand still. The network learns.
                self._online(guidance, progress, unlabeled=not warm_up)
                self._end_round(guidance, progress, warm_up=warm_up)
        return finish(self.config, self.run, self.material, state, self.device)

    def _guidance(self, progress: Bar) -> Guidance:
        """Returns the round's guidance: of this offline phase, or as kept where a resumed round is already online."""
        number, settings = self.state.round, self.config.offline
        assert settings is not None
        kept = self.run.guidance(number)
        if self.state.step and kept.exists():
            return self._equip(Guidance.from_arrays(read_arrays(kept)))
        with self._clock("offline"):
            progress.text(f"round {number + 1}: offline")
            bank = build_bank(
                self.state.recognizer,
                self.material.data,
                round_=number,
                views=settings.views,
                labeled_views=settings.labeled_views if settings.source == "clustering" else 0,
                device=self.device,
            )
            last = self.run.guidance(number - 1)
            previous = Guidance.from_arrays(read_arrays(last)) if last.exists() else None
            num_classes = self.material.index.num_classes
            guidance = believe(bank, self.labels, num_classes, settings, round_=number, previous=previous)
            write_arrays(kept, guidance.arrays())
        return self._equip(guidance)

    def _equip(self, guidance: Guidance) -> Guidance:
        """Gives the models their prototypes for this round; returns the guidance on the models' device."""
        moved = guidance.to(self.device)
        for model in (self.state.student, self.state.recognizer):
            model.prototype.copy_(moved.prototype)
        return moved

    def _online(self, guidance: Guidance | None, progress: Bar, *, unlabeled: bool) -> None:
        state, settings, steps = self.state, self.config.train, self.material.steps_per_round
        progress.text(f"round {state.round + 1}: online")
        batches = self.material.data.semi_batches(
            steps, state.round, start=state.step, unlabeled=unlabeled and state.algorithm.uses_unlabeled
        )
        sums: dict[str, Tensor] = {}
        self.student.train()
        with self._clock("online"):
            for batch in batches:
                done = (state.round * steps + state.step) / (settings.rounds * steps)
                for group in self.optimizer.param_groups:
                    group["lr"] = settings.learning_rate * learning_rate_factor(settings.schedule, done)
                torch.manual_seed(_step_seed(settings.seed, state.round, state.step))
                with self.accelerator.autocast():
                    loss = state.algorithm.loss(
                        self.student, state.teacher, batch.to(self.device), guidance=guidance, progress=done
                    )
                self.optimizer.zero_grad()
                self.accelerator.backward(loss.total)
                if settings.clip_gradient is not None:
                    self.accelerator.clip_grad_norm_(state.student.parameters(), settings.clip_gradient)
                self.optimizer.step()
                state.teacher.update_parameters(state.student)
                for name, part in {"total": loss.total.detach(), **loss.parts}.items():
                    sums[name] = sums.get(name, torch.zeros_like(part)) + part
                state.step += 1
                progress.advance()
                if state.step % CHECK_EVERY == 0 or state.step == steps:
                    self._settle(sums)
                if time.monotonic() - self.saved_at > 60 * settings.checkpoint_minutes and state.step < steps:
                    self._settle(sums)
                    self._save()

    def _end_round(self, guidance: Guidance | None, progress: Bar, *, warm_up: bool) -> None:
        state = self.state
        progress.text(f"round {state.round + 1}: evaluation")
        with self._clock("evaluation"):
            metrics = round_metrics(self.config, self.material, state, guidance, self.device, warm_up=warm_up)
        metrics["seconds"] = state.round_seconds
        self.run.write_metrics([*self.run.read_metrics()[: state.round], metrics])
        write_ledger(self.run, self.material, rounds=state.round + 1)
        progress.line(describe_round(metrics, self.config.train.rounds))
        state.round, state.step, state.loss_sums, state.round_seconds = state.round + 1, 0, {}, {}
        self._save()

    def _settle(self, sums: dict[str, Tensor]) -> None:
        """Moves the parts of the loss so far into the state.

        Raises:
            InputError: the loss is no longer a number.
        """
        for name, value in sums.items():
            self.state.loss_sums[name] = self.state.loss_sums.get(name, 0.0) + value.item()
        sums.clear()
        if not np.isfinite(self.state.loss_sums["total"]):
            raise InputError(
                f"{self.run.path}: the loss is not finite by round {self.state.round + 1} step {self.state.step}; "
                "lower train.learning_rate"
            )

    def _save(self) -> None:
        scaler = self.accelerator.scaler
        save_checkpoint(self.run.checkpoint, self.state, scaler.state_dict() if scaler else None)
        self.saved_at = time.monotonic()

    def _restore(self) -> None:
        if self.run.checkpoint.exists():
            scaler = load_checkpoint(self.run.checkpoint, self.state)
            if scaler and self.accelerator.scaler:
                self.accelerator.scaler.load_state_dict(scaler)

    @contextmanager
    def _clock(self, phase: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        took = time.monotonic() - started
        self.state.round_seconds[phase] = self.state.round_seconds.get(phase, 0.0) + took
        self.state.seconds[phase] += took


def _step_seed(seed: int, round_: int, step: int) -> int:
    """Returns a seed for what is random inside a step, such as dropout."""
    return int(np.random.SeedSequence([seed, round_, step]).generate_state(1)[0])
