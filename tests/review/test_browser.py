"""The page in a browser: two thousand clips, corrected by keyboard, while the server is killed and begun again."""

import multiprocessing
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("uvicorn")
pytest.importorskip("playwright")
import uvicorn
from playwright.sync_api import Page, expect, sync_playwright

from aplt.clips import Clip, ClipIndex
from aplt.review.journal import Journal, Said
from aplt.review.media import Media
from aplt.review.server import review_app
from aplt.review.wall import Wall
from aplt.rundir import RunDir
from aplt.runs.reviews import read_corrections
from aplt.runs.suggest import Pool
from tests.review.conftest import TOKEN
from tests.runs.clips import write_clips

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CLIPS = 2000
NAMES = ("nod", "shake", "<b>wave</b>")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, such as Debian's package chromium")


@pytest.fixture
def wall(tmp_path: Path) -> Wall:
    """Clips of one file, of which nothing but the first is labeled; the k-th is surer than the one before."""
    rng = np.random.default_rng(0)
    np.save(tmp_path / "a.npy", np.cumsum(rng.normal(size=(12, 4, 3)), axis=0))
    clips = tuple(Clip(f"clip {k}", tmp_path / "a.npy", label=0 if k == 0 else -1) for k in range(CLIPS))
    best = np.linspace(0.4, 0.99, CLIPS)
    probability = np.stack([best, (1 - best) * 0.6, (1 - best) * 0.4], axis=1).astype(np.float32)
    probability[1::2] = probability[1::2][:, [2, 0, 1]]
    feature = rng.normal(size=(CLIPS, 4)).astype(np.float32)
    feature /= np.linalg.norm(feature, axis=1, keepdims=True)
    pool = Pool(feature, probability, np.array([0, *[-1] * (CLIPS - 1)]))
    run = RunDir(tmp_path / "run")
    run.path.mkdir()
    pd.DataFrame(columns=["id", "truth", "label", "score", "of"]).to_csv(run.held_out, index=False)
    return Wall(run, ClipIndex(clips, NAMES), np.arange(CLIPS), pool)


class Server:
    """The page's server in a process of its own, which is there before the browser and waits to begin."""

    def __init__(self, wall: Wall, folder: Path, port: int) -> None:
        self.wall, self.folder, self.port = wall, folder, port
        fork = multiprocessing.get_context("fork")
        self.begun = fork.Event()
        self.process = fork.Process(target=self.work)
        self.process.start()

    def work(self) -> None:
        self.begun.wait()
        journal = Journal(self.folder / "corrections.csv", "ann")
        hosts = (f"127.0.0.1:{self.port}",)
        app = review_app(self.wall, journal, Media(self.folder), token=TOKEN, hosts=hosts)
        uvicorn.run(app, port=self.port, log_level="critical")

    def begin(self) -> None:
        self.begun.set()
        while self.process.is_alive():
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
    return found


@pytest.fixture
def servers(wall: Wall, tmp_path: Path) -> Iterator[list[Server]]:
    port = free_port()
    found = [Server(wall, tmp_path, port) for _ in range(2)]
    yield found
    for server in found:
        server.kill()


@contextmanager
def opened(port: int) -> Iterator[Page]:
    """Opens the page in a browser; what it throws fails the test."""
    problems: list[str] = []
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"http://127.0.0.1:{port}/?token={TOKEN}")
        page.wait_for_selector(".card")
        yield page
        browser.close()
    assert not problems


