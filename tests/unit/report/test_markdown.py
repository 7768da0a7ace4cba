"""The report on GitHub: it fits a comment, says what it leaves out, and nobody else's text is more than text."""

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from controller.model import Finding
from controller.report import as_markdown
from controller.report.report import Report
from tests.support.build import TARGET
from tests.unit.report.reports import HOSTILE, REPORTS, ended, hostile, large, numbers_of, rich, shown_in
from tests.unit.report.test_safe import Reader

#: CommonMark with GitHub's tables and strike-through, by somebody else.
RENDERER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OURS = {"h3", "p", "strong", "code", "pre", "details", "summary", "blockquote"}


def outside_code(markup: str) -> str:
    """The text in which GitHub looks for mentions, issues and addresses: it leaves code alone."""
    return Reader.of(re.sub(r"<(code|pre)\b.*?</\1>", "", markup, flags=re.DOTALL)).text


@pytest.mark.parametrize("name", REPORTS)
def test_markdown_renders_to_known_elements_only(name: str) -> None:
    assert set(Reader.of(RENDERER.render(as_markdown.render(REPORTS[name]()))).elements) <= OURS


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_stands_in_code_only(text: str) -> None:
    target = replace(TARGET, domain_root=text, table=text, zone=text, owner=text)
    report = replace(hostile(), target=target, guard=replace(hostile().guard, tripped=True, reason=text))
    rendered = RENDERER.render(as_markdown.render(report))
    assert set(Reader.of(rendered).elements) <= OURS
    said = outside_code(rendered)
    assert not any(sign in said for sign in "@#|`<>\\$")
    assert "http" not in said
    assert "www" not in said


def test_sections_fold_and_stand_beside_each_other() -> None:
    elements = [token.content for token in RENDERER.parse(as_markdown.render(hostile())) if token.type == "html_block"]
    opened = [content for content in elements if content.startswith("<details open>\n<summary>")]
    closed = [content for content in elements if content == "</details>\n"]
    assert len(opened) == len(closed) == len(HOSTILE) + 1
    assert len(elements) == len(opened) + len(closed)


def test_the_signs_begin_the_lines_that_github_colours() -> None:
    fences = [token.content for token in RENDERER.parse(as_markdown.render(rich())) if token.info == "diff"]
    heads = [line[0] for fence in fences for line in fence.splitlines() if not line.startswith("    ")]
    assert len(heads) == len(rich().results)
    assert set(heads) == {"+", "!", "-"}, "GitHub colours no line that begins with a tilde"


def test_10_000_changes_fit_a_comment_and_the_rest_is_counted() -> None:
    report = large()
    text = as_markdown.render(report)
    assert 40_000 < len(text) < 65_000
    for kind, total in numbers_of(report).items():
        shown = shown_in(text, kind)
        left = re.search(rf"^{re.escape(kind)} +([\d,]+)$", text, re.MULTILINE)
        assert int(left[1].replace(",", "") if left else 0) == total - shown


def test_the_longest_texts_fit_a_comment_too() -> None:
    findings = tuple(Finding(f"kind-{number}", "\x9b" * 2048, "@" * 20_000, "|" * 300) for number in range(50))
    many = tuple(f"i-{number:017x}" for number in range(5_000))
    report = replace(hostile(), findings=findings, scope=many)
    text = as_markdown.render(report)
    assert len(text) < 65_000
    assert "Left out" in text
    assert "and 4,980 more" in text


def test_the_room_is_used_and_never_overrun() -> None:
    findings = tuple(
        Finding(f"kind-{number % 50}", f"i-{number:017x}", "so", f"do {number}") for number in range(5_000)
    )
    assert 55_000 < len(as_markdown.render(replace(rich(), findings=findings))) < 65_000


def test_report_that_fits_leaves_nothing_out() -> None:
    for name, report in REPORTS.items():
        assert "Left out" not in as_markdown.render(report()), name


def test_report_names_the_command_that_applies_this_plan() -> None:
    report = rich()
    assert f"\nelephant-dns apply --expect {report.digest}\n" in as_markdown.render(report)
    scoped = replace(report, scope=("i-0123456789abcdef0",))
    command = f"\nelephant-dns apply --instance i-0123456789abcdef0 --expect {report.digest}\n"
    assert command in as_markdown.render(scoped)


@pytest.mark.parametrize("report", [ended(), REPORTS["nothing"](), REPORTS["guarded"]()])
def test_no_command_is_offered_where_nothing_is_left_to_apply(report: Report) -> None:
    text = as_markdown.render(report)
    assert "--expect" not in text
    assert report.digest in text


def test_the_guard_stands_before_everything_else() -> None:
    text = as_markdown.render(REPORTS["guarded"]())
    assert text.index("> [!CAUTION]") < text.index("<details")
