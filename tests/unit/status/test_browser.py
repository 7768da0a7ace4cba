"""The overview in a browser, on a phone and on a screen; 1,000 meetings at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.status import as_html
from tests.unit.report.browser import CHROMIUM, Browser, Page, running
from tests.unit.status.test_forms import seen

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine (on Debian: apt-get install chromium)"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running() as found:
        yield found


@pytest.mark.parametrize("width", [320, 1000])
def test_overview_needs_no_sideways_scrolling(browser: Browser, tmp_path: Path, width: int) -> None:
    path = tmp_path / "status.html"
    path.write_text(as_html.render(seen("m" * 60, more=1_000), everything=True), encoding="utf-8")
    page = Page(browser, width=width, dark=False)
    page.open(path)
    assert page.value("document.documentElement.scrollWidth") <= width
    assert page.value("document.querySelectorAll('main li').length") == 1_002
    page.close()
