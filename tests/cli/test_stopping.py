"""Signals that end a command: one is enough, and none is lost for good."""

import math
import signal

import pytest
import typer

from aplt.cli.stopping import REST, SIGNALS, stoppable


class Held:
    """Something in whose destructor a signal comes, where Python drops what is raised."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_was_lost_can_be_repeated_but_not_at_once(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [100.0]
    monkeypatch.setattr("aplt.cli.stopping.monotonic", lambda: clock[0])
    reached = []

    def work() -> None:
        Held()
        for seconds in (REST - 0.1, 0.1):
            reached.append(seconds)
            clock[0] += seconds
            signal.raise_signal(number)
        reached.append(math.inf)

    with pytest.raises(typer.Exit) as end, stoppable(lambda: "; go on"):
        work()
    assert reached == [REST - 0.1, 0.1]  # the one in the destructor was lost, the next came too soon
    assert end.value.exit_code == 130
    assert capsys.readouterr().err == "aplt: interrupted; go on\n"


def test_a_loader_that_is_stopped_first_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as end, stoppable(lambda: "; go on"):
        raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Terminated. ")
    assert end.value.exit_code == 130
    assert "interrupted; go on" in capsys.readouterr().err
    with pytest.raises(RuntimeError, match="Killed"), stoppable(lambda: ""):
        raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. ")
