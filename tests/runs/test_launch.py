"""Processes that a launcher starts: as one process with the whole batch, also when one of them is killed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.runs.setup import make_accelerator
from tests.runs.clips import tiny_config, write_clips

# Batch norm and dropout see a process's own clips: with fixed statistics and none, two processes can equal one.
SETTINGS = {
    "encoder_settings": {"width": 8, "blocks": 1, "dropout": 0.0},
    "train": {"rounds": 4, "steps_per_round": 60, "batch_norm": "frozen", "checkpoint_minutes": 1e-9},
}


HERE = os.environ | {"CUDA_VISIBLE_DEVICES": ""}


def aplt(*words: object, processes: int = 1) -> list[str]:
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    return [sys.executable, *(launcher if processes > 1 else []), "-m", "aplt", *map(str, words)]


def run(*words: object, processes: int = 1) -> None:
    subprocess.run(aplt(*words, processes=processes), check=True, timeout=300, env=HERE)


def require_alike(found: RunDir, expected: RunDir) -> None:
    guided = expected.read_rounds()[1:]
    assert len(found.read_rounds()) == 1 + len(guided)
    for round_, same in zip(found.read_rounds()[1:], guided, strict=True):
        assert round_.pseudo is not None
        assert same.pseudo is not None
        np.testing.assert_allclose(
            np.array(round_.pseudo.threshold, dtype=float), np.array(same.pseudo.threshold, dtype=float), rtol=1e-3
        )
        assert round_.pseudo.accepted == same.pseudo.accepted
    first, second = found.read_result().test, expected.read_result().test
    assert first is not None
    assert second is not None
    assert (first.top1, first.macro_f1) == (second.top1, second.macro_f1)
    table, wanted = (pd.read_csv(one.pseudo_labels) for one in (found, expected))
    columns = ["id", "offline_label", "accepted"]
    pd.testing.assert_frame_equal(table[columns], wanted[columns])


@pytest.mark.slow
def test_two_launched_processes_believe_and_end_like_one_and_one_goes_on_where_they_were_killed(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(tiny_config(write_clips(tmp_path / "clips"), **SETTINGS).to_yaml())
    one, two, killed = (RunDir(tmp_path / name) for name in ("one", "two", "killed"))
    run("train", config, "--runs", tmp_path, "--name", "one")
    run("train", config, "--runs", tmp_path, "--name", "two", processes=2)
    require_alike(two, one)
    for processes in (1, 2):
        run("predict", one.path, tmp_path / "clips", "-o", tmp_path / f"{processes}.csv", processes=processes)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "1.csv"), pd.read_csv(tmp_path / "2.csv"), atol=1e-5)

    line = aplt("train", config, "--runs", tmp_path, "--name", "killed", processes=2)
    launcher = subprocess.Popen(line, stderr=subprocess.PIPE, text=True, env=HERE)
    while len(killed.read_rounds() if killed.metrics.exists() else []) < 2:
        assert launcher.poll() is None
        time.sleep(0.05)
    ranks = [child for child in psutil.Process(launcher.pid).children() if "aplt" in child.cmdline()]
    assert len(ranks) == 2
    ranks[1].kill()
    _, said = launcher.communicate()
    assert launcher.returncode != 0
    assert not any(rank.is_running() for rank in ranks)
    assert said.count("Traceback") == 1, said  # the launcher's own
    assert "aplt: another process of this training has ended" in said or "aplt: interrupted" in said
    assert not killed.result.exists()
    run("train", "--resume", killed.path)
    require_alike(killed, one)


def test_a_launch_of_fewer_processes_than_asked_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    line = ["python", "/usr/bin/accelerate", "launch", "--cpu", "--num_processes=2", "-m", "aplt", "train"]
    monkeypatch.setattr(psutil.Process, "cmdline", lambda _: line)
    with pytest.raises(InputError, match="asked for 2 processes and has started 1"):
        make_accelerator("no")
