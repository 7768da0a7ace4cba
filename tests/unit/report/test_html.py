"""The report in a browser, as far as its text goes: well-formed, alone, accessible, and harmless."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import pytest

from controller.report import as_html
from controller.report.report import MOST_OF_A_KIND
from controller.report.safe import in_html, on_one_line
from tests.unit.report.reports import HOSTILE, REPORTS, hostile, large, rich

VOID = {"meta", "wbr"}
OURS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "section", "footer"),
    *("h1", "h2", "h3", "p", "dl", "div", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("details", "summary", "span", "ul", "li", "b", "strong", "code", "del", "ins", "pre", "a", "wbr"),
}


class Page(HTMLParser):
    """A page's elements in their order, with what each holds; raises where they are not nested well."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.mark.parametrize("name", REPORTS)
def test_page_is_well_formed_and_has_known_elements_only(name: str) -> None:
    page = Page(as_html.render(REPORTS[name]()))
    assert {tag for tag, _ in page.elements} <= OURS
    names = {name for _, attributes in page.elements for name in attributes}
    assert names <= {
        *("lang", "charset", "http-equiv", "content", "name", "class", "id", "aria-labelledby", "aria-hidden"),
        *("scope", "open", "href"),
    }


def test_hostile_text_adds_no_element() -> None:
    text = as_html.render(hostile())
    tame = text
    for harm in HOSTILE:
        tame = tame.replace(in_html(harm), "tame")
    assert Page(text).elements == Page(tame).elements
    shown = "".join(Page(text).texts)
    for harm in HOSTILE:
        assert on_one_line(harm) in shown


def test_policy_allows_the_own_style_sheet_only() -> None:
    text = as_html.render(rich())
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    assert style[1] == files("controller.report").joinpath("report.css").read_text(encoding="utf-8")
    policy = Page(text).all("meta")[1]["content"]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "url(" not in style[1]
    assert "@import" not in style[1]


@pytest.mark.parametrize("name", REPORTS)
def test_screen_reader_gets_headings_and_landmarks(name: str) -> None:
    page = Page(as_html.render(REPORTS[name]()))
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("main")) == len(page.all("header")) == len(page.all("footer")) == len(page.all("h1")) == 1
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3")]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    headings = [attributes["id"] for attributes in page.all("h2")]
    assert headings == [attributes["aria-labelledby"] for attributes in page.all("section")]
    assert len(set(headings)) == len(headings)
    assert all(attributes["scope"] in ("col", "row") for attributes in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))


def palettes() -> dict[str, dict[str, str]]:
    """The colours by their names, in light and in dark."""
    light, dark = re.findall(r":root \{(.*?)\}", as_html._style(), re.DOTALL)
    return {
        mode: dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block)) for mode, block in (("light", light), ("dark", dark))
    }


def luminance(colour: str) -> float:
    """Relative luminance, as the Web Content Accessibility Guidelines 2.2 define it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("ground", ["page", "card"])
@pytest.mark.parametrize("colour", ["text", "soft", "created", "updated", "deleted", "found"])
def test_every_colour_can_be_read(mode: str, ground: str, colour: str) -> None:
    palette = palettes()[mode]
    dark, light = sorted([luminance(palette[ground]), luminance(palette[colour])])
    assert (light + 0.05) / (dark + 0.05) >= 4.5  # level AA for text


def test_10_000_changes_are_all_there_and_folded() -> None:
    text = as_html.render(large())
    assert text.count('<p class="what">') == 10_000 + MOST_OF_A_KIND + 1
    assert "<details open>" not in text
    assert len(text) < 6_000_000


def test_short_report_is_not_folded() -> None:
    assert "<details>" not in as_html.render(rich())
