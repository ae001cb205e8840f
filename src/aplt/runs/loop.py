"""The loop: offline and online phases in turn. A baseline is the same loop without an offline phase.

Batches, views and the random numbers inside a step are pure functions of (seed, round, step), so a run that was
killed anywhere and resumed ends with the same weights as one that was not.
"""

import time
import warnings
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor

from aplt.config import RunConfig
from aplt.display import Bar, bar, counted
from aplt.errors import InputError
from aplt.methods.catalog import find_method
from aplt.methods.step import take_step
from aplt.offline.bank import build_bank
from aplt.parallel import has_computed
from aplt.processes import gather
from aplt.record import Result, Seconds
from aplt.rundir import RunDir
from aplt.runs.ledger import append_to_ledger, kept_guidance, rewrite_ledger
from aplt.runs.outcome import Outcome, describe, introduce, known_labels, remark_on_weights
from aplt.runs.schedule import learning_rate_factor, unlabeled_progress
from aplt.runs.setup import Material, all_threads, build_offline, build_state
from aplt.runs.state import Clock, load_checkpoint, save_checkpoint
from aplt.runs.student import PolicyStudent, share_buffers
from aplt.runs.tracking import Tracking
from aplt.runs.tuning import frozen_modules
from aplt.storage import write_arrays
from aplt.tensors import FeatureBank, FitHead, Guidance, Offline

HEAD_VIEWS = 2  # weak views that the features of a fitted classifier are averaged over
LARGE_LOSS = 1000.0  # a guess among a million classes has 14 in each part of it
CHECK_EVERY = 20  # steps between looks at the loss, which make an accelerator wait


