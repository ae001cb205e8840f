"""How a clip becomes what a model takes, told so that a program without this one can do the same.

What a table of settings says is said by keys, in the words of the settings; what is done with them by steps, in order.
"""

from typing import Any

from aplt.config import FeatureInput, SkeletonInput, VideoInput
from aplt.data.bodies import COLLAPSED, FAR, ROUNDING
from aplt.data.modality import ClipShape
from aplt.data.video_views import MID_GRAY, cached_side, resized_sides
from aplt.topology import topology_of


def of_video(settings: VideoInput, _: ClipShape) -> dict[str, Any]:
    """Returns how a video becomes a clip [3, T, H, W]."""
    side, sides = cached_side(settings), resized_sides(settings)
    to = (
        f"the shorter side has {sides} pixels"
        if isinstance(sides, int)
        else f"they are {sides[0]} high, {sides[1]} wide"
    )
    window = "D" if settings.rate is None else f"min(D, {settings.frames} / {settings.rate:g})"
    steps = [
        f"Decode all frames: RGB, upright, with square pixels; where the shorter side has more than {side} pixels, "
        f"scale it to {side} by the mean of areas. (They are then kept as JPEG of quality {settings.cache_quality}, "
        "which may be left out.)",
        "Let t[k] be the second at which frame k of n appears, t[0] = 0, and D = t[n-1] + t[n-1] / (n-1), or 1 where "
        "n = 1.",
        f"Let L = {window}. For i = 0 to {settings.frames - 1} take the frame that is on screen at "
        f"(D - L) / 2 + L (i + 0.5) / {settings.frames}: the last one with t[k] <= this moment + 0.000001.",
    ]
    if settings.brightness == "normalize":
        steps.append(
            f"Raise all levels, as shares of 255, to the power log({MID_GRAY}) / log(m), where m is the mean level of "
            "these frames over 255, kept within 1/255 and 254/255; round to whole levels."
        )
    antialias = "smoothed where they get smaller (antialias)" if settings.antialias else "not smoothed (no antialias)"
    steps += [
        f"Resize so that {to} ({settings.interpolation}, {antialias}); round to whole levels.",
        f"Crop {settings.size} x {settings.size} from the middle; divide by 255, take off the mean, divide by the "
        "deviation, by channel.",
        "Order the axes as channels, frames, height, width.",
    ]
    keys = ("frames", "rate", "size", "interpolation", "antialias", "brightness", "mean", "deviation")
    return {"axes": ["channels", "frames", "height", "width"], "colors": "RGB", "decoded_short_side": side} | {
        "resize": sides,
        **{key: getattr(settings, key) for key in keys},
        "steps": steps,
    }


def of_skeleton(_: SkeletonInput, clip_shape: ClipShape) -> dict[str, Any]:
    """Returns how a skeleton sequence becomes a clip [C + 1, T, V, P]."""
    channels, frames, joints, persons = clip_shape
    known = topology_of(joints, channels - 1)
    steps = [
        f"Let p[person, frame, joint, {channels - 1}] be the coordinates, and c[person, frame, joint] the confidence "
        "from 0 to 1: 1 where the tracker says nothing, 0 where a joint is not seen. Persons who are never seen are "
        "left out.",
        "A coordinate that is not seen in a frame is interpolated linearly over time, as it lies to the mean of the "
        "joints that are seen in all frames; one that is never seen is that of the person's center. Who is absent from "
        "a frame is all zeros in it, and stays so in the next steps.",
        "center[person, frame] is the mean of the joints that are ever seen, spread[person, frame] their mean distance "
        f"from it. A person is collapsed in a frame where spread is at most {COLLAPSED} times the 95th percentile (the "
        f"lower neighbor) of the person's spreads, or {ROUNDING} times the person's largest coordinate in it.",
        "The first person is the first who is in a frame seen and not collapsed. origin is their center in the first "
        "frame that they are seen in; size is the median of their spread over the frames in which they are seen and "
        "not collapsed, at least 0.000001.",
        f"p becomes (p - origin) / size, and is cut to -{FAR:g} and {FAR:g}.",
        f"Of F frames, frame i of {frames} is that at i (F - 1) / {frames - 1}, coordinates and confidence alike "
        "interpolated linearly between its neighbors.",
        f"Order the axes as coordinates and then confidence, frames, joints, persons; fill up to {persons} persons "
        "with zeros.",
    ]
    return {
        "axes": ["coordinates and confidence", "frames", "joints", "persons"],
        "frames": frames,
        "skeleton": known.name if known else None,
        "joints": list(known.joints) if known else joints,
        "coordinates": channels - 1,
        "persons": persons,
        "confidence": "last",
        "largest": FAR,
        "steps": steps,
    }


def of_features(_: FeatureInput, clip_shape: ClipShape) -> dict[str, Any]:
    """Returns what a clip [1, 1, D, 1] of features is."""
    step = "The features of a clip, float32, as the frozen encoder of its bank has them of the center view."
    return {"axes": ["1", "1", "features", "1"], "features": clip_shape[2], "steps": [step]}
