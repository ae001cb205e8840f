"""Makes a recording of one synthetic person, ten minutes long or as long as said.

In FOLDER are then:

recording/interview.mp4   movements of six classes, with pauses between them
annotated.csv             the events of the first part, and that it was watched
rest.csv                  those of the rest, to compare with
known.csv                 those of both
"""

import argparse
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pandas as pd
from av.video.stream import VideoStream

from aplt.synthetic.difficulty import DEFAULT
from aplt.synthetic.render import render_take
from aplt.synthetic.subjects import draw_subject, draw_take

CLASSES = ("nodding", "shaking head", "head up", "shrugging", "touching face", "waving")
RATE = 25
# One camera and one light: only the person moves. A pause is a take whose movement has no size.
STEADY = replace(
    DEFAULT,
    rates=(RATE,),
    away=0.0,
    yaw=(0.0, 0.0),
    pitch=(0.0, 0.0),
    zoom=(1.0, 1.0),
    shift=0.0,
    drift=0.0,
    gain=(1.0, 1.0),
    gradient=0.0,
    noise=(2.0, 2.0),
)
PAUSE = replace(STEADY, duration=(1.0, 5.0))


def main(home: Path, seconds: float, annotated: float, size: int, seed: int) -> None:
    """Renders the recording and writes its tables."""
    rng = np.random.default_rng(seed)
    subject = draw_subject(seed, 0, STEADY)
    rows: list[tuple[float, float, str]] = []
    path = home / "recording" / "interview.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(RATE), options={"crf": "20", "preset": "veryfast"})
        assert isinstance(stream, VideoStream)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        now, number = 0.0, 0
        while now < seconds:
            moves = number % 2 == 1
            motion = str(rng.choice(CLASSES))
            take = draw_take(seed, number, motion, subject, STEADY if moves else PAUSE)
            if moves:
                rows.append((now + take.onset, now + take.onset + take.length, motion))
            else:
                take = replace(take, amplitude=0.0)
            for frame in render_take(take, size):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            now, number = now + take.frames / RATE, number + 1
        container.mux(stream.encode())
    table = pd.DataFrame(rows, columns=["start", "end", "label"]).round(2)
    # The two parts meet in a pause.
    middle = float(table["start"][table["start"] > annotated].iloc[0]) - 0.5
    parts: list[pd.DataFrame] = []
    for name, first, last in (("annotated", 0.0, middle), ("rest", middle, round(now, 2))):
        part = table[(table["start"] >= first) & (table["start"] < last)]
        watched = pd.DataFrame([{"start": first, "end": last, "label": ""}])
        whole = pd.concat([watched, part]).assign(path="recording/interview.mp4")
        parts.append(whole[["path", "start", "end", "label"]])
        parts[-1].to_csv(home / f"{name}.csv", index=False)
    pd.concat(parts).to_csv(home / "known.csv", index=False)
    print(f"{path}: {now:.1f} s, {len(table)} events, those before {middle:.1f} s annotated")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path())
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--annotated", type=float, default=360.0, help="seconds of the first part")
    parser.add_argument("--size", type=int, default=80, help="pixels of a side")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    main(options.folder, options.seconds, options.annotated, options.size, options.seed)
