"""The page and the table of a comparison, from its folder's files alone."""

import re
import shutil
from itertools import product
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest

from aplt.comparison.curves import _means
from aplt.comparison.labels import last_labels
from aplt.comparison.page import shared_settings, write_comparison
from aplt.comparison.plan import UPPER_BOUND
from aplt.comparison.record import CompareDir
from aplt.comparison.results import read_comparison
from aplt.figures import MAIN_FIGURES
from aplt.report.charts import Series, efficiency_chart, method_chart
from aplt.report.words import Spread, percent
from aplt.rundir import RunDir
from aplt.storage import write_csv, write_text
from tests.report.reading import Page

from .fake_comparison import SHARES, fake_comparison


@pytest.fixture(scope="module")
def written(made_up: Path, tmp_path_factory: pytest.TempPathFactory) -> CompareDir:
    """A comparison with its page and its table."""
    folder = shutil.copytree(made_up, tmp_path_factory.mktemp("written") / "study")
    write_comparison(folder)
    return CompareDir(folder)


def test_the_page_has_its_parts_and_the_figures_of_the_cells(written: CompareDir) -> None:
    page = Page(written.report)
    assert page.headings() == [
        "Accuracy by share of labels",
        "Learning, step by step",
        "aplt against the others",
        "Pseudo-labels",
        "Cost",
        "Cells",
        "Plan and settings",
    ]
    rows = pd.read_csv(written.cells)
    means = rows.groupby(["method", "labeled"])["top1"].mean()
    found = {row["Method"]: row for row in page.table("Method")}
    values = dict(zip(found, page.values("Method"), strict=True))
    assert values["aplt"]["5% labels, 9 clips"] == pytest.approx(means["aplt", 0.05])
    assert values[UPPER_BOUND]["All labels"] == pytest.approx(means[UPPER_BOUND, 1.0])
    assert found[UPPER_BOUND]["5% labels, 9 clips"] == ""
    differences = page.table("Data set")
    assert [(row["Labeled"], row["Against"], row["Won"]) for row in differences] == [
        (share, other, won)
        for share, won in (("5%", "3 of 3"), ("20%", "3 of 3"))
        for other in ("supervised", "fixmatch")
    ]
    gains = [(row["Against"], row["Won"], row["Better in"]) for row in page.table("Against")]
    assert gains == [("fixmatch", "6 of 6", "2 of 2"), ("supervised", "6 of 6", "2 of 2")]  # the smaller gain first
    for row, gain in zip(page.table("Against"), page.values("Against"), strict=True):
        each = [means["aplt", share] - means[row["Against"], share] for share in SHARES]
        assert [gain["Gain"], gain["5%"], gain["20%"]] == pytest.approx([sum(each) / 2, *each], abs=1e-8)
        assert 0 < float(row["t-test p"].replace("<", "")) < 1
    assert "aplt compare clips.csv --seeds 3" in page.text
    assert "unfinished" not in page.text
    assert all(0 < float(row["Holm p"].replace("<", "")) < 1 for row in differences)


def test_each_figure_of_the_record_is_a_column_and_has_tables(study: Path) -> None:
    folder = CompareDir(study)
    write_csv(folder.cells, pd.read_csv(folder.cells).assign(group_top1=0.9, f1_mean=0.6))  # of classes in groups
    page = Page(write_comparison(folder.path))
    written = folder.table.read_text()
    columns = list(pd.read_csv(folder.cells).columns)
    for name, figure in MAIN_FIGURES.items():
        assert name in columns
        assert f"Test {figure.title}" in page.table("Method", "cells")[0]
        assert f"tiny: test {figure.title} in %" in written
        assert (f"Gain over all cells, and by data set and share: test {figure.title}" in written) == figure.paired


