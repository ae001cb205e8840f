"""The blocks of an encoder, by whose depth weights are frozen and learning rates decay.

A block is a residual block or a layer of a transformer, or a whole stage of a network that builds it as one module.
No network declares them in a way that others share, so they are what repeats.
"""

from collections.abc import Iterator

from torch import nn

CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
NEARLY_ALL = 0.8
"""Of the weights of the class that has most: with so many an outer class goes before those that it consists of."""


def blocks_of(encoder: nn.Module) -> list[nn.Module]:
    """Returns the blocks in the order in which the encoder builds them, which must be that in which it calls them.

    They are the modules of one class: of those with several, the one with the most weights. Lists of modules and single
    layers are no blocks, and a module inside another of its class is part of that one. Empty where nothing repeats.
    """
    kinds = {type(m): None for m in encoder.modules() if not isinstance(m, CONTAINERS) and any(m.children())}
    repeated = [found for kind in kinds if len(found := list(_outermost(encoder, kind))) > 1]
    most = max(map(_weights, repeated), default=0)
    return next((found for found in repeated if _weights(found) >= NEARLY_ALL * most), [])


def depth_of(encoder: nn.Module) -> dict[nn.Module, int]:
    """Returns the depth of each module, which is that of the weights directly in it.

    0: before the first block; k: in the k-th block, or between it and the next; one more than there are blocks: after
    the last. A module that holds blocks has the depth of what comes before the first of them.
    """
    blocks = blocks_of(encoder)
    number = {block: k for k, block in enumerate(blocks, start=1)}
    last = set(blocks[-1].modules()) if blocks else set()
    depth, depths = 0, {}
    for module in encoder.modules():
        depth = number.get(module, depth)
        depths[module] = depth + (depth == len(blocks) and module not in last)
    return depths


def _outermost(module: nn.Module, kind: type[nn.Module]) -> Iterator[nn.Module]:
    for child in module.children():
        if type(child) is kind:
            yield child
        else:
            yield from _outermost(child, kind)


def _weights(modules: list[nn.Module]) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())
