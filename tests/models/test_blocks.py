"""What counts as a block of an encoder, and that depth grows in the order in which the network calls its modules."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from aplt.models.blocks import blocks_of, depth_of
from aplt.models.encoders import ENCODERS, build_encoder
from tests.models.test_encoders import SHAPES

BLOCKS = {
    **{"tsm_tiny": 3, "tsm_resnet18": 8, "tsm_resnet50": 16, "r3d_18": 8, "r2plus1d_18": 8, "s3d": 9},
    **{"mvit_v2_s": 16, "swin3d_t": 12, "tcn": 3, "gcn": 5, "heatmaps": 3, "manet": 16},
}


def depths_as_called(encoder: nn.Module, call: Callable[[], object]) -> list[int]:
    """Returns the depths of the layers with weights in the order in which a call of the encoder uses them."""
    depth, called = depth_of(encoder), []
    for module in encoder.modules():
        if any(True for _ in module.parameters(recurse=False)) and not any(module.children()):
            module.register_forward_pre_hook(lambda module, _: called.append(depth[module]))
    with torch.no_grad():
        call()
    return called


@pytest.mark.parametrize("name", [name for name in ENCODERS if name != "adapter"])  # which is one block
def test_every_encoder_has_blocks_and_calls_them_in_their_order(name: str) -> None:
    shape = SHAPES.get(name, (3, 8, 32, 32))
    with torch.device("meta"):  # shapes alone: nothing is computed
        encoder = build_encoder(name, shape, {}).eval()
        called = depths_as_called(encoder, lambda: encoder(torch.zeros(1, *shape)))
    blocks = blocks_of(encoder)
    assert called == sorted(called)
    assert set(range(1, len(blocks) + 1)) <= set(called)
    assert len(blocks) == BLOCKS.get(name, len(blocks)) > 1
    assert called[0] == 0


@pytest.mark.parametrize(
    ("name", "count"),
    [("vit_tiny_patch16_224", 12), ("resnet18", 8), ("tf_efficientnet_lite0", 15), ("convnext_atto", 4)],
)
def test_networks_of_timm(name: str, count: int) -> None:
    timm = pytest.importorskip("timm")
    with torch.device("meta"):
        net = timm.create_model(name, num_classes=0).eval()
        called = depths_as_called(net, lambda: net(torch.zeros(1, 3, 224, 224)))
    assert called == sorted(called)
    assert (len(blocks_of(net)), called[0], set(range(1, count + 1)) <= set(called)) == (count, 0, True)


@pytest.mark.slow  # its import is
def test_a_transformer_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    sizes = {"hidden_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.VideoMAEConfig(**sizes, image_size=32, num_frames=4)
    net = transformers.VideoMAEModel(config)
    assert blocks_of(net) == list(net.encoder.layer)
    assert depth_of(net)[net.embeddings.patch_embeddings.projection] == 0


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, hidden: Tensor) -> Tensor:
        out: Tensor = hidden + self.second(self.first(hidden))
        return out


def test_what_stands_between_and_around_the_blocks() -> None:
    first, second, last = Residual(), Residual(), nn.Tanh()
    net = nn.Sequential(nn.Linear(4, 4), first, nn.LayerNorm(4), nn.Sequential(second, last), nn.Tanh())
    assert blocks_of(net) == [first, second]
    depth = depth_of(net)
    assert [depth[module] for module in (net, net[0], first, first.second, net[2], second, last, net[4])] == [
        *(0, 0, 1, 1, 1, 2, 3, 3)
    ]


def test_where_nothing_repeats_there_are_no_blocks() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4), Residual())
    assert blocks_of(net) == []
    assert set(depth_of(net).values()) == {1}  # all of it has the whole learning rate
