"""aplt compare as a user meets it."""

import multiprocessing
import os
import signal
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from typer.main import get_command

from aplt.cli.main import app
from aplt.comparison.ablation import ABLATION
from aplt.comparison.plan import make_plan
from aplt.comparison.record import COLUMNS, CompareDir
from aplt.comparison.results import read_plan
from aplt.display import share_text
from aplt.lock import held
from tests.runs.clips import write_clips
from tests.test_cli import QUICK, aplt

TINY = ["--labeled", "20%", "--seeds", "1", "--methods", "supervised", *QUICK]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("tiny"))


def test_the_whole_story(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("compare") / clips.parent.name
    assert aplt("compare", clips, *TINY, "--dry-run") == 0
    dry = capsys.readouterr()
    name = clips.parent.name
    assert dry.out.splitlines() == [
        f"{name}, supervised, 20% labeled, seed 0",
        f"{name}, upper bound, 100% labeled, seed 0",
    ]
    assert dry.err.splitlines()[0] == "2 cells (a cell is one training)"
    assert not folder.exists()
    assert aplt("compare", clips, *TINY, "--no-upper-bound") == 0
    told = capsys.readouterr()
    assert told.err.splitlines()[0].startswith("1 cell ")
    accuracy = pd.read_csv(folder / "compare.csv")["top1"][0]
    assert f"{name}, supervised, 20% labeled, seed 0: test accuracy {accuracy:.1%}" in told.err.splitlines()
    assert "| supervised |" in told.out
    assert "<details>" not in told.out
    assert "<details>" in (folder / "table.md").read_text()
    assert told.out.splitlines()[-1].endswith(f"report {folder / 'report.html'}")
    (first,) = read_plan(CompareDir(folder)).commands
    assert first.startswith(f"aplt compare {clips} --labeled 20% --seeds 1 ")
    # The plan can be given back, and leads to the same folder.
    before = (folder / "compare.csv").read_text()
    monkeypatch.chdir(clips.parent)
    folder = tmp_path / folder
    assert aplt("compare", folder) == 0
    assert "1 of them finished\n" in capsys.readouterr().err
    assert (folder / "compare.csv").read_text() == before
    # The command that led to the plan is still there; one that changes it comes below.
    assert read_plan(CompareDir(folder)).commands == (first,)
    assert aplt("compare", folder / "compare.yaml", "--methods", "supervised") == 0
    second = f"aplt compare {folder / 'compare.yaml'} --methods supervised"
    assert read_plan(CompareDir(folder)).commands == (first, second)
    (folder / "report.html").unlink()
    assert aplt("report", folder) == 0
    assert (folder / "report.html").exists()


def test_what_could_be_trained_is_told_where_not_all_could(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "plan.yaml"
    wild = "{method: supervised, settings: {train: {learning_rate: 1.0e+30}}}"
    plan.write_text(f"datasets: {{a: {{clips: {clips}}}}}\nmethods: [supervised]\nvariants: {{wild: {wild}}}\n")
    words = ["--seeds", "1", "--labeled", "20%", *QUICK, "--no-upper-bound", "-o", tmp_path / "out"]
    assert aplt("compare", plan, *words) == 2
    told = capsys.readouterr()
    assert "| supervised |" in told.out
    assert told.out.splitlines()[-1].endswith(f"report {tmp_path / 'out' / 'report.html'}")
    assert told.err.splitlines()[-1].startswith("aplt: a, wild, 20% labeled, seed 0: ")


def test_finished_cells_are_given_up_only_on_demand(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["compare", clips, *TINY, "--no-upper-bound", "-o", tmp_path]
    cell = f"runs/{clips.parent.name}/20%/supervised/seed0"
    assert aplt(*words) == 0
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for other in (["--methods", "fixmatch"], ["--set", "train.learning_rate=0.1"]):
        for more in ([], ["--dry-run"]):
            capsys.readouterr()
            assert aplt(*words, *other, *more) == 2
            told = capsys.readouterr().err
            assert cell in told
            assert "--replace" in told
            assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == kept
    # A result that the table lost is not trained over either.
    (tmp_path / "compare.csv").unlink()
    assert aplt(*words, "--set", "train.learning_rate=0.1") == 2
    assert aplt(*words) == 0
    assert aplt(*words, "--methods", "fixmatch", "--replace") == 0
    assert pd.read_csv(tmp_path / "compare.csv")["method"].tolist() == ["fixmatch"]
    (command,) = read_plan(CompareDir(tmp_path)).commands
    assert command.endswith("--methods fixmatch --replace")
    assert (tmp_path / cell / "result.json").exists()  # of which no table tells


def test_a_comparison_that_grows_keeps_the_commands_it_came_by(clips: Path, tmp_path: Path) -> None:
    words = ["compare", clips, *TINY, "--no-upper-bound", "-o", tmp_path / "out"]
    for more in ([], [], ["--methods", "supervised,fixmatch"]):
        assert aplt(*words, *more) == 0
    first, second = read_plan(CompareDir(tmp_path / "out")).commands
    assert second == f"{first} --methods supervised,fixmatch"


def test_one_process_at_a_time(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there, end = os.pipe(), os.pipe()

    def work() -> None:
        with held(CompareDir(tmp_path / "out").lock):
            os.write(there[1], b"!")
            os.read(end[0], 1)

    other = multiprocessing.get_context("fork").Process(target=work, daemon=True)
    other.start()
    os.close(there[1])
    assert os.read(there[0], 1)
    assert aplt("compare", clips, *TINY, "-o", tmp_path / "out") == 2
    assert "out: another process is at work on this comparison" in capsys.readouterr().err
    os.write(end[1], b"!")
    other.join()
    assert not (tmp_path / "out").exists()


def test_options_are_laid_over_a_file(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"datasets: {{a: {{clips: {clips}}}}}\nmethods: [aplt]\nsettings: {{train: {{rounds: 2}}}}\n")
    words = ["--methods", "supervised", "--seeds", "4,6", "--set", "train.warm_up_rounds=1", "--encoder", "tcn"]
    assert aplt("compare", plan, *words, *QUICK, "--no-upper-bound", "-o", tmp_path / "out", "--dry-run") == 0
    assert capsys.readouterr().out.splitlines() == [f"a, supervised, 10% labeled, seed {seed}" for seed in (4, 6)]


def test_ablation(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--ablate", "--methods", "aplt", "--seeds", "1", *QUICK, "-o", tmp_path / "out", "--dry-run"]
    words += ["--set", "train.rounds=10", "--set", "train.warm_up_rounds=3", "--set", "train.steps_per_round=8"]
    assert aplt("compare", clips, *words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(ABLATION) + 1  # and the upper bound
    assert f"{clips.parent.name}, no clustering, 10% labeled, seed 0" in lines


def test_mistakes_are_one_sentence(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [
        (["--methods", "apltt"], "unknown method 'apltt'; did you mean 'aplt'?"),
        (["--set", "train.round=3"], "train: unknown setting 'round'; did you mean 'rounds'?"),
        (["--set", "method=aplt"], "compare: settings: setting 'method' is for the plan to say"),
        (["--encoder", "tnc"], "unknown encoder 'tnc'; did you mean 'tcn'?"),
    ]
    for words, message in cases:
        assert aplt("compare", clips, *words, "-o", tmp_path / "out") == 2
        error = capsys.readouterr().err.strip()
        assert error.startswith("aplt: ")
        assert message in error
        assert "\n" not in error
    assert not (tmp_path / "out").exists()
    (tmp_path / "clips.csv").symlink_to(tmp_path / "clips.csv")
    assert aplt("compare", tmp_path / "clips.csv") == 2
    assert "clips.csv' is no usable path" in capsys.readouterr().err
    other = tmp_path / "study" / "compare.yaml"
    other.parent.mkdir()
    for encoding, told in (("cp1252", "not YAML in UTF-8 ("), ("utf-16", "expected text in UTF-8, found other bytes")):
        other.write_text(f"# Größe\ndatasets: {{tiny: {{clips: {clips}}}}}\n", encoding=encoding)
        (other.parent / "compare.csv").write_text(f"{','.join(COLUMNS)}\n")
        assert aplt("report", other.parent) == 2
        assert f"{other}: {told}" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert aplt("compare", clips, *TINY, "-o", tmp_path / "file") == 2
    assert "file: expected a folder for the comparison, found a file" in capsys.readouterr().err
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert aplt("compare", clips) == 2
    assert "without a launcher" in capsys.readouterr().err


def test_the_help_says_what_is_compared_by_default(clips: Path) -> None:
    plan = make_plan({"datasets": {"a": {"clips": str(clips)}}}, "plan", Path())
    told = {option.name: getattr(option, "help", "") for option in get_command(app).commands["compare"].params}  # type: ignore[attr-defined]
    assert f"By default {', '.join(plan.methods)};" in told["methods"]
    assert told["labeled"].endswith(f"by default {', '.join(map(share_text, plan.labeled))}.")
    assert told["seeds"].endswith(f"By default {len(plan.seeds)}.")


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_it_is_told_that_it_goes_on(
    number: signal.Signals,
    jobs: int,
    clips: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = os.getpid()

    def stop(*_: object, **__: object) -> None:
        os.kill(asked, number)
        signal.pause()

    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr("aplt.comparison.work.train_or_reuse", stop)
    before = signal.getsignal(number)
    assert aplt("compare", clips, *TINY, "--jobs", jobs, "-o", tmp_path / "out") == 130
    assert capsys.readouterr().err.splitlines()[-1] == "aplt: interrupted; the same command goes on from there"
    assert list((tmp_path / "temporary").iterdir()) == []
    assert signal.getsignal(number) == before
