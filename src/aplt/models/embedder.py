"""The embedder: a frozen encoder with its weights in one file, and how clips become what it takes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_model, save_model
from torch import Tensor, nn

from aplt.config import InputSettings
from aplt.errors import InputError
from aplt.models.encoders import build_encoder
from aplt.settings import Settings, validated
from aplt.storage import aside_of, json_object, reason, take_place

Side = Annotated[int, Field(gt=0, le=65536)]
ENCODER = "encoder.safetensors"
"""The file of the embedder, in a bank and in the folder of a model that was trained on one."""


class EncoderSettings(Settings):
    """What builds an encoder, and how clips become tensors for it."""

    encoder: str
    encoder_settings: dict[str, Any]
    clip_shape: tuple[Side, Side, Side, Side]
    input: InputSettings

    def require_fit(self, where: Path) -> None:
        """Raises an InputError where `input` does not make clips of `clip_shape`; `where` is the settings' file."""
        sides = zip(self.input.clip_shape, self.clip_shape, strict=True)
        if any(side not in (None, length) for side, length in sides):
            raise InputError(f"{where}: setting 'input' does not make clips of clip_shape {list(self.clip_shape)}")


@dataclass(frozen=True)
class Embedder:
    """A frozen encoder: clips -> features, without gradient."""

    settings: EncoderSettings
    net: nn.Module

    @torch.no_grad()
    def __call__(self, clips: Tensor) -> Tensor:
        """[B, *clip] -> [B, D] float32."""
        feature: Tensor = self.net.eval()(clips).float()
        return feature

    def digest(self) -> str:
        """Returns the SHA-256 over the names and values of all weights."""
        whole = hashlib.sha256()
        for name, tensor in sorted(self.net.state_dict().items()):
            whole.update(name.encode())
            whole.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
        return whole.hexdigest()

    def save(self, path: Path) -> None:
        """Writes the encoder's weights, with the settings as the file's metadata.

        Raises:
            InputError: it cannot be written, such as on a full disk.
        """
        aside = aside_of(path)
        try:
            save_model(self.net, str(aside), metadata={"settings": self.settings.model_dump_json()})
            take_place(aside, path)
        except SafetensorError as error:
            raise InputError(f"{path}: the encoder cannot be written ({error})") from error
        finally:
            aside.unlink(missing_ok=True)


def load_embedder(path: Path) -> Embedder:
    """Returns the embedder in a file, on the CPU."""
    try:
        with safe_open(path, framework="pt") as stored:
            told = (stored.metadata() or {}).get("settings", "")
        settings = validated(EncoderSettings, json_object(told.encode(), str(path)), str(path))
        settings.require_fit(path)
        net = build_encoder(settings.encoder, settings.clip_shape, settings.encoder_settings)
        load_model(net, path)
    except InputError:
        raise
    except (SafetensorError, ValueError, RuntimeError, OSError) as error:
        raise InputError(f"{path}: not an encoder of this version ({reason(error)})") from error
    return Embedder(settings, net)
