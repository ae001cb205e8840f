"""Two processes on CPU, each with half of every batch, follow one process."""

from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator, PartialState
from accelerate.state import AcceleratorState
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
    """Trains as one of two processes: what `torchrun --nproc_per_node 2` sets up."""
    import os

    AcceleratorState._reset_state(reset_partial_state=True)  # of the process that this one is a copy of
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
    one, two = ({method: RunDir(tmp_path / name / method) for method in methods} for name in ("one", "two"))
    for method, run in one.items():
        train(tiny_config(clips, method=method, **SETTINGS), run)
    start_processes(one_of_two, args=(clips, tmp_path / "two", methods), nprocs=2, start_method="fork")
    for method in methods:
        expected, found = (runs[method].read_result().test for runs in (one, two))
        assert found is not None
        assert expected is not None
        assert found.top1 == pytest.approx(expected.top1, abs=0.01)
        weights = [load_file(runs[method].model / "model.safetensors") for runs in (one, two)]
        for name, weight in weights[0].items():
            torch.testing.assert_close(weights[1][name], weight, atol=1e-4, rtol=1e-3, msg=f"{method}: {name}")
        assert len(two[method].read_rounds()) == 3


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = write_clips(tmp_path / "clips")
    monkeypatch.setattr(Accelerator, "num_processes", 3)
    with pytest.raises(InputError, match=r"train\.batch_labeled' is 4, expected a multiple of 3"):
        train(tiny_config(clips), RunDir(tmp_path / "run"))
