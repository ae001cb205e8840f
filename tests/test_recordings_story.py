"""From a folder of recordings to events, at the command line."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aplt.data.formats.source import Source
from aplt.data.index import read_index
from aplt.data.recordings import read_events
from aplt.models.recognizer import load_recognizer
from tests.data.formats.eaf import Eaf
from tests.data.formats.test_boris import project, seen
from tests.runs.clips import CLASSES
from tests.test_cli import aplt

RATE = 10
SECONDS = 40
SMALL = ["--set", "encoder_settings={width: 8, blocks: 1}", "--set", "input={frames: 8, turn: 0}"]
SHORT = [
    "--method",
    "supervised",
    "--set",
    "train={rounds: 2, steps_per_round: 60, batch_labeled: 16, sampling: classes}",
]


def write_films(folder: Path) -> Path:
    """Writes skeletons that hold still but for two seconds in each five, in which joint 3 swings along an axis."""
    rng = np.random.default_rng(0)
    rows = []
    (folder / "films").mkdir()
    person = rng.normal(size=(4, 3))
    for name in ("a", "b", "c"):
        array = person + 0.03 * rng.normal(size=(SECONDS * RATE, 4, 3))
        for number, start in enumerate(range(2, SECONDS, 5)):
            swing = np.sin(np.arange(2 * RATE) * 1.5)
            array[start * RATE : (start + 2) * RATE, 3, number % 3] += 2 * swing
            rows.append((f"films/{name}.npz", start, start + 2, CLASSES[number % 3]))
        np.savez(folder / "films" / f"{name}.npz", skeleton=array, fps=RATE)
    events = pd.DataFrame(rows, columns=["path", "start", "end", "label"])
    events[events["path"] != "films/c.npz"].to_csv(folder / "events.csv", index=False)
    events[events["path"] == "films/c.npz"].to_csv(folder / "truth.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_films(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def trained(home: Path) -> Path:
    words = ["index", home / "films", "--window", 1, "--events", home / "events.csv", "--none", "nothing"]
    assert aplt(*words, "-o", home / "clips.csv") == 0
    words = ["train", home / "clips.csv", "--labeled", "100%", "--name", "r", "--runs", home / "runs"]
    assert aplt(*words, *SMALL, *SHORT, "--set", "split.test=0") == 0
    return home / "runs" / "r"


def test_index_train_predict_evaluate(home: Path, trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    index = read_index(home / "clips.csv")
    assert index.class_names == ("nod", "nothing", "shake", "wave")
    model = load_recognizer(trained / "model")
    assert model.clip_seconds == [1.0, 2.0]
    capsys.readouterr()

    film, out, page = home / "films" / "c.npz", home / "events_c.csv", home / "c.html"
    words = ["predict", trained, film, "--window", 1, "--stride", 0.5, "-o", out, "--page", page]
    assert aplt(*words, "--annotated", home / "truth.csv") == 0
    found = pd.read_csv(out)
    assert list(found.columns) == ["path", "start", "end", "label", "score", "reliability"]
    assert not set(found["label"]) - set(CLASSES)
    text = page.read_text()
    assert text.count('class="predicted"') == len(found)
    assert text.count('class="annotated"') == SECONDS // 5
    assert "<video" not in text
    assert aplt(*words) == 0  # its own files are written over

    capsys.readouterr()
    assert aplt("evaluate", trained, "--events", home / "truth.csv", "--window", 1, "--stride", 0.5, "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["seconds"], figures["window"]) == (SECONDS, 1)
    assert figures["f1_10"] > 0.6
    assert figures["frame_accuracy"] > 0.7
    assert sum(row["events"] for row in figures["per_class"]) == SECONDS // 5


def test_events_in_a_copy_of_an_annotators_file(home: Path, trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = home / "films" / "c.npz"
    rows = pd.read_csv(home / "truth.csv")[["start", "end", "label"]].to_numpy()
    truth = [(1000 * start, 1000 * end, str(label)) for start, end, label in rows]
    mine = Eaf().link("films/c.npz").tier("mine", *truth).tier("other", *truth[:1]).write(home / "mine.eaf")
    before = mine.read_bytes()
    words = ["predict", trained, film, "--window", 1, "--stride", 0.5, "--format", "elan"]
    out = home / "found.eaf"
    assert aplt(*words, "--annotated", mine, "--tier", "mine", "--page", home / "elan.html", "-o", out) == 0
    assert (home / "elan.html").read_text().count('class="annotated"') == len(truth)
    found, _ = read_events(Source(out, tiers=("aplt",)))
    known, _ = read_events(Source(out, tiers=("mine",)))
    assert len(known) == len(truth)
    capsys.readouterr()
    measure = ["evaluate", trained, "--window", 1, "--stride", 0.5, "--json", "--events"]
    figures = []
    for options in ([mine, "--tier", "mine"], [home / "truth.csv"]):
        assert aplt(*measure, *options) == 0
        figures.append(json.loads(capsys.readouterr().out))
    assert figures[0] == figures[1]
    assert set(found["label"]) <= set(CLASSES)
    # Neither the annotator's file nor one that may have been edited since is written over.
    for path in (mine, out):
        assert aplt(*words, "--annotated", mine, "-o", path) == 2
    assert mine.read_bytes() == before
    assert aplt(*words[:-1], "boris", "-o", home / "found.boris") == 0
    again, _ = read_events(Source(_renamed(home / "found.boris")))
    assert again["start"].tolist() == pytest.approx(found["start"].tolist())
    assert again["label"].tolist() == found["label"].tolist()


def _renamed(path: Path) -> Path:
    """Gives the observation that aplt has added a person's name, as who corrects it would."""
    path.write_text(path.read_text().replace('"aplt c"', '"c"'))
    return path


