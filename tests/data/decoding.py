"""What tests ask of a decoded clip."""

from pathlib import Path

import av
import pytest

from aplt.clips import Clip
from aplt.data.files import ClipError
from aplt.data.video import decode
from tests.data.videos import number_of


def shown(clip: Clip) -> list[int]:
    """The numbers of the frames that the clip holds."""
    return [number_of(pixels) for _, pixels in decode(clip)]


def times(clip: Clip) -> list[float]:
    return [time for time, _ in decode(clip)]


def packets_of(path: Path) -> "list[av.Packet[av.VideoStream]]":
    with av.open(str(path)) as container:
        return [packet for packet in container.demux(video=0) if packet.size]


def failure(clip: Clip) -> ClipError:
    with pytest.raises(ClipError) as caught:
        for _ in decode(clip):
            pass
    message = str(caught.value)
    assert message.startswith(f"clip '{clip.id}' ({clip.path}): ")
    assert "\n" not in message
    return caught.value
