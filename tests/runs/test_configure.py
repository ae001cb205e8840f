"""From what a user sets to a whole config: another method's settings are left out, and nonsense is one sentence."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aplt.config import METHOD_GROUPS, VideoInput
from aplt.data.index import read_index
from aplt.data.splits import make_split
from aplt.errors import InputError
from aplt.methods.catalog import METHODS
from aplt.rundir import RunDir
from aplt.runs.configure import begun_config, configure_new, configured, effective_config, of_method
from aplt.runs.setup import build_algorithm
from aplt.tensors import Task
from tests.runs.clips import tiny_config, write_clips


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("clips"), clips=2)


@pytest.mark.parametrize(
    ("first", "second"),
    [("aplt", "aplt"), ("aplt", "fixmatch"), ("fixmatch", "aplt"), ("aplt", "aplt_paper"), ("supervised", "aplt")],
)
def test_a_config_of_one_method_becomes_one_of_another(first: str, second: str, clips: Path) -> None:
    own = tiny_config(clips, method=first)
    kept, left = of_method(own.model_dump(mode="json"), second)
    assert left == ([] if first == second else list(METHOD_GROUPS))
    assert configured(kept | {"method": second}, "test")[0] == tiny_config(clips, method=second)


def test_a_file_without_a_method_is_one_of_the_default_method() -> None:
    given = {"offline": {"views": 3}, "train": {"rounds": 5}}
    assert of_method(given, "aplt") == (given, [])
    assert of_method(given, "supervised") == ({"train": {"rounds": 5}}, ["offline"])


def test_a_config_names_every_setting(clips: Path) -> None:
    """Also those of the encoder, the method and its offline half that the user left alone: a default may change."""
    config = configured({"clips": str(clips), "encoder_settings": {"width": 8}}, "test")[0]
    assert config.encoder_settings["width"] == 8
    assert {"blocks", "dropout", "parents"} < config.encoder_settings.keys()
    assert config.method_settings["confidence"] == 0.8
    assert config.offline is not None
    assert config.offline["neighbors"] == 10


def test_the_schedule_is_the_same_for_every_method(clips: Path) -> None:
    settings = [configured({"clips": str(clips), "method": method}, "test")[0].train for method in METHODS]
    assert all(other == settings[0] for other in settings)


@pytest.mark.parametrize(
    "chosen", [{"steps": 30}, {"epochs": 2.0}, {"budget": "long"}, {"learning_rate": 0.5}], ids=str
)
def test_who_says_how_long_a_run_is_says_it_instead_of_the_file(chosen: dict[str, Any], tmp_path: Path) -> None:
    file, clips = tmp_path / "config.yaml", write_clips(tmp_path / "clips")
    was = tiny_config(clips, train={"learning_rate": 0.1})
    file.write_text(was.to_yaml())
    config, _ = configure_new(file, {"train": chosen}, None)
    kept = {} if "learning_rate" in chosen else {"steps_per_round": None}
    assert config.train == was.train.model_copy(update=kept | chosen)


@pytest.mark.parametrize("drawn", [True, False])
def test_a_seed_is_that_of_the_training_and_of_a_split_that_is_drawn(drawn: bool, tmp_path: Path) -> None:
    clips, file = write_clips(tmp_path / "clips"), tmp_path / "split.csv"
    chosen = {} if drawn else {"split_file": str(file)}
    config, index = configure_new(clips, chosen, 7)
    assert (config.train.seed, config.split.seed, len(index)) == (7, 7 if drawn else 0, 48)
    config, _ = configure_new(clips, {"train": {"seed": 8}}, None)
    assert (config.train.seed, config.split.seed) == (8, 0)


def test_a_runs_own_config_gives_itself_back(clips: Path, tmp_path: Path) -> None:
    config = tiny_config(clips, offline=None, encoder_settings={"parents": [0, 0, 1, 2]})
    (tmp_path / "config.yaml").write_text(config.to_yaml())
    assert begun_config(RunDir(tmp_path)) == config


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": 5}, "setting 'method': expected a method's name, found 5"),
        ({"method": ["aplt"]}, "setting 'method': expected a method's name, found ['aplt']"),
        ({"method": None}, "setting 'method': expected a method's name, found None"),
        ({"clips": 5}, "setting 'clips': expected a path, found 5"),
        ({"clips": ""}, "setting 'clips': expected a path, found ''"),
        ({"clips": "a\0b"}, "setting 'clips': 'a\\x00b' is no usable path"),
        ({"clips": "x" * 5000}, "is no usable path (File name too long)"),
        ({"clips": None}, "setting 'clips' is missing"),
        ({"split_file": 5}, "setting 'split_file': expected a path, found 5"),
        ({"split_file": ["a"]}, "setting 'split_file': expected a path, found ['a']"),
        (
            {"split_file": "split.csv", "split": {"val": 0.1}},
            "setting 'split.val' would change nothing beside 'split_file'",
        ),
        ({"input": 5}, "setting 'input': expected a mapping of settings, found 5"),
        ({"input": None}, "setting 'input': expected a mapping of settings, found None"),
        ({"train": []}, "setting 'train': expected a mapping of settings, found []"),
        ({"offline": "no"}, "setting 'offline': expected a mapping of settings, found 'no'"),
        ({"method_settings": [1]}, "setting 'method_settings': expected a mapping of settings, found [1]"),
        ({"method_settings": {5: 1}}, "method aplt: unknown setting 'method_settings.5'"),
        ({"encoder_settings": 5}, "setting 'encoder_settings': expected a mapping of settings, found 5"),
        (
            {"encoder_settings": {"width": "abc"}},
            "encoder tcn: setting 'encoder_settings.width': expected a whole number",
        ),
        (
            {"encoder_settings": {"width": -1}},
            "encoder tcn: setting 'encoder_settings.width': expected at least 1",
        ),
        ({"encoder": 5}, "setting 'encoder': expected text, found 5"),
        ({"encoder": "tsm_tiny"}, "setting 'encoder' is tsm_tiny, which is for videos, but the clips are skeletons"),
        ({"encoder": "tnc"}, "unknown encoder 'tnc'; did you mean 'tcn'?"),
        (
            {"encoder_weights": "DEFAULT"},
            "encoder tcn: no weights 'DEFAULT', and no file of this name; none are published",
        ),
        ({"train": {"seed": -1}}, "setting 'train.seed': expected at least 0, found -1"),
        ({"split": {"seed": 2**64}}, "setting 'split.seed': expected at most"),
        ({"video": 1}, "unknown setting 'video'"),
        ({"skeleton": {}}, "unknown setting 'skeleton'"),
        ({"input": {"kind": "skeleton", "video": 1}}, "unknown setting 'input.video'"),
        ({5: 1}, "5"),
    ],
)
def test_nonsense_is_one_sentence(given: dict[Any, Any], message: str, clips: Path) -> None:
    with pytest.raises(InputError) as caught:
        configured({"clips": str(clips)} | given, "my.yaml")[0]
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_bring_defaults_of_the_input_and_the_user_has_the_last_word() -> None:
    plain = effective_config({"clips": "c.csv", "encoder": "mvit_v2_s"}, "video", "test")
    assert plain.input == VideoInput()
    chosen = {"clips": "c.csv", "encoder": "mvit_v2_s", "encoder_weights": "DEFAULT"}
    brought = effective_config(chosen, "video", "test")
    assert isinstance(brought.input, VideoInput)
    assert (brought.input.frames, brought.input.size, brought.input.rate, brought.input.crop) == (16, 224, 7.5, 0.875)
    assert brought.input.mean == (0.45, 0.45, 0.45)
    assert brought.input.antialias is False
    own = effective_config(chosen | {"input": {"rate": None, "flip": False}}, "video", "test")
    assert own.input == brought.input.model_copy(update={"rate": None, "flip": False})
    # As it stands in config.yaml, it is the same again.
    assert effective_config(brought.model_dump(mode="json"), "video", "test") == brought


def test_a_wrong_name_of_weights_lists_the_right_ones() -> None:
    for name, right in (
        ("KINETIC", "did you mean 'KINETICS400_V1'"),
        ("x.pth", "expected one of: DEFAULT, KINETICS400_V1"),
    ):
        with pytest.raises(InputError, match=right) as caught:
            effective_config({"clips": "c", "encoder": "r3d_18", "encoder_weights": name}, "video", "test")
        assert f"no weights '{name}', and no file of this name" in str(caught.value)


def test_another_encoder_does_not_keep_what_the_weights_of_the_first_brought(tmp_path: Path) -> None:
    videos = tmp_path / "clips"
    for name in ("a/1.mp4", "b/1.mp4"):
        (videos / name).parent.mkdir(parents=True)
        (videos / name).write_bytes(b"not looked into")
    first, _ = configure_new(
        videos, {"encoder": "r3d_18", "encoder_weights": "DEFAULT", "input": {"flip": False}}, None
    )
    (tmp_path / "config.yaml").write_text(first.to_yaml())
    second, _ = configure_new(tmp_path / "config.yaml", {"encoder": "tsm_tiny"}, None)
    assert second.encoder_weights is None
    assert second.input == VideoInput(flip=False)
    third, _ = configure_new(tmp_path / "config.yaml", {"encoder_weights": None}, None)
    assert (third.encoder, third.input) == ("r3d_18", VideoInput(flip=False))
    assert configure_new(tmp_path / "config.yaml", {}, None)[0] == first


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates(), st.binary(max_size=4)
)
WORDS = st.sampled_from(
    ["train", "input", "split", "offline", "method", "method_settings", "encoder", "encoder_settings", "read_out"]
    + ["encoder_weights", "split_file", "kind", "frames", "seed", "rounds", "mirror", "labeled", "test_subjects"]
    + ["width", "parents", "mix", "target", "alignment", "views", "video", "skeleton", "tcn", "aplt", "fixmatch"]
)
KEYS = st.one_of(WORDS, st.text(max_size=5), st.integers(), st.none(), st.booleans())
VALUES = st.recursive(
    st.one_of(SCALARS, WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(given=st.dictionaries(KEYS, VALUES, max_size=4))
def test_whatever_is_set_gives_a_config_or_an_input_error(given: dict[Any, Any], clips: Path) -> None:
    with suppress(InputError):
        config = configured({"clips": str(clips)} | given, "fuzz")[0]
        make_split(read_index(clips), config.split.model_copy(update={"by_subject": False, "test": 0.0, "val": 0.0}))
        build_algorithm(config, Task(3, 9, (0, 1, 2), 6, 4, 1))
