"""A tiny stage for the online half of methods: recognizers of one matrix product, a task, batches and guidance.

The index has 30 clips. Eight are labeled (the odd positions up to 15), two of each class; the others are unlabeled.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from aplt.methods.catalog import METHODS
from aplt.methods.method import Method
from aplt.methods.step import Descent, take_step
from aplt.tensors import Algorithm, Guidance, OnlineLabels, Prediction, PseudoLabels, Recognize, SemiBatch, Task

K, D = 4, 6
SHAPE = (2, 4, 3, 1)  # a skeleton clip: channels, frames, joints, persons
NUMBERS = 24
NUM_CLIPS, LABELED = 30, (1, 3, 5, 7, 9, 11, 13, 15)
UNLABELED = tuple(p for p in range(NUM_CLIPS) if p not in LABELED)
Make = Callable[..., Algorithm]  # of a Task and settings


class Toy(nn.Module):
    """A linear recognizer: confident (above 0.95) of about two thirds of random clips. It keeps what it saw."""

    def __init__(self, seed: int, classes: int = K) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.encoder = nn.Parameter(torch.randn(NUMBERS, D, generator=generator) / NUMBERS**0.5)
        self.classifier = nn.Parameter(torch.randn(D, classes, generator=generator) * 4)
        self.saw: list[Tensor] = []

    def forward(self, clip: Tensor) -> Prediction:
        self.saw.append(clip)
        feature = clip.flatten(1) @ self.encoder
        return Prediction(feature, feature @ self.classifier)


def plain_toy(scale: float = 6.0, classes: int = K) -> Toy:
    """Returns a recognizer whose feature is a clip's first D numbers, its logits `scale` times the first K."""
    toy = Toy(0, classes)
    with torch.no_grad():
        toy.encoder.copy_(torch.eye(NUMBERS, D))
        toy.classifier.copy_(scale * torch.eye(D, classes))
    return toy


class ToyStudent:
    """A recognizer as a student, without any batch statistics. `target_saw` keeps the clips it made targets of."""

    def __init__(self, model: Toy) -> None:
        self.model = model
        self.target_saw: list[Tensor] = []

    def __call__(self, *views: Tensor) -> list[Prediction]:
        return [self.model(view) for view in views]

    @torch.no_grad()
    def target(self, clip: Tensor) -> Prediction:
        self.target_saw.append(clip)
        prediction: Prediction = self.model(clip)
        return prediction


def make_task(classes: int = K, shift: int = 0) -> Task:
    """Returns the stage's task; with `shift`, that many clips without a part in it stand before all others."""
    return Task(classes, NUM_CLIPS + shift, tuple(p + shift for p in LABELED), len(UNLABELED), D, 1)


def label_of(position: Tensor, classes: int = K) -> Tensor:
    return position // 2 % classes


