"""aplt compare as a user meets it."""

from pathlib import Path

import pandas as pd
import pytest

from tests.test_cli import QUICK, aplt
from tests.training.clips import write_clips

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
    assert dry.err.startswith("2 cells; about ")
    assert "round" not in dry.err
    assert not folder.exists()
    assert aplt("compare", clips, *TINY, "--no-upper-bound") == 0
    told = capsys.readouterr()
    accuracy = pd.read_csv(folder / "compare.csv")["top1"][0]
    assert f"{name}, supervised, 20% labeled, seed 0: test accuracy {accuracy:.1%}" in told.err.splitlines()
    assert "| supervised |" in told.out
    assert told.out.splitlines()[-1].endswith(f"report {folder / 'report.html'}")
    assert (folder / "compare.yaml").read_text().startswith(f"# aplt compare {clips} --labeled 20% --seeds 1 ")
    # The plan can be given back, and leads to the same folder.
    before = (folder / "compare.csv").read_text()
    assert aplt("compare", folder / "compare.yaml") == 0
    assert "1 cells, 1 of them finished\n" in capsys.readouterr().err
    assert (folder / "compare.csv").read_text() == before
    (folder / "report.html").unlink()
    assert aplt("report", folder) == 0
    assert (folder / "report.html").exists()


def test_options_are_laid_over_a_file(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"datasets: {{a: {{clips: {clips}}}}}\nmethods: [aplt]\nsettings: {{train: {{rounds: 2}}}}\n")
    words = ["--methods", "supervised", "--seeds", "4,6", "--set", "train.warm_up_rounds=1", "--encoder", "tcn"]
    assert aplt("compare", plan, *words, *QUICK, "--no-upper-bound", "-o", tmp_path / "out", "--dry-run") == 0
    assert capsys.readouterr().out.splitlines() == [f"a, supervised, 10% labeled, seed {seed}" for seed in (4, 6)]


def test_ablation(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aplt.compare.study.seconds_by_trial", lambda cells, _: {cell.path: 1.0 for cell in cells})
    words = ["--ablate", "--methods", "aplt", "--seeds", "1", *QUICK, "-o", tmp_path / "out", "--dry-run"]
    assert aplt("compare", clips, *words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 27
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
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert aplt("compare", clips) == 2
    assert "without a launcher" in capsys.readouterr().err


def test_ctrl_c_says_that_it_goes_on(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("aplt.compare.study.seconds_by_trial", lambda cells, _: {cell.path: 1.0 for cell in cells})
    monkeypatch.setattr("aplt.compare.work.train_or_reuse", interrupt)
    assert aplt("compare", clips, *TINY, "-o", tmp_path / "out") == 130
    assert capsys.readouterr().err.splitlines()[-1] == "aplt: interrupted; the same command goes on from there"