def test_offline_labels_of_unknown_truth_are_not_taken_for_online_ones(study: Path) -> None:
    rows = pd.read_csv(CompareDir(study).cells)
    rows[["pseudo_precision", "pseudo_wrong", "online_coverage"]] = [None, None, 0.9]
    write_csv(CompareDir(study).cells, rows)
    found = last_labels(read_comparison(study))
    assert found is not None
    made = [[cell.text.replace("\u00a0", " ") for cell in row[2:6]] for row in found.rows[:2]]
    assert made == [["offline", "5%", "–", "50.0 %"], ["by step", "5%", "–", "90.0 %"]]  # noqa: RUF001


def test_the_drawing_shows_every_method_share_and_the_bound(written: CompareDir) -> None:
    page = Page(written.report)
    drawing = next(svg for svg in page.tags("svg") if "by share of labels" in svg.get("aria-label", ""))
    assert "share of labels asked for" in {text.text for text in drawing.iter("text")}
    assert "label, by round, mean over seeds and folds: labels of the offline phase before the round where" in page.text
    told = [title.text or "" for title in drawing.iter("title")]
    assert sum("labeled: " in text for text in told) == 3 * len(SHARES)
    assert sum(text.startswith("all labels: 9") for text in told) == 1
    paths = [path.get("d", "") for path in drawing.iter("path") if path.get("class") == "curve"]
    assert len(paths) == 3


def test_of_many_methods_the_reference_the_best_other_and_supervised_stand_out(tmp_path: Path) -> None:
    methods = ("supervised", *(f"variant {k}" for k in range(12)))
    page = Page(write_comparison(fake_comparison(tmp_path / "study", methods=methods)))
    drawing = next(svg for svg in page.tags("svg") if "by share of labels" in svg.get("aria-label", ""))
    pale = [
        (group.findtext("title") or "").split(":")[0] for group in drawing.iter("g") if group.get("class") == "pale"
    ]
    bars = {(title.text or "").split(",")[0] for title in drawing.iter("title") if "labeled: " in (title.text or "")}
    rows = pd.read_csv(tmp_path / "study" / "compare.csv")
    others = rows[~rows["method"].isin(["variant 11", UPPER_BOUND])]
    best = others.groupby("method")["top1"].mean().idxmax()
    assert bars == {"supervised", "variant 11", best}
    assert sorted(pale) == sorted(set(methods) - bars)


def test_shares_stand_on_a_log_axis() -> None:
    points = [(share, Spread(0.5, None, 1)) for share in (0.05, 0.1, 0.2)]
    drawn = efficiency_chart([Series("one", 0, points)], None, title="test accuracy")
    path = next(part for part in drawn.split('d="')[1:] if part.startswith("M") and part.count("L") == 2)
    x = [float(place.split()[0]) for place in path.split('"')[0][1:].split("L")]
    assert x[1] - x[0] == pytest.approx(x[2] - x[1], abs=0.11)


def test_one_share_is_drawn_by_method(tmp_path: Path) -> None:
    methods = tuple(f"variant {k}" for k in range(12))
    page = Page(write_comparison(fake_comparison(tmp_path / "study", methods=methods, shares=(0.1,))))
    drawing = next(svg for svg in page.tags("svg") if "by method" in svg.get("aria-label", ""))
    assert sum(circle.get("class") == "ring" for circle in drawing.iter("circle")) == 12 * 3
    precision = next(svg for svg in page.tags("svg") if "labeled: precision" in svg.get("aria-label", ""))
    behind = {group.findtext("title") or "" for group in precision.iter("g") if group.get("class") == "pale"}
    assert {told.split(":")[0] for told in behind} == {f"variant {k}" for k in range(7, 11)}
    named = [title.text or "" for title in precision.iter("title")]
    assert any(text.startswith("variant 11, round") for text in named)  # the reference, though it comes last


