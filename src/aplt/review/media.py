"""Moving pictures of clips for a browser: a small film of a video, the points of a skeleton."""

import json
import threading
from collections import defaultdict
from fractions import Fraction
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np

from aplt.clips import Clip
from aplt.data.modality import modality_of_clip
from aplt.data.stills import moments
from aplt.data.video import decode
from aplt.storage import aside_of, mode

SHORT_SIDE = 160
LONGEST = 900
"""Frames of a film at most: half a minute."""
POINTS = 60
"""Frames of a skeleton at most."""


class Media:
    """Makes what a browser plays, and keeps films in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._locks: dict[Path, threading.Lock] = defaultdict(threading.Lock)

    def film(self, clip: Clip) -> Path:
        """Returns an H.264 file of a video clip, or of its interval, made now or before."""
        path = self.path_of(clip)
        with self._locks[path]:
            if not path.exists():
                self.folder.mkdir(parents=True, exist_ok=True)
                aside = aside_of(path)
                try:
                    _write_film(clip, aside)
                    aside.replace(path)
                finally:
                    aside.unlink(missing_ok=True)
        return path

    def path_of(self, clip: Clip) -> Path:
        """Returns where a clip's film lies: by the file that it shows, for a clip's place in a folder may change."""
        written = clip.path.stat().st_mtime_ns if mode(clip.path) else 0
        shows = json.dumps([str(clip.path.absolute()), written, clip.start, clip.end])
        return self.folder / f"{sha256(shows.encode()).hexdigest()[:32]}.mp4"


def is_film(clip: Clip) -> bool:
    """Returns whether a clip is shown as a film."""
    return modality_of_clip(clip).name == "video"


def points(clip: Clip) -> dict[str, Any]:
    """Returns a skeleton to be drawn: frames of persons of joints [x, y] within -1 and 1, y downward, and its bones.

    Beside them the side of the body that each bone is on, if it is on one.
    """
    found = moments(clip, POINTS)
    return {
        "points": found.points.round(3).tolist(),
        "bones": found.bones,
        "sides": found.sides,
        "seconds": found.seconds,
    }


def _write_film(clip: Clip, path: Path) -> None:
    times, frames = zip(*islice(decode(clip, short_side=SHORT_SIDE), LONGEST), strict=True)
    usual = float(np.median(np.diff(times))) if len(times) > 1 else 0.04
    rate = Fraction(min(60.0, 1 / max(usual, 1e-3))).limit_denominator(1000)
    height, width = (side // 2 * 2 for side in frames[0].shape[:2])
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "28", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
