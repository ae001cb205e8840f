"""The recognizer: an encoder, a classifier on its features, and the prototypes it can also be read out by."""

import shutil
from pathlib import Path
from typing import Annotated, Any

import torch
from huggingface_hub import PyTorchModelHubMixin, snapshot_download
from huggingface_hub.errors import LocalEntryNotFoundError
from pydantic import Field, FiniteFloat
from safetensors import SafetensorError
from safetensors.torch import load_model
from torch import Tensor, nn
from torch.nn import functional

from aplt.config import ReadOut
from aplt.errors import InputError
from aplt.models.embedder import ENCODER, Embedder, EncoderSettings, load_embedder
from aplt.models.encoders import build_encoder, feature_size
from aplt.settings import validated
from aplt.storage import aside_of, naming, read_json, reason, take_place
from aplt.tensors import Prediction

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class ModelSettings(EncoderSettings):
    """What a model folder's config.json holds: the arguments of Recognizer."""

    class_names: Annotated[list[str], Field(min_length=1)]
    read_out: ReadOut
    prototype_scale: FiniteFloat
    clip_seconds: tuple[Seconds, Seconds] | None = None
    """Median and longest of the training clips; None where it is not known, as of a model of an older version."""


class Recognizer(nn.Module, PyTorchModelHubMixin):
    """Clips -> features and class scores.

    All constructor arguments are plain values: they are the model folder's config.json. `input` says how a clip
    becomes a tensor (one of aplt.config.InputSettings as a mapping); `clip_seconds` are the median and the longest of
    the training clips, where that is known.
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
        clip_seconds: list[float] | None = None,
    ) -> None:
        super().__init__()
        self.clip_shape = tuple(clip_shape)
        self.class_names = class_names
        self.input = input
        self.read_out = read_out
        self.prototype_scale = prototype_scale
        self.clip_seconds = clip_seconds
        self.encoder = build_encoder(encoder, self.clip_shape, encoder_settings)
        size = feature_size(self.encoder, encoder, self.clip_shape)
        self.classifier = nn.Linear(size, len(class_names))
        self.adjustment: Tensor
        self.register_buffer("adjustment", torch.zeros(len(class_names)), persistent=False)  # of training alone
        self.prototype: Tensor
        self.register_buffer("prototype", torch.zeros(len(class_names), size))
        self.embedder: Embedder | None = None
        """Of a loaded model on features: what makes them of clips. It has a file of its own."""
        self.folder: Path | None = None
        """That it was loaded from."""

    def forward(self, clip: Tensor) -> Prediction:
        """[B, *clip] -> Prediction, its logits with the adjustment for rare classes."""
        feature = self.encoder(clip)
        return Prediction(feature, self.classifier(feature) + self.adjustment)

    def reads_prototypes(self) -> bool:
        """Returns whether the prototype classifier has a say: the read-out is both, and there are prototypes."""
        return self.read_out == "both" and bool(self.prototype.any())

    def probabilities(self, prediction: Prediction, *, prototypes: bool | None = None) -> Tensor:
        """Returns class probabilities [B, K]: the classifier's, or their mean with the prototype classifier's.

        `prototypes` is what `reads_prototypes` says, where that has been asked before.
        """
        classified = (prediction.logits.float() - self.adjustment).softmax(dim=1)
        if not (self.reads_prototypes() if prototypes is None else prototypes):
            return classified
        # In full precision, for the scale blows up what rounding does to a cosine.
        with torch.autocast(self.prototype.device.type, enabled=False):
            cosine = functional.normalize(prediction.feature.float(), dim=1) @ self.prototype.T
        return (classified + (self.prototype_scale * cosine).softmax(dim=1)) / 2


def save_model(model: Recognizer, folder: Path) -> None:
    """Writes the model folder (model.safetensors, config.json), in place of an older one.

    config.json goes first and comes last, so that a kill leaves a model, or what is plainly none.
    """
    aside = aside_of(folder)
    aside.mkdir(parents=True)
    try:
        with naming(folder):
            model.save_pretrained(aside)
        folder.mkdir(exist_ok=True)
        (folder / "config.json").unlink(missing_ok=True)
        for name in ("model.safetensors", "config.json"):
            take_place(aside / name, folder / name)
    except SafetensorError as error:
        raise InputError(f"{folder}: the model cannot be written ({error})") from error
    finally:
        shutil.rmtree(aside)


def load_from_hub(repository: str) -> Recognizer:
    """Returns the model in a repository owner/name on the Hugging Face Hub, fetched or as fetched before.

    Raises:
        InputError: it cannot be fetched, or holds no model of this version.
    """
    try:
        folder = snapshot_download(repository, allow_patterns=["config.json", "model.safetensors", ENCODER])
    except (OSError, ValueError) as error:
        away = isinstance(error, LocalEntryNotFoundError)
        why = "which cannot be reached" if away else reason(error)
        raise InputError(f"{repository}: no such folder, and not to be had from the Hub ({why})") from error
    return load_recognizer(Path(folder))


def load_recognizer(folder: Path) -> Recognizer:
    """Returns the model in a folder, in evaluation mode, on the CPU."""
    settings = load_settings(folder)
    config, weights = folder / "config.json", folder / "model.safetensors"
    try:
        model = Recognizer(**settings.model_dump(mode="json"))
        load_model(model, weights)
    except InputError as error:  # of the encoder: its name, its code or its settings
        raise InputError(f"{config}: {error}") from error
    except (SafetensorError, ValueError, RuntimeError) as error:
        raise InputError(f"{folder}: not a model of this version ({reason(error)})") from error
    if (folder / ENCODER).is_file():
        model.embedder = load_embedder(folder / ENCODER)
    model.folder = folder
    return model.eval()


def load_settings(folder: Path) -> ModelSettings:
    """Returns what the config.json in a model folder says."""
    config = folder / "config.json"
    for file in (config, folder / "model.safetensors"):
        if not file.is_file():
            raise InputError(f"{folder}: no {file.name} in it, so it is no model folder")
    settings = validated(ModelSettings, read_json(config), str(config))
    settings.require_fit(config)
    return settings
