"""Everything a run must remember to go on, and its checkpoint: one safetensors file, replaced atomically."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, cast

import torch
from pydantic import Field, NonNegativeInt
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import PARAM_LIST, AveragedModel, get_ema_multi_avg_fn

from aplt.clips import UNKNOWN
from aplt.errors import InputError
from aplt.models.recognizer import Recognizer
from aplt.record import PHASES
from aplt.runs.schedule import teacher_decay
from aplt.settings import Settings, validated
from aplt.storage import atomic, reason
from aplt.tensors import Algorithm


class OnlineLog(nn.Module):
    """The last label that the steps of a round made for each clip, and how far it counted."""

    label: Tensor  # [N] int64, -1 where none was made
    weight: Tensor  # [N]

    def __init__(self, num_clips: int) -> None:
        super().__init__()
        self.register_buffer("label", torch.full((num_clips,), UNKNOWN))
        self.register_buffer("weight", torch.zeros(num_clips))

    def see(self, position: Tensor, label: Tensor, weight: Tensor) -> None:
        """Takes down a step's labels of the clips at `position` [U]; of a clip that stands there twice, the later."""
        rows = torch.arange(len(position), device=position.device)
        last = torch.where(position[:, None] == position, rows, -1).amax(dim=1)
        self.label[position] = label[last]
        self.weight[position] = weight[last]

    def clear(self) -> None:
        """Begins a new round."""
        self.label.fill_(UNKNOWN)
        self.weight.zero_()


def make_teacher(student: Recognizer, highest: float | None) -> AveragedModel:
    """Returns the EMA teacher of the student, with its batch-norm statistics; see `teacher_decay`."""

    def take_in(teachers: PARAM_LIST, students: PARAM_LIST, count: Tensor | int) -> None:
        # Their count lies on their device, which would have to be waited for.
        decay = teacher_decay(int(teacher.n_averaged), highest)
        get_ema_multi_avg_fn(decay)(teachers, students, count)

    teacher = AveragedModel(student, multi_avg_fn=take_in, use_buffers=True).eval()
    return teacher


@dataclass
class TrainState:
    """Where a run stands: `round` and `step` are the next to do; sums are those of the round under way.

    `guided` says that the offline phase of the round under way is done and its guidance lies in the run folder.
    """

    student: Recognizer
    teacher: AveragedModel
    algorithm: Algorithm | None
    """The online half of the method, with its memory; None where it has none."""
    optimizer: Optimizer
    online: OnlineLog
    round: int = 0
    step: int = 0
    guided: bool = False
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    round_seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    loss_sums: dict[str, float] = field(default_factory=dict)

    @property
    def recognizer(self) -> Recognizer:
        """The EMA teacher, which is the model that is evaluated and kept."""
        return cast(Recognizer, self.teacher.module)

    def next_round(self) -> None:
        """Moves on to the start of the next round."""
        self.round, self.step, self.guided = self.round + 1, 0, False
        self.round_seconds, self.loss_sums = dict.fromkeys(PHASES, 0.0), {}


class Clock:
    """Adds the time spent in each phase to the state."""

    def __init__(self, state: TrainState) -> None:
        self._state = state
        self._phase: str | None = None
        self._since = 0.0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Counts the block's time as that of the phase `name`."""
        self._phase, self._since = name, time.monotonic()
        yield
        self.count()
        self._phase = None

    def count(self) -> None:
        """Brings the state up to date within a phase: before each checkpoint."""
        if self._phase is not None:
            now = time.monotonic()
            for seconds in (self._state.seconds, self._state.round_seconds):
                seconds[self._phase] += now - self._since
            self._since = now


Time = Annotated[float, Field(ge=0)]


class Times(Settings):
    """Seconds by phase."""

    offline: Time
    online: Time
    evaluation: Time


class Plain(Settings):
    """What a checkpoint holds besides tensors."""

    round: NonNegativeInt
    step: NonNegativeInt
    guided: bool
    seconds: Times
    round_seconds: Times
    loss_sums: dict[str, float]
    scaler: dict[str, Any] | None


PLAIN = tuple(name for name in Plain.model_fields if name != "scaler")


def save_checkpoint(path: Path, state: TrainState, scaler: dict[str, Any] | None) -> None:
    """Writes the state; a kill at any moment leaves the previous checkpoint or this one."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in _tensors(state)}
    plain = {name: getattr(state, name) for name in PLAIN} | {"scaler": scaler}
    with atomic(path) as stream:
        stream.write(save(tensors, metadata={"plain": json.dumps(plain)}))


def load_checkpoint(path: Path, state: TrainState) -> dict[str, Any] | None:
    """Puts the saved state into `state`, which was built from the same config; returns the scaler's."""
    try:
        with safe_open(path, framework="pt") as stored:
            plain = validated(Plain, json.loads(stored.metadata()["plain"]), "its state").model_dump()
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - not a mapping
        for prefix, module in _modules(state):
            module.load_state_dict(_under(prefix, tensors))
        _load_optimizer(state.optimizer, _under("optimizer.", tensors))
        for name in PLAIN:
            setattr(state, name, plain[name])
        made = state.online.label
        if ((made < UNKNOWN) | (made >= len(state.recognizer.class_names))).any():
            raise ValueError("a label of online.label is of no class")
    except (SafetensorError, LookupError, TypeError, ValueError, RuntimeError, OSError) as error:
        raise InputError(
            f"{path}: not a checkpoint of this run's config ({reason(error)}); without it the run begins from the start"
        ) from error
    scaler: dict[str, Any] | None = plain["scaler"]
    return scaler


def _modules(state: TrainState) -> list[tuple[str, nn.Module | Algorithm]]:
    names = ("student", "teacher", "online", "algorithm")
    return [(f"{name}.", module) for name in names if (module := getattr(state, name)) is not None]


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _tensors(state: TrainState) -> Iterator[tuple[str, Tensor]]:
    for prefix, module in _modules(state):
        for name, tensor in module.state_dict().items():
            yield prefix + name, tensor
    for number, moments in state.optimizer.state_dict()["state"].items():
        for name, value in moments.items():
            yield f"optimizer.{number}.{name}", torch.as_tensor(value)


def _load_optimizer(optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    """Restores the moments; learning rates are set at every step, so groups need nothing."""
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, _, key = name.partition(".")
        moments.setdefault(int(number), {})[key] = tensor
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    for place, found in moments.items():
        shapes = {tensor.shape for tensor in found.values() if tensor.ndim}
        if found.keys() != moments[min(moments)].keys() or shapes - {weights[place].shape}:
            raise ValueError(f"the moments of weight {place} are not whole")
        # As its weight lies in memory, such as channels last: fused kernels go through all side by side.
        for key, tensor in found.items():
            found[key] = torch.empty_like(weights[place]).copy_(tensor) if tensor.ndim else tensor
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
