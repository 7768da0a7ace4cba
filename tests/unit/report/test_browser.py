"""The report as a browser shows it: in light and dark, on a phone, by keyboard, by ear, and alone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller.report import as_html
from controller.report.report import Report
from tests.unit.report.browser import CHROMIUM, Browser, Page, running
from tests.unit.report.reports import REPORTS, hostile, large, nothing, rich
from tests.unit.report.test_html import palettes

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine (on Debian: apt-get install chromium)"
)

#: Opens a report in a page of its own; options are the page's.
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running() as found:
        yield found


@pytest.fixture
def shown(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    pages: list[Page] = []

    def open_report(report: Report, *, width: int = 1000, dark: bool = False) -> Page:
        path = tmp_path / "report.html"
        path.write_text(as_html.render(report), encoding="utf-8")
        pages.append(Page(browser, width=width, dark=dark))
        pages[-1].open(path)
        return pages[-1]

    yield open_report
    for page in pages:
        page.close()


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [320, 1000])
def test_page_needs_no_sideways_scrolling(shown: Open, name: str, width: int) -> None:
    page = shown(REPORTS[name](), width=width)
    assert page.value("innerWidth") == width
    assert page.value("document.documentElement.scrollWidth") <= width
    wide = (
        "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).length"
    )
    assert page.value(wide) == 0


#: Each instance id, address and number of header and body, with the lines that it takes. A digest has no room on one.
_LINES = r"""
const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  if (node.parentElement.closest('footer')) continue;
  for (const match of node.data.matchAll(/i-[0-9a-f]{8,17}|\d[\d.,]*/g)) {
    const range = document.createRange();
    range.setStart(node, match.index);
    range.setEnd(node, match.index + match[0].length);
    found.push([match[0], new Set([...range.getClientRects()].map(r => r.top)).size]);
  }
}
found
"""


@pytest.mark.parametrize("name", ["rich", "ended", "guarded", "first-look"])
@pytest.mark.parametrize("width", [320, 360])
def test_ids_and_numbers_on_a_phone_stay_on_one_line(shown: Open, name: str, width: int) -> None:
    found = shown(REPORTS[name](), width=width).value(_LINES)
    assert [text for text, lines in found if lines != 1] == []
    assert len(found) > 10


@pytest.mark.parametrize("dark", [False, True])
def test_page_follows_the_light_and_dark_scheme(shown: Open, dark: bool) -> None:
    page = shown(rich(), dark=dark)
    colours = palettes()["dark" if dark else "light"]
    assert page.value("getComputedStyle(document.body).backgroundColor") == as_shown(colours["page"])
    assert page.value("getComputedStyle(document.body).color") == as_shown(colours["text"])
    assert page.value("getComputedStyle(document.querySelector('.created b')).color") == as_shown(colours["created"])


def as_shown(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[place : place + 2], 16)) for place in (1, 3, 5))})"


def test_sections_fold_and_unfold_by_keyboard(shown: Open) -> None:
    page = shown(rich())
    page.press("Tab")
    assert page.value("document.activeElement.tagName") == "A", "the number of findings leads to them"
    page.press("Tab")
    assert page.value("document.activeElement.tagName") == "SUMMARY"
    is_open = "document.activeElement.parentElement.open"
    assert page.value(is_open) is True
    page.press("Enter", "\r")
    assert page.value(is_open) is False
    page.press("Enter", "\r")
    assert page.value(is_open) is True
    page.press("Tab")
    assert page.value("[...document.querySelectorAll('summary')].indexOf(document.activeElement)") == 1


@pytest.mark.parametrize("report", [rich(), hostile(), nothing()])
def test_page_fetches_nothing_and_runs_nothing(shown: Open, report: Report) -> None:
    page = shown(report)
    asked = [request["request"]["url"] for request in page.events("Network.requestWillBeSent")]
    assert [url.rpartition("/")[2] for url in asked] == ["report.html"]
    noise = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Page.javascriptDialogOpening")
    assert page.events(*noise) == []
    assert page.value("document.scripts.length + document.images.length") == 0
    assert page.value("[...document.links].every(a => a.getAttribute('href') == '#findings')") is True
    assert page.value("document.compatMode") == "CSS1Compat"


def test_a_screen_reader_finds_its_way(shown: Open) -> None:
    nodes = shown(rich()).call("Accessibility.getFullAXTree")["nodes"]
    named = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]}
    assert {("heading", "DNS plan for example.com"), ("heading", "Changes"), ("heading", "Findings")} <= named
    assert {("table", "Changes by kind"), ("rowheader", "create record"), ("region", "Changes")} <= named
    assert {"main", "banner", "contentinfo", "columnheader"} <= {role for role, _ in named}
    assert any(role == "DisclosureTriangle" and "algebra-17" in name for role, name in named)


def test_10_000_changes_open_folded_and_can_be_unfolded(shown: Open) -> None:
    page = shown(large(), width=400)
    assert page.value("document.querySelectorAll('details').length") == 2_501
    last = "[...document.querySelectorAll('details')].at(-2)"
    assert page.value(f"{last}.open = true; {last}.querySelector('li').getBoundingClientRect().height") > 20
    assert page.value("document.documentElement.scrollWidth") <= 400
