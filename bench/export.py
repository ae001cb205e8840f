"""Exported models against PyTorch's own: the largest difference of a probability, and the processor time of a batch.

    python bench/export.py [--encoders tcn gcn tsm_tiny r3d_18] [--repeat 20]

Needs `pip install 'aplt[export]'`. One thread each; the two take turns in one process, and the medians are of processor
time. Clips and weights are random; skeletons are a person of the second Kinect's 25 joints.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import torch

from aplt.models.encoders import find_encoder
from aplt.models.recognizer import Recognizer
from aplt.runs.export import FILES, export

SHAPES = {"skeleton": [4, 32, 25, 1], "video": [3, 8, 112, 112]}


def seconds(work: Callable[[], object]) -> float:
    """Returns the processor time of some work."""
    began = time.process_time()
    work()
    return time.process_time() - began


def row(encoder: str, repeat: int) -> str:
    """Returns what there is to say of an encoder."""
    torch.manual_seed(0)
    kind = find_encoder(encoder).modality
    model = Recognizer(
        encoder=encoder,
        encoder_settings={},
        clip_shape=SHAPES[kind],
        class_names=[str(k) for k in range(52)],
        input={"kind": kind},
        read_out="both",
        prototype_scale=20.0,
    ).eval()
    model.prototype.copy_(torch.nn.functional.normalize(torch.randn_like(model.prototype), dim=1))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        difference = export(model, Path(folder), "onnx")
        took = time.process_time() - began
        size = (Path(folder) / FILES["onnx"]).stat().st_size / 2**20
        session = onnxruntime.InferenceSession(Path(folder) / FILES["onnx"], options)
    times = []
    for count in (1, 16):
        clip = torch.randn(count, *SHAPES[kind])
        each: tuple[list[float], list[float]] = ([], [])
        with torch.inference_mode():
            for _ in range(repeat + 2):
                each[0].append(seconds(lambda: model.probabilities(model(clip))))  # noqa: B023 - called at once
                each[1].append(seconds(lambda: session.run(None, {"clip": clip.numpy()})))  # noqa: B023
        own, onnx = (1000 * statistics.median(some[2:]) for some in each)
        times.append(f"{own:8.2f} {onnx:8.2f} ms ({onnx / own:.2f})")
    return f"{encoder:12} {difference:8.1e}  {'   '.join(times)}   {size:6.1f} MiB, exported in {took:.0f} s"


def main() -> None:
    """Prints a row for each encoder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoders", nargs="+", default=["tcn", "gcn", "tsm_tiny", "r3d_18"])
    parser.add_argument("--repeat", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("encoder      difference   1 clip: PyTorch, ONNX         16 clips: PyTorch, ONNX")
    for encoder in options.encoders:
        print(row(encoder, options.repeat), flush=True)


if __name__ == "__main__":
    main()
