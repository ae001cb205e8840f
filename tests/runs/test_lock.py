"""Two processes do not train in one run folder, and a killed one keeps nobody out."""

import errno
import multiprocessing
import os
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkProcess
from pathlib import Path

import pytest

from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.runs.begin import alone, resume, train, train_or_reuse
from aplt.runs.setup import make_accelerator
from tests.runs.clips import tiny_config
from tests.test_cli import aplt

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def other(begun: RunDir) -> Iterator[ForkProcess]:
    """A process that trains in the run folder and has a loader process, which outlives it if it is killed."""
    there, end = os.pipe(), os.pipe()  # what one process waits for, the other closes or dies

    def work() -> None:
        os.close(end[1])
        with alone(begun, make_accelerator("no")):
            if os.fork():
                os.write(there[1], b"!")
            os.read(end[0], 1)
        os._exit(0)

    process = FORK.Process(target=work)
    process.start()
    os.close(there[1])
    assert os.read(there[0], 1)
    yield process
    os.close(end[1])
    process.join()


def test_a_folder_in_which_another_process_trains_is_left_alone(
    clips: Path, begun: RunDir, other: ForkProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in begun.files()}
    works: tuple[Callable[[], object], ...] = (
        lambda: resume(begun),
        lambda: train(tiny_config(clips), begun),
        lambda: train_or_reuse(tiny_config(clips), begun),
        lambda: train_or_reuse(tiny_config(clips, method="supervised"), begun),
    )
    for work in works:
        with pytest.raises(InputError, match="another process is training in this folder"):
            work()
    assert aplt("train", "--resume", begun.path) == 2
    assert capsys.readouterr().err.endswith(
        f"aplt: {begun.path}: another process is training in this folder; wait for it or choose another one\n"
    )
    assert before == {path: path.read_bytes() for path in begun.files()}
    other.kill()
    other.join()
    assert begun.lock.exists()
    resume(begun)
    assert not begun.lock.exists()


def test_what_a_kill_leaves_does_not_look_like_a_run(clips: Path, tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    run.path.mkdir()
    run.lock.touch()
    assert train(tiny_config(clips, train={"rounds": 1, "warm_up_rounds": 0}), run).steps == 4
    assert not run.lock.exists()


def test_a_folder_that_stays_empty_goes_again(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "runs" / "new" / "run")
    (tmp_path / "runs").mkdir()
    with alone(run, make_accelerator("no")):
        assert run.lock.exists()
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_file_system_without_locks_is_said_and_no_obstacle(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def flock(*_: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", flock)
    run = RunDir(tmp_path / "run")
    train(tiny_config(clips, train={"rounds": 1, "warm_up_rounds": 0}), run)
    assert "cannot be locked (No locks available); take care" in " ".join(capsys.readouterr().err.split())
    assert not run.lock.exists()