def test_an_unfinished_comparison_says_so_and_tests_what_is_whole(study: Path) -> None:
    folder = CompareDir(study)
    rows = pd.read_csv(folder.cells)
    write_csv(folder.cells, rows[(rows["method"] != "fixmatch") | (rows["seed"] != 2) | (rows["labeled"] != 0.05)])
    page = Page(write_comparison(folder.path))
    assert "This comparison is unfinished: 20 of 21 cells are done" in page.text
    told = {(row["Labeled"], row["Against"]): row["t-test p"] for row in page.table("Data set")}
    assert [key for key, p in told.items() if p == "–"] == [("5%", "fixmatch")]  # noqa: RUF001
    over_all = {row["Against"]: (row["Won"], row["t-test p"] == "–") for row in page.table("Against")}  # noqa: RUF001
    assert over_all == {"supervised": ("6 of 6", False), "fixmatch": ("5 of 5", True)}
    write_csv(folder.cells, rows[:4])
    page = Page(write_comparison(folder.path))
    assert "This comparison is unfinished: 4 of 21 cells are done" in page.text
    assert "t-test p" not in page.table("Data set")[0]
    assert "(1)" in page.table("Method")[0]["5% labels, 9 clips"]
    write_csv(folder.cells, rows[:0])
    page = Page(write_comparison(folder.path))
    assert page.headings() == ["Plan and settings"]


def test_labels_by_round_stand_on_the_page(written: CompareDir) -> None:
    page = written.report.read_text()
    told = re.findall(r"^\| tiny .* (\S+/\S+ \S+/\S+.*?) +\|$", written.table.read_text(), flags=re.MULTILINE)
    assert len(told) > 3
    assert all(f"{text}<" in page for text in told)


def test_accuracy_by_step_is_the_mean_of_the_cells(written: CompareDir) -> None:
    rows = pd.read_csv(written.cells)
    cells = rows[(rows["method"] == "fixmatch") & (rows["labeled"] == 0.05)]
    of_cells = [RunDir(written.path / run).read_rounds() for run in cells["run"]]
    page = written.report.read_text()
    assert len(of_cells) == 3
    for rounds in zip(*of_cells, strict=True):
        top1 = [line.watched.figures.top1 for line in rounds if line.watched]
        told = f"fixmatch, step {rounds[0].steps_done}: {percent(sum(top1) / 3)}"
        assert told in page


def test_accuracy_by_step_of_folds_of_other_sizes_is_a_mean_by_round() -> None:
    cells = [(number, number * size, 0.1 * number) for size in (100, 130) for number in (1, 2, 3)]
    cells.append((4, 400, 0.9))  # which one of them has
    drawn = _means(pd.DataFrame(cells, columns=["round", "steps", "top1"]))
    assert [steps for steps, _ in drawn] == [115, 230, 345]
    assert [top1 for _, top1 in drawn] == pytest.approx([0.1, 0.2, 0.3])


def test_the_cost_of_each_method(study: Path) -> None:
    folder = CompareDir(study)
    rows = pd.read_csv(folder.cells)
    ours = rows["method"] == "aplt"
    # Two cells an hour long with half of it offline, and four as they are.
    slow = ours & (rows["seed"] == 0)
    rows.loc[slow, ["seconds", "offline_seconds", "evaluation_seconds", "ms_per_step"]] = [3600, 1800, 360, 400]
    write_csv(folder.cells, rows)
    cost = Page(write_comparison(folder.path)).table("Data set", "cost")
    names = ["Cells", "Steps", "ms per step", "Time per cell", "Offline share", "Evaluation share"]
    (row,) = [row for row in cost if row["Method"] == "aplt"]
    assert [row[name] for name in names] == ["6", "400", "200", "20.7 min", "49.2 %", "9.9 %"]


def test_links_lead_to_the_reports_of_the_cells_whatever_their_names(study: Path) -> None:
    folder = CompareDir(study)
    for number in range(3):
        place = folder.runs / f"5% of #{number}?"
        (folder.runs / f"run{number}").rename(place)
        write_text(RunDir(place).report, "")
    rows = pd.read_csv(folder.cells)
    write_csv(folder.cells, rows.assign(run=rows["run"].str.replace(r"run(\d)", r"5% of #\1?", regex=True)))
    page = write_comparison(folder.path).read_text()
    links = [link for link in re.findall(r'href="([^"]*)"', page) if "report.html" in link]
    assert len(links) == len(rows)
    assert all("#" not in link and "?" not in link and (folder.path / unquote(link)).exists() for link in links)


