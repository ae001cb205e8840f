"""Weights to start from: published ones, and files of them, whose names may be those of another program."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from aplt.display import counted
from aplt.errors import InputError
from aplt.storage import reason


@dataclass(frozen=True)
class Weights:
    """Published weights of an encoder."""

    load: Callable[[tuple[int, ...]], Mapping[str, Tensor]]
    """Takes the clip's shape and returns the tensors by name, fetched now or before."""
    input: Mapping[str, Any]
    """How clips were prepared in their training: settings of the group input."""
    license: str


WRAPPERS = ("state_dict", "model_state_dict", "model", "module", "net")
"""Under which of these a checkpoint keeps its tensors, beside what else it holds."""
# mmaction2 has a convolution and its norm in one module, and MANet's excitation within the convolution.
RENAMED = (
    (re.compile(r"(^|\.)conv(\d)\.conv\."), r"\1conv\2."),
    (re.compile(r"(^|\.)conv(\d)\.bn\."), r"\1bn\2."),
    (re.compile(r"(^|\.)downsample\.conv\."), r"\1downsample.0."),
    (re.compile(r"(^|\.)downsample\.bn\."), r"\1downsample.1."),
    (re.compile(r"\.fcce\."), r".excite."),
)
SHOWN = 4  # names in a sentence
SHARE = 0.5  # of the network's tensors: a file in which fewer are found is one of another network


def read_weights(path: Path) -> dict[str, Tensor]:
    """Returns the tensors in a .safetensors file or a state dict of PyTorch, by name; a pickle is never run.

    Raises:
        InputError: no such file, or none of weights alone.
    """
    try:
        if path.suffix.lower() == ".safetensors":
            found: Any = load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        named = re.search(r"GLOBAL (\S+)", str(error))
        why = f"such as {named[1]}, " if named else ""
        raise InputError(
            f"{path}: holds objects besides tensors, {why}which could run code when they are loaded; have it written "
            "as .safetensors, or as a state dict alone"
        ) from error
    except OSError as error:
        raise InputError(f"{path}: {reason(error)}") from error
    except (SafetensorError, RuntimeError, EOFError, ValueError, LookupError) as error:
        raise InputError(f"{path}: not a file of weights ({reason(error)[:100]})") from error
    while isinstance(found, Mapping) and (
        inner := next((k for k in WRAPPERS if isinstance(found.get(k), Mapping)), "")
    ):
        found = found[inner]
    tensors = {str(k): v for k, v in found.items() if isinstance(v, Tensor)} if isinstance(found, Mapping) else {}
    if not tensors:
        raise InputError(f"{path}: expected tensors by name, found {type(found).__name__} without one")
    return tensors


def start_from(encoder: nn.Module, tensors: Mapping[str, Tensor], where: str) -> tuple[list[str], list[str]]:
    """Puts weights into an encoder and returns the names of what is left over: in the encoder, in the file.

    Names are compared without wrappers (module, backbone, a temporal shift) and as mmaction2 has them. Where hardly any
    is found, tensors are taken in their order if that has the same kinds and shapes, as when another program has other
    names for the same network.

    Raises:
        InputError: weights of another network, or of one of another size; `where` names the weights.
    """
    own = {name: value for name, value in encoder.state_dict().items() if not _counter(name)}
    given = {name: value for name, value in tensors.items() if not _counter(name)}
    pairs = max((_by_name(own, given, prefix) for prefix in _prefixes(given)), key=len, default={})
    if len(pairs) < SHARE * len(own):
        pairs = _by_order(own, given) or pairs
    if len(pairs) < SHARE * len(own):
        raise InputError(
            f"{where}: weights of another network: of {counted(len(own), 'tensor')} of the encoder ({_some(own)}) it "
            f"has {len(pairs)}; it holds {len(given)} ({_some(given)})"
        )
    for name, other in pairs.items():
        if own[name].shape != given[other].shape:
            raise InputError(
                f"{where}: weights of a network of another size: {other} is {list(given[other].shape)}, where the "
                f"encoder expects {list(own[name].shape)}"
            )
    encoder.load_state_dict({name: given[other] for name, other in pairs.items()}, strict=False)
    used = set(pairs.values())
    return [name for name in own if name not in pairs], [name for name in given if name not in used]


OWN_ENDS = {"classifier.weight", "classifier.bias", "prototype"}
"""What the model of a run has beside its encoder."""


def left_over(where: str, missing: list[str], unused: list[str]) -> str:
    """Returns in a sentence what is left over; "" where nothing is."""
    parts = [f"not in it, so random: {_some(missing)}"] if missing else []
    if unused and OWN_ENDS.issuperset(unused):
        parts.append("the encoder's alone; classifier and prototypes begin anew")
    elif unused:
        parts.append(f"not used: {_some(unused)}")
    return f"{where}: {'; '.join(parts)}" if parts else ""


def _by_name(own: Mapping[str, Tensor], given: Mapping[str, Tensor], prefix: str) -> dict[str, str]:
    """Returns which of the given tensors each of the encoder's is, when their names begin with `prefix`."""
    names = {_canonical(name[len(prefix) :]): name for name in given if name.startswith(prefix)}
    return {name: names[key] for name in own if (key := _canonical(name)) in names}


def _by_order(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> dict[str, str]:
    """Returns the same by order, if each one's kind (weight, running_mean) and shape agree; else nothing."""
    same = dict(zip(own, given, strict=False))
    agree = (
        name.rpartition(".")[2] == other.rpartition(".")[2] and own[name].shape == given[other].shape
        for name, other in same.items()
    )
    return same if len(same) == len(own) and all(agree) else {}


def _prefixes(names: Collection[str]) -> list[str]:
    """Returns what many of the names begin with, up to three parts, first the empty beginning."""
    parts = [name.split(".") for name in names]
    shared = Counter(".".join(some[:count]) + "." for some in parts for count in (1, 2, 3) if count < len(some))
    return ["", *(prefix for prefix, count in shared.items() if count > len(parts) / 4)]


def _canonical(name: str) -> str:
    """Returns the name of a tensor without the wrappers that are called net, and as torchvision calls it."""
    name = ".".join(part for part in name.split(".") if part != "net")
    for pattern, replacement in RENAMED:
        name = pattern.sub(replacement, name)
    return name


def _counter(name: str) -> bool:
    """Whether it is batch norm's count of batches, which no network needs and not every file has."""
    return name.endswith("num_batches_tracked")


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return f"{', '.join(listed[:SHOWN])}{more}"