class Trainer:
    """One run under way: its state, and the two phases that change it."""

    def __init__(
        self, config: RunConfig, run: RunDir, material: Material, accelerator: Accelerator, *, begun: bool = False
    ) -> None:
        self.config, self.run, self.material = config, run, material
        self.accelerator, self.device = accelerator, accelerator.device
        self.method = find_method(config.method)
        self.offline = build_offline(config)
        self.state = build_state(config, material, self.device, begun=begun)
        with warnings.catch_warnings():  # Accelerate has only the older of two names
            warnings.filterwarnings("ignore", "`broadcast_buffers` is deprecated", FutureWarning)
            model, self.optimizer = self.accelerator.prepare(self.state.student, self.state.optimizer)
        frozen = frozen_modules(self.state.student.encoder, config.train.frozen_blocks)
        self.student = PolicyStudent(self.state.student, model, config.train.batch_norm, frozen)
        self.outcome = Outcome(config, run, material, self.state, self.device)
        self.labels = known_labels(material)
        self.guidance: Guidance | None = None
        self.clock = Clock(self.state)
        self.saved_at = time.monotonic()

    def train(self) -> Result:
        """Goes on from the last checkpoint, or begins; returns the final figures."""
        state, rounds = self.state, self.config.train.rounds
        has_computed()
        self._restore()
        with (
            bar("training", rounds * self.material.steps_per_round) as progress,
            Tracking(self.accelerator, self.config, self.run, state, self.material.steps_per_round) as self.tracking,
        ):
            done = state.round * self.material.steps_per_round + state.step
            if self.accelerator.is_main_process:
                line = introduce(self.config, self.material)
                progress.line(f"going on after round {state.round} step {state.step}: {line}" if done else line)
                if not done and (remark := remark_on_weights(self.config)):
                    progress.line(remark)
            progress.advance(done)
            while state.round < rounds:
                warm_up = state.round < self.config.train.warm_up_rounds
                if self.offline is not None and not warm_up:
                    # Offline: the network stands still. Look at every clip once and decide what to believe.
                    self.guidance = self._offline(self.offline, progress)
                # Online: the beliefs stand still. The network learns.
                self._online(progress, unlabeled=not warm_up)
                self._end_round(progress, warm_up=warm_up)
            if self.method.fit_head is not None:
                with self.clock.phase("offline"):
                    self._fit_head(self.method.fit_head, progress)
            progress.text("evaluation")
            with self.accelerator.autocast():
                self.outcome.of_run(self.guidance, self.clock, progress)
            if self.accelerator.is_main_process:
                self.tracking.result(self.run.read_result())
            self.accelerator.wait_for_everyone()
        return self.run.read_result()

    def _offline(self, offline: Offline, progress: Bar) -> Guidance:
        """Returns the round's guidance on the models' device, made now or before the run was interrupted."""
        guidance = self.guidance
        if guidance is None or not self.state.guided:
            progress.text(f"round {self.state.round + 1}: offline")
            with self.clock.phase("offline"):
                guidance = self._believe(offline, progress).to(self.device)
            # At once, whatever checkpoint_minutes says: a pass over all clips is expensive.
            self.state.guided = True
            self._save()
        for model in (self.state.student, self.state.recognizer):
            model.prototype.copy_(guidance.prototype)
        return guidance

    def _believe(self, offline: Offline, progress: Bar) -> Guidance:
        """Returns the round's guidance, decided by the main process, kept in its run folder and told to all others."""
        told: list[dict[str, np.ndarray]] = [{}]
        bank = self._bank(offline.views, offline.labeled_views, progress)
        if self.accelerator.is_main_process:
            previous = None if self.guidance is None else self.guidance.to(torch.device("cpu"))
            classes = self.material.index.num_classes
            with all_threads():
                guidance = offline(bank, self.labels, classes, round_=self.state.round, previous=previous)
            told = [guidance.arrays()]
            write_arrays(self.run.guidance(guidance.round), told[0])
        broadcast_object_list(told)
        return Guidance.from_arrays(told[0])

    def _bank(self, views: int, labeled_views: int, progress: Bar) -> FeatureBank:
        """Returns the bank of all training clips, on the main process.

        Raises:
            InputError: a clip's feature is not a number; names the clip.
        """
        with self.accelerator.autocast(), progress.part("views of clips") as part:
            bank = build_bank(
                self.state.recognizer,
                self.material.data,
                round_=self.state.round,
                views=views,
                labeled_views=labeled_views,
                device=self.device,
                progress=part.at,
            )
        whole = bank.feature.isfinite().all(dim=1) & bank.norm.isfinite()
        if not whole.all():
            clip = self.material.index[int(bank.position[~whole][0])]
            count = counted(int((~whole).sum()), "clip")
            raise InputError(
                f"clip '{clip.id}' ({clip.path}): its feature is not finite ({count} in all); its values may be far "
                "from all others' (see aplt check), or train.learning_rate too high"
            )
        return bank

    def _fit_head(self, fit: FitHead, progress: Bar) -> None:
        """Replaces the teacher's classifier by one that is fitted on the frozen features of all training clips."""
        progress.text("classifier")
        bank = self._bank(HEAD_VIEWS, 0, progress)
        head: list[Any] = [None]
        if self.accelerator.is_main_process:
            with all_threads():
                head = [fit(bank, self.labels, self.material.index.num_classes)]
        broadcast_object_list(head)
        classifier = self.state.recognizer.classifier
        classifier.weight.copy_(head[0][0])
        classifier.bias.copy_(head[0][1])

    def _online(self, progress: Bar, *, unlabeled: bool) -> None:
        state, settings, steps = self.state, self.config.train, self.material.steps_per_round
        progress.text(f"round {state.round + 1}: online")
        batches = self.material.data.semi_batches(
            steps, state.round, start=state.step, unlabeled=unlabeled and state.algorithm is not None
        )
        sums: dict[str, Tensor] = {}
        if state.step == 0:  # not when a round ends: the last one's labels are kept
            state.online.clear()
        self.student.train()
        with self.clock.phase("online"):
            for local in batches:
                done = (state.round * steps + state.step) / (settings.rounds * steps)
                for group in self.optimizer.param_groups:
                    group["lr"] = (
                        settings.learning_rate * learning_rate_factor(settings.schedule, done) * group["share"]
                    )
                _seed(_step_seed(settings.seed, state.round, state.step), self.device)
                self.optimizer.zero_grad()
                parts = local.parts(settings.accumulate)
                for number, batch in enumerate(parts, start=1):
                    # Processes tell each other their gradients once a step.
                    alone = self.accelerator.no_sync(self.student.wrapped) if number < len(parts) else nullcontext()
                    with alone:
                        with self.accelerator.autocast():
                            loss = take_step(
                                self.method,
                                state.algorithm,
                                self.student,
                                state.teacher,
                                batch,
                                guidance=self.guidance,
                                progress=unlabeled_progress(done, settings.warm_up_rounds / settings.rounds),
                                weak_weight=settings.weak_weight,
                                strong_weight=settings.strong_weight,
                                label_smoothing=settings.label_smoothing,
                            )
                        self.accelerator.backward(loss.total / len(parts))
                    if loss.online is not None:
                        state.online.see(gather(batch.position), gather(loss.online.label), gather(loss.online.weight))
                    for name, value in {"total": loss.total.detach(), **loss.parts}.items():
                        sums[name] = sums.get(name, torch.zeros_like(value)) + value / len(parts)
                if settings.clip_gradient is not None:
                    self.accelerator.clip_grad_norm_(state.student.parameters(), settings.clip_gradient)
                self.optimizer.step()
                state.teacher.update_parameters(state.student)
                state.step += 1
                progress.advance()
                due = time.monotonic() - self.saved_at > 60 * settings.checkpoint_minutes and state.step < steps
                # Processes settle together, and have clocks of their own.
                alone_and_due = due and self.accelerator.num_processes == 1
                if state.step % CHECK_EVERY == 0 or state.step == steps or alone_and_due:
                    self._settle(sums)
                    if due:
                        self._save()

    def _end_round(self, progress: Bar, *, warm_up: bool) -> None:
        state = self.state
        for model in (state.student, state.recognizer):
            share_buffers(model)
        self._look(progress, warm_up=warm_up)
        state.next_round()
        self._save()

    def _look(self, progress: Bar, *, warm_up: bool) -> None:
        """Measures the round that ends and writes what it leaves."""
        state, guidance = self.state, self.guidance
        progress.text(f"round {state.round + 1}: evaluation")
        with self.clock.phase("evaluation"), self.accelerator.autocast():
            line = self.outcome.of_round(guidance, progress, warm_up=warm_up)
        if not self.accelerator.is_main_process:
            return
        line = line.model_copy(update={"seconds": Seconds(**state.round_seconds)})
        self.run.write_rounds([*self.run.read_rounds()[: state.round], line])
        self.tracking.round(line)
        if guidance is not None:
            append_to_ledger(self.run, self.material.index, guidance)
        progress.line(describe(line, self.config.train.rounds))
        if line.loss["total"] > LARGE_LOSS:
            progress.line("the loss is far beyond that of a guess: the network unlearns; lower train.learning_rate")

    def _settle(self, sums: dict[str, Tensor]) -> None:
        """Moves the parts of the loss so far into the state."""
        told = {name: gather(value.reshape(1)).mean().item() for name, value in sums.items()}  # over the processes
        for name, value in told.items():
            self.state.loss_sums[name] = self.state.loss_sums.get(name, 0.0) + value
        sums.clear()
        if not np.isfinite(self.state.loss_sums["total"]):
            raise InputError(
                f"{self.run.path}: the loss is not finite by round {self.state.round + 1} step {self.state.step}; "
                "lower train.learning_rate"
            )
        if told:
            self.tracking.losses(told)

    def _save(self) -> None:
        self.saved_at = time.monotonic()
        if not self.accelerator.is_main_process:
            return
        self.clock.count()
        scaler = self.accelerator.scaler
        save_checkpoint(self.run.checkpoint, self.state, scaler.state_dict() if scaler else None)

    def _restore(self) -> None:
        if not self.run.checkpoint.exists():
            return
        state = self.state
        scaler = load_checkpoint(self.run.checkpoint, state)
        if scaler and self.accelerator.scaler:
            self.accelerator.scaler.load_state_dict(scaler)
        known = len(self.run.read_rounds())
        if known < state.round:
            raise InputError(
                f"{self.run.metrics}: expected a line for each of {counted(state.round, 'round')}, found {known}"
            )
        if self.offline is not None:
            prototypes = state.recognizer.prototype.shape
            guided = range(self.config.train.warm_up_rounds, state.round)
            last = state.round if state.guided else state.round - 1
            if last >= self.config.train.warm_up_rounds:
                self.guidance = kept_guidance(self.run, last, self.material, prototypes).to(self.device)
            if self.accelerator.is_main_process:
                rewrite_ledger(self.run, self.material, guided, prototypes)


def _step_seed(seed: int, round_: int, step: int) -> int:
    """Returns a seed for what is random inside a step, such as dropout."""
    return int(np.random.SeedSequence([seed, round_, step]).generate_state(1)[0])


def _seed(seed: int, device: torch.device) -> None:
    """Seeds what draws on the CPU and on a device, and unlike `torch.manual_seed` on no other, which takes longer."""
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)
