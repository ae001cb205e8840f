"""A trained model as one file for other programs, and beside it how clips become what it takes."""

from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, cast, get_args

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from aplt.data.modality import MODALITIES, ClipShape
from aplt.errors import InputError
from aplt.models.recognizer import Recognizer
from aplt.reference import require
from aplt.storage import atomic, is_folder, reason, write_json

Format = Literal["onnx", "torch_export"]
FILES: dict[Format, str] = {"onnx": "model.onnx", "torch_export": "model.pt2"}
BESIDE = "preprocessing.json"
CHECKED = (1, 3)
"""Clips in the batches on which an exported model is compared with the one that it was made of."""
TOLERATED = 1e-3
"""The largest difference of a probability: frameworks sum in other orders, and do nothing else differently."""


class _Exported(nn.Module):
    """Clips [B, *clip] -> class probabilities [B, K]: encoder, classifier and read-out in one."""

    def __init__(self, model: Recognizer) -> None:
        super().__init__()
        self.model, self.prototypes = model, model.reads_prototypes()
        self.encoder = model.embedder.net if model.embedder else nn.Identity()

    def forward(self, clip: Tensor) -> Tensor:
        clip = self.encoder(clip).float().reshape(-1, *self.model.clip_shape)
        return self.model.probabilities(self.model(clip), prototypes=self.prototypes)


@torch.no_grad()
def export(model: Recognizer, folder: Path, format_: str) -> float:
    """Writes a model's file and preprocessing.json into a folder, and returns the largest difference of a probability.

    It takes any number of clips at once. See `aplt.export`.
    """
    if format_ not in get_args(Format):
        raise InputError(f"--format is {format_}, expected {' or '.join(get_args(Format))}")
    kind = cast(Format, format_)
    _require_ours(folder)
    if kind == "onnx":
        for module in ("onnx", "onnxscript", "onnxruntime"):
            require(module, "export")
    whole = _Exported(model).eval()
    shape = model.embedder.settings.clip_shape if model.embedder else model.clip_shape
    torch.manual_seed(0)
    batches = [torch.randn(count, *shape) for count in CHECKED]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILES[kind]
    try:
        program = torch.export.export(whole, (batches[-1],), dynamic_shapes={"clip": {0: Dim("batch")}}, strict=False)
        with atomic(path) as stream:
            if kind == "onnx":
                stream.write(_onnx(program))
            else:
                torch.export.save(program, stream)
        found = _answers(path, kind, batches)
    except Exception as error:
        path.unlink(missing_ok=True)
        why = reason(error).partition(" Caused by")[0][:300]
        raise InputError(f"this model cannot be exported as {kind} ({type(error).__name__}: {why})") from error
    difference = max(float((whole(clip) - other).abs().max()) for clip, other in zip(batches, found, strict=True))
    if not difference <= TOLERATED:
        path.unlink()
        raise InputError(f"this model cannot be exported as {kind}: its probabilities would differ by {difference:.1g}")
    write_json(folder / BESIDE, _description(model, kind, cast(ClipShape, shape), difference))
    return difference


def _require_ours(folder: Path) -> None:
    """Refuses a folder that holds anything but an earlier export."""
    if folder.exists() and not is_folder(folder):
        raise InputError(f"{folder}: is a file; name a folder with -o")
    others = {path.name for path in folder.iterdir()} - {BESIDE, *FILES.values()} if folder.exists() else set()
    if others:
        raise InputError(f"{folder}: holds {min(others)}, which is of no export; name an empty or a new folder with -o")


def _onnx(program: ExportedProgram) -> bytes:
    made = torch.onnx.export(
        program, dynamo=True, verbose=False, external_data=False, input_names=["clip"], output_names=["probability"]
    )
    assert made is not None
    model: bytes = made.model_proto.SerializeToString()
    return model


def _answers(path: Path, kind: Format, batches: list[Tensor]) -> list[Tensor]:
    """Returns what the model in a file says of batches."""
    if kind == "torch_export":
        net = torch.export.load(path).module()
        return [net(clip) for clip in batches]
    from onnxruntime import InferenceSession

    session = InferenceSession(path, providers=["CPUExecutionProvider"])
    return [torch.from_numpy(session.run(None, {"clip": clip.numpy()})[0]) for clip in batches]


def _description(model: Recognizer, kind: Format, shape: ClipShape, difference: float) -> dict[str, Any]:
    source = model.embedder.settings.input.model_dump() if model.embedder else model.input
    modality = MODALITIES[str(source["kind"])]
    told = modality.preprocessing(modality.input.model_validate(source), shape)
    read_out = (
        "the mean of classifier's and prototypes' probabilities" if model.reads_prototypes() else "the classifier's"
    )
    return {
        "made_by": f"aplt {version('aplt')}",
        "model": FILES[kind],
        "format": kind,
        "clips": modality.name,
        "input": {"name": "clip", "dtype": "float32", "shape": ["batch", *shape], "axes": ["batch", *told.pop("axes")]},
        "output": {"name": "probability", "dtype": "float32", "shape": ["batch", len(model.class_names)]},
        "read_out": f"Class probabilities, as `aplt predict` scores them: {read_out}; how reliable they "
        "are, and how novel a clip is, is not in the model.",
        "class_names": model.class_names,
        "preprocessing": told,
        "largest_difference": difference,
    }