def test_corrections_by_keyboard_survive_a_kill(servers: list[Server], tmp_path: Path) -> None:
    servers[0].begin()
    table = tmp_path / "corrections.csv"
    with opened(servers[0].port) as page:
        assert "2000 of 2000 clips, 0 reviewed" in page.inner_text("#count")
        assert page.locator(".card").count() < 100  # the others are out of sight
        page.select_option("#class", "1")
        assert page.locator(".card").first.get_attribute("data-id") == "clip 1"  # the least sure
        page.select_option("#class", "")

        def said(number: int) -> None:
            expect(page.locator("#count")).to_contain_text(f", {number} reviewed")

        for number in range(1, 11):
            page.keyboard.press("Enter")
            said(number)
        servers[0].kill()
        page.keyboard.press("n")
        page.wait_for_selector("#problem:not([hidden])")
        assert len(read_corrections(table)[0]) == 10
        servers[1].begin()
        for number in range(11, 21):
            page.keyboard.press("n")
            said(number)
        assert page.is_hidden("#problem")
        page.click("#undo")
        said(19)
        page.keyboard.press("n")  # of the clip, not of the button that was clicked
        said(20)
        page.keyboard.press("u")
        said(19)
        page.keyboard.press("c")
        page.locator("#typed").fill("dancing")
        page.keyboard.press("Enter")
        expect(page.locator("#problem")).to_contain_text('no class begins with "dancing"')
        expect(page.locator("#detail ol li")).to_have_count(3)
        page.keyboard.press("1")
        said(20)
        page.keyboard.press("u")
        said(19)
        bob = Journal(table, "bob")
        bob.say([("clip 0", Said("label", "nod"), ""), ("clip 3", Said("label", "nod"), "")])
        page.reload()
        page.wait_for_selector(".card")
        said(19)
        page.select_option("#which", "said")
        assert page.locator(".card.none").count() == 9
        page.select_option("#which", "disputed")
        assert page.locator(".card").count() == len(read_corrections(table)[1]) > 0
        for _ in range(page.locator(".card").count()):  # as fast as a hand can
            page.keyboard.press("Enter")  # what ann has said
        expect(page.locator("#count")).to_contain_text(", 0 disputed")
        page.keyboard.press("u")
        expect(page.locator("#count")).to_contain_text(", 1 disputed")
        page.locator(".card").last.click()
        page.keyboard.press("Enter")
        expect(page.locator("#count")).to_contain_text(", 0 disputed")
    kept, disputed = read_corrections(table)
    assert not disputed
    assert sorted(kept.values()) == [""] * 9 + sorted(NAMES[k] for k in (0, 1) for _ in range(5))


def test_first_labels_by_name_and_number(tmp_path: Path) -> None:
    write_clips(tmp_path, clips=12)
    pd.read_csv(tmp_path / "clips.csv").assign(label="").to_csv(tmp_path / "first.csv", index=False)
    port = free_port()
    server = Server(Wall.first(tmp_path / "first.csv", tmp_path, tmp_path / "corrections.csv"), tmp_path, port)
    try:
        server.begin()
        with opened(port) as page:
            assert page.is_visible("#keys")
            page.keyboard.press("Enter")
            expect(page.locator("#problem")).to_contain_text("no label to accept")
            for number, name in enumerate(("nod", "<i>shake</i>"), start=1):
                page.keyboard.press("c")
                page.locator("#typed").fill(name)
                page.keyboard.press("Enter")
                expect(page.locator("#count")).to_contain_text(f", {number} reviewed")
            assert page.is_hidden("#problem")
            expect(page.locator("#detail ol li")).to_have_count(2)
            page.keyboard.press("2")
            expect(page.locator("#count")).to_contain_text(", 3 reviewed")
            page.keyboard.press("c")
            page.locator("#typed").fill("mistake")
            page.keyboard.press("Escape")
            page.keyboard.press("c")
            page.locator("#typed").fill("no")  # as another class begins
            page.keyboard.press("Enter")
            expect(page.locator("#count")).to_contain_text(", 4 reviewed")
            given = ["nod", "<i>shake</i>", "<i>shake</i>", "no", "?"]
            assert page.locator(".card .label").all_inner_texts()[:5] == given
    finally:
        server.kill()
    assert list(read_corrections(tmp_path / "corrections.csv")[0].values()) == given[:4]
