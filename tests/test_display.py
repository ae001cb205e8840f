"""Progress: bars at a terminal, nothing but lines elsewhere; and counts in words."""

import io
import re
from contextlib import suppress

import pytest
from rich.console import Console

from aplt import display
from aplt.display import bar, counted, show_nothing, whole_bar


@pytest.fixture(params=[True, False], ids=["terminal", "piped"])
def terminal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(file=io.StringIO(), force_terminal=request.param, width=120)
    monkeypatch.setattr(display, "console", console)
    return console


def shown(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("count", "things", "text"),
    [(1, ("clip",), "1 clip"), (0, ("clip",), "0 clips"), (2000, ("class", "classes"), "2,000 classes")],
)
def test_counts_in_words(count: int, things: tuple[str, ...], text: str) -> None:
    assert counted(count, *things) == text


def test_a_part_of_the_work_has_a_bar_of_its_own(terminal: Console) -> None:
    with suppress(InterruptedError), bar("training [all]", 10) as progress:
        progress.advance(3)
        progress.line("round 1/2")
        with progress.part("views of clips") as part:
            part.at(5, 7)
            raise InterruptedError  # so that what was shown last stays
    if terminal.is_terminal:
        assert "training [all]" in shown(terminal)
        assert "3/10" in shown(terminal)
        assert "views of clips" in shown(terminal)
        assert "5/7" in shown(terminal)
    else:
        assert shown(terminal) == "round 1/2\n"


@pytest.mark.parametrize("width", [80, 200])
def test_what_is_left_has_room_beside_a_long_text(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=width)
    monkeypatch.setattr(display, "console", console)
    with suppress(InterruptedError), whole_bar("cells", 4000) as progress:
        progress.text(f"cells: {'a' * 90} and 1 more")
        progress.advance(1234)
        progress.left(36_000)
        raise InterruptedError
    last = shown(console).rsplit("\x1b[2K", 1)[-1]
    assert "1234/4000" in last
    assert re.search(r"(10:00:00|9:59:5\d) left", last)
    assert ("aaaa…" in last) == (width == 80)
    assert ("and 1 more" in last) == (width == 200)


def test_the_bar_of_a_part_goes_when_it_is_done(terminal: Console) -> None:
    with bar("training", 10) as progress:
        with progress.part("test clips", 4) as part:
            part.advance(2)
        progress.text("evaluation")
    last = shown(terminal).rsplit("\x1b[2K", 1)[-1]
    assert ("evaluation" in last) == terminal.is_terminal
    assert "test clips" not in last


def test_bars_of_parts_stand_below_that_of_the_whole_and_print_no_lines(terminal: Console) -> None:
    with suppress(InterruptedError), whole_bar("cells", 4) as progress:
        progress.advance(2)
        progress.line("a cell is done")
        with bar("training", 10) as training, training.part("views of clips", 7) as part:
            training.advance(3)
            training.line("first round")
            part.advance(5)
            raise InterruptedError
    assert "a cell is done" in shown(terminal)
    assert "first round" not in shown(terminal)
    assert [text in shown(terminal) for text in ("2/4", "3/10", "5/7")] == [terminal.is_terminal] * 3
    with suppress(InterruptedError), bar("training", 10) as alone:
        alone.line("second round")
        raise InterruptedError
    assert "second round" in shown(terminal)


def test_the_time_left_is_counted_down(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    console = Console(file=io.StringIO(), force_terminal=True, width=120, get_time=lambda: clock[0])
    monkeypatch.setattr(display, "console", console)
    with suppress(InterruptedError), whole_bar("cells", 4) as progress:
        progress.left(3725)
        clock[0] += 60
        raise InterruptedError
    assert "1:01:05 left" in shown(console).rsplit("\x1b[2K", 1)[-1]
    with suppress(InterruptedError), whole_bar("cells", 4) as progress:
        progress.left(30)
        progress.left(None)
        raise InterruptedError
    assert "left" not in shown(console).rsplit("\x1b[2K", 1)[-1]


def test_a_process_that_leaves_the_terminal_to_another_shows_nothing(
    terminal: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display, "_whole", None)  # to be put back
    show_nothing()
    with bar("training", 10) as progress, progress.part("views of clips", 7) as part:
        progress.line("first round")
        part.advance(5)
    assert shown(terminal) == ""
