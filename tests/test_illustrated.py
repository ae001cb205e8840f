"""The report of a run with pictures of its clips, as far as they are there."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from aplt.data.index import read_index
from aplt.illustrated import write_illustrated
from aplt.rundir import RunDir
from aplt.settings import load_yaml
from aplt.storage import write_text
from tests.data.videos import write_video
from tests.report.fake_run import add_bank, edit_json, fake_run
from tests.report.reading import Page


def illustrated(folder: Path, suffix: str) -> RunDir:
    """Returns a run on clips that are there: of videos the first is damaged."""
    run = RunDir(fake_run(folder / "run", classes=2, ids="clip-{:d}"))
    add_bank(run.path)
    clips = folder / "clips"
    clips.mkdir()
    split = pd.read_csv(run.split)
    one = clips / f"one{suffix}"
    if suffix == ".npy":
        np.save(one, np.cumsum(np.random.default_rng(0).normal(size=(9, 20, 3)), axis=0))
    else:
        write_video(one, 12)
    names = run.read_result().classes
    rows = pd.DataFrame({"path": one.name, "label": [names[k % 2] for k in range(len(split))], "id": split["id"]})
    wrong = pd.read_csv(run.predictions).query("truth != prediction_1").nlargest(1, "score_1")["id"].iloc[0]
    (clips / f"bad{suffix}").write_bytes(b"nothing of the kind")
    rows.loc[rows["id"] == wrong, "path"] = f"bad{suffix}"
    rows.to_csv(clips / "clips.csv", index=False)
    config = load_yaml(run.config)
    write_text(run.config, run.config.read_text().replace(f"clips: {config['clips']}", f"clips: {clips / 'clips.csv'}"))
    edit_json(run.result, digests={"index": read_index(clips / "clips.csv").digest})
    return run


def pictures(page: Page) -> int:
    return sum(element.get("class") == "still" for element in page.root.iter())


def test_videos_become_strips_and_a_damaged_one_a_sentence(tmp_path: Path) -> None:
    page = Page(write_illustrated(illustrated(tmp_path, ".avi").path))
    images = page.tags("img")
    assert len(images) >= 5
    assert all(image.get("src", "").startswith("data:image/jpeg;base64,/9j/") for image in images)
    assert "FFmpeg cannot read it as a video" in page.text


def test_clips_that_are_gone_or_changed_leave_a_page(tmp_path: Path) -> None:
    run = illustrated(tmp_path, ".npy")
    page = Page(write_illustrated(run.path))
    assert pictures(page) >= 5
    assert "unreadable as a skeleton" in page.text
    assert "Suspected wrong labels" in page.headings()
    edit_json(run.result, digests={"index": "other"})
    page = Page(write_illustrated(run.path))
    assert pictures(page) >= 5
    assert "have changed since the run was begun" in page.text
    assert "Suspected wrong labels" not in page.headings()
    table = tmp_path / "clips" / "clips.csv"
    text = table.read_text()
    table.write_text(text.replace("label", "lable", 1))
    assert "column 'label' is missing" in Page(write_illustrated(run.path)).text
    table.write_text(text)
    for file in table.parent.glob("*.npy"):
        file.unlink()
    page = Page(write_illustrated(run.path))
    assert pictures(page) == 0
    assert "none of the files that" in page.text
    shutil.rmtree(table.parent)
    assert "clips.csv is no longer there" in Page(write_illustrated(run.path)).text
