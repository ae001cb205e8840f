"""Miniatures of other tools' pose files, laid out by hand as the tools write them."""

import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np

FRAMES = 6
RNG = np.random.default_rng(0)


def walk(joints: int, dimensions: int = 2, at: float = 400.0) -> np.ndarray:
    """Returns a body [T, V, C] of about 60 that walks."""
    steps = np.cumsum(RNG.normal(size=(FRAMES, 1, dimensions)), axis=0)
    return (RNG.normal(size=(1, joints, dimensions)) * 60 + at + steps).round(3)


def sure(points: np.ndarray, score: float = 0.5) -> np.ndarray:
    """Returns points [..., C] with a score as last channel."""
    return np.concatenate([points, np.full_like(points[..., :1], score)], axis=-1)


def openpose(folder: Path, people: list[list[np.ndarray]], video: str = "v", hands: bool = False) -> Path:
    """Writes the persons [V, 3] of each frame as OpenPose does, and returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(people):
        persons = [
            {
                "person_id": [-1],
                "pose_keypoints_2d": person[: 25 if hands else None].ravel().tolist(),
                "hand_left_keypoints_2d": person[25:46].ravel().tolist() if hands else [],
                "hand_right_keypoints_2d": person[46:].ravel().tolist() if hands else [],
            }
            for person in frame
        ]
        (folder / f"{video}_{number:012d}_keypoints.json").write_text(json.dumps({"version": 1.3, "people": persons}))
    return folder


def landmarks(joints: np.ndarray) -> list[dict[str, float]]:
    """Returns joints [V, 4] as MediaPipe's landmarks."""
    return [dict(zip(("x", "y", "z", "visibility"), joint, strict=True)) for joint in joints.tolist()]


def deeplabcut(points: np.ndarray, parts: list[str], who: list[str] | None = None) -> str:
    """Returns the table of points [P, T, V, 3] as DeepLabCut has it."""
    people = who or [""]
    columns = [(one, part, axis) for one in people for part in parts for axis in ("x", "y", "likelihood")]
    rows = [["scorer"] + ["DLC"] * len(columns)]
    rows += [["individuals", *(one for one, _, _ in columns)]] if who else []
    rows += [["bodyparts", *(part for _, part, _ in columns)], ["coords", *(axis for _, _, axis in columns)]]
    values = points.swapaxes(0, 1).reshape(points.shape[1], -1)
    rows += [[str(t), *("" if np.isnan(value) else str(value) for value in row)] for t, row in enumerate(values)]
    return "\n".join(map(",".join, rows)) + "\n"


def ntu(points: np.ndarray, states: np.ndarray) -> str:
    """Returns points [T, V, 3] as an NTU .skeleton has them."""
    lines: list[str | int] = [len(points)]
    for frame, known in zip(points, states, strict=True):
        lines += [1, "72057594037931101 0 1 1 1 1 0 0.02 -0.05 2", len(frame)]
        lines += [" ".join(map(str, [*joint, *[0.5] * 8, state])) for joint, state in zip(frame, known, strict=True)]
    return "\n".join(map(str, lines)) + "\n"


def annotation(name: str, points: np.ndarray, label: int = 0) -> dict[str, Any]:
    """Returns persons [M, T, V, C] as one of PYSKL's annotations."""
    score = np.full(points.shape[:3], 0.5, dtype=np.float16)
    return {"frame_dir": name, "label": label, "img_shape": (1080, 1920), "keypoint": points, "keypoint_score": score}


def contents() -> dict[str, bytes]:
    """Returns an undamaged file of each kind that needs no optional package."""
    body, flat = sure(walk(25, 3)), sure(walk(17))
    coco = [{"image_id": f"{t}.jpg", "keypoints": frame.ravel().tolist()} for t, frame in enumerate(flat)]
    posed = [{"frame_id": t, "instances": [{"keypoints": frame.tolist()}]} for t, frame in enumerate(flat)]
    return {
        "mediapipe.json": json.dumps([{"pose_landmarks": [landmarks(frame)]} for frame in body]).encode(),
        "coco.json": json.dumps(coco).encode(),
        "mmpose.json": json.dumps({"instance_info": posed}).encode(),
        "dlc.csv": deeplabcut(flat[None, :, :3], ["snout", "leftear", "tail"], ["m1"]).encode(),
        "ntu.skeleton": ntu(walk(25, 3), np.full((FRAMES, 25), 2)).encode(),
        "pyskl.pkl": pickle.dumps({"annotations": [annotation("a", walk(17)[None])]}),
    }


def hdf5(tables: dict[str, Any], attributes: dict[str, dict[str, Any]]) -> bytes:
    """Returns an HDF5 file of these data sets, and of attributes by the place of what has them."""
    import h5py

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for name, values in tables.items():
            file[name] = values
        for name, given in attributes.items():
            file.require_group(name) if name not in file else None
            file[name].attrs.update(given)
    return stream.getvalue()


EARS = ("left_ear", "right_ear", "tail")