def test_settings_that_are_shared_are_told_of_the_cells_that_are_there(study: Path) -> None:
    folder = CompareDir(study)
    assert "Settings that all finished cells share" in Page(write_comparison(folder.path)).text
    shutil.rmtree(folder.runs / "run0")
    assert "Settings that the 12 of 21 cells with a run folder here share" in Page(write_comparison(folder.path)).text


def test_cells_that_failed_are_told_with_their_reasons(study: Path) -> None:
    folder = CompareDir(study)
    write_csv(folder.cells, pd.read_csv(folder.cells)[1:])
    write_csv(
        folder.failed, pd.DataFrame([("tiny, supervised, <seed 0>: no such clip", "")], columns=["why", "traceback"])
    )
    page = Page(write_comparison(folder.path))
    assert "20 of 21 cells are done; the figures are of these." in page.text
    assert "failed: tiny, supervised, <seed 0>: no such clip" in page.text
    assert folder.table.read_text().startswith(
        "Unfinished: 20 of 21 cells are done; the figures are of these.\n\n- failed: tiny, supervised, &lt;seed 0&gt;: "
    )


def test_splits_of_several_sizes_are_told(study: Path) -> None:
    folder = CompareDir(study)
    rows = pd.read_csv(folder.cells)
    write_csv(folder.cells, rows.assign(test_clips=rows["test_clips"].where(rows["seed"] != 1, 1234)))
    assert "over 3 seeds, 60 to 1,234 test clips each; " in Page(write_comparison(folder.path)).text


def test_a_remark_on_the_clips_stands_beside_their_figures(study: Path) -> None:
    folder = CompareDir(study)
    rows = pd.read_csv(folder.cells)
    write_csv(folder.cells, rows.assign(remark="the same people are in both", group_top1=0.9, f1_mean=0.6))
    page = Page(write_comparison(folder.path))
    assert "The same people are in both." in page.text
    written = folder.table.read_text()
    assert "The same people are in both." in written.splitlines()[2]
    assert written.count("The same people are in both.") == len(MAIN_FIGURES)  # unlabeled clips are no test clips


def test_rows_whose_rounds_are_longer_are_told(study: Path) -> None:
    folder = CompareDir(study)
    rows = pd.read_csv(folder.cells)
    assert "of another length" not in Page(write_comparison(folder.path)).text
    last = rows["pseudo_by_round"].str.rsplit("; ", n=1).str[0]
    write_csv(folder.cells, rows.assign(pseudo_by_round=rows["pseudo_by_round"].where(rows["method"] != "aplt", last)))
    page = Page(write_comparison(folder.path))
    assert "Rounds of 'aplt' are of another length than the others'." in page.text


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(0.601, 0.722, ["60", "62.5", "65", "67.5", "70", "72.5"]), (0.61, 0.77, ["60", "65", "70", "75", "80"])],
)
def test_ticks_say_where_they_are(low: float, high: float, told: list[str]) -> None:
    rows = [(name, Spread(value, None, 1), [value]) for name, value in (("one", low), ("other", high))]
    drawn = method_chart(rows, None, "other", title="test accuracy")
    assert re.findall(r">([\d.]+)\s%</text>", drawn) == told


