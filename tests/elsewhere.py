"""A program without aplt that follows preprocessing.json: python elsewhere.py FOLDER CLIP... prints probabilities.

What it does is what the steps in the file say, for clips without gaps.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def skeleton(path: str, how: dict[str, Any]) -> np.ndarray:
    points = np.load(path)[None]
    center = points.mean(axis=2, keepdims=True)
    spread = np.linalg.norm(points - center, axis=3).mean(axis=2)
    points = np.clip((points - center[0, 0]) / np.median(spread[0]), -how["largest"], how["largest"])
    points = np.concatenate([points, np.ones_like(points[..., :1])], axis=3)
    at = np.arange(how["frames"]) * (points.shape[1] - 1) / (how["frames"] - 1)
    moments = np.arange(points.shape[1])
    clip = np.apply_along_axis(lambda values: np.interp(at, moments, values), 1, points)
    assert len(clip) == how["persons"]
    return clip.transpose(3, 1, 2, 0).astype(np.float32)


def video(path: str, how: dict[str, Any]) -> np.ndarray:
    import av
    import torch
    from torchvision.transforms.v2 import functional

    with av.open(path) as container:
        frames = [(frame.time or 0.0, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    times = np.array([time for time, _ in frames]) - frames[0][0]
    lasts = times[-1] + times[-1] / (len(times) - 1)
    length = lasts if how["rate"] is None else min(lasts, how["frames"] / how["rate"])
    wanted = (lasts - length) / 2 + length * (np.arange(how["frames"]) + 0.5) / how["frames"]
    rows = [int((times <= moment + 1e-6).sum()) - 1 for moment in wanted]
    pictures = torch.from_numpy(np.stack([frames[row][1] for row in rows])).permute(0, 3, 1, 2)
    pictures = functional.resize(pictures, how["resize"], how["interpolation"], antialias=how["antialias"])
    levels = functional.center_crop(pictures, how["size"]).float() / 255
    color = (1, 3, 1, 1)
    levels = (levels - torch.tensor(how["mean"]).view(color)) / torch.tensor(how["deviation"]).view(color)
    return np.asarray(levels.transpose(0, 1))


def main(folder: Path, paths: list[str]) -> None:
    told = json.loads((folder / "preprocessing.json").read_text())
    read = {"skeleton": skeleton, "video": video}[told["clips"]]
    clips = np.stack([read(path, told["preprocessing"]) for path in paths])
    assert list(clips.shape[1:]) == told["input"]["shape"][1:]
    if told["format"] == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(folder / told["model"])

        def answer(batch: np.ndarray) -> np.ndarray:
            return np.asarray(session.run([told["output"]["name"]], {told["input"]["name"]: batch})[0])
    else:
        import torch

        net = torch.export.load(folder / told["model"]).module()

        def answer(batch: np.ndarray) -> np.ndarray:
            with torch.no_grad():
                return np.asarray(net(torch.from_numpy(batch)))

    print(json.dumps({"batch": answer(clips).tolist(), "single": [answer(clip[None])[0].tolist() for clip in clips]}))


if __name__ == "__main__":
    sys.modules["aplt"] = None  # type: ignore[assignment]
    main(Path(sys.argv[1]), sys.argv[2:])
