"""An interrupted run whose files are damaged, missing or of another version: named, and never continued."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save

from aplt.errors import InputError
from aplt.offline.bank import build_bank
from aplt.rundir import RunDir
from aplt.runs import loop
from aplt.runs.begin import resume, train
from aplt.storage import read_arrays, write_arrays
from tests.runs.clips import tiny_config
from tests.runs.runs import Stop, stop


def remove(path: Path) -> None:
    path.unlink()


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scribble(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[: len(content) // 2] = b"x" * (len(content) // 2)
    path.write_bytes(content)


def strip(path: Path) -> None:
    write_arrays(path, {name: array for name, array in read_arrays(path).items() if name != "threshold"})


def shift(path: Path) -> None:
    shutil.copy(path.with_name("002.npz"), path)


def put(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    """Returns what changes one array of a round's guidance."""

    def damage(path: Path) -> None:
        arrays = read_arrays(path)
        write_arrays(path, arrays | {name: change(arrays[name])})

    return damage


def put_into_state(change: Callable[[dict[str, Any], dict[str, np.ndarray]], object]) -> Callable[[Path], None]:
    """Returns what changes the plain values and the tensors of a checkpoint."""

    def damage(path: Path) -> None:
        with safe_open(path, framework="np") as stored:
            plain = json.loads(stored.metadata()["plain"])
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - not a mapping
        change(plain, tensors)
        path.write_bytes(save(tensors, metadata={"plain": json.dumps(plain)}))

    return damage


def swap_roles(path: Path) -> None:
    path.write_text(path.read_text().replace("unlabeled", "test", 1))


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("rounds/003.npz", remove, r"no rounds/003.npz in it; the offline phase of round 3 wrote it"),
        ("rounds/003.npz", halve, r"rounds/003\.npz: damaged"),
        ("rounds/003.npz", scribble, r"rounds/003\.npz: damaged"),
        ("rounds/003.npz", strip, r"rounds/003\.npz: damaged, no guidance of a round \('threshold'\)"),
        ("rounds/003.npz", shift, r"rounds/003\.npz: is of round 2, not 3"),
        ("rounds/003.npz", put("label", lambda a: np.append(a, a)), r"003\.npz: label is int64 \[96\], expected int64"),
        ("rounds/003.npz", put("label", lambda a: a.astype("i1")), r"003\.npz: label is int8 \[48\], expected int64"),
        ("rounds/003.npz", put("prototype", lambda a: a.astype("f8")), r"prototype is float64 .*, expected float32"),
        (
            "rounds/003.npz",
            put("label", lambda a: a + 5),
            r"003\.npz: the label of clip '.*' is [4-7], expected (-1|0) to 2",
        ),
        (
            "rounds/003.npz",
            put("label", lambda a: np.where(a < 0, 9, a)),
            r"003\.npz: the label of clip '.*' is 9, expected -1 to 2",
        ),
        (
            "rounds/003.npz",
            put("label", lambda a: 0 * a - 1),
            r"003\.npz: the label of clip '.*' is -1, expected 0 to 2",
        ),
        (
            "rounds/003.npz",
            put("belief", lambda a: a.astype("c16")),
            r"003\.npz: belief is complex128 \[48\], expected",
        ),
        ("rounds/003.npz", put("belief", lambda a: a[:, None]), r"003\.npz: belief is float32 \[48, 1\], expected"),
        ("rounds/003.npz", put("prototype", lambda a: a[:, :3]), r"003\.npz: prototype is float32 \[3, 3\], expected"),
        (
            "rounds/003.npz",
            put("round", lambda a: np.full_like(a, "x", dtype="U1")),
            r"003\.npz: damaged, no guidance of a round",
        ),
        ("rounds/002.npz", put("threshold", lambda a: a[:1]), r"002\.npz: threshold is float32 \[1\], expected"),
        ("rounds/002.npz", remove, r"no rounds/002.npz in it; the offline phase of round 2 wrote it"),
        ("metrics.jsonl", halve, r"metrics\.jsonl line 2: not JSON"),
        ("metrics.jsonl", lambda path: path.write_text(path.read_text() + '{"round": 1'), r"line 3: not JSON"),
        ("metrics.jsonl", lambda path: path.write_text("5\n5\n"), r"line 1: expected a JSON object, found int"),
        ("metrics.jsonl", remove, r"metrics\.jsonl: expected a line for each of 2 rounds, found 0"),
        ("checkpoint/state.safetensors", halve, r"state\.safetensors: not a checkpoint of this run's config"),
        ("checkpoint/state.safetensors", scribble, r"state\.safetensors: not a checkpoint of this run's config"),
        (
            "checkpoint/state.safetensors",
            put_into_state(lambda plain, _: plain["seconds"].pop("evaluation")),
            r"its state: setting 'seconds\.evaluation' is missing\); without it the run begins from the start",
        ),
        (
            "checkpoint/state.safetensors",
            put_into_state(lambda plain, _: plain.update(round=-1)),
            r"its state: setting 'round': expected at least 0, found -1",
        ),
        (
            "checkpoint/state.safetensors",
            put_into_state(lambda _, tensors: tensors["online.label"].fill(3)),
            r"a label of online\.label is of no class",
        ),
        (
            "checkpoint/state.safetensors",
            put_into_state(lambda _, tensors: tensors.pop("optimizer.1.exp_avg_sq")),
            r"the moments of weight 1 are not whole",
        ),
        (
            "checkpoint/state.safetensors",
            put_into_state(lambda _, tensors: tensors.update({"optimizer.1.exp_avg": np.zeros((2, 3), np.float32)})),
            r"the moments of weight 1 are not whole",
        ),
        (
            "checkpoint/state.safetensors",
            put_into_state(lambda _, tensors: tensors["teacher.module.classifier.bias"].fill(np.nan)),
            r"scores of clip '.*' .* are not finite",
        ),
        ("origin.json", remove, r"no origin.json in it"),
        ("origin.json", lambda path: path.write_text('{"digests": 5}'), r"clips\.csv: its rows, their order or labels"),
        ("origin.json", halve, r"origin\.json: not JSON"),
        ("split.csv", remove, r"no split.csv in it"),
        ("split.csv", swap_roles, r"split\.csv: its roles have changed since"),
        ("config.yaml", scribble, r"config\.yaml"),
    ],
)
def test_damage_is_named(name: str, damage: Callable[[Path], None], message: str, begun: RunDir) -> None:
    damage(begun.path / name)
    with pytest.raises(InputError, match=message) as caught:
        resume(begun)
    assert "\n" not in str(caught.value)
    assert not begun.result.exists()


