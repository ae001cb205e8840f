"""The command line's last line of defense: files that cannot be written, closed pipes, Ctrl-C."""

import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from torch.utils.data._utils import signal_handling, worker

from aplt.data.batches import SemiData
from aplt.display import console
from aplt.rundir import RunDir
from aplt.runs.begin import resume
from tests.runs.clips import write_clips
from tests.test_cli import QUICK as SHORT
from tests.test_cli import aplt

QUICK = [*SHORT, "--method", "supervised", "--set", "split.by_subject=true"]  # nothing to remark on


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("clips"))


def no_space(*_: object) -> None:
    raise OSError(28, "No space left on device")  # the system names no file with it


def test_a_full_disk_is_one_sentence_that_names_the_file(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["train", clips, "--name", "one", "--runs", tmp_path, *QUICK]
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        assert aplt(*words) == 2
    assert capsys.readouterr().err == f"aplt: {tmp_path / 'one' / 'split.csv'}: No space left on device\n"
    assert not (tmp_path / "one").exists()
    assert aplt(*words) == 0


def test_a_file_in_the_place_of_a_folder(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runs").write_text("a file")
    assert aplt("train", clips, "--name", "one", "--runs", tmp_path / "runs", *QUICK) == 2
    assert "Not a directory" in capsys.readouterr().err
    assert aplt("split", clips, "-o", tmp_path / "runs" / "split.csv") == 2
    assert capsys.readouterr().err == f"aplt: {tmp_path / 'runs'}: Not a directory\n"
    (tmp_path / "split.csv").mkdir()
    assert aplt("split", clips, "-o", tmp_path / "split.csv") == 2
    assert (
        f"aplt: {tmp_path / 'split.csv'}: exists, and is nothing that this command may write over"
        in capsys.readouterr().err
    )


def test_a_file_that_may_not_be_read(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_text("")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert aplt("predict", tmp_path, clips) == 2
    assert capsys.readouterr().err == f"aplt: {tmp_path / 'config.json'}: Permission denied\n"


def test_an_error_of_a_loader_process_is_its_last_line(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(
            "Caught OSError in DataLoader worker process 0.\nTraceback\nOSError: [Errno 5] Input/output error"
        )

    monkeypatch.setattr(SemiData, "semi_batches", broken)
    assert aplt("train", clips, "--name", "one", "--runs", tmp_path, *QUICK) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "aplt: OSError: [Errno 5] Input/output error"


def test_ctrl_c_says_how_to_go_on(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    words = ["train", clips, "--name", "one", "--runs", tmp_path, *QUICK]
    run = RunDir(tmp_path / "one")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aplt.runs.begin.prepare_material", interrupt)
        assert aplt(*words) == 130
    assert capsys.readouterr().err == "aplt: interrupted\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SemiData, "semi_batches", interrupt)
        assert aplt(*words) == 130
        last = capsys.readouterr().err.splitlines()[-1]
        assert last == f"aplt: interrupted; continue with `aplt train --resume {run.path}`"
        assert aplt("train", "--resume", run.path) == 130
        assert capsys.readouterr().err.splitlines()[-1] == last
    assert resume(run).steps == 4


def test_ctrl_c_while_loader_processes_start(clips: Path, tmp_path: Path) -> None:
    """At a terminal all processes get the signal: here the loader's first, before they have begun."""
    told = tmp_path / "told.txt"

    def work() -> None:
        os.dup2(os.open(told, os.O_WRONLY | os.O_CREAT), 2)
        sys.stderr = console.file = os.fdopen(2, "w", buffering=1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        begin, watch = worker._worker_loop, signal_handling._set_worker_pids  # type: ignore[attr-defined]

        def slowly(*given: Any) -> None:
            time.sleep(0.3)
            begin(*given)

        def then_interrupt(loader: int, pids: tuple[int, ...]) -> None:
            watch(loader, pids)
            for pid in pids:
                os.kill(pid, signal.SIGINT)
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGINT)

        patch = pytest.MonkeyPatch()
        patch.setattr(worker, "_worker_loop", slowly)
        patch.setattr(signal_handling, "_set_worker_pids", then_interrupt)
        sys.exit(aplt("train", clips, "--name", "one", "--runs", tmp_path, *QUICK, "--set", "train.workers=2"))

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join()
    assert process.exitcode == 130
    hint = f"aplt: interrupted; continue with `aplt train --resume {tmp_path / 'one'}`"
    assert told.read_text().splitlines()[1:] == [hint]  # after what the run begins with


def test_nobody_reads_on(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as output:
        monkeypatch.setattr(sys, "stdout", output)
        assert aplt("recipes") == 1
        output.write("what Python writes when it ends")
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_output_that_cannot_be_written(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w") as output:
        monkeypatch.setattr(sys, "stdout", output)
        assert aplt("recipes") == 2
        output.write("what Python writes when it ends")
    assert capsys.readouterr().err == "aplt: No space left on device\n"
