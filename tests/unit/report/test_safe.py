"""Nothing that others have written is more than text, in any form."""

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from controller.report.safe import in_html, in_json, in_markdown, on_one_line
from tests.model.properties.profiles import CHEAP

#: Any text, and much of what means something somewhere.
TEXTS = st.one_of(
    st.text(),
    st.text(alphabet=st.sampled_from("<>&\"'`*_[]()!|@#:/.~\\-+={}$ \n\r\t\x1b\u202ex1")),
)


class Reader(HTMLParser):
    """What a browser takes from mark-up: elements and text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data

    @classmethod
    def of(cls, markup: str) -> "Reader":
        reader = cls()
        reader.feed(markup)
        reader.close()
        return reader


@CHEAP
@given(TEXTS)
def test_a_terminal_gets_one_line_of_printable_characters(text: str) -> None:
    assert on_one_line(text).isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("m1 ::set-output name=digest::0", "m1 \\x3a:set-output name=digest::0"),
        ("::stop-commands::x", "\\x3a:stop-commands\\x3a:x"),
        ("a##[add-mask]b", "a\\x23#[add-mask]b"),
        ("##vso[task.complete]", "\\x23#vso[task.complete]"),
        ("2001:db8::a", "2001:db8::a"),
    ],
)
def test_text_in_the_log_of_a_job_is_not_a_command(text: str, shown: str) -> None:
    assert on_one_line(text) == shown


def test_json_in_the_log_of_a_job_is_not_a_command() -> None:
    document = in_json(json.dumps({"a": "##[add-mask]b", "###": "\\##vso[x]"}, indent=2))
    assert "##" not in document
    assert json.loads(document) == {"a": "##[add-mask]b", "###": "\\##vso[x]"}


@CHEAP
@given(TEXTS)
def test_html_shows_the_text_and_makes_no_element_of_it(text: str) -> None:
    read = Reader.of(f"<p title='{in_html(text)}'>{in_html(text)}</p>")
    assert (read.elements, read.text) == (["p"], on_one_line(text))


@CHEAP
@given(TEXTS)
def test_markdown_shows_the_text_and_makes_nothing_of_it(text: str) -> None:
    for line in ("**{}**", "| {} |\n|---|\n| {} |", "<details>\n<summary>{}</summary>\n\n</details>", "> {}"):
        rendered = MarkdownIt("commonmark").enable("table").render(line.replace("{}", in_markdown(text)))
        plain = MarkdownIt("commonmark").enable("table").render(line.replace("{}", "<code>x</code>"))
        read = Reader.of(rendered)
        assert read.elements == Reader.of(plain).elements
        assert on_one_line(text) in read.text


def test_escaped_text_can_be_restored() -> None:
    assert on_one_line("a\nb\x1b\u202e\u00a0é") == "a\\nb\\x1b\\u202e\\xa0é"
    assert in_html("<b>\"&'") == "&lt;b&gt;&quot;&amp;&#x27;"
    assert in_markdown("@a-b|c") == "<code>&#64;a-b&#124;c</code>"
