"""`aplt encoders`: the networks by name, what they cost, and the weights that are published for them."""

from dataclasses import asdict
from importlib.util import find_spec
from typing import Annotated

import typer

from aplt.cli.printing import print_json, say

LIBRARIES = {
    "timm": ("timm", "timm:NAME, such as timm:resnet50 or timm:vit_small_patch16_224: any image network of timm"),
    "hf": ("transformers", "hf:NAME or hf:FOLDER, such as hf:MCG-NJU/videomae-base: a video network of transformers"),
}
"""Extras, what they install, and how their encoders are named."""
NOTE = """\
GFLOPs: for one clip of the size beside it, a multiplication and an addition counted as two. Weights: --encoder-weights
NAME, or a file. They are published under the license named here; whether the data that they were made from (ImageNet,
Kinetics) may be used for your purpose is for you to say."""


def encoders(
    names: Annotated[
        list[str] | None, typer.Argument(help="Only these, such as timm:resnet50; by default all.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the encoders: clips, parameters, cost, and published weights."""
    from aplt.models.cost import cost_of
    from aplt.models.encoders import ENCODERS, find_encoder

    found = {name: (find_encoder(name), cost_of(name)) for name in names or ENCODERS}
    extras = {extra: find_spec(module) is not None for extra, (module, _) in LIBRARIES.items()}
    if as_json:
        each = {
            name: {"modality": encoder.modality, "summary": encoder.summary, **asdict(cost)}
            for name, (encoder, cost) in found.items()
        }
        print_json({"encoders": each, "extras": extras})
        return
    width = max(map(len, found))
    say(f"{'encoder':{width}}  clips     parameters   GFLOPs  of a clip        weights (license)")
    for name, (encoder, cost) in found.items():
        size = " x ".join(map(str, cost.clip_shape[1:]))
        numbers = f"{cost.parameters / 1e6:8.1f} M  {cost.flops / 1e9:7.2f}  {size:15}"
        say(f"{name:{width}}  {encoder.modality:8}  {numbers}  {_listed(cost.weights)}")
        say(f"{'':{width}}  {encoder.summary}")
    if not names:
        for extra, (_, text) in LIBRARIES.items():
            state = "installed" if extras[extra] else f"not installed: pip install 'aplt[{extra}]'"
            say(f"{text} ({state})")
    for line in NOTE.splitlines():
        say(line)


def _listed(weights: dict[str, str]) -> str:
    """Returns the names of weights, together where they have the same license."""
    same = {license_: [name for name in weights if weights[name] == license_] for license_ in weights.values()}
    return "; ".join(f"{', '.join(names)} ({license_})" for license_, names in same.items()) or "-"