def test_the_markdown_table(written: CompareDir) -> None:
    lines = written.table.read_text().replace("\u00a0", " ").splitlines()
    assert lines[0] == "### tiny: test top-1 in %"
    assert lines[2].startswith("Mean ± deviation over 3 seeds, 60 test clips each; ")
    assert [cell.strip() for cell in lines[4].strip("|").split("|")] == [
        "Method",
        "5% labels, 9 clips",
        "20% labels, 9 clips",
        "All labels",
    ]
    assert len({len(line) for line in lines[4:10]}) == 1
    gain = "Gain over all cells, and by data set and share"
    assert [line for line in lines if line.startswith(("### ", "<summary>"))] == [
        "### tiny: test top-1 in %",
        f"### {gain}: test top-1",
        "<summary>tiny: test top-5 in %</summary>",
        "<summary>tiny: test macro F1 in %</summary>",
        "<summary>tiny: top-1 on the unlabeled clips of known label in %</summary>",
        f"<summary>{gain}: test macro F1</summary>",
        f"<summary>{gain}: top-1 on the unlabeled clips of known label</summary>",
        "<summary>Gain by data set and share of labels: test top-1</summary>",
        "<summary>What unlabeled clips were taught</summary>",
        "<summary>Labels by round</summary>",
    ]
    on_unlabeled = lines[lines.index("<summary>tiny: top-1 on the unlabeled clips of known label in %</summary>") :]
    assert on_unlabeled[2] == "Mean ± deviation over 3 seeds; (n): only n cells are done."
    assert " ".join(next(line for line in on_unlabeled if line.startswith("| fixmatch ")).split()) == (
        "| fixmatch | 70.0 ± 0.0 | 70.0 ± 0.0 |"
    )
    assert any(line.startswith("| fixmatch ") and " 2 of 2 |" in line for line in lines)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| tiny")]
    assert ["tiny", "aplt", "offline", "5%", "80.0 %", "50.0 %", "12", "25.0 %", "3"] in cells
    rows = pd.read_csv(written.cells)
    for method, share in product(("fixmatch", "aplt"), SHARES):
        (name,) = set(rows["run"][(rows["method"] == method) & (rows["labeled"] == share)])
        pseudo = [line.pseudo for line in RunDir(written.path / name).read_rounds() if line.pseudo]
        by_round = " ".join(f"{100 * (one.precision or 0):.0f}/{100 * one.coverage:.0f}" for one in pseudo)
        assert "/" in by_round
        assert ["tiny", method, "offline", f"{share:.0%}", by_round] in cells


@pytest.mark.parametrize(
    ("both", "told"),
    [
        ((), ""),
        (("aplt",), "Clips are scored by the classifier, for 'aplt' by the mean of classifier and prototypes."),
        (
            ("aplt", "no margin", "no mixing"),
            "Clips are scored by the mean of classifier and prototypes, for 'supervised', 'upper bound' by the "
            "classifier.",
        ),
    ],
)
def test_read_outs_that_differ_are_told(tmp_path: Path, both: tuple[str, ...], told: str) -> None:
    methods = ("supervised", "aplt", "no margin", "no mixing")
    folder = CompareDir(fake_comparison(tmp_path / "study", methods=methods))
    rows = pd.read_csv(folder.cells)
    rows.loc[rows["method"].isin(both), "read_out"] = "both"
    write_csv(folder.cells, rows)
    write_comparison(folder.path)
    assert folder.table.read_text().splitlines()[2].partition("cells are done.")[2].strip() == told


def test_runs_that_were_not_copied_along_are_not_needed(study: Path) -> None:
    shutil.rmtree(study / "runs")
    page = Page(write_comparison(study))
    assert "Settings that all finished cells share" not in page.text
    assert "All methods by round" in page.text
    assert "What unlabeled clips were taught" in page.text


def test_what_the_cells_share() -> None:
    first = {"a": 1, "group": {"b": 2, "c": 3}, "own": {"d": 1}, "none": None}
    second = {"a": 1, "group": {"b": 2, "c": 4}, "own": {"d": 2}, "none": None}
    assert shared_settings([first, second]) == {"a": 1, "group": {"b": 2}, "none": None}
    assert shared_settings([first, {"a": 1, "group": None, "own": {"d": 1}}]) == {"a": 1, "own": {"d": 1}}
