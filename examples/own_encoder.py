"""An encoder of your own: everything after it stays as it is.

    cd examples
    aplt train CLIPS --encoder own_encoder:GRU --set encoder_settings.width=96

The run's config.yaml and the model folder keep the name own_encoder:GRU, so `aplt predict`, `evaluate` and
`train --resume` find this file again, as long as it lies in the working folder or is installed.
"""

from torch import Tensor, nn

import aplt


class Recurrent(nn.Module):
    """A GRU over the joints of each frame."""

    def __init__(self, numbers: int, width: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(numbers)
        self.gru = nn.GRU(numbers, width, batch_first=True, bidirectional=True)

    def forward(self, clip: Tensor) -> Tensor:
        """Returns features [B, 2 * width] of skeleton clips [B, C + 1, T, V, P]."""
        frames = self.norm(clip.permute(0, 1, 3, 4, 2).flatten(1, 3)).transpose(1, 2)
        hidden: Tensor = self.gru(frames)[0]
        return hidden.mean(dim=1)


def build(clip_shape: tuple[int, ...], *, width: int = 64) -> nn.Module:
    """Returns the network for clips of this shape; `width` is a setting of the run, encoder_settings.width."""
    channels, _, joints, persons = clip_shape
    return Recurrent(channels * joints * persons, width)


GRU = aplt.Encoder(build, "skeleton")
