"""How hard the synthetic clips are: every strength of movement and nuisance that is meant to be tuned."""

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True)
class Difficulty:
    """Ranges are drawn from uniformly; a habit is drawn once a subject, everything else once a clip.

    The habits of the named movement are drawn once a subject and movement. A person's clips of a class are therefore
    much alike and those of different people are not: a recognizer tested on people it has seen has it easier than one
    tested on others. The habits make the difference; `away` and what is drawn once a clip make all tests harder.

    Angles in degrees, times in seconds, lengths in frame widths where no other unit is named.
    """

    # The named movement. Factors multiply the nominal size and speed given in `motions`.
    amplitude: Range = (0.95, 1.07)
    habit_amplitude: Range = (0.9, 1.25)
    tempo: Range = (0.95, 1.06)
    habit_tempo: Range = (0.8, 1.25)
    habit_slant: float = 0.35  # most by which a movement departs from its plain direction; see Manner
    habit_fade: float = 0.6  # share of its size that a repeated movement loses or gains
    habit_company: Range = (0.3, 0.7)  # size of what is moved along with it, a factor on the nominal in `poses`
    duration: Range = (1.4, 1.8)
    onset: Range = (0.05, 0.2)
    rates: tuple[int, ...] = (20, 24, 25, 30)  # frames per second
    # What else moves. Factors on the nominal sizes in `poses`.
    distractor: float = 0.6
    fidget: float = 0.6
    # How often a clip departs from its subject's habit (start pose, side, way to do a movement, room).
    away: float = 0.04
    # Camera. Where it stands is the subject's, so that an unseen subject is seen from a new place.
    habit_yaw: Range = (-17.0, 17.0)
    yaw: Range = (-1.5, 1.5)
    habit_pitch: Range = (4.0, 18.0)
    pitch: Range = (-1.0, 1.0)
    habit_zoom: Range = (0.93, 1.06)
    zoom: Range = (0.99, 1.01)
    shift: float = 0.02
    drift: float = 0.004
    # Light and sensor.
    habit_gain: Range = (0.75, 1.1)
    gain: Range = (0.88, 1.08)
    gradient: float = 0.25  # relative change of brightness from the center to the border
    flicker: float = 0.03  # relative
    noise: Range = (1.0, 5.0)  # standard deviation in gray levels of 255


DEFAULT = Difficulty()
