"""The tensors that cross borders between the parts of aplt, the protocols of these, and the legend of shapes.

B labeled clips in a step, U unlabeled clips in a step, N clips in the index, M clips in a feature bank,
K classes, D feature size, C channels, T frames, H W pixels, V joints, P persons. Label -1 means unknown.
A clip tensor is video [C, T, H, W], skeleton [C + 1, T, V, P], coordinates and confidence, or features of another
network [1, 1, D, 1]; everything after the encoder is the same for all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import torch
from torch import Tensor

from aplt.clips import UNKNOWN


class SemiBatch(NamedTuple):
    """One step's views. No field can hold the label of an unlabeled clip."""

    weak_labeled: Tensor  # [B, *clip]
    strong_labeled: Tensor  # [B, *clip]
    y: Tensor  # [B] int64
    labeled_position: Tensor  # [B] int64, rows of the index
    weak: Tensor  # [U, *clip]
    strong: Tensor  # [U, *clip]
    position: Tensor  # [U] int64, rows of the index

    def parts(self, count: int) -> list["SemiBatch"]:
        """Returns the batch in so many parts of equal size."""
        return [SemiBatch(*part) for part in zip(*(tensor.tensor_split(count) for tensor in self), strict=True)]


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
    steps: int = 100_000  # that show unlabeled clips; as many as published runs have
    share: tuple[float, ...] = ()  # of each class among the labeled clips, where batches have as many of each


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

    @classmethod
    def of_bank(
        cls,
        bank: FeatureBank,
        num_clips: int,
        *,
        label: Tensor,
        distance: Tensor,
        accepted: Tensor,
        given: Tensor,
        belief: Tensor,
        threshold: Tensor,
        prototype: Tensor,
        round_: int,
    ) -> "Guidance":
        """Returns the guidance on an index of `num_clips` clips, from what is believed of the bank's M clips.

        `label`, `distance`, `accepted`, `given` and `belief` are [M], aligned with the bank; `threshold` is [K],
        `prototype` [K, D].
        """

        def spread(values: Tensor, otherwise: float) -> Tensor:
            whole = torch.full((num_clips,), otherwise, dtype=values.dtype)
            return whole.index_copy_(0, bank.position, values)

        pseudo = PseudoLabels(
            label=spread(label, UNKNOWN),
            distance=spread(distance, torch.inf),
            accepted=spread(accepted, False),
            given=spread(given, False),
            belief=spread(belief, torch.nan),
            confidence=spread(bank.probability.gather(1, label[:, None])[:, 0], torch.nan),
            threshold=threshold,
        )
        return cls(pseudo, prototype, round_)

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


class StepLoss(NamedTuple):
    """What a method adds to a step's loss, and the labels that it made for the log."""

    parts: dict[str, Tensor]
    """By name, each already weighted; the labeled clips' own losses and these are summed and descended."""
    online: OnlineLabels | None = None


@dataclass(frozen=True)
class Step:
    """One step as a method sees it. The labeled clips and one view of the unlabeled ones have passed the student."""

    batch: SemiBatch
    weak_labeled: Prediction
    """With gradient, as are the next two."""
    strong_labeled: Prediction
    unlabeled: Prediction
    """Of the unlabeled clips' view that the method asked for (`Method.view`)."""
    student: Student
    """For further views, and for targets of its own."""
    teacher: Recognize
    """The EMA teacher, without gradient."""
    guidance: Guidance | None
    """What the offline phase believes; None in warm-up rounds and without an offline half."""
    progress: float
    """The share done of the steps that show unlabeled clips, 0 to 1: 0 throughout the warm-up."""


class Algorithm(Protocol):
    """The online half of a method: an nn.Module only so that its memory is registered buffers.

    It does not step, log, schedule, load data or know the epoch.
    """

    def to(self, device: torch.device, /) -> Self:
        """As nn.Module has it."""

    def state_dict(self) -> dict[str, Any]:
        """As nn.Module has it: the method's whole memory."""

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> Any:
        """As nn.Module has it."""

    def loss(self, step: Step, /) -> StepLoss:
        """Returns the method's parts of the loss. The batch is this process's share, of equal size in each process."""


AlgorithmType = Callable[..., Algorithm]
"""Builds an algorithm, as its class does: from a Task, and its settings as keywords with defaults.

A ValueError says that a setting's value does not fit.
"""


class Offline(Protocol):
    """The offline half of a method: the network stands still, and what to believe about every clip is decided.

    It is called once per round, on the main process, with arrays on the CPU.
    """

    @property
    def views(self) -> int:
        """Weak views per clip that the feature bank averages over."""

    @property
    def labeled_views(self) -> int:
        """Strong views of each labeled clip that the bank holds besides."""

    def __call__(
        self, bank: FeatureBank, label: Tensor, num_classes: int, *, round_: int, previous: Guidance | None
    ) -> Guidance:
        """Returns the guidance of a round; a pure function of its arguments.

        Args:
            bank: What the frozen network makes of every training clip.
            label: [N], the labels of the labeled clips and -1 for all others.
            num_classes: K.
            round_: The round's number, from 0.
            previous: The guidance of the round before; None in the first round that has one.
        """


OfflineType = Callable[..., Offline]
"""Builds an offline half, as its class does: from its settings as keywords with defaults."""


class FitHead(Protocol):
    """Fits a linear classifier on the frozen features of all training clips, in place of the trained one."""

    def __call__(self, bank: FeatureBank, label: Tensor, num_classes: int) -> tuple[Tensor, Tensor]:
        """Returns weight [K, D] and bias [K]; `label` [N] is -1 for unlabeled clips."""
