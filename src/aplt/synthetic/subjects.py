"""Who is filmed and how: what stays the same for a subject, and what is drawn anew for each clip."""

from dataclasses import dataclass

import numpy as np

from aplt.synthetic.difficulty import Difficulty, Range
from aplt.synthetic.figure import Array, Body, Pose
from aplt.synthetic.motions import MOTIONS, OTHERS
from aplt.synthetic.moves import Company, Manner, Move
from aplt.synthetic.poses import (
    ARMS,
    CLOSED_ARMS,
    LAID_OVER,
    LEGS,
    OPEN_ARMS,
    OPEN_LEGS,
    PARTS,
    accompany,
    fidget,
    live,
    rest_pose,
)
from aplt.synthetic.shapes import Color, Looks

# Streams of random numbers that must not depend on each other.
_SUBJECT, _CLIP = 1, 2

_SKIN = ((243, 208, 180), (229, 184, 150), (205, 155, 118), (164, 115, 82), (120, 80, 56), (88, 58, 42))
_HAIR = ((30, 24, 22), (62, 42, 30), (105, 72, 45), (185, 145, 85), (150, 70, 40), (160, 158, 155))


@dataclass(frozen=True)
class Start:
    """How a person sits before the movement."""

    arms: tuple[str, str]
    legs: str
    over: int  # the leg that lies on the other, where one does


@dataclass(frozen=True)
class Subject:
    """One person: body, looks and habits."""

    body: Body
    looks: Looks
    room: int  # the seed of the room in which the subject is usually filmed
    side: int  # the preferred hand and leg
    start: Start
    free: Start  # instead, where arms or legs that are about to move must not be entangled; its `over` is not used
    manner: dict[str, Manner]  # by movement: the subject's way to make it
    yaw: float  # degrees: from where the subject is filmed
    pitch: float  # degrees
    zoom: float
    gain: float  # of the light in which the subject is filmed
    posture: Array  # [3] how the head is usually held, degrees
    fidget: str  # the part of the body that is seldom still


@dataclass(frozen=True)
class Take:
    """Everything that was drawn by chance for one clip, and a seed for the finer noise."""

    motion: str
    subject: Subject
    frames: int
    fps: int
    onset: float
    length: float
    amplitude: float
    tempo: float
    side: int
    manner: Manner
    arms: tuple[str, str]
    legs: str
    over: int
    room: int
    yaw: float  # degrees
    pitch: float  # degrees
    zoom: float
    shift: tuple[float, float]  # frame widths
    gain: float
    tint: Color  # factor on each channel
    gradient: tuple[float, float]
    noise: float
    difficulty: Difficulty
    seed: tuple[int, ...]

    @property
    def time(self) -> Array:
        """The time of each frame [T] in seconds."""
        return np.arange(self.frames) / self.fps


def draw_subject(seed: int, number: int, difficulty: Difficulty) -> Subject:
    """Returns the subject with this number in the data set with this seed."""
    rng = np.random.default_rng([seed, _SUBJECT, number])
    tall = rng.uniform(0.92, 1.08)

    def length(nominal: float, spread: float = 0.06) -> float:
        return float(nominal * tall * rng.uniform(1 - spread, 1 + spread))

    size = rng.uniform(0.93, 1.1)
    plain = Body()
    body = Body(
        seat=length(plain.seat, 0.03),
        torso=length(plain.torso),
        shoulder=length(plain.shoulder, 0.1),
        neck=length(plain.neck, 0.2),
        head=(plain.head[0] * size * rng.uniform(0.95, 1.07), plain.head[1] * size, plain.head[2] * size),
        upper_arm=length(plain.upper_arm),
        forearm=length(plain.forearm),
        thigh=length(plain.thigh),
        shin=length(plain.shin),
        girth=rng.uniform(0.88, 1.25),
    )
    looks = Looks(
        skin=_near(rng, _SKIN, 8),
        hair=_near(rng, _HAIR, 10),
        top=_garment(rng),
        trim=_garment(rng),
        trousers=_garment(rng),
        shoes=_garment(rng),
        chair=_garment(rng),
        hair_style=str(rng.choice(["short", "short", "long", "long", "bald"])),
        beard=bool(rng.random() < 0.2),
        glasses=bool(rng.random() < 0.25),
        sleeves=float(rng.choice([0.5, 1.0])),
        shorts=bool(rng.random() < 0.2),
        stripes=int(rng.choice([0, 0, 0, 2, 4])),
        chair_back=bool(rng.random() < 0.7),
    )
    return Subject(
        body=body,
        looks=looks,
        room=int(rng.integers(1 << 30)),
        side=int(rng.integers(2)),
        start=_draw_start(rng, closed=True),
        free=_draw_start(rng, closed=False),
        manner={motion: _draw_manner(rng, action.part, difficulty) for motion, action in (MOTIONS | OTHERS).items()},
        yaw=_uniform(rng, difficulty.habit_yaw),
        pitch=_uniform(rng, difficulty.habit_pitch),
        zoom=_uniform(rng, difficulty.habit_zoom),
        gain=_uniform(rng, difficulty.habit_gain),
        posture=rng.uniform(-1, 1, 3) * [5.0, 5.0, 4.0],
        fidget=str(rng.choice(PARTS)),
    )


