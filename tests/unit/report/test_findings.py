"""Findings of one kind stand together, above one hint, and all of them count."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from controller.model import Finding
from controller.report import as_html, as_list, as_markdown, as_text
from controller.report.report import MOST_OF_A_KIND, Report
from controller.report.sections import alike
from controller.report.words import findings_counted, summary_line
from tests.unit.report.reports import guarded, nothing, rich
from tests.unit.report.test_html import Page

HINT = "Give it an address, or terminate it."
MESSAGE = "The machine has no public address."


def with_findings(*findings: Finding) -> Report:
    return replace(nothing(), findings=findings).shortened()


def equal(number: int, kind: str = "no-public-address", hint: str = HINT) -> tuple[Finding, ...]:
    """Findings with one message and one hint, about that many machines."""
    return tuple(Finding(kind, f"i-{each:017x}", MESSAGE, hint) for each in range(number))


@pytest.mark.parametrize("render", [as_text.render, as_markdown.render, as_html.render, as_list.render])
def test_37_equal_findings_repeat_neither_message_nor_hint(render: Callable[[Report], str]) -> None:
    text = render(with_findings(*equal(37)))
    assert text.count(HINT) == 1
    assert all(text.count(finding.key) == 1 for finding in equal(MOST_OF_A_KIND))
    assert "17 more of this kind are not listed." in text
    if render is not as_html.render:
        assert text.count(MESSAGE) == 1


def test_findings_of_a_kind_show_each_key_with_its_own_message() -> None:
    one, two = Finding("odd-row", "m1", "status is a number.", "fix it"), Finding("odd-row", "m2", "no id.", "fix it")
    text = as_text.render(with_findings(one, two))
    heading, first, second, hint, more = text.splitlines()[-7:-2]
    assert heading == "  ! odd-row: 2 findings"
    assert (first, second, hint) == ("      m1: status is a number.", "      m2: no id.", "      → fix it")
    assert more == "  elephant-dns explain odd-row says more"


def test_single_finding_names_its_machine_in_the_heading() -> None:
    assert "  ! no-public-address i-00000000000000000\n" in as_text.render(with_findings(*equal(1)))


def test_findings_are_alike_by_kind_and_hint() -> None:
    here, there = equal(2), equal(2, hint="Ask its owner.")
    other = equal(2, kind="untagged-instance")
    mixed = (here[0], other[0], there[0], here[1], there[1], other[1])
    assert alike(mixed) == (here, other, there)
    assert alike(()) == ()


@pytest.mark.parametrize(
    ("listed", "said"),
    [(0, "0 findings"), (1, "1 finding"), (20, "20 findings"), (21, "21 findings"), (37, "37 findings")],
)
def test_summary_counts_findings_that_are_not_listed(listed: int, said: str) -> None:
    report = with_findings(*equal(listed))
    assert summary_line(report) == f"Nothing to do; {said}."
    assert len(report.findings) == min(listed, MOST_OF_A_KIND + 1)


def test_summary_counts_each_kind_that_is_not_listed() -> None:
    assert findings_counted(with_findings(*equal(37), *equal(3, "a"), *equal(1_030, "b"))) == "1,070 findings"


def test_summary_leaves_out_held_changes_that_are_not_listed() -> None:
    held = tuple(Finding("guarded-change-held", f"i-{each:017x}", "held", "look") for each in range(50))
    assert findings_counted(replace(guarded(), findings=(*held, *equal(25))).shortened()) == "25 findings"


def test_number_of_findings_links_to_them() -> None:
    text = as_html.render(with_findings(*equal(37)))
    assert '<a href="#findings">37 findings</a>.' in text
    assert Page(text).all("a") == [{"href": "#findings"}]
    assert {"id": "findings"} in Page(text).all("h2")
    assert re.search(r"<code>no-public-address</code></h3> <span>37 findings</span>", text)


@pytest.mark.parametrize("report", [nothing(), guarded()])
def test_number_without_findings_to_show_is_no_link(report: Report) -> None:
    without = replace(report, findings=tuple(f for f in report.findings if f.id == "guarded-change-held"))
    assert Page(as_html.render(without)).all("a") == []


def test_html_keeps_hints_apart_where_they_differ() -> None:
    text = as_html.render(with_findings(*equal(2), *equal(2, hint="Ask its owner.")))
    assert (text.count(HINT), text.count("Ask its owner.")) == (2, 2)


def test_every_form_has_a_legend_where_changes_are() -> None:
    report = rich()
    assert "\n+ create, ~ update, - delete, ! finding\n" in as_text.render(report)
    assert "\nSigns: `+` create · `!` update · `-` delete\n" in as_markdown.render(report)
    assert as_html.render(report).count('<p class="legend">') == 1
    for render in (as_text.render, as_markdown.render, as_html.render):
        assert not re.search(r"~ update|Signs|legend\"", render(nothing()))
