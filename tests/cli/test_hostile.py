"""Names of clips, classes, subjects and folders come from others: whatever they hold, they stay text everywhere."""

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from aplt.display import plain
from tests.test_cli import aplt

pytestmark = pytest.mark.usefixtures("one_process")

# What a file system allows in a name.
FILES = [
    "<script>alert(1)<script>",
    "\"'><img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "&lt;b&gt;&#x1b;",
    "=cmd('C calc')!A1",
    "+1+cmd",
    "@SUM(1)",
    "\x1b[2J\x1b]0;title\x07",
    "\x9b31m red",
    "a\nb,c\r\nd",
    "\u202egnp.exe",
    "..",
    "$(touch here) `touch here`; touch here",
    "[bold]%s{0}{name}",
    "-rf",
]
# And what only a table can have.
NAMES = [*FILES, "../../../../outside", "/outside", "C:\\outside", "</title></script><script>alert(1)</script>"]
TINY = ("train.rounds=2", "train.warm_up_rounds=1", "train.steps_per_round=1", "input.frames=4")
SMALL = ("encoder_settings.width=8", "encoder_settings.blocks=1", "train.workers=0")
SETTINGS = [word for setting in (*TINY, *SMALL) for word in ("--set", setting)]
COMMAND = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


class Markup(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.texts: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def save(path: Path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(number)
    np.save(path, rng.normal(size=(6, 4, 3)) + np.arange(4)[:, None] * (number % len(NAMES)))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips whose files, folders, ids, labels and subjects have each of the names."""
    root = tmp_path_factory.mktemp("deep") / "in" / "here"
    rows = [("path", "label", "id", "subject", "split")]
    for k, name in enumerate(NAMES):
        for i in range(4):
            other = NAMES[(k + 5) % len(NAMES)]
            save(root / "clips" / f"{k}.{i}.npy", k)
            rows.append((f"{k}.{i}.npy", name, f"{name}{other}{i}", other, "test" if i == 3 else "train"))
    with (root / "clips" / "clips.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    for k, name in enumerate(name for name in FILES if name != ".."):
        save(root / "folder" / name / f"{name}.npy", k)
    return root


def test_a_run_of_such_names(home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    before = set(home.parents[1].rglob("*"))

    def said(*words: object, status: int = 0) -> str:
        assert aplt(*words) == status
        out, err = capfd.readouterr()
        assert not COMMAND.search(out + err)
        assert "Traceback" not in err
        return out + err

    labels = {name.strip() for name in NAMES}
    found = said("check", "clips/clips.csv", status=1)
    assert "\\x1b[2J" in found
    assert "a spreadsheet" in found
    said("train", "clips/clips.csv", "--labeled", "50%", "--name", "run", "--runs", "runs", *SETTINGS)
    assert set(json.loads((home / "runs/run/model/config.json").read_text())["class_names"]) == labels
    assert said("evaluate", "runs/run").count("\n") == len(labels) + 3
    said("report", "runs/run")
    page = Markup(home / "runs/run/report.html")
    assert {"script", "img", "svg"} & set(page.tags) == {"script", "svg"}
    assert page.tags.count("script") == 1
    assert not [name for name in page.attributes if name.startswith("on")]
    text = " ".join(" ".join(page.texts).split())
    assert all(" ".join(plain(name, keep="\n").split()) in text for name in labels)

    said("predict", "runs/run", "folder", "-o", "predictions.csv")
    with (home / "runs/run/predictions.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["truth"] for row in rows} == labels
    with (home / "predictions.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {Path(row["path"]).stem for row in rows} == {Path(f"{name}.npy").stem for name in FILES} - {".."}
    assert {row["prediction_1"] for row in rows} <= labels
    # Nothing is written but what was asked for.
    after = set(home.parents[1].rglob("*")) - before
    assert {path.relative_to(home).parts[0] for path in after} == {"runs", "predictions.csv"}


def test_a_folder_of_such_names(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert aplt("index", home / "folder", "-o", home / "folder.csv") == 0
    out, err = capfd.readouterr()
    assert not COMMAND.search(out + err)
    with (home / "folder.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["label"] for row in rows] == [Path(row["path"]).stem for row in rows]
    assert {row["label"] for row in rows} == {name for name in FILES if name != ".."}
