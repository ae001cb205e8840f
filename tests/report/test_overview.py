from pathlib import Path

import pytest

from aplt.errors import InputError
from aplt.report import write_overview, write_report
from aplt.rundir import RunDir

from .fake_run import edit_json, fake_run
from .reading import Page


def test_table_equals_the_runs_files(tmp_path: Path) -> None:
    ours = fake_run(tmp_path / "runs" / "ours")
    other = fake_run(tmp_path / "runs" / "fix", offline=False, method="fixmatch", seed=1)
    edit_json(RunDir(ours).result, top1=0.7, macro_f1=0.654)
    # Only clips with a label count for the interval: Wilson for 0.7 of 120.
    edit_json(RunDir(ours).result, counts=RunDir(ours).read_result()["counts"] | {"test": 1000})
    pseudo = RunDir(ours).read_metrics()[-1]["pseudo"]
    page = Page(write_overview([ours, other], tmp_path / "index.html", "Demo"))
    first, second = page.values("Run")
    assert first["Test top-1"] == 0.7
    assert page.table("Run")[0]["Test top-1"] == "70.0 % 61.3 to 77.5"
    assert first["Test macro F1"] == 0.654
    assert first["Labeled clips"] == 30
    assert first["Pseudo-label precision"] == pseudo["precision"]
    assert first["Pseudo-label coverage"] == pseudo["coverage"]
    assert first["Time"] == RunDir(ours).read_result()["seconds"]["total"]
    assert second["Test top-1"] == RunDir(other).read_result()["top1"]
    assert second["Pseudo-label precision"] is None
    assert [row["Method"] for row in page.table("Run")] == ["aplt", "fixmatch"]
    assert page.root.findtext("head/title") == "Demo"


def test_links_are_relative_and_lead_to_the_reports(tmp_path: Path) -> None:
    run = fake_run(tmp_path / "runs" / "100 % ours#1")
    report = write_report(run)
    unwritten = fake_run(tmp_path / "runs" / "late")
    (tmp_path / "pages").mkdir()
    page = Page(write_overview([run, unwritten], tmp_path / "pages" / "index.html", "Demo"))
    (link,) = page.tags("a")
    assert link.get("href") == "../runs/100%20%25%20ours%231/report.html"
    assert link.text == "100 % ours#1"
    assert report.exists()


def test_runs_of_one_name_are_told_apart(tmp_path: Path) -> None:
    runs = [fake_run(tmp_path / parent / "run") for parent in ("a", "b")]
    page = Page(write_overview(runs, tmp_path / "index.html", "Demo"))
    assert [row["Run"] for row in page.table("Run")] == ["a/run", "b/run"]


def test_curves_of_all_runs_and_a_notice_for_the_unfinished(tmp_path: Path) -> None:
    runs = [fake_run(tmp_path / "done"), fake_run(tmp_path / "<i>", finished=False, test=False, rounds=3)]
    page = Page(write_overview(runs, tmp_path / "index.html", "Demo"))
    charts = [svg.get("aria-label", "") for svg in page.tags("svg") if svg.get("class") == "curves"]
    assert [chart.split(" by round")[0] for chart in charts] == [
        "Watched accuracy",
        "Pseudo-label precision",
        "Pseudo-label coverage",
    ]
    assert all("done: " in chart and "<i>: " in chart for chart in charts)
    assert "<i> is unfinished: 3 of 9 rounds" in page.text


def test_runs_without_pseudo_labels(tmp_path: Path) -> None:
    page = Page(write_overview([fake_run(tmp_path / "run", offline=False)], tmp_path / "index.html", "Demo"))
    assert page.text.count("None of these runs recorded it.") == 2


def test_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one run folder"):
        write_overview([], tmp_path / "index.html", "Demo")
    with pytest.raises(InputError, match="expected the folder of a run or a comparison"):
        write_overview([tmp_path / "none"], tmp_path / "index.html", "Demo")
