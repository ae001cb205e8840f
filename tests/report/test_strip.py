"""The page of a recording: what is drawn where, and that its script moves the film."""

import math
import re
from pathlib import Path

import pandas as pd
import pytest

from aplt.report.strip import Strip, strip_page
from aplt.report.words import clock

from .test_browser import CHROMIUM, run_in_page

PREDICTED = pd.DataFrame(
    [[12.0, 15.0, "nod", 0.9, math.nan], [40.0, 41.0, "<wave>", 0.4, 0.7]],
    columns=["start", "end", "label", "score", "reliability"],
)
ANNOTATED = PREDICTED[["start", "end", "label"]].iloc[:1]


def page(start: float = 10.0) -> str:
    return strip_page([Strip("a <film>.mp4", "films/a.mp4", start, 50.0, PREDICTED, ANNOTATED)])


def test_bars_are_where_the_events_are() -> None:
    text = page()
    left, scale = (float(re.search(rf'data-{name}="([^"]*)"', text)[1]) for name in ("left", "scale"))  # type: ignore[index]
    bars = re.findall(r'class="(predicted|annotated)"[^>]*>|<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"', text)
    drawn = [(float(x), float(y), float(width)) for _, x, y, width in bars if x]
    expected = [(left + (start - 10) * scale, (end - start) * scale) for start, end in ((40, 41), (12, 15), (12, 15))]
    assert [(x, width) for x, _, width in drawn] == [pytest.approx(one, abs=0.01) for one in expected]
    assert drawn[1][1] > drawn[2][1]  # the annotated one is above
    assert "<film>" not in text
    assert "&lt;wave&gt;" in text


def test_a_moment_reads_as_on_a_clock() -> None:
    assert [clock(seconds) for seconds in (0, 65.24, 59.96, 3605)] == ["0:00", "1:05.2", "1:00", "1:00:05"]


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_click_moves_the_playhead(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page())
    script = """
      const chart = document.querySelector('svg.events');
      const box = document.querySelector('.annotated rect').getBoundingClientRect();
      chart.dispatchEvent(new MouseEvent('click', { clientX: box.left, clientY: box.top, bubbles: true }));
      const at = chart.querySelector('.playhead').getAttribute('x1') - chart.dataset.left;
      document.body.textContent = 'at ' + (10 + at / chart.dataset.scale).toFixed(1);
    """
    assert "at 12.0" in run_in_page(tmp_path / "page.html", script)