def sleap_analysis(points: np.ndarray, *, by_frame: bool = False) -> bytes:
    """Returns points [P, T, 3, 3] as an analysis file of SLEAP, whose axes are SLEAP's or named."""
    tables: dict[str, Any] = {"node_names": [name.encode() for name in EARS]}
    if by_frame:
        tables |= {"tracks": points[..., :2].swapaxes(0, 1), "point_scores": points[..., 2].swapaxes(0, 1)}
        return hdf5(tables, {"tracks": {"dims": json.dumps(["frame", "track", "node", "xy"])}})
    tables |= {"tracks": points[..., :2].transpose(0, 3, 2, 1), "point_scores": points[..., 2].swapaxes(1, 2)}
    return hdf5(tables, {})


def sleap(predicted: np.ndarray, placed: np.ndarray, *, corrected: str = "") -> bytes:
    """Returns one animal's predicted points [T, 3, 3] and another's placed by hand as a .slp of SLEAP.

    `corrected`: what is placed corrects what is predicted, as its `track` or `number` says.
    """
    frames = [(t, 0, 7 + t, 2 * t, 2 * t + 2) for t in range(FRAMES)]
    persons = []
    for n in range(2 * FRAMES):
        track, made_of = (0 if corrected == "track" else -1), (n - 1 if corrected == "number" and n % 2 else -1)
        persons.append((n, n % 2 == 0, track, made_of, 3 * (n // 2), 3 * (n // 2) + 3))
    fields = ("frame_id", "video", "frame_idx", "instance_id_start", "instance_id_end")
    kinds = [("instance_id", "i8"), ("instance_type", "i1"), ("track", "i4"), ("from_predicted", "i8")]
    kinds += [("point_id_start", "i8"), ("point_id_end", "i8")]
    place = [("x", "f8"), ("y", "f8"), ("visible", "?"), ("complete", "?")]
    nodes = {"nodes": [{"name": "tail"}, {"name": "left_ear"}, {"name": "right_ear"}]}
    notes = nodes | {"skeletons": [{"nodes": [{"id": 1}, {"id": 2}, {"id": 0}]}]}
    tables = {
        "frames": np.array(frames, dtype=[(name, "i8") for name in fields]),
        "instances": np.array(persons, dtype=kinds),
        "pred_points": np.array(
            [(*row[:2], True, False, row[2]) for row in predicted.reshape(-1, 3)], dtype=[*place, ("score", "f8")]
        ),
        "points": np.array([(*row[:2], row[2] > 0, False) for row in placed.reshape(-1, 3)], dtype=place),
    }
    return hdf5(tables, {"metadata": {"json": json.dumps(notes)}})


COLUMNS = [("DLC", part, axis) for part in ("snout", "tail") for axis in ("x", "y", "likelihood")]


def deeplabcut_table(points: np.ndarray, names: bytes) -> bytes:
    """Returns points [T, 2, 3] as DeepLabCut has pandas write them, with the pickle of the columns' names."""
    kind = [("index", "i8"), ("values_block_0", "f8", (6,))]
    rows = np.array([(t, one.ravel()) for t, one in enumerate(points)], dtype=kind)
    at = "df_with_missing/table"
    return hdf5({at: rows}, {at: {"values_block_0_kind": np.bytes_(names)}})


def deeplabcut_blocks(points: np.ndarray) -> bytes:
    """Returns points [T, 2, 3] as pandas writes a table that is never appended to."""
    tables: dict[str, Any] = {"df_with_missing/block0_values": points.reshape(FRAMES, -1)}
    for k in range(3):
        level = sorted({names[k] for names in COLUMNS})
        tables[f"df_with_missing/block0_items_level{k}"] = [name.encode() for name in level]
        tables[f"df_with_missing/block0_items_label{k}"] = [level.index(names[k]) for names in COLUMNS]
    return hdf5(tables, {"df_with_missing": {"block0_items_nlevels": 3}})


def holistic(points: np.ndarray) -> bytes:
    """Returns points [T, 84, 4] as a .pose with a face of 9."""
    from pose_format import Pose
    from pose_format.numpy import NumPyPoseBody
    from pose_format.pose_header import PoseHeader, PoseHeaderComponent, PoseHeaderDimensions

    sizes = {"POSE_LANDMARKS": 33, "FACE_LANDMARKS": 9, "LEFT_HAND_LANDMARKS": 21, "RIGHT_HAND_LANDMARKS": 21}
    joints = {name: [f"{name}{k}" for k in range(size)] for name, size in sizes.items()}
    parts = [PoseHeaderComponent(name, of, [], [], "XYZC") for name, of in joints.items()]
    whole, stream = points[:, None], io.BytesIO()
    body = NumPyPoseBody(25, whole[..., :3].astype(np.float32), whole[..., 3])
    Pose(PoseHeader(0.2, PoseHeaderDimensions(100, 100), parts), body).write(stream)
    return stream.getvalue()


def packed() -> dict[str, bytes]:
    """Returns an undamaged file of each kind that needs an optional package."""
    one = np.stack([sure(walk(3)), sure(walk(3, at=900))])
    return {
        "analysis.h5": sleap_analysis(one),
        "labels.slp": sleap(*one),
        "table.h5": deeplabcut_table(sure(walk(2)), pickle.dumps(COLUMNS, protocol=0)),
        "blocks.h5": deeplabcut_blocks(sure(walk(2))),
        "holistic.pose": holistic(sure(walk(84, 3))),
    }
