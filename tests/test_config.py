"""Settings: what is refused and how it is said, and the whole effective config."""

from pathlib import Path
from typing import Any

import pytest

from aplt.config import RunConfig, SplitSettings
from aplt.errors import InputError
from aplt.methods.catalog import METHODS
from aplt.runs.configure import effective_config
from aplt.runs.setup import build_algorithm, build_offline
from aplt.settings import load_yaml, merge, parse_assignments, validated
from aplt.tensors import Task

MINIMAL: dict[str, Any] = {"clips": "clips.csv"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train": {"round": 3}}, "unknown setting 'train.round'; did you mean 'train.rounds'?"),
        ({"trian": {}}, "unknown setting 'trian'; did you mean 'train'?"),
        ({"input": {"framse": 3}}, "unknown setting 'input.framse' of skeleton clips; did you mean 'input.frames'?"),
        ({"input": {"cache": True}}, "unknown setting 'input.cache' of skeleton clips; expected one of:"),
        (
            {"offline": {"asignment": "nearest"}},
            "unknown setting 'offline.asignment'; did you mean 'offline.assignment'?",
        ),
        ({"train": {"rounds": "many"}}, "setting 'train.rounds': expected a whole number"),
        ({"train": {"optimizer": "adam"}}, "setting 'train.optimizer': expected 'adamw' or 'sgd', found 'adam'"),
        ({"train": {"ema_decay": 1}}, "setting 'train.ema_decay': expected less than 1, found 1"),
        ({"split": {"test_subjects": "s1"}}, "setting 'split.test_subjects': expected a list, found 's1'"),
        ({"input": {"mirror": [[1, 2, 3]]}}, "setting 'input.mirror.0': expected 2 or fewer entries, found [1, 2, 3]"),
        (
            {"input": {"kind": "audio"}},
            "setting 'input': expected 'kind' to be one of 'video', 'skeleton', 'features', found",
        ),
        ({"train": {"rounds": 0}}, "setting 'train.rounds': expected at least 1, found 0"),
        (
            {"split": {"labeled": "150%"}},
            "setting 'split.labeled': expected a share from 0 to 1, written as 50% or 0.5, found '150%'",
        ),
        ({"train": {"rounds": 10**30}}, "setting 'train.rounds': expected at most 1000000000, found 10"),
        ({"train": {"learning_rate": float("inf")}}, "setting 'train.learning_rate': expected a number, found inf"),
        ({"input": {"weak_tilt": 1e308}}, "setting 'input.weak_tilt': expected at most 360"),
        ({"input": {"strong_shear": 1e308}}, "setting 'input.strong_shear': expected at most 10"),
        ({"input": {"frames": 10**9}}, "setting 'input.frames': expected at most 65536"),
        ({"method": "apltt"}, "unknown method 'apltt'; did you mean 'aplt'?"),
        (
            {"method_settings": {"marign": 1}},
            "method aplt: unknown setting 'method_settings.marign'; did you mean 'method_settings.margin'?",
        ),
        (
            {"method_settings": {"margin": "wide"}},
            "setting 'method_settings.margin': expected a number, found 'wide'",
        ),
        ({"method": "fixmatch", "offline": {}}, "method fixmatch: setting 'offline'"),
        ({"method": "supervised", "method_settings": {"ramp": 1}}, "'method_settings.ramp'; it has none"),
        ({"offline": {"views": 0}}, "setting 'offline.views': expected at least 1, found 0"),
        ({"method_settings": {"alignment": 1}}, "setting 'method_settings.alignment': expected true or false, found 1"),
        ({"input": {"kind": "video"}}, "'input.kind' is video, but the clips are skeletons"),
    ],
)
def test_refused_with_a_hint(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        effective_config(merge(MINIMAL, settings), "skeleton", "my.yaml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("modality", ["video", "skeleton"])
@pytest.mark.parametrize("method", METHODS)
def test_every_method_builds_and_its_yaml_gives_it_back(method: str, modality: str, tmp_path: Path) -> None:
    config = effective_config(MINIMAL | {"method": method}, modality, "test")
    path = tmp_path / "config.yaml"
    path.write_text(config.to_yaml())
    assert validated(RunConfig, load_yaml(path), "test") == config
    assert effective_config(load_yaml(path), modality, "test") == config
    build_algorithm(config, Task(3, 9, (0, 1, 2), 6, 4, 1))
    assert (build_offline(config) is None) == (METHODS[method].offline is None)


def test_the_users_settings_win_over_the_methods() -> None:
    config = effective_config(
        MINIMAL | {"method": "aplt_paper", "offline": {"views": 3}, "method_settings": {"alignment": True}},
        "skeleton",
        "test",
    )
    assert config.offline is not None
    assert config.offline["views"] == 3
    assert config.offline["assignment"] == "nearest"  # still the method's
    assert config.method_settings["alignment"] is True
    assert config.method_settings["target"] == "student"


def test_a_whole_number_of_a_method_is_one_with_a_point() -> None:
    config = effective_config(MINIMAL | {"method_settings": {"scale": 10**30}}, "skeleton", "test")
    assert isinstance(config.method_settings["scale"], float)  # torch has no whole numbers of this size


def test_the_offline_half_can_be_switched_off() -> None:
    assert effective_config(MINIMAL | {"offline": None}, "skeleton", "test").offline is None


def test_assignments_on_the_command_line() -> None:
    found = parse_assignments(["train.rounds=5", "input.flip=false", "train.ema_decay=0.9", "read_out=both"])
    assert found == {"train": {"rounds": 5, "ema_decay": 0.9}, "input": {"flip": False}, "read_out": "both"}
    with pytest.raises(InputError, match="expected key=value"):
        parse_assignments(["train.rounds"])


@pytest.mark.parametrize("value", ["[", "{a: b: c}", "2020-13-01", "[" * 1000, "\x00", "!!python/name:os.system"])
def test_a_value_on_the_command_line_that_is_not_yaml(value: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_assignments([f"train.rounds={value}"])
    assert str(caught.value).startswith(f"--set train.rounds={value}: not YAML in UTF-8 (")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "value"), [("10%", 0.1), ("0.25", 0.25), (0.5, 0.5), ("7.5 %", 0.075)])
def test_shares(text: str | float, value: float) -> None:
    assert SplitSettings.model_validate({"labeled": text}).labeled == pytest.approx(value)


@pytest.mark.parametrize("value", ["50", "0,5", "x%", "nan", "", 50, -0.1, [0.5]])
def test_what_is_no_share_says_how_one_is_written(value: object) -> None:
    with pytest.raises(InputError) as caught:
        validated(SplitSettings, {"test": value}, "split")
    assert str(caught.value).startswith("split: setting 'test': expected a share from 0 to 1")
    assert str(caught.value).endswith(f"found {value!r}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"- a\n", "expected a mapping"),
        (b"a: 1\nb: [", r"not YAML in UTF-8 \(line 2: expected the node content, but found '<stream end>'\)$"),
        ("clips: Bewegungen/Schütteln.csv".encode("latin-1"), r"not YAML in UTF-8 \(unacceptable .* start byte\)$"),
        (None, "No such file"),
    ],
)
def test_unusable_files(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "config.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        load_yaml(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_long_value_is_cut_in_the_sentence() -> None:
    with pytest.raises(InputError) as caught:
        effective_config(MINIMAL | {"train": list(range(1000))}, "skeleton", "my.yaml")
    assert len(str(caught.value)) < 250


def test_a_bad_value_of_a_method_is_a_sentence() -> None:
    with pytest.raises(InputError, match="target': expected 'student' or 'teacher', found 'pupil'"):
        effective_config(MINIMAL | {"method_settings": {"target": "pupil"}}, "skeleton", "test")
    config = effective_config(MINIMAL | {"method_settings": {"mix": -1.0}}, "skeleton", "test")
    with pytest.raises(InputError, match="mix is -1"):
        build_algorithm(config, Task(3, 9, (0, 1, 2), 6, 4, 1))
