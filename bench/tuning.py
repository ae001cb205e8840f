"""What the settings of tuning do to a training step: its processor time and its memory, against the plain step.

    python bench/tuning.py [--encoder r3d_18] [--frames 8] [--size 64] [--clips 8] [--repeat 3] [--compile]

Encoders of skeletons have no size. Each row is a process of its own: forward and backward of one batch and the
optimizer's step. Time is the median of the processor time of `repeat` steps. Memory is what the process needs at most
during them (Linux: VmHWM) beyond what it has after a step with one clip: activations, for weights, gradients and
moments are there by then.

With --count nothing is run: it prints what a clip of each preset leaves for the gradient in bfloat16, without and with
checkpointing; a step has 2 B + U of them, and U more where it mixes.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from aplt.config import RunConfig
from aplt.errors import InputError
from aplt.models.blocks import blocks_of
from aplt.models.encoders import build_encoder, find_encoder
from aplt.models.recognizer import Recognizer
from aplt.presets import PRESETS, over_preset
from aplt.runs.configure import effective_config
from aplt.runs.student import PolicyStudent
from aplt.runs.tuning import frozen_modules, make_optimizer, require_followed, tune

ROWS: dict[str, dict[str, Any]] = {
    "plain": {},
    "frozen_blocks 4": {"frozen_blocks": 4},
    "layer_decay 0.75": {"layer_decay": 0.75},
    "gradient_checkpointing": {"gradient_checkpointing": True},
    "channels_last": {"channels_last": True},
    "precision bf16": {"precision": "bf16"},
    "accumulate 4": {"accumulate": 4},
    "AdamW not fused": {},
    "compile": {"compile": True},
}
MIB = 2**20


def configured(options: argparse.Namespace, train: dict[str, Any]) -> RunConfig:
    """Returns a config with these settings of training."""
    kind = find_encoder(options.encoder).modality
    input_ = {"frames": options.frames} | ({"size": options.size} if kind == "video" else {})
    return effective_config({"clips": "-", "encoder": options.encoder, "input": input_, "train": train}, kind, "bench")


def built(config: RunConfig) -> Recognizer:
    """Returns the model of a config, with random weights; skeletons are a person of the second Kinect's 25 joints."""
    torch.manual_seed(0)
    shape = [side or known for side, known in zip(config.input.clip_shape, (4, 0, 25, 1), strict=True)]
    return Recognizer(
        encoder=config.encoder,
        encoder_settings=config.encoder_settings,
        clip_shape=shape,
        class_names=[str(k) for k in range(10)],
        input=config.input.model_dump(mode="json"),
        read_out="classifier",
        prototype_scale=1.0,
    )


def measure(config: RunConfig, clips: int, repeat: int, *, fused: bool) -> tuple[float, float]:
    """Returns the seconds of a step and the MiB that steps need."""
    model = built(config)
    shape = model.clip_shape
    tune(config, model, deepcopy(model))
    optimizer = make_optimizer(model, config.train)
    for group in optimizer.param_groups:
        group["fused"] = fused
    student = PolicyStudent(model, model, "joint", frozen_modules(model.encoder, config.train.frozen_blocks))
    student.train()
    clip, spent = torch.randn(clips, *shape), []

    def step(clip: Tensor) -> None:
        optimizer.zero_grad(set_to_none=False)
        parts = clip.tensor_split(min(config.train.accumulate, len(clip)))
        for part in parts:
            with torch.autocast("cpu", torch.bfloat16, enabled=config.train.precision == "bf16"):
                (prediction,) = student(part)
            (prediction.logits.float().square().mean() / len(parts)).backward()
        optimizer.step()

    step(clip[:1])
    if config.train.compile:
        step(clip)
    Path("/proc/self/clear_refs").write_text("5")  # what was needed at most so far is forgotten
    before = memory("VmRSS")
    for _ in range(repeat):
        began = time.process_time()
        step(clip)
        spent.append(time.process_time() - began)
    return statistics.median(spent), memory("VmHWM") - before


def memory(line: str) -> float:
    """Returns the MiB in a line of /proc/self/status."""
    found = re.search(rf"^{line}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def counted(config: RunConfig) -> tuple[float, float]:
    """Returns the MiB that a clip leaves for the gradient, by shapes alone: as it is, and with checkpointing.

    Then there are the inputs of the blocks, what is outside of them, and in the backward pass one block at a time.
    """
    shape = (3, *(getattr(config.input, side) for side in ("frames", "size", "size")))
    with torch.device("meta"):
        encoder = build_encoder(config.encoder, shape, config.encoder_settings).bfloat16()
        clips = torch.zeros(2, *shape, dtype=torch.bfloat16)
    weights = {parameter.untyped_storage()._cdata for parameter in encoder.parameters()}
    seen: dict[int, torch.UntypedStorage] = {}  # kept, lest another one get its number
    places: list[list[int]] = [[]]  # bytes: outside of the blocks, then in each of them
    inputs: list[int] = []

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in weights and storage._cdata not in seen:
            seen[storage._cdata] = storage
            places[-1 if inside else 0].append(storage.nbytes())
        return tensor

    inside: list[nn.Module] = []

    def enter(block: nn.Module, given: tuple[Any, ...]) -> None:
        inside.append(block)
        places.append([])
        inputs.append(given[0].untyped_storage().nbytes())

    for block in blocks_of(encoder):
        block.register_forward_pre_hook(enter)
        block.register_forward_hook(lambda *_: inside.clear())
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        encoder(clips)
    outside, *blocks = map(sum, places)
    each = len(clips) * MIB
    return (outside + sum(blocks)) / each, (outside + sum(inputs) + max(blocks)) / each


def main() -> None:
    """Prints a row for each setting, or for each preset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default="r3d_18")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--clips", type=int, default=8, help="in a step")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--compile", action="store_true", help="also compiled, which takes minutes")
    parser.add_argument("--count", action="store_true", help="instead, what a clip of each preset leaves")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row is not None:
        config = configured(options, ROWS[options.row])
        print(json.dumps(measure(config, options.clips, options.repeat, fused="not" not in options.row)))
        return
    if options.count:
        for name in PRESETS["video"]:
            config = effective_config(over_preset({"clips": "-"}, name, "video"), "video", name)
            plain_mib, checkpointed = counted(config)
            print(f"{name:10} {config.encoder:10} {plain_mib:5.0f} MiB a clip, checkpointed {checkpointed:5.0f}")
        return
    print(f"{options.encoder}, {options.clips} clips of {options.frames} x {options.size} x {options.size}")
    plain: tuple[float, float] | None = None
    for row, settings in ROWS.items():
        if row == "compile" and not options.compile:
            continue
        try:
            config = configured(options, settings)
            require_followed(config)
            tune(config, built(config), built(config))
        except InputError:  # what this encoder does not have
            continue
        command = [sys.executable, __file__, *sys.argv[1:], "--row", row]
        seconds, mib = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        plain = plain or (seconds, mib)
        print(
            f"{row:22}  {seconds:6.2f} s {seconds / plain[0]:5.2f}   {mib:6.0f} MiB {mib / plain[1]:5.2f}", flush=True
        )


if __name__ == "__main__":
    main()
