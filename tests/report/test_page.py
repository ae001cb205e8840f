"""The page of a run, read back and compared with the run's files."""

import re
from pathlib import Path

import pandas as pd
import pytest

from aplt.report import write_report
from aplt.report.run import read_run
from aplt.rundir import RunDir
from aplt.storage import aside_of
from tests.report.reading import page_of

from .fake_run import CLASSES, edit_json, edit_last_round, fake_run


def test_headline_figures_are_those_of_the_result(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run", classes=10)
    edit_json(RunDir(folder).result, test__top1=0.61234, test__top5=0.9, test__macro_f1=0.5876)
    page = page_of(folder)
    tiles = page.tiles()
    assert tiles["Test top-1"] == "61.2 %"
    assert tiles["Test top-5"] == "90.0 %"
    assert tiles["Test macro F1"] == "58.8 %"
    assert "top-1 66.0 %, top-5 91.0 %, macro F1 62.0 %" in page.text
    # Wilson for 0.61234 of 240 clips.
    assert "95 % interval 54.9 to 67.2 %, 240 clips" in page.text
    assert "60 of 600 clips for training (10.0 %), 10.0 % of those whose label is known; asked for 8.0 %" in page.text
    assert page.root.findtext(".//h1") == "run"
    assert "aplt on stgcn · seed 0" in page.text


def test_five_classes_have_no_top_5(tmp_path: Path) -> None:
    page = page_of(fake_run(tmp_path / "run", classes=5))
    assert "Test top-5" not in page.tiles()
    assert "top-1 66.0 %, macro F1 62.0 %" in page.text


def test_clips_without_a_label_do_not_narrow_the_interval(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run")
    edit_json(RunDir(folder).result, test__top1=0.61234, counts__test=1000)
    text = page_of(folder).text
    assert "95 % interval 52.3 to 69.5 %, 120 clips; 880 more without a label" in text
    edit_json(RunDir(folder).result, test=None)
    assert "no test clip has a label" in page_of(folder).text


def test_one_is_singular(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run")
    counts = {"labeled": 1, "unlabeled": 0, "val": 0, "test": 0, "classes": 5}
    edit_json(RunDir(folder).result, counts=counts, steps=1)
    text = page_of(folder).text
    assert "1 labeled of 1 clip" in text
    assert "1 of 1 clip for training" in text
    assert "1,234,567 parameters, 1 step" in text
    assert not re.search(r"\b1 (clip|step|parameter|round)s", text)


def test_pseudo_label_figures_are_those_of_the_last_round(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run")
    edit_last_round(RunDir(folder), pseudo={"precision": 0.871, "coverage": 0.523})
    tiles = page_of(folder).tiles()
    assert (tiles["Pseudo-label precision"], tiles["Pseudo-label coverage"]) == ("87.1 %", "52.3 %")


@pytest.mark.parametrize("count", [2, 5, 52])
def test_class_table_equals_result_and_last_round(tmp_path: Path, count: int) -> None:
    folder = fake_run(tmp_path / "run", classes=count)
    run = RunDir(folder)
    result, pseudo = run.read_result(), run.read_rounds()[-1].pseudo
    assert result.test is not None
    assert pseudo is not None
    page = page_of(folder)
    assert [row["Class"] for row in page.table("Class")] == list(CLASSES[:count])
    for k, row in enumerate(page.values("Class")):
        expected = result.test.per_class[k]
        assert row["Precision"] == expected.precision
        assert row["Recall"] == expected.recall
        assert row["F1"] == expected.f1
        assert row["Test clips"] == expected.clips
        assert row["Labeled clips"] == result.labeled_per_class[k]
        assert row["Accepted pseudo-labels"] == pseudo.accepted[k]
        assert row["Their precision"] == pseudo.correct[k] / pseudo.known[k]
        assert row["Threshold"] == pseudo.threshold[k]


def test_confusions_are_counted_from_the_predictions(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run", classes=52)
    table = pd.read_csv(RunDir(folder).predictions)
    wrong = table[table["truth"] != table["prediction_1"]]
    pairs = wrong.groupby(["truth", "prediction_1"]).size()
    page = page_of(folder)
    shown = page.table("True class")
    assert len(shown) == 10
    for row in shown:
        assert int(row["Clips"]) == pairs[row["True class"], row["Taken for"]]
    assert int(shown[0]["Clips"]) == pairs.max()
    drawing = next(svg for svg in page.tags("svg") if svg.get("aria-label", "").startswith("Confusion"))
    cells = [title.text or "" for title in drawing.iter("title") if "→" in (title.text or "")]
    assert sum(int(cell.rsplit(": ", 1)[1].split(" of ")[0]) for cell in cells) == len(table)


def test_mistakes_are_the_most_confident_ones(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run", classes=5)
    table = pd.read_csv(RunDir(folder).predictions)
    wrong = table[table["truth"] != table["prediction_1"]].nlargest(20, "score_1")
    shown = page_of(folder).table("Clip")
    assert [row["Clip"] for row in shown] == wrong["id"].tolist()
    assert [row["Prediction"] for row in shown] == wrong["prediction_1"].tolist()
    assert [float(row["Score"]) for row in shown] == pytest.approx(wrong["score_1"].tolist(), abs=5e-4)


def test_round_table_equals_metrics(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run", rounds=3)
    page = page_of(folder)
    for row, line in zip(page.values("Round"), RunDir(folder).read_rounds(), strict=True):
        assert row["Steps done"] == line.steps_done
        assert row["Loss"] == line.loss["total"]
        assert line.watched is not None
        assert row["Watched top-1"] == line.watched.figures.top1
        assert row["Coverage"] == (line.pseudo.coverage if line.pseudo else None)


def test_names_and_ids_cannot_become_markup(tmp_path: Path) -> None:
    names = ["<script>alert(1)</script>", '" onclick="alert(2)', "a & b", "NA", "None"]
    folder = fake_run(tmp_path / "<b>run", classes=names, ids="<img src=x onerror=alert({:d})>")
    config = RunDir(folder).config
    config.write_text(config.read_text().replace("clips.csv", "</pre><script>alert(3)</script>"))
    page = page_of(folder)
    assert "<script>alert" not in page.source
    assert len(page.tags("script")) == 1
    assert not page.tags("img")
    assert not any(key.startswith("on") for element in page.root.iter() for key in element.attrib)
    assert [row["Class"] for row in page.table("Class")] == names
    assert page.table("Clip")[0]["Clip"].startswith("<img src=x")
    assert "</pre><script>alert(3)</script>" in page.text


def test_page_needs_nothing_but_itself(tmp_path: Path) -> None:
    page = page_of(fake_run(tmp_path / "run", classes=52))
    for element in page.root.iter():
        assert "src" not in element.attrib
        assert element.get("href", "#").startswith(("#", "data:,"))
    assert "url(" not in page.source
    assert "@import" not in page.source
    identifiers = {element.get("id") for element in page.root.iter()}
    assert {link.get("href", "")[1:] for link in page.tags("a")} <= identifiers


def test_every_figure_is_described_and_every_table_captioned(tmp_path: Path) -> None:
    page = page_of(fake_run(tmp_path / "run"))
    for svg in page.tags("svg"):
        assert svg.get("aria-hidden") == "true" or len(svg.get("aria-label", "")) > 30
    for figure in page.tags("figure"):
        assert len(figure.findtext("figcaption") or "") > 30
    for table in page.tags("table"):
        assert table.findtext("caption/span")


def test_labels_made_online_have_their_own_curves(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run", offline=False, method="fixmatch")
    edit_last_round(RunDir(folder), online={"precision": 0.431, "coverage": 0.217})
    page = page_of(folder)
    assert "precision, made online" in page.text
    assert "Precision can only be computed" in page.text
    assert "the method makes none" not in page.text


def test_thresholds_that_accept_everything(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run", rounds=3)
    edit_last_round(RunDir(folder), pseudo={"threshold": (None,) * 5})
    page = page_of(folder)
    assert "Threshold" not in page.table("Class")[0]
    assert "every pseudo-label is accepted" in page.text
    assert not any("nan" in path.get("d", "") for path in page.tags("path"))


def test_perfect_model_has_no_mistakes(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run")
    table = pd.read_csv(RunDir(folder).predictions)
    table["prediction_1"] = table["truth"]
    table.to_csv(RunDir(folder).predictions, index=False)
    page = page_of(folder)
    assert "Every test clip was recognized." in page.text


def test_config_is_shown_verbatim(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run")
    code = page_of(folder).root.findtext(".//details/pre/code")
    assert code == RunDir(folder).config.read_text()


def test_writing_again_replaces_the_report(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run")
    before = write_report(folder).read_bytes()
    assert write_report(folder).read_bytes() == before
    assert not list(folder.glob(".report*"))


def test_a_report_takes_the_place_of_what_a_kill_left_of_it(tmp_path: Path) -> None:
    run = RunDir(fake_run(tmp_path / "run", classes=3))
    aside_of(run.report).write_text("half")
    write_report(run.path)
    assert not list(run.path.glob(".*"))


def test_confusion_counts_stay_in_class_order(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run", classes=["zebra", "ant"])
    table = pd.DataFrame(
        {
            "id": ["1", "2", "3"],
            "truth": ["zebra", "zebra", "ant"],
            "prediction_1": ["zebra", "ant", "ant"],
            "score_1": [0.9, 0.8, 0.7],
        }
    )
    table.to_csv(RunDir(folder).predictions, index=False)
    confusion = read_run(folder).confusion
    assert confusion is not None
    assert confusion.tolist() == [[1, 1], [0, 1]]