def test_a_recording_is_refused_as_a_clip(home: Path, trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = home / "films" / "c.npz"
    assert aplt("predict", trained, film, home / "clips.csv", "-o", home / "p.csv") == 0
    table = pd.read_csv(home / "p.csv", keep_default_na=False)
    assert (table["error"] != "").tolist() == [True] + [False] * (len(table) - 1)
    assert "lasts 40.0 s" in table["error"][0]
    assert "--window 1 " in table["error"][0]
    assert aplt("predict", trained, film, "-o", home / "q.csv") == 1
    assert "--window 1 " in capsys.readouterr().err


def test_a_model_of_an_older_version_refuses_nothing(home: Path, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    for file in (trained / "model").iterdir():
        (tmp_path / "model" / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    del config["clip_seconds"]
    (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    assert aplt("predict", tmp_path / "model", home / "films" / "c.npz", "-o", tmp_path / "p.csv") == 0
    assert aplt("evaluate", tmp_path / "model", "--events", home / "truth.csv") == 2


def test_nothing_to_compare_with_is_said(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    beyond = seen([[11.0, "", "nod", "", ""], [12.0, "", "nod", "", ""]], "a.npz")
    path = project(tmp_path / "p.boris", one=beyond)
    assert aplt("evaluate", trained, "--events", path, "--window", 1) == 2
    assert "p.boris: no event in it" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "RUN", "FILM", "--stride", "1"],
        ["predict", "RUN", "FILM", "--window", "1", "--format", "cvs"],
        ["predict", "RUN", "FILM", "--window", "1", "-o", "FILM"],
        ["predict", "RUN", "FILM", "--window", "1", "--page", "EVENTS"],
        ["evaluate", "RUN", "--window", "1"],
        ["evaluate", "RUN", "--events", "EVENTS", "--role", "test"],
        ["index", "FILMS", "--stride", "1"],
        ["index", "FILMS", "--none", "nothing"],
        ["index", "FILMS", "--tier", "mine"],
        ["evaluate", "RUN", "--events", "EVENTS", "--tier", "mine"],
        ["predict", "RUN", "FILM", "--tier", "mine"],
    ],
)
def test_what_contradicts_itself_is_refused(
    home: Path, trained: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    named = {"RUN": trained, "FILM": home / "films" / "c.npz", "FILMS": home / "films", "EVENTS": home / "events.csv"}
    before = (home / "films" / "c.npz").read_bytes()
    assert aplt(*(named.get(word, word) for word in words)) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert (home / "films" / "c.npz").read_bytes() == before
