"""Progress: bars at a terminal, nothing but lines elsewhere."""

import io
from contextlib import suppress

import pytest
from rich.console import Console

from aplt import display
from aplt.display import bar


@pytest.fixture(params=[True, False], ids=["terminal", "piped"])
def terminal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(file=io.StringIO(), force_terminal=request.param, width=120)
    monkeypatch.setattr(display, "console", console)
    return console


def shown(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_part_of_the_work_has_a_bar_of_its_own(terminal: Console) -> None:
    with suppress(InterruptedError), bar("training", 10) as progress:
        progress.advance(3)
        progress.line("round 1/2")
        with progress.part("views of clips") as part:
            part.at(5, 7)
            raise InterruptedError  # so that what was shown last stays
    if terminal.is_terminal:
        assert "3/10" in shown(terminal)
        assert "views of clips" in shown(terminal)
        assert "5/7" in shown(terminal)
    else:
        assert shown(terminal) == "round 1/2\n"


def test_the_bar_of_a_part_goes_when_it_is_done(terminal: Console) -> None:
    with bar("training", 10) as progress:
        with progress.part("test clips", 4) as part:
            part.advance(2)
        progress.text("evaluation")
    last = shown(terminal).rsplit("\x1b[2K", 1)[-1]
    assert ("evaluation" in last) == terminal.is_terminal
    assert "test clips" not in last
