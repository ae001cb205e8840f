"""How hard the synthetic clips are: every strength of movement and nuisance that is meant to be tuned."""

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True)
class Difficulty:
    """Ranges are drawn from uniformly; a habit is drawn once a subject, everything else once a clip.

    Angles in degrees, times in seconds, lengths in frame widths where no other unit is named.
    """

    # The named movement. Factors multiply the nominal size and speed given in `motions`.
    amplitude: Range = (0.9, 1.15)
    habit_amplitude: Range = (0.85, 1.2)
    tempo: Range = (0.9, 1.1)
    habit_tempo: Range = (0.85, 1.2)
    duration: Range = (1.2, 2.0)
    onset: Range = (0.0, 0.3)
    rates: tuple[int, ...] = (20, 24, 25, 30)  # frames per second
    # What else moves. Factors on the nominal sizes in `motions`.
    distractor: float = 1.0
    fidget: float = 1.0
    # How often a clip departs from its subject's habit (start pose, side, way to do a movement, room).
    away: float = 0.2
    # Camera. Where it stands is the subject's, so that an unseen subject is seen from a new place.
    habit_yaw: Range = (-17.0, 17.0)
    yaw: Range = (-4.0, 4.0)
    habit_pitch: Range = (4.0, 18.0)
    pitch: Range = (-3.0, 3.0)
    habit_zoom: Range = (0.93, 1.06)
    zoom: Range = (0.97, 1.03)
    shift: float = 0.04
    drift: float = 0.004
    # Light and sensor.
    habit_gain: Range = (0.75, 1.1)
    gain: Range = (0.88, 1.08)
    gradient: float = 0.25  # relative change of brightness from the center to the border
    flicker: float = 0.03  # relative
    noise: Range = (1.0, 5.0)  # standard deviation in gray levels of 255


DEFAULT = Difficulty()
