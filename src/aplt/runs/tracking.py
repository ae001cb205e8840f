"""What a run tells an experiment tracker, by Accelerate: names and steps as the field has them."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import pandas as pd
from accelerate import Accelerator

from aplt.config import RunConfig
from aplt.errors import InputError
from aplt.figures import MAIN_FIGURES, Figures
from aplt.record import PHASES, Result, Round
from aplt.rundir import RunDir
from aplt.runs.state import TrainState
from aplt.storage import read_json, reason, write_json

IDENTITY: dict[str, Callable[[Any], str]] = {
    "wandb": lambda run: run.id,
    "mlflow": lambda run: run.info.run_id,
    "trackio": lambda run: run.name,
}
"""By what a tracker finds a run again; TensorBoard has the run's own folder."""


class Tracking:
    """A run's tracker while the block runs; of several processes, the main one's. Without a tracker it does nothing.

    A resumed run goes on in the same curves: TensorBoard forgets what was told after the checkpoint, the others are
    told the same again.
    """

    def __init__(
        self, accelerator: Accelerator, config: RunConfig, run: RunDir, state: TrainState, steps_per_round: int
    ) -> None:
        self._accelerator, self._config, self._run = accelerator, config, run
        self._state, self._steps_per_round, self._told = state, steps_per_round, 0

    @property
    def _step(self) -> int:
        return self._state.round * self._steps_per_round + self._state.step

    def __enter__(self) -> Self:
        name, self._told = self._config.train.track, self._step
        if name is not None and self._accelerator.is_main_process:
            known = read_json(self._run.tracker).get("id") if self._run.tracker.exists() else None
            settings = pd.json_normalize(self._config.model_dump(mode="json"), sep=".").iloc[0].to_dict()
            try:
                self._accelerator.init_trackers(
                    "logs" if name == "tensorboard" else "aplt",
                    # TensorBoard would make a run of its own of it, and MLflow does not let it change.
                    settings if name != "tensorboard" and known is None else None,
                    {name: self._options(name, known)},
                )
                if name in IDENTITY:
                    write_json(self._run.tracker, {"id": IDENTITY[name](self._accelerator.trackers[-1].tracker)})
            except Exception as error:  # of a network, an account, a server
                self._finish()
                raise InputError(f"setting 'train.track': {name} cannot be used ({reason(error)})") from error
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._finish()

    def losses(self, sums: Mapping[str, float]) -> None:
        """Tells the means of the loss's parts over the steps since the last time, from their sums."""
        steps, self._told = self._step - self._told, self._step
        means = {f"train/{'loss' if name == 'total' else name}": value / steps for name, value in sums.items()}
        # The last group has the whole rate.
        self._tell(means | {"lr": self._state.optimizer.param_groups[-1]["lr"]})

    def round(self, line: Round) -> None:
        """Tells what a round left."""
        values = {f"seconds/{phase}": getattr(line.seconds, phase) for phase in PHASES} | {"round": line.round}
        for kind, labels in (("pseudo", line.pseudo), ("online", line.online)):
            values |= {f"{kind}/{name}": getattr(labels, name, None) for name in ("coverage", "precision")}
        self._tell(values | (_figures(line.watched.role, line.watched.figures) if line.watched else {}))

    def result(self, result: Result) -> None:
        """Tells the final figures."""
        self._tell(_figures("test", result.test) | _figures("val", result.val))

    def _options(self, name: str, known: str | None) -> dict[str, Any]:
        if name == "tensorboard":
            return {"purge_step": self._step + 1 if self._step else 0}
        if name == "mlflow":
            return {"run_name": self._run.path.name, "run_id": known}
        if name == "wandb":
            return {"name": self._run.path.name, "dir": self._run.path, "id": known, "resume": "allow"}
        return {"name": known or self._run.path.name, "resume": "must" if known else "never"}

    def _tell(self, values: Mapping[str, float | None]) -> None:
        self._accelerator.log({name: value for name, value in values.items() if value is not None}, step=self._step)

    def _finish(self) -> None:
        # Not by `end_training`, which ends the group of processes, too.
        while self._accelerator.trackers:
            self._accelerator.trackers.pop().finish()


def _figures(role: str, figures: Figures | None) -> dict[str, float | None]:
    return {f"{role}/{name}": getattr(figures, name, None) for name in MAIN_FIGURES}
