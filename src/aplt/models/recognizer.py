"""The recognizer: an encoder, a classifier on its features, and the prototypes it can also be read out by."""

import json
import shutil
from pathlib import Path
from typing import Any, cast

import torch
from huggingface_hub import PyTorchModelHubMixin
from safetensors.torch import load_model
from torch import Tensor, nn
from torch.nn import functional

from aplt.errors import InputError
from aplt.models.encoders import build_encoder, feature_size
from aplt.rundir import aside_of
from aplt.values import Prediction


class Recognizer(nn.Module, PyTorchModelHubMixin):
    """Clips -> features and class scores.

    All constructor arguments are plain values: they are the model folder's config.json. `input` says how a clip
    becomes a tensor (aplt.config.VideoInput or SkeletonInput as a mapping).
    """

    def __init__(
        self,
        *,
        encoder: str,
        encoder_settings: dict[str, Any],
        clip_shape: list[int],
        class_names: list[str],
        input: dict[str, Any],  # noqa: A002 - the key in config.json
        read_out: str,
        prototype_scale: float,
    ) -> None:
        super().__init__()
        self.clip_shape = tuple(clip_shape)
        self.class_names = class_names
        self.input = input
        self.read_out = read_out
        self.prototype_scale = prototype_scale
        self.encoder = build_encoder(encoder, self.clip_shape, encoder_settings)
        size = feature_size(self.encoder, encoder, self.clip_shape)
        self.classifier = nn.Linear(size, len(class_names))
        self.prototype: Tensor
        self.register_buffer("prototype", torch.zeros(len(class_names), size))

    def forward(self, clip: Tensor) -> Prediction:
        """[B, *clip] -> Prediction."""
        feature = self.encoder(clip)
        return Prediction(feature, self.classifier(feature))

    def probabilities(self, prediction: Prediction) -> Tensor:
        """Returns class probabilities [B, K]: the classifier's, or their mean with the prototype classifier's."""
        classified = prediction.logits.float().softmax(dim=1)
        if self.read_out == "classifier" or not self.prototype.any():
            return classified
        cosine = functional.normalize(prediction.feature.float(), dim=1) @ self.prototype.T
        return (classified + (self.prototype_scale * cosine).softmax(dim=1)) / 2


def save_model(model: Recognizer, folder: Path) -> None:
    """Writes the model folder (model.safetensors, config.json) atomically, in place of an older one."""
    aside = aside_of(folder)
    aside.mkdir(parents=True)
    model.save_pretrained(aside)
    (aside / "README.md").unlink(missing_ok=True)  # the mixin's empty model card
    if folder.exists():
        shutil.rmtree(folder)
    aside.rename(folder)


def load_recognizer(folder: Path) -> Recognizer:
    """Returns the model in a folder, in evaluation mode, on the CPU.

    Raises:
        InputError: no model there, or its files do not fit each other.
    """
    config, weights = folder / "config.json", folder / "model.safetensors"
    for file in (config, weights):
        if not file.is_file():
            raise InputError(f"{folder}: no {file.name} in it, so it is no model folder")
    try:
        model = Recognizer(**cast(dict[str, Any], json.loads(config.read_text(encoding="utf-8"))))
        load_model(model, weights)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{folder}: not a model of this version ({' '.join(str(error).split())})") from error
    return model.eval()