def make_batch(
    seed: int, labeled: int = 4, unlabeled: int = 6, *, classes: int = K, repeats: bool = False
) -> SemiBatch:
    """Returns random views of random clips; with `repeats`, of half as many clips, each of which stands in it twice."""
    generator = torch.Generator().manual_seed(seed)

    def draw(positions: tuple[int, ...], count: int) -> Tensor:
        drawn = torch.tensor(positions)[torch.randperm(len(positions), generator=generator)]
        return drawn[: count // 2].repeat(2) if repeats else drawn[:count]

    def views(count: int) -> Tensor:
        return torch.randn(count, *SHAPE, generator=generator)

    labeled_position, position = draw(LABELED, labeled), draw(UNLABELED, unlabeled)
    y = label_of(labeled_position, classes)
    return SemiBatch(views(labeled), views(labeled), y, labeled_position, views(unlabeled), views(unlabeled), position)


def clips_of(feature: Tensor) -> Tensor:
    """Returns clips [n, *SHAPE] whose features [n, D] these are, for `plain_toy`."""
    return functional.pad(feature, (0, NUMBERS - D)).view(-1, *SHAPE)


def clear_clips(rounds: int = 2) -> tuple[Tensor, Tensor]:
    """Returns weak and strong views of `rounds` clips of each class in turn: the weak ones are as clear as can be."""
    weak = torch.eye(D)[:K].repeat(rounds, 1)
    other = torch.eye(D)[1 : K + 1].repeat(rounds, 1)
    return clips_of(weak), clips_of(0.4 * weak + 0.3 * other + torch.linspace(0, 0.2, len(weak))[:, None])


def unclear_clips(count: int = 3) -> tuple[Tensor, Tensor]:
    """Returns weak and strong views of clips that `plain_toy` has no idea of: all classes are equally likely."""
    view = clips_of(torch.eye(D)[-1:].repeat(count, 1))
    return view, view.clone()


CLEAR_POSITIONS, UNCLEAR_POSITIONS = torch.tensor([4, 0, 2, 6, 24, 14, 10, 12]), torch.tensor([21, 17, 19])


def plain_batch(*, clear: bool, unclear: bool) -> SemiBatch:
    """Returns a batch for `plain_toy` in which all classes stand alike: clear clips, unclear ones, or both."""
    weak_x, strong_x = clear_clips()
    kinds = [kind for kind, wanted in ((clear_clips(), clear), (unclear_clips(), unclear)) if wanted]
    positions = [p for p, wanted in ((CLEAR_POSITIONS, clear), (UNCLEAR_POSITIONS, unclear)) if wanted]
    weak, strong = (torch.cat(views) for views in zip(*kinds, strict=True))
    labeled = torch.tensor([1, 11, 5, 15, 9, 3, 13, 7])
    return SemiBatch(weak_x, strong_x, label_of(labeled), labeled, weak, strong, torch.cat(positions))


def make_guidance(seed: int = 0, *, classes: int = K, shift: int = 0, rotten: bool = False) -> Guidance:
    """Returns guidance that accepts the unlabeled clips at even positions and believes nothing of the others.

    With `rotten`, all that an online phase has no business with is nonsense: everything about labeled clips and clips
    that take no part, and every evidence beside the verdict.
    """
    count = NUM_CLIPS + shift
    position = torch.arange(count) - shift
    labeled = torch.isin(position, torch.tensor(LABELED))
    accepted = (position % 2 == 0) | labeled
    label = torch.where(accepted, label_of(position, classes), -1)
    ones = torch.ones(count)
    belief = torch.where(accepted, torch.linspace(0.2, 1, count), torch.nan)
    pseudo = PseudoLabels(label, ones, accepted, labeled, belief, ones, torch.ones(classes))
    if rotten:
        nobody = labeled | (position < 0)
        nan = torch.full((count,), torch.nan)
        pseudo = PseudoLabels(
            torch.where(nobody, (label + 1) % classes, label),
            nan,
            accepted ^ nobody,
            ~labeled,
            torch.where(nobody, torch.nan, belief),
            nan,
            nan[:classes],
        )
    generator = torch.Generator().manual_seed(seed)
    return Guidance(pseudo, functional.normalize(torch.randn(classes, D, generator=generator), dim=1), 0)


@dataclass(frozen=True)
class Outcome:
    """What one step gave."""

    total: Tensor
    parts: dict[str, Tensor]
    gradient: list[Tensor]  # of the student's parameters
    online: OnlineLabels | None

    @property
    def unlabeled(self) -> dict[str, Tensor]:
        """The parts that are not of labeled clips."""
        return {name: part for name, part in self.parts.items() if not name.startswith("sup_")}


def method_of(algorithm: Algorithm | None) -> Method:
    """Returns the first method with such an online half."""
    if algorithm is None:
        return METHODS["supervised"]
    return next(m for m in METHODS.values() if m.algorithm and isinstance(algorithm, cast(type, m.algorithm)))


def descent(
    algorithm: Algorithm | None,
    student: ToyStudent,
    teacher: Recognize,
    batch: SemiBatch,
    guidance: Guidance | None = None,
    *,
    progress: float = 0.5,
) -> Descent:
    return take_step(method_of(algorithm), algorithm, student, teacher, batch, guidance=guidance, progress=progress)


def step(
    algorithm: Algorithm | None,
    student: ToyStudent,
    teacher: Recognize,
    batch: SemiBatch,
    guidance: Guidance | None = None,
    *,
    seed: int = 0,
    rate: float = 0.0,
) -> Outcome:
    """Returns the outcome of one step in the middle of training, after which the student descends by `rate`."""
    torch.manual_seed(seed)
    parameters = list(student.model.parameters())
    loss = descent(algorithm, student, teacher, batch, guidance)
    gradient = list(torch.autograd.grad(loss.total, parameters, allow_unused=True, materialize_grads=True))
    with torch.no_grad():
        for parameter, slope in zip(parameters, gradient, strict=True):
            parameter.sub_(rate * slope)
    return Outcome(loss.total.detach(), loss.parts, gradient, loss.online)