def test_an_offline_phase_without_the_one_before_is_not_begun(clips: Path, run: RunDir) -> None:
    def build(*given: Any, round_: int, **options: Any) -> Any:
        return stop() if round_ == 2 else build_bank(*given, round_=round_, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "build_bank", build)
        with pytest.raises(Stop):
            train(tiny_config(clips), run)
    run.guidance(1).unlink()
    with pytest.raises(InputError, match=r"no rounds/002.npz in it; the offline phase of round 2 wrote it"):
        resume(run)
    assert not run.guidance(2).exists()


def edit(run: RunDir, old: str, new: str) -> None:
    text = run.config.read_text()
    assert old in text
    run.config.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "  mix: 1.0\n",
            "  mixt: 1.0\n",
            "method aplt: unknown setting 'method_settings.mixt'; did you mean 'method_settings.mix'?",
        ),
        ("  mix: 1.0\n", "", "setting 'method_settings.mix' is missing; another version of aplt began this run"),
        ("  neighbors: 10\n", "", "setting 'offline.neighbors' is missing; another version"),
        (
            "  neighbors: 10\n",
            "  neigbors: 10\n",
            "unknown setting 'offline.neigbors'; did you mean 'offline.neighbors'?",
        ),
        ("read_out: both\n", "", "setting 'read_out' is missing"),
        ("method: aplt\n", "method: 5\n", "setting 'method': expected a method's name, found 5"),
    ],
)
def test_a_run_of_another_version_is_refused(old: str, new: str, message: str, begun: RunDir) -> None:
    edit(begun, old, new)
    with pytest.raises(InputError) as caught:
        resume(begun)
    assert message in str(caught.value)
