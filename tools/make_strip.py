"""Renders docs/images/people.webp, the moving strip of synthetic people in the README: python tools/make_strip.py."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from aplt.synthetic import DEFAULT, render_clip

PAGE = Path(__file__).resolve().parent.parent / "docs" / "images" / "people.webp"
MOTIONS = ("nodding", "waving", "touching face", "crossing arms", "tilting head", "shaking leg")
SIZE = 160  # pixels, height and width of one person
RATE = 12  # frames per second, in the film and in the image
# One rate and length for all, so that they loop together; plainer light, since noise compresses badly.
STUDIO = replace(DEFAULT, rates=(RATE,), duration=(2.0, 2.0), noise=(0.0, 0.0), flicker=0.0, drift=0.0)


def main() -> None:
    """Writes the image."""
    films = [
        render_clip(motion, seed=7, number=number, subject=number, size=SIZE, difficulty=STUDIO)[0]
        for number, motion in enumerate(MOTIONS)
    ]
    frames = np.concatenate(films, axis=2)  # [T, SIZE, len(MOTIONS) * SIZE, 3]
    # Forward and back again, so that nobody jumps where the loop closes.
    loop = [Image.fromarray(frame) for frame in (*frames, *frames[-2:0:-1])]
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    loop[0].save(PAGE, save_all=True, append_images=loop[1:], duration=1000 // RATE, loop=0, quality=70, method=6)
    print(f"{PAGE}: {len(loop)} frames, {PAGE.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
