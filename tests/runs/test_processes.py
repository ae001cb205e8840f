"""Two processes on CPU, each with half of every batch, follow one process."""

from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator, PartialState
from safetensors.torch import load_file
from torch.multiprocessing.spawn import start_processes

from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.runs.begin import train
from tests.runs.clips import tiny_config, write_clips

# Batch norm and dropout see a process's own clips: with fixed statistics and none, two processes can equal one.
SETTINGS: dict[str, Any] = {
    "encoder_settings": {"width": 8, "blocks": 1, "dropout": 0.0},
    "train": {"batch_norm": "frozen", "optimizer": "sgd", "learning_rate": 0.01},
}


def one_of_two(rank: int, clips: Path, folder: Path, methods: list[str]) -> None:
    """Trains as one of two processes: what `accelerate launch --cpu --num_processes 2` sets up."""
    import os

    torch.set_num_threads(1)
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(29500 + os.getppid() % 1000),
        "ACCELERATE_USE_CPU": "true",
    }
    for method in methods:
        train(tiny_config(clips, method=method, **SETTINGS), RunDir(folder / method))
    PartialState().destroy_process_group()  # as the command line does when all is done


def test_two_processes_train_like_one(tmp_path: Path) -> None:
    clips = write_clips(tmp_path / "clips")
    methods = ["aplt", "flexmatch"]
    start_processes(one_of_two, args=(clips, tmp_path / "two", methods), nprocs=2, start_method="spawn")
    for method in methods:
        alone = RunDir(tmp_path / "one" / method)
        expected = train(tiny_config(clips, method=method, **SETTINGS), alone)
        both = RunDir(tmp_path / "two" / method)
        found = both.read_result().test
        assert found is not None
        assert expected.test is not None
        assert found.top1 == pytest.approx(expected.test.top1, abs=0.01)
        weights = [load_file(run.model / "model.safetensors") for run in (alone, both)]
        for name, weight in weights[0].items():
            torch.testing.assert_close(weights[1][name], weight, atol=1e-4, rtol=1e-3, msg=f"{method}: {name}")
        assert len(both.read_rounds()) == 4


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = write_clips(tmp_path / "clips")
    monkeypatch.setattr(Accelerator, "num_processes", 3)
    with pytest.raises(InputError, match=r"train\.batch_labeled' is 4, expected a multiple of 3"):
        train(tiny_config(clips), RunDir(tmp_path / "run"))
