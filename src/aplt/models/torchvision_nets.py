"""torchvision's video networks, and its ResNets with a temporal shift, as encoders with published weights."""

from torch import nn
from torchvision.models import resnet18, resnet50, video
from torchvision.models.resnet import ResNet
from torchvision.models.video.mvit import MSBlockConfig

from aplt.models.tsm import FrameEncoder, TemporalShift


def tsm_resnet(clip_shape: tuple[int, ...], weights: str | None = None, *, depth: int) -> nn.Module:
    """Returns a ResNet-18 or -50 with a temporal shift before the first convolution of each residual block."""
    net: ResNet = {18: resnet18, 50: resnet50}[depth](weights=weights)
    for stage in (net.layer1, net.layer2, net.layer3, net.layer4):
        for block in stage:
            block.conv1 = TemporalShift(block.conv1, clip_shape[1])
    net.fc = nn.Identity()
    return FrameEncoder(net)


def headless(clip_shape: tuple[int, ...], weights: str | None = None, *, name: str, head: str) -> nn.Module:
    """Returns a video network of this name without its last layer, the submodule `head`."""
    del clip_shape
    net: nn.Module = getattr(video, name)(weights=weights)
    net.set_submodule(head, nn.Identity())
    return net


def s3d(clip_shape: tuple[int, ...], weights: str | None = None) -> nn.Module:
    """Returns S3D; its fixed pooling window, which refuses clips under 16 x 224 x 224, becomes the whole clip."""
    net = headless(clip_shape, weights, name="s3d", head="classifier")
    net.avgpool = nn.AdaptiveAvgPool3d(1)
    return net


def mvit_v2_s(clip_shape: tuple[int, ...], weights: str | None = None) -> nn.Module:
    """Returns MViTv2-S; its relative positions have the clip's size (published weights: 16 x 224 x 224)."""
    if weights is not None and clip_shape[1:] != (16, 224, 224):
        raise ValueError(f"its published weights are for clips of 16 x 224 x 224, not {list(clip_shape[1:])}")
    # torchvision's own builder knows one size only.
    # Blocks, heads, stride of the keys and values of each stage; all but the first halve height and width.
    stages = ((1, 1, 8), (2, 2, 4), (11, 4, 2), (2, 8, 1))
    blocks: list[MSBlockConfig] = []
    channels = 96
    for blocks_of_stage, heads, stride in stages:
        for number in range(blocks_of_stage):
            halve = 2 if number == 0 and blocks else 1
            blocks.append(
                MSBlockConfig(
                    num_heads=heads,
                    input_channels=channels,
                    output_channels=96 * heads,
                    kernel_q=[3, 3, 3],
                    kernel_kv=[3, 3, 3],
                    stride_q=[1, halve, halve],
                    stride_kv=[1, stride, stride],
                )
            )
            channels = 96 * heads
    net: nn.Module = video.MViT(
        spatial_size=tuple(clip_shape[2:]),
        temporal_size=clip_shape[1],
        block_setting=blocks,
        residual_pool=True,
        residual_with_cls_embed=False,
        rel_pos_embed=True,
        proj_after_attn=True,
        stochastic_depth_prob=0.2,
    )
    if weights is not None:
        net.load_state_dict(video.MViT_V2_S_Weights[weights].get_state_dict(progress=True, check_hash=True))
    net.set_submodule("head", nn.Identity())
    return net
