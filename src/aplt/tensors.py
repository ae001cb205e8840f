"""The tensors that cross borders between the parts of aplt, the protocols they meet, and the legend of their shapes.

B labeled clips in a step, U unlabeled clips in a step, N clips in the index, M clips in a feature bank,
K classes, D feature size, C channels, T frames, H W pixels, V joints, P persons. Label -1 means unknown.
A clip tensor is video [C, T, H, W] or skeleton [C, T, V, P]; everything after the encoder is the same for both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import torch
from torch import Tensor


class SemiBatch(NamedTuple):
    """One step's views. No field can hold the label of an unlabeled clip."""

    weak_labeled: Tensor  # [B, *clip]
    strong_labeled: Tensor  # [B, *clip]
    y: Tensor  # [B] int64
    labeled_position: Tensor  # [B] int64, rows of the index
    weak: Tensor  # [U, *clip]
    strong: Tensor  # [U, *clip]
    position: Tensor  # [U] int64, rows of the index

    def to(self, device: torch.device) -> "SemiBatch":
        """Returns the batch on `device`, copied without blocking where memory is pinned."""
        return SemiBatch(*(tensor.to(device, non_blocking=True) for tensor in self))


class Prediction(NamedTuple):
    """What a recognizer says of clips: encoder features (not normalized) and the classifier's logits."""

    feature: Tensor  # [B, D]
    logits: Tensor  # [B, K]


class Recognize(Protocol):
    """Clips [B, *clip] -> Prediction: a teacher, or a student's pass without gradient."""

    def __call__(self, clip: Tensor, /) -> Prediction:
        """Returns features and logits."""


class Student(Protocol):
    """What learns. How its passes share batch-norm statistics is one setting, the same for every method."""

    def __call__(self, *views: Tensor) -> list[Prediction]:
        """Returns the prediction of each batch of views, with gradient."""

    def target(self, clip: Tensor, /) -> Prediction:
        """Returns features and logits without gradient: no part of any graph, so that targets cost no backward pass."""


@dataclass(frozen=True)
class Task:
    """The sizes that a method's memory may depend on."""

    num_classes: int
    num_clips: int  # N
    labeled: tuple[int, ...]  # positions of the labeled clips, sorted
    num_unlabeled: int
    feature_size: int  # D
    patch: int  # height and width of the patches of a clip that mixtures consist of: pixels, or 1 joint


@dataclass(frozen=True)
class FeatureBank:
    """What the frozen network sees: one or more views of M clips, and its classifier's belief about each."""

    feature: Tensor  # [M, D] unit rows
    norm: Tensor  # [M] the features' mean length before
    probability: Tensor  # [M, K] the classifier's, averaged over views
    position: Tensor  # [M] int64
    extra_feature: Tensor  # [E, D] unit rows: further augmented views of labeled clips
    extra_position: Tensor  # [E] int64


@dataclass(frozen=True)
class PseudoLabels:
    """What the offline phase holds of every clip of the index; -1, inf, NaN and False where it holds nothing."""

    label: Tensor  # [N] int64
    distance: Tensor  # [N] to the center of `label`
    accepted: Tensor  # [N] bool: within the threshold; always True where given
    given: Tensor  # [N] bool: the label is ground truth
    belief: Tensor  # [N] the offline phase's own probability of `label`
    confidence: Tensor  # [N] the frozen classifier's probability of `label`
    threshold: Tensor  # [K]


@dataclass(frozen=True)
class Guidance:
    """Everything the offline phase hands to the online phase; stands still for a whole round."""

    pseudo: PseudoLabels
    prototype: Tensor  # [K, D] unit rows
    round: int

    def to(self, device: torch.device) -> "Guidance":
        """Returns the guidance with its arrays on `device`."""
        moved = {f.name: getattr(self.pseudo, f.name).to(device) for f in fields(self.pseudo)}
        return replace(self, pseudo=PseudoLabels(**moved), prototype=self.prototype.to(device))

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns the arrays that are stored as one .npz; `from_arrays` is the inverse."""
        stored = {f.name: getattr(self.pseudo, f.name).cpu().numpy() for f in fields(self.pseudo)}
        return stored | {"prototype": self.prototype.cpu().numpy(), "round": np.array(self.round)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "Guidance":
        """Returns the guidance that `arrays` describes."""
        pseudo = PseudoLabels(**{f.name: torch.from_numpy(arrays[f.name]) for f in fields(PseudoLabels)})
        return cls(pseudo, torch.from_numpy(arrays["prototype"]), int(arrays["round"]))


class OnlineLabels(NamedTuple):
    """What a step took for the labels of its unlabeled clips, for the log."""

    label: Tensor  # [U] int64
    weight: Tensor  # [U] how far each counted: 1 accepted, 0 not


@dataclass(frozen=True)
class StepLoss:
    """The loss to descend, and for the log its parts by name (detached) and the labels that were made in the step."""

    total: Tensor
    parts: dict[str, Tensor]
    online: OnlineLabels | None

    @classmethod
    def of(cls, parts: dict[str, Tensor], online: OnlineLabels | None = None) -> "StepLoss":
        """Returns the sum of weighted parts as the total."""
        total = torch.stack(list(parts.values())).sum()
        return cls(total, {name: part.detach() for name, part in parts.items()}, online)


class Algorithm(Protocol):
    """The online half of a method: an nn.Module only so that its memory is registered buffers.

    It does not step, log, schedule, load data or know the epoch. `guidance` is None without an offline
    half and in warm-up rounds; `progress` is the share of training done, 0 to 1. Without `uses_unlabeled` U is 0.
    """

    uses_unlabeled: bool

    def to(self, device: torch.device, /) -> Self:
        """As nn.Module has it."""

    def state_dict(self) -> dict[str, Any]:
        """As nn.Module has it: the method's whole memory."""

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> Any:
        """As nn.Module has it."""

    def loss(
        self, student: Student, teacher: Recognize, batch: SemiBatch, *, guidance: Guidance | None, progress: float
    ) -> StepLoss:
        """Returns the loss of one step. The batch is this process's share of it, of equal size in every process."""


class AlgorithmType(Protocol):
    """What builds an algorithm, its class: from a Task, and its settings as keywords."""

    uses_unlabeled: bool

    def __call__(self, *args: Any, **kwargs: Any) -> Algorithm:
        """Returns the algorithm."""
