"""One FixMatch step against the usual way, in which all views of a step are one batch in one graph.

    python bench/fixmatch_step.py [--encoder tsm_tiny] [--size 64] [--repeat 7]

The same encoder, the same clips: 8 labeled and 8 or 56 unlabeled ones, forward and backward. The two take turns in one
process; the figure to quote is the ratio. They have the same loss wherever batch norm's statistics are fixed
(`--frozen`), which is printed as a check; otherwise each pass has its own statistics.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from aplt.config import SkeletonInput, VideoInput
from aplt.data.modality import MODALITIES
from aplt.methods.fixmatch import FIXMATCH, FixMatch
from aplt.methods.step import take_step
from aplt.models.recognizer import Recognizer
from aplt.runs.student import PolicyStudent
from aplt.tensors import SemiBatch, Task

CLASSES, LABELED, CONFIDENCE = 10, 8, 0.0


def make_batch(clip_shape: tuple[int, ...], unlabeled: int) -> SemiBatch:
    """Returns a step's views of random clips."""
    generator = torch.Generator().manual_seed(0)

    def views(count: int) -> Tensor:
        return torch.randn(count, *clip_shape, generator=generator)

    y = torch.arange(LABELED) % CLASSES
    others = views(unlabeled), views(unlabeled), torch.arange(unlabeled) + LABELED
    return SemiBatch(views(LABELED), views(LABELED), y, torch.arange(LABELED), *others)


def usual(model: Recognizer, batch: SemiBatch) -> Tensor:
    """Returns FixMatch's loss with the weak unlabeled views in the graph, detached afterwards."""
    labeled, unlabeled = len(batch.y), len(batch.weak)
    views = torch.cat([batch.weak_labeled, batch.strong_labeled, batch.weak, batch.strong])
    weak_x, strong_x, weak_u, strong_u = model(views).logits.split([labeled, labeled, unlabeled, unlabeled])
    confidence, label = weak_u.detach().softmax(dim=1).max(dim=1)
    loss = functional.cross_entropy(strong_u, label, reduction="none") * (confidence >= CONFIDENCE)
    total: Tensor = (
        functional.cross_entropy(weak_x, batch.y) + functional.cross_entropy(strong_x, batch.y) + loss.mean()
    )
    return total


def seconds(loss: Callable[[], Tensor], model: Recognizer) -> tuple[float, float]:
    """Returns how long a forward and backward pass took, and the loss."""
    model.zero_grad()
    began = time.perf_counter()
    value = loss()
    value.backward()
    return time.perf_counter() - began, value.item()


def main() -> None:
    """Prints a line for each number of unlabeled clips."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default="tsm_tiny")
    parser.add_argument("--size", type=int, default=64, help="of the frames, in pixels")
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--frozen", action="store_true", help="batch norm with fixed statistics")
    options = parser.parse_args()
    settings: VideoInput | SkeletonInput
    if options.encoder == "tcn":
        settings, clip_shape = SkeletonInput(), (3, 32, 20, 1)
    else:
        settings, clip_shape = VideoInput(size=options.size), (3, 8, options.size, options.size)
    arguments: dict[str, Any] = {"encoder_settings": {}, "read_out": "classifier", "prototype_scale": 1.0}
    names = [f"class {k}" for k in range(CLASSES)]
    torch.manual_seed(0)
    model = Recognizer(
        encoder=options.encoder,
        clip_shape=list(clip_shape),
        class_names=names,
        input=settings.model_dump(mode="json"),
        **arguments,
    )
    student = PolicyStudent(model, model, "frozen" if options.frozen else "joint")
    print("unlabeled   ours in ms  usual in ms  usual / ours       losses")
    for unlabeled in (8, 56):
        batch = make_batch(clip_shape, unlabeled)
        size = model.prototype.shape[1]
        task = Task(
            CLASSES, LABELED + unlabeled, tuple(range(LABELED)), unlabeled, size, MODALITIES[settings.kind].patch
        )
        method = FixMatch(task, confidence=CONFIDENCE)
        student.train()

        def ours(method: FixMatch = method, batch: SemiBatch = batch) -> Tensor:
            return take_step(FIXMATCH, method, student, model, batch, guidance=None, progress=0.5).total

        def theirs(batch: SemiBatch = batch) -> Tensor:
            return usual(model, batch)

        turns = [(seconds(ours, model), seconds(theirs, model)) for _ in range(options.repeat + 1)][1:]
        mine, other = (statistics.median(turn[side][0] for turn in turns) for side in (0, 1))
        losses = f"{turns[0][0][1]:.5f} {turns[0][1][1]:.5f}"
        print(f"{unlabeled:9}   {1000 * mine:10.0f}   {1000 * other:10.0f}   {other / mine:11.2f}   {losses}")


if __name__ == "__main__":
    main()