def draw_take(seed: int, number: int, motion: str, subject: Subject, difficulty: Difficulty) -> Take:
    """Returns what is drawn by chance for the clip with this number in the data set with this seed."""
    rng = np.random.default_rng([seed, _CLIP, number])
    at_home = rng.random(5) >= difficulty.away
    part = (MOTIONS | OTHERS)[motion].part
    start = subject.start if at_home[0] else _draw_start(rng, closed=True)
    free = subject.free if at_home[1] else _draw_start(rng, closed=False)
    entangled = part in ("arms", "shoulders") and any(arm in CLOSED_ARMS for arm in start.arms)
    crossed = part == "legs" and start.legs not in OPEN_LEGS

    fps = int(rng.choice(difficulty.rates))
    frames = round(_uniform(rng, difficulty.duration) * fps)
    onset = _uniform(rng, difficulty.onset)
    manner = subject.manner[motion] if at_home[4] else _draw_manner(rng, part, difficulty)
    shift = rng.uniform(-1, 1, 2) * difficulty.shift
    slope = rng.uniform(-1, 1, 2) * difficulty.gradient
    return Take(
        motion=motion,
        subject=subject,
        frames=frames,
        fps=fps,
        onset=onset,
        length=frames / fps - onset - rng.uniform(0.0, 0.15),
        amplitude=manner.amplitude * _uniform(rng, difficulty.amplitude),
        tempo=manner.tempo * _uniform(rng, difficulty.tempo),
        side=subject.side if at_home[2] else int(rng.integers(2)),
        manner=manner,
        arms=(free if entangled else start).arms,
        legs=(free if crossed else start).legs,
        over=start.over,
        room=subject.room if at_home[3] else int(rng.integers(1 << 30)),
        yaw=subject.yaw + _uniform(rng, difficulty.yaw),
        pitch=subject.pitch + _uniform(rng, difficulty.pitch),
        zoom=subject.zoom * _uniform(rng, difficulty.zoom),
        shift=(float(shift[0]), float(shift[1])),
        gain=subject.gain * _uniform(rng, difficulty.gain),
        tint=(float(rng.uniform(0.92, 1.08)), 1.0, float(rng.uniform(0.9, 1.1))),
        gradient=(float(slope[0]), float(slope[1])),
        noise=_uniform(rng, difficulty.noise),
        difficulty=difficulty,
        seed=(seed, _CLIP, number, 1),
    )


def act(take: Take) -> Pose:
    """Returns what the person does in the clip: start pose, life, fidgets, the named movement with its company."""
    subject, difficulty, time = take.subject, take.difficulty, take.time
    rng = np.random.default_rng([*take.seed, 0])
    action = (MOTIONS | OTHERS)[take.motion]
    pose = rest_pose(subject.body, take.frames, take.arms, take.legs, take.over)
    pose.head += np.radians(subject.posture)
    live(pose, rng, time, difficulty.distractor)
    others = [part for part in PARTS if part != action.part]
    if subject.fidget in others:
        fidget(pose, rng, time, subject.fidget, difficulty.fidget)
    fidget(pose, rng, time, str(rng.choice(others)), difficulty.distractor)
    move = Move(
        body=subject.body,
        time=time,
        onset=take.onset,
        length=take.length,
        amplitude=take.amplitude,
        tempo=take.tempo,
        side=take.side,
        manner=take.manner,
    )
    action.move(pose, move)
    accompany(pose, move)
    return pose


def _draw_start(rng: np.random.Generator, *, closed: bool) -> Start:
    legs = [*LEGS, LAID_OVER] if closed else [*OPEN_LEGS]
    return Start(_draw_arms(rng, closed=closed), str(rng.choice(legs)), over=int(rng.integers(2)))


def _draw_manner(rng: np.random.Generator, part: str, difficulty: Difficulty) -> Manner:
    """Returns a way to make a movement of this part of the body."""
    slant = rng.uniform(-1, 1, 2) * difficulty.habit_slant
    toward = rng.standard_normal(3)
    toward *= _uniform(rng, difficulty.habit_company) / np.linalg.norm(toward)
    return Manner(
        variant=float(rng.random()),
        stays=bool(rng.random() < 0.6),
        amplitude=_uniform(rng, difficulty.habit_amplitude),
        tempo=_uniform(rng, difficulty.habit_tempo),
        slant=(float(slant[0]), float(slant[1])),
        fade=float(rng.uniform(-1, 1) * difficulty.habit_fade),
        company=Company(
            part=str(rng.choice([other for other in PARTS if other != part])),
            toward=(float(toward[0]), float(toward[1]), float(toward[2])),
            swings=bool(rng.random() < 0.5),
        ),
    )


def _draw_arms(rng: np.random.Generator, *, closed: bool) -> tuple[str, str]:
    kind = str(rng.choice([*(ARMS if closed else OPEN_ARMS)]))
    if kind == "folded":
        return kind, kind
    if kind in ("raised", "at chin"):
        # One hand is up, the other rests.
        other = str(rng.choice(["lap", "knees", "beside"]))
        return (kind, other) if rng.random() < 0.5 else (other, kind)
    return kind, kind


def _uniform(rng: np.random.Generator, between: Range) -> float:
    return float(rng.uniform(*between))


def _near(rng: np.random.Generator, colors: tuple[Color, ...], spread: float) -> Color:
    red, green, blue = np.clip(colors[rng.integers(len(colors))] + rng.uniform(-spread, spread, 3), 0, 255)
    return float(red), float(green), float(blue)


def _garment(rng: np.random.Generator) -> Color:
    """A color of any hue, rather dull than bright, as clothes are."""
    red, green, blue = rng.uniform(35, 225) * (1 - rng.uniform(0, 0.65) * rng.random(3))
    return float(red), float(green), float(blue)
