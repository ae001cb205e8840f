"""The synthetic movements: each moves what it should, and nothing else."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aplt.synthetic import CLASSES, Difficulty
from aplt.synthetic.figure import SIDES, pose_skeleton, reach, rotation
from aplt.synthetic.motions import MOTIONS, OTHERS
from aplt.synthetic.moves import Company
from aplt.synthetic.poses import PARTS
from aplt.synthetic.render import render_take
from aplt.synthetic.shapes import Looks
from aplt.synthetic.subjects import Subject, Take, act, draw_subject, draw_take

# Only the named movement moves: whatever else changes in the image is an error.
QUIET = Difficulty(
    distractor=0.0,
    fidget=0.0,
    habit_company=(0.0, 0.0),
    habit_yaw=(0.0, 0.0),
    yaw=(0.0, 0.0),
    habit_pitch=(8.0, 8.0),
    pitch=(0.0, 0.0),
    habit_zoom=(0.95, 0.95),
    zoom=(1.0, 1.0),
    shift=0.0,
    drift=0.0,
    habit_gain=(1.0, 1.0),
    gain=(1.0, 1.0),
    gradient=0.0,
    flicker=0.0,
    noise=(0.0, 0.0),
)


def quiet_take(motion: str, number: int = 0) -> Take:
    return draw_take(0, number, motion, draw_subject(0, number, QUIET), QUIET)


def in_manner(take: Take, **changes: Any) -> Take:
    return replace(take, manner=replace(take.manner, **changes))


def change(take: Take, size: int = 64) -> np.ndarray:
    """Where the image changes over the clip, [size, size]."""
    frames = render_take(take, size).astype(float)
    return np.asarray(np.abs(np.diff(frames, axis=0)).mean(axis=(0, 3)))


@pytest.mark.parametrize("motion", [*MOTIONS, *OTHERS])
def test_each_movement_moves_its_part_of_the_image(motion: str) -> None:
    moved = change(quiet_take(motion))
    rows = moved.sum(axis=1) / moved.sum()
    part = (MOTIONS | OTHERS)[motion].part
    assert moved.max() > 3
    if part == "head":
        assert rows[:30].sum() > 0.99
    elif part == "shoulders":
        assert rows[:45].sum() > 0.9
    elif part == "legs":
        assert rows[30:].sum() > 0.95


@cache
def subject_of(number: int) -> Subject:
    """A subject of a data set, as difficult as these are."""
    return draw_subject(0, number, Difficulty())


def take_of(motion: str, subject: int, number: int) -> Take:
    return draw_take(0, number, motion, subject_of(subject), Difficulty())


@pytest.mark.parametrize("motion", CLASSES)
def test_movements_stay_small_and_are_made_with_their_own_part(motion: str) -> None:
    farthest = {"head": 0.15, "shoulders": 0.09, "arms": 0.75, "legs": 0.75}
    part = MOTIONS[motion].part
    for number in range(12):
        take = take_of(motion, number, number)
        pose = act(take)
        bones = pose_skeleton(take.subject.body, pose)

        def path(joint: np.ndarray) -> float:
            """The largest distance from where it began, meters."""
            return float(np.linalg.norm(joint - joint[0], axis=-1).max())

        moved = {"head": path(bones.head), "shoulders": path(bones.shoulder)}
        moved |= {"arms": path(bones.wrist), "legs": max(path(bones.ankle), path(bones.knee))}
        assert moved.pop(part) < farthest[part]
        # Fidgets and what accompanies the movement: visible, and smaller than a hand is wide.
        assert max(moved.values()) < (0.12 if part in ("shoulders", "arms") else 0.1)
        assert np.degrees(np.ptp(pose.head, axis=0)).max() < (85 if part == "head" else 15)
        assert np.degrees(np.ptp(pose.torso, axis=0)).max() < 8


@pytest.mark.parametrize("motion", CLASSES)
def test_nothing_moves_before_the_movement_begins(motion: str) -> None:
    take = replace(quiet_take(motion), onset=0.5, length=1.0, frames=40, fps=25)
    frames = render_take(take, 32)
    assert (frames[:13] == frames[0]).all()
    assert (frames[13:] != frames[0]).any()


def test_shrugging_raises_both_shoulders() -> None:
    take = quiet_take("shrugging")
    shoulder = pose_skeleton(take.subject.body, act(take)).shoulder
    assert (np.ptp(shoulder[..., 1], axis=0) > 0.03).all()


def test_the_face_turns_with_the_head() -> None:
    take = quiet_take("turning head")
    # Eyes, brows and mouth are all that is dark on a shaven, pale head before a pale wall.
    pale = (230.0, 200.0, 180.0)
    looks = Looks(pale, pale, pale, pale, pale, pale, pale, hair_style="bald", chair_back=False)
    take = in_manner(take, stays=True, slant=(0.0, 0.0))
    take = replace(take, subject=replace(take.subject, looks=looks, posture=np.zeros(3)), arms=("lap", "lap"))

    def features(side: int) -> float:
        head = render_take(replace(take, side=side), 96)[-1, 2:20, 36:60].mean(axis=-1)
        return float(np.average(np.arange(24), weights=np.clip(110 - head, 0, None).sum(axis=0) + 1e-9))

    assert features(1) - features(0) > 4


@pytest.mark.parametrize("motion", ["touching face", "touching neck", "waving", "shaking leg"])
def test_the_side_decides_which_limb_moves(motion: str) -> None:
    for side, sign in enumerate(SIDES):
        take = in_manner(quiet_take(motion), variant=0.5)
        moved = change(replace(take, side=side, arms=("lap", "lap"), legs="apart"))
        across = np.average(np.arange(64) - 31.5, weights=moved.sum(axis=0))
        assert across * sign > 2


@pytest.mark.parametrize(("motion", "axis"), [("nodding", 1), ("shaking head", 0)])
def test_nodding_and_shaking_swing_while_held_movements_do_not(motion: str, axis: int) -> None:
    def turns(name: str) -> int:
        # Long enough for two swings at the nominal tempo.
        take = in_manner(quiet_take(name), stays=True)
        take = replace(take, frames=45, fps=25, onset=0.1, length=1.6, tempo=1.0)
        angle = act(take).head[:, axis]
        speed = np.diff(angle)
        speed = np.sign(speed[np.abs(speed) > 1e-3])
        return int((np.diff(speed) != 0).sum())

    assert turns(motion) >= 3
    assert turns("turning head") == turns("head up") == 0


def test_angles_turn_the_way_they_are_documented() -> None:
    nose, crown = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    yaw, pitch, roll = rotation(np.eye(3) * 0.3)
    assert (yaw @ nose)[0] > 0.2
    assert (pitch @ nose)[1] > 0.2
    assert (roll @ crown)[0] > 0.2


Point = st.tuples(*[st.floats(-1, 1)] * 3).map(np.array)


@given(root=Point, goal=Point, pole=Point, upper=st.floats(0.2, 0.5), lower=st.floats(0.2, 0.5))
def test_bones_keep_their_length(
    root: np.ndarray, goal: np.ndarray, pole: np.ndarray, upper: float, lower: float
) -> None:
    away = goal - root
    bent = pole - (pole @ away) * away / max(away @ away, 1e-9)
    if np.linalg.norm(bent) < 1e-3 or np.linalg.norm(away) < 1e-3:
        return  # a pole along the limb names no side to bend to
    middle, end = reach(root, goal, upper, lower, pole)
    assert np.linalg.norm(middle - root) == pytest.approx(upper, abs=1e-6)
    assert np.linalg.norm(end - middle) == pytest.approx(lower, abs=1e-6)
    if abs(upper - lower) + 0.01 < np.linalg.norm(away) < upper + lower - 0.01:
        np.testing.assert_allclose(end, goal, atol=1e-6)


def test_subject_looks_the_same_in_all_clips_and_unlike_others() -> None:
    takes = [draw_take(0, number, "waving", draw_subject(0, 7, QUIET), QUIET) for number in range(2)]
    assert takes[0].subject.looks == takes[1].subject.looks
    assert takes[0].subject.body == takes[1].subject.body
    assert takes[0].subject.looks != draw_subject(0, 8, QUIET).looks


def test_a_subject_keeps_to_habits_that_differ_between_subjects() -> None:
    takes = [[take_of("touching face", subject, 20 * subject + k) for k in range(20)] for subject in range(12)]
    for name in ("yaw", "pitch", "zoom", "gain", "amplitude", "tempo"):
        value = np.array([[getattr(take, name) for take in own] for own in takes])
        assert 0 < value.std(axis=1).mean() < value.mean(axis=1).std()
    for name in ("room", "side", "manner", "legs", "arms"):
        values = [[str(getattr(take, name)) for take in own] for own in takes]
        usual = [max(set(own), key=own.count) for own in values]
        kept = [own.count(habit) / len(own) for own, habit in zip(values, usual, strict=True)]
        # Mostly, not always; and not the same for everyone.
        assert 0.5 < np.mean(kept) < 1
        assert len(set(usual)) > 1


def test_a_slanted_nod_turns_the_head_a_little_and_a_plain_one_does_not() -> None:
    plain, slanted = (act(in_manner(quiet_take("nodding"), slant=(slant, 0.0))).head for slant in (0.0, 0.4))
    assert np.ptp(plain[:, 0]) == 0
    assert np.ptp(slanted[:, 0]) == pytest.approx(0.4 * np.ptp(slanted[:, 1]))


def test_a_repeated_movement_fades_or_grows_with_the_manner() -> None:
    def late_share(fade: float) -> float:
        take = replace(quiet_take("shaking head"), frames=40, fps=20, onset=0.0, length=2.0, tempo=1.0)
        swing = np.abs(act(in_manner(take, fade=fade)).head[:, 0] - np.radians(take.subject.posture[0]))
        return float(swing[20:].sum() / swing.sum())

    assert late_share(0.6) < late_share(0.0) - 0.05 < late_share(-0.6) - 0.1


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("swings", [False, True])
def test_what_accompanies_a_movement_moves_its_part_in_time_with_it(part: str, swings: bool) -> None:
    alone = replace(quiet_take("waving" if part != "arms" else "nodding"), onset=0.5, length=1.0, frames=40, fps=25)
    company = Company(part, toward=(0.5, 0.5, 0.5), swings=swings)
    one, other = act(alone), act(in_manner(alone, company=company))
    moves = {
        "head": other.head - one.head,
        "shoulders": other.lift - one.lift,
        "arms": other.wrist - one.wrist,
        "legs": other.ankle - one.ankle,
        "torso": other.torso - one.torso,
    }
    moved = {name: np.abs(change).reshape(40, -1).max(axis=1) for name, change in moves.items()}
    assert moved[part].max() > 0.01
    assert moved[part][:13].max() == 0
    assert all(change.max() == 0 for name, change in moved.items() if name != part)


@pytest.mark.parametrize("motion", CLASSES)
def test_people_make_a_movement_less_alike_than_one_person_does_again_and_again(motion: str) -> None:
    def joints(subject: int, number: int) -> np.ndarray:
        """How the joints move in the same body, start pose and time: what is left is the manner."""
        take = take_of(motion, subject, number)
        body = subject_of(0).body
        same = replace(take.subject, body=body, posture=np.zeros(3))
        take = replace(take, subject=same, difficulty=QUIET)
        take = replace(take, side=0, arms=("lap", "lap"), legs="parallel", frames=30, fps=20)
        bones = pose_skeleton(body, act(take))
        moved = [bones.head, bones.shoulder, bones.elbow, bones.wrist, bones.knee, bones.ankle]
        path = np.concatenate([joint.reshape(30, -1) for joint in moved] + [0.15 * bones.head_turn[:, 2]], axis=1)
        return np.asarray(path - path[0])

    # The median, because a person departs from their habit once in a while.
    paths = np.array([[joints(subject, 10 * subject + k) for k in range(5)] for subject in range(6)])
    own = np.median(paths, axis=1)
    within = np.median(np.linalg.norm(paths - own[:, None], axis=-1).mean(axis=-1))
    between = np.median([np.linalg.norm(a - b, axis=-1).mean() for k, a in enumerate(own) for b in own[:k]])
    assert between > 1.5 * within


def test_a_leaning_head_bends_the_neck_and_a_turning_one_does_not() -> None:
    def shift(motion: str) -> float:
        take = in_manner(quiet_take(motion), stays=True, slant=(0.0, 0.0))
        nape = pose_skeleton(take.subject.body, act(take)).nape
        return float(np.linalg.norm(nape[-1] - nape[0]))

    assert shift("tilting head") > 0.01
    assert shift("head up") > 0.01
    assert shift("turning head") < 1e-6
