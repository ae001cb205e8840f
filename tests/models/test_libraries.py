"""Encoders of timm and transformers: from the library or a folder of its own, and rebuilt without either's files."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from aplt.config import VideoInput
from aplt.errors import InputError
from aplt.models.encoders import build_encoder, feature_size, find_weights, load_weights, whole_settings
from aplt.models.recognizer import Recognizer, load_recognizer, save_model
from aplt.models.tsm import TemporalShift, shift_blocks
from aplt.reference import installed
from aplt.runs.configure import effective_config

SHAPE = (3, 4, 32, 32)
TINY: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
VIT = TINY | {"intermediate_size": 16, "image_size": 32}
CONFIGS: dict[str, dict[str, Any]] = {
    "VideoMAE": VIT | {"patch_size": 16, "num_frames": 4},
    "Timesformer": VIT | {"patch_size": 16, "num_frames": 4},
    "Vivit": VIT | {"tubelet_size": [2, 16, 16], "num_frames": 4},
    "VJEPA2": TINY | {"patch_size": 16, "crop_size": 32, "frames_per_clip": 4, "pred_num_hidden_layers": 1},
}


def saved(name: str, folder: Path) -> nn.Module:
    """Leaves a tiny network from random weights in a folder, as transformers does; returns it."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    net = getattr(transformers, f"{name}Model")(getattr(transformers, f"{name}Config")(**CONFIGS[name])).eval()
    net.save_pretrained(folder)
    getattr(transformers, f"{name}VideoProcessor")(crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return net  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", CONFIGS)
def test_a_network_of_transformers_from_a_folder(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "net"
    theirs = saved(name, folder)
    encoder = f"hf:{folder}"
    config = effective_config({"clips": "c", "encoder": encoder, "encoder_weights": "DEFAULT"}, "video", "test")
    assert isinstance(config.input, VideoInput)
    assert (config.input.size, config.input.frames) == (32, 4)
    json.dumps(config.encoder_settings)  # plain values
    model = Recognizer(
        encoder=encoder,
        encoder_settings=config.encoder_settings,
        clip_shape=list(SHAPE),
        class_names=["a", "b"],
        input=config.input.model_dump(mode="json"),
        read_out="classifier",
        prototype_scale=20.0,
    ).eval()
    assert load_weights(model.encoder, encoder, SHAPE, config.encoder_settings, "DEFAULT") == ""
    clip = torch.randn(2, *SHAPE)
    with torch.no_grad():
        tokens = theirs(clip.transpose(1, 2)).last_hidden_state
        own = tokens[:, 0] if name in ("Timesformer", "Vivit") else tokens.mean(dim=1)
        torch.testing.assert_close(model.encoder(clip), own)
        expected = model(clip).logits
    save_model(model, tmp_path / "model")
    shutil.rmtree(folder)
    with torch.no_grad():
        assert torch.equal(load_recognizer(tmp_path / "model")(clip).logits, expected)


def test_a_config_from_anybody_reaches_nothing_else(tmp_path: Path) -> None:
    saved("VideoMAE", tmp_path)
    config = whole_settings(f"hf:{tmp_path}", {})["config"]
    hostile = {
        "auto_map": {"AutoModel": "evil--code.Net"},
        "_attn_implementation": "evil/code",
        "attn_implementation": "evil/code",
    }
    net = build_encoder("hf:gone", SHAPE, {"config": config | hostile})
    assert type(net.net).__module__.startswith("transformers.models.videomae")


def test_what_a_folder_of_transformers_lacks(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(InputError, match="no such folder"):
        whole_settings(f"hf:{tmp_path}/none", {})
    with pytest.raises(InputError, match=f"hf:{tmp_path}: no network of transformers there"):
        whole_settings(f"hf:{tmp_path}", {})
    net = saved("VideoMAE", tmp_path)
    settings = whole_settings(f"hf:{tmp_path}", {})
    # A pickle is not read, whatever it holds.
    torch.save(net.state_dict(), tmp_path / "pytorch_model.bin")
    (tmp_path / "model.safetensors").unlink()
    encoder = build_encoder(f"hf:{tmp_path}", SHAPE, settings)
    with pytest.raises(InputError, match=r"weights 'DEFAULT' could not be loaded \(.*safetensors"):
        load_weights(encoder, f"hf:{tmp_path}", SHAPE, settings, "DEFAULT")
    with pytest.raises(InputError, match="cannot take clips of shape"):
        feature_size(encoder, "hf:x", (3, 4, 40, 40))
    with pytest.raises(InputError, match="its config has no model_type"):
        build_encoder("hf:any", SHAPE, {"config": {"hidden_size": 8}})
    words = {"model_type": "bert", "hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1, "vocab_size": 9}
    with pytest.raises(InputError, match="takes input_ids"):
        build_encoder("hf:any", SHAPE, {"config": words | {"intermediate_size": 8}})


def test_shifts_of_blocks_whose_first_convolution_is_fused() -> None:
    pytest.importorskip("timm")
    net = build_encoder("timm:efficientnetv2_rw_t", SHAPE, {"time": "shift"})
    assert {name.rsplit(".", 1)[1] for name, one in net.named_modules() if isinstance(one, TemporalShift)} == {
        "conv_exp",
        "conv_pw",
    }


@pytest.mark.parametrize("name", ["test_resnet", "mobilenetv2_035"])
def test_a_network_of_timm_with_shifts_in_time(name: str) -> None:
    pytest.importorskip("timm")
    encoder = f"timm:{name}"
    mean, shift = (build_encoder(encoder, SHAPE, {"time": time}).eval() for time in ("mean", "shift"))
    for module in shift.modules():  # some begin with blocks that do nothing yet
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
    clip = torch.randn(2, *SHAPE)
    with torch.no_grad():
        torch.testing.assert_close(mean(clip), mean(clip.flip(2)))
        there, back = shift(clip), shift(clip.flip(2))
        assert (there - back).abs().max() > 1e-3 * there.abs().max()
        torch.testing.assert_close(there[:1], shift(clip[:1]))
    assert feature_size(mean, encoder, SHAPE) == feature_size(shift, encoder, SHAPE)


def test_branches_of_a_network_of_timm_are_dropped() -> None:
    pytest.importorskip("timm")
    for rate, alike in ((0.0, True), (0.9, False)):
        net = build_encoder("timm:test_vit", SHAPE, {"drop_path": rate}).train()
        clips = torch.rand(8, *SHAPE)
        assert torch.equal(net(clips), net(clips)) == alike
        assert torch.equal(net.eval()(clips), net(clips))
    with pytest.raises(InputError, match="drop_path_rate"):
        build_encoder("timm:efficientvit_b2", SHAPE, {"drop_path": 0.1})


def test_names_and_weights_of_timm() -> None:
    pytest.importorskip("timm")
    with pytest.raises(InputError, match=r"timm has no model 'resnet1e8'; did you mean resnet18"):
        build_encoder("timm:resnet1e8", SHAPE, {})
    with pytest.raises(InputError, match=r"no residual blocks.*encoder_settings\.time=mean"):
        build_encoder("timm:test_vit", SHAPE, {"time": "shift"})
    with pytest.raises(InputError, match=r"encoder_settings\.time': expected 'mean' or 'shift', found 'sum'"):
        build_encoder("timm:test_resnet", SHAPE, {"time": "sum"})
    with pytest.raises(InputError, match="did you mean 'a1_in1k'"):
        find_weights("timm:resnet18", {}, "a1_in2k")
    first = next(iter(find_weights("timm:vit_tiny_patch16_224", {}, "DEFAULT")[0].input.items()))
    assert first == ("size", 224)
    # A vision transformer is built for the clips' own size.
    assert feature_size(build_encoder("timm:test_vit", SHAPE, {}), "timm:test_vit", SHAPE) == 64


def test_weights_of_a_file_are_prepared_as_the_librarys_own(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    net = timm.create_model("test_resnet", num_classes=3)
    torch.save(net.state_dict(), tmp_path / "mine.pth")
    chosen: dict[str, Any] = {
        "clips": "c",
        "encoder": "timm:test_resnet",
        "encoder_weights": str(tmp_path / "mine.pth"),
    }
    config = effective_config(chosen, "video", "test")
    assert config.input == effective_config(chosen | {"encoder_weights": "DEFAULT"}, "video", "test").input
    encoder = build_encoder("timm:test_resnet", SHAPE, {})
    left = load_weights(encoder, "timm:test_resnet", SHAPE, {"time": "mean"}, str(tmp_path / "mine.pth"))
    assert "random" not in left
    assert "fc.weight" in left
    frame = torch.randn(1, 3, 1, 32, 32)
    with torch.no_grad():
        own = net.eval().forward_head(net.forward_features(frame[:, :, 0]), pre_logits=True)
        torch.testing.assert_close(encoder.eval()(frame), own)


def test_a_library_that_is_not_installed() -> None:
    with pytest.raises(InputError, match=r"needs no_such_library, .* pip install 'aplt\[timm\]'"):
        installed("no_such_library", "timm")


def test_shifts_leave_the_stem_alone() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)

    net = Block()
    net.add_module("block", Block())
    assert shift_blocks(net, 4) == 1
    assert isinstance(net.conv1, nn.Conv2d)
