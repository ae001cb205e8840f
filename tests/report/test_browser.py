"""What a page's script does, in a browser where there is one."""

import shutil
import subprocess
from pathlib import Path

import pytest

from aplt.report import write_report

from .fake_run import fake_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]


def run_in_page(page: Path, script: str) -> str:
    """Returns the page's markup after a script has run in it."""
    other = page.with_name("scripted.html")
    added = f"<script>addEventListener('load', () => {{{script}}})</script></body>"
    other.write_text(page.read_text().replace("</body>", added))
    words = [str(CHROMIUM), "--headless", "--no-sandbox", "--virtual-time-budget=3000", "--dump-dom", other.as_uri()]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_a_saved_chart_has_its_title_its_legend_and_no_need_of_a_style_sheet(tmp_path: Path) -> None:
    page = write_report(fake_run(tmp_path / "run"))
    script = "document.body.textContent = picture(document.querySelector('figure:has(svg[role=img])')).text;"
    drawn = run_in_page(page, script).partition("<body>")[2]
    for text in ("Watched accuracy", "top-1", "macro F1", "warm-up", "round"):
        assert f"{text}&lt;/text" in drawn
    assert "var(--" not in drawn
    assert "stroke:rgb" in drawn.replace(" ", "")


def test_headers_sort_their_table(tmp_path: Path) -> None:
    page = write_report(fake_run(tmp_path / "run", classes=["b", "c", "a"]))
    script = """
      document.querySelector('.by-class th button').click();
      document.body.textContent = [...document.querySelectorAll('.by-class tbody th')].map((th) => th.textContent);
    """
    assert "a,b,c" in run_in_page(page, script)


def test_a_table_is_taken_as_csv_that_starts_no_formula(tmp_path: Path) -> None:
    names = ["=cmd()", 'a "b", c', "-1+1"]
    page = write_report(fake_run(tmp_path / "run", classes=names))
    script = """
      const lines = csv(document.querySelector('.by-class')).split(String.fromCharCode(13, 10));
      const said = JSON.stringify(lines.map((line) => line.split(',').slice(0, 3)));
      const [tables, buttons] = ['table', 'caption .save button'].map((one) => document.querySelectorAll(one).length);
      document.body.textContent = said + (tables - buttons);
    """
    found = run_in_page(page, script)
    assert '["\'=cmd()","6.0","24.0"]' in found
    assert '["\\"a \\"\\"b\\"\\""," c\\"","6.0"]' in found
    assert '["\'-1+1","6.0","24.0"]' in found
    assert '["Class","Labeled clips","Test clips"]' in found
    assert "]]0" in found
