"""By whom, when and in which manner a movement is made, and the curves over time that follow from it."""

from dataclasses import dataclass

import numpy as np

from aplt.synthetic.figure import SIDES, Array, Body


@dataclass(frozen=True)
class Company:
    """What a person moves along with a movement, without meaning to."""

    part: str
    toward: tuple[float, float, float]  # where, and how far in nominal sizes
    swings: bool  # to and fro as long as the movement lasts, instead of there and back once


@dataclass(frozen=True)
class Manner:
    """One way to make one movement.

    Not every movement has room for all of it: only head and hands slant, only what is repeated fades.
    """

    variant: float  # 0 to 1: chooses between ways to do the same
    stays: bool  # a held movement is still held when the clip ends
    amplitude: float
    tempo: float
    slant: tuple[float, float]  # how far it departs from the plain direction; what one is in size, `motions` says
    fade: float  # share of its size that a repeated movement loses, or gains where negative
    company: Company


@dataclass(frozen=True)
class Move:
    """By whom, when, how large, how fast and on which side a movement is made."""

    body: Body
    time: Array  # [T] seconds
    onset: float
    length: float  # seconds
    amplitude: float
    tempo: float
    side: int  # 0 the image's left, 1 its right
    manner: Manner

    @property
    def sign(self) -> float:
        """The direction of the moving side, -1 or 1."""
        return SIDES[self.side]

    def gate(self, ramp: float = 0.18) -> Array:
        """Returns [T]: 0 before and after the movement, 1 during it, with smooth ramps in seconds."""
        rise = _ease((self.time - self.onset) / ramp)
        return rise * _ease((self.onset + self.length - self.time) / ramp)

    def hold(self, rise: float = 0.5) -> Array:
        """Returns [T]: goes from 0 to 1 in `rise` seconds at tempo 1, and back at the end unless it stays."""
        rise = min(rise / self.tempo, 0.5 * self.length)
        up = _ease((self.time - self.onset) / rise)
        return up if self.manner.stays else up * _ease((self.onset + self.length - self.time) / rise)

    def swing(self, hertz: float) -> Array:
        """Returns [T]: a sine that begins with the movement and lasts as long."""
        return np.sin(2 * np.pi * hertz * self.tempo * (self.time - self.onset)) * self.gate() * self.size()

    def size(self) -> Array:
        """Returns [T]: how large a repeated movement is, at most 1; constant unless the manner fades."""
        done = np.clip((self.time - self.onset) / self.length, 0.0, 1.0)
        fade = self.manner.fade
        return 1 - fade * done if fade > 0 else 1 + fade * (1 - done)


def _ease(x: Array) -> Array:
    """The minimum-jerk curve of human reaching, from 0 to 1."""
    x = np.clip(x, 0.0, 1.0)
    return x**3 * (10 - 15 * x + 6 * x * x)
