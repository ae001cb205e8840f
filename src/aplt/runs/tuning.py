"""How an encoder is tuned: what of it learns and how fast, and what its memory and time are spent on."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, partial

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer
from torch.utils.checkpoint import checkpoint

from aplt.config import RunConfig, TrainSettings
from aplt.display import counted
from aplt.errors import InputError
from aplt.models.blocks import blocks_of, depth_of
from aplt.models.encoders import build_encoder
from aplt.models.recognizer import Recognizer

FUSED = ("cpu", "cuda", "mps", "xpu")
CONVOLUTIONS = {nn.Conv2d: torch.channels_last, nn.Conv3d: torch.channels_last_3d}


def require_followed(config: RunConfig) -> None:
    """Refuses settings that the encoder cannot follow, where the shape of clips is known before they are read."""
    train, shape = config.train, config.input.clip_shape
    untouched = not (
        train.frozen_blocks or train.layer_decay < 1 or train.gradient_checkpointing or train.channels_last
    )
    if train.compile and train.gradient_checkpointing:
        raise InputError(
            "settings 'train.compile' and 'train.gradient_checkpointing' do not go together: what is compiled decides "
            "itself what to compute again; remove one of them"
        )
    if not (untouched or None in shape):
        _require(config, *_anatomy(config.encoder, json.dumps(config.encoder_settings), shape))


def require_compiler(device: torch.device) -> None:
    """Refuses the setting 'train.compile' where torch.compile does not work, which a tiny function shows."""
    try:
        torch.compile(torch.square)(torch.ones(2, device=device))
    except RuntimeError as error:
        why = str(error).strip().partition("\n")[0]
        raise InputError(f"setting 'train.compile' is true, but torch.compile does not work here ({why})") from error


def tune(config: RunConfig, student: Recognizer, teacher: Recognizer) -> None:
    """Freezes the first blocks of the student's encoder, and saves memory and time in both as the settings say.

    The names of their weights stay as they are.
    """
    train, learner = config.train, student.encoder
    blocks = blocks_of(learner)
    _require(config, len(blocks), _convolves(learner))
    if train.frozen_blocks:
        for module, depth in depth_of(learner).items():
            for parameter in module.parameters(recurse=False):
                parameter.requires_grad_(depth > train.frozen_blocks)
    if train.channels_last:
        for module in (*learner.modules(), *teacher.encoder.modules()):
            for kind, memory_format in CONVOLUTIONS.items():
                if isinstance(module, kind):
                    module.to(memory_format=memory_format)
    if train.gradient_checkpointing:
        for block in blocks[train.frozen_blocks :]:
            twice = partial(checkpoint, block.forward, use_reentrant=False, context_fn=partial(_first_and_again, block))
            block.forward = twice
    if train.compile:
        learner.compile()
        teacher.encoder.compile()


def frozen_modules(encoder: nn.Module, blocks: int) -> list[nn.Module]:
    """Returns the modules that consist of what the first `blocks` blocks and all before them hold; for 0 none."""
    depth = depth_of(encoder) if blocks else {}
    return [module for module in depth if all(depth[inner] <= blocks for inner in module.modules())]


def make_optimizer(student: Recognizer, settings: TrainSettings) -> Optimizer:
    """Returns the optimizer of all that learns; the key `share` of a group is its share of the learning rate."""
    after = len(blocks_of(student.encoder)) + 1
    share = {
        id(parameter): settings.layer_decay ** (after - depth)
        for module, depth in depth_of(student.encoder).items()
        for parameter in module.parameters(recurse=False)
    }
    alike: dict[tuple[bool, float], list[nn.Parameter]] = {}
    for parameter in student.parameters():
        if parameter.requires_grad:
            # Biases and norms are not decayed, as usual.
            alike.setdefault((parameter.ndim <= 1, share.get(id(parameter), 1.0)), []).append(parameter)
    groups = [
        {"params": alike[free, share], "weight_decay": 0.0 if free else settings.weight_decay, "share": share}
        for free, share in sorted(alike)
    ]
    if settings.optimizer == "adamw":
        # One kernel instead of a dozen operations for each weight; not every device has it.
        fused = next(student.parameters()).device.type in FUSED
        return AdamW(groups, lr=settings.learning_rate, fused=fused)
    return SGD(groups, lr=settings.learning_rate, momentum=0.9, nesterov=True)


def _require(config: RunConfig, blocks: int, convolves: bool) -> None:
    train, has = config.train, f"but encoder {config.encoder} has"
    if train.frozen_blocks > blocks:
        raise InputError(f"setting 'train.frozen_blocks' is {train.frozen_blocks}, {has} {counted(blocks, 'block')}")
    if not blocks and train.layer_decay < 1:
        raise InputError(f"setting 'train.layer_decay' is {train.layer_decay}, {has} no blocks that repeat")
    if not blocks and train.gradient_checkpointing:
        raise InputError(f"setting 'train.gradient_checkpointing' is true, {has} no blocks that repeat")
    if train.channels_last and not convolves:
        raise InputError(f"setting 'train.channels_last' is true, {has} no convolution over two or three dimensions")


@cache
def _anatomy(name: str, settings: str, clip_shape: tuple[int, ...]) -> tuple[int, bool]:
    """Returns how many blocks an encoder has, and whether it convolves; `settings` are its own, as JSON."""
    try:
        with torch.device("meta"):  # nothing is computed: processes that are begun later would wait for its threads
            encoder = build_encoder(name, clip_shape, json.loads(settings))
    except RuntimeError:  # one of the user's own, that asks for numbers
        encoder = build_encoder(name, clip_shape, json.loads(settings))
    return len(blocks_of(encoder)), _convolves(encoder)


def _convolves(encoder: nn.Module) -> bool:
    return any(isinstance(module, tuple(CONVOLUTIONS)) for module in encoder.modules())


def _first_and_again(block: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    return nullcontext(), _buffers_kept(block)


@contextmanager
def _buffers_kept(block: nn.Module) -> Iterator[None]:
    """Leaves running statistics as they are: the first time has moved them."""
    before = [(buffer, buffer.clone()) for buffer in block.buffers()]
    try:
        yield
    finally:  # also where computing again stops early, once all that the gradient needs is there
        with torch.no_grad():
            for buffer, value in before:
                buffer.copy_(value)
