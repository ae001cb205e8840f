"""What skeleton encoders see of a clip: poses and bones, where the body goes, how fast each changes, how sure it is.

A clip [B, C + 1, T, V, P] has C coordinates, and the confidence in each joint last.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from aplt.topology import topology_of


def bone_parents(clip_shape: tuple[int, ...], parents: Sequence[int] | None) -> list[int] | None:
    """Returns each joint's parent: as given, else those of the skeleton with so many joints; None if none is known."""
    channels, _, joints, _ = clip_shape
    if parents is None:
        known = topology_of(joints, channels - 1)
        return list(known.parents) if known else None
    _require_tree(parents, joints)
    return list(parents)


def pose_streams(clip: Tensor, parents: list[int] | None) -> list[Tensor]:
    """[B, C + 1, T, V, P] -> [B, ., T, V, P] each: joints from their mean, bones, their motions, and the confidence.

    Without `parents` there are no bones. All lie in memory as the clip does.
    """
    points = clip[:, :-1]
    streams = [points - points.mean(dim=3, keepdim=True)]
    if parents is not None:
        streams.append(points - points[:, :, :, parents])
    return [*streams, *map(motion, streams), clip[:, -1:]]


def path_streams(clip: Tensor) -> list[Tensor]:
    """[B, C + 1, T, V, P] -> [B, C, T, 1, P] each: the mean joint, and its motion."""
    center = clip[:, :-1].mean(dim=3, keepdim=True)
    return [center, motion(center)]


def motion(stream: Tensor) -> Tensor:
    """Returns the step from each frame to the next along dimension 2; 0 after the last."""
    steps = torch.zeros_like(stream)
    steps[:, :, :-1] = stream[:, :, 1:] - stream[:, :, :-1]
    return steps


def _require_tree(parents: Sequence[int], joints: int) -> None:
    if len(parents) != joints:
        raise ValueError(f"parents: expected one for each of {joints} joints, found {len(parents)}")
    for joint, parent in enumerate(parents):
        if not 0 <= parent < joints:
            raise ValueError(f"parents: joint {joint} has the parent {parent}, expected 0 to {joints - 1}")
    for joint in range(joints):
        above = joint
        for _ in range(joints):
            above = parents[above]
        if parents[above] != above:
            raise ValueError(f"parents: from joint {joint} the way up goes in a circle; the root is its own parent")
