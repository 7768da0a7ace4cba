"""The report in a terminal: it fits, it is harmless, and it says how much it does not show."""

import re
from dataclasses import replace

import pytest

from controller.model import Outcome, Result
from controller.report import as_text
from controller.report.report import Report
from controller.report.sections import READABLE
from controller.report.words import summary_line
from controller.report.wrap import columns
from tests.build import TEACHER, machine, row, world
from tests.report.worlds import (
    REPORTS,
    applied,
    ended,
    first_look,
    hostile,
    large,
    nothing,
    numbers_of,
    plan_of,
    rich,
)

ESCAPES = re.compile(r"\x1b\[\d+m")


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [80, 60, 200])
def test_every_line_fits(name: str, width: int) -> None:
    text = as_text.render(REPORTS[name](), width=width)
    assert max(map(columns, text.splitlines())) <= width


@pytest.mark.parametrize("name", REPORTS)
def test_a_terminal_gets_nothing_but_printable_characters(name: str) -> None:
    text = as_text.render(REPORTS[name]())
    assert text.replace("\n", "").isprintable()


def test_nobody_elses_text_begins_a_line_or_stands_where_a_sign_does() -> None:
    meeting = "m" * 68 + " findings (seen,  + create record"
    report = plan_of(world(machines=[machine(meeting=meeting)], rows=[row(meeting, ids={"teacher": TEACHER})]))
    for text in (as_text.render(report), as_text.render(hostile())):
        body = text.splitlines()[4:-4]
        heads = ("meeting ", "machines of no known meeting", "findings (seen, and left alone)")
        assert [line for line in body if line and not line.startswith((*heads, "  "))] == []
        assert [line for line in body if re.match(r"  \S", line) and line[2:4] not in ("+ ", "~ ", "- ", "! ")] == []
    assert len(re.findall(r"^  \S", as_text.render(report), re.MULTILINE)) == 2
    assert as_text.render(report).count("\nfindings") == 0


@pytest.mark.parametrize("name", REPORTS)
def test_colours_change_nothing_but_colours(name: str) -> None:
    report = REPORTS[name]()
    coloured = as_text.render(report, colour=True)
    assert "\x1b[" in coloured
    assert ESCAPES.sub("", coloured) == as_text.render(report)


def test_10_000_changes_are_shown_by_the_first_of_each_kind_and_their_numbers() -> None:
    report = large()
    text = as_text.render(report)
    assert len(report.results) == 10_000
    assert len(text.splitlines()) < 250
    for kind, total in numbers_of(report).items():
        shown = text.count(f"  {kind} ") - 1
        assert shown > 0
        assert re.search(rf"^  {re.escape(kind)} +{total - shown:,}$", text, re.MULTILINE)
    assert "--format html and json show all of them" in text


def test_a_change_that_failed_is_shown_among_thousands_that_did_not() -> None:
    def ending(number: int, result: Result) -> Result:
        return Result(result.change, *((Outcome.FAILED, "no room") if number == 7_777 else (Outcome.APPLIED, None)))

    text = as_text.render(applied(large(), ending))
    assert text.count("[failed]") == text.count("! no room") == 1


def test_what_can_be_read_is_shown_whole() -> None:
    report = large(READABLE // 5)
    assert as_text.render(report).count("create record i-") == READABLE // 5
    assert "many more" not in as_text.render(report)


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (nothing(), "Nothing to do; 0 findings."),
        (first_look(), "plan: create record 1, delete record 1, write link 1, clear link 1; 1 finding."),
        (REPORTS["guarded"](), "plan: delete record 2, end meeting 1; 3 guarded; 3 findings."),
        (
            ended(),
            "apply: 9 applied, 1 superseded, 1 failed, 2 not-reached (create record 1, update record 2, "
            "delete record 5, write link 3, clear link 1, end meeting 1); 4 findings.",
        ),
    ],
)
def test_the_pass_in_one_sentence(report: Report, line: str) -> None:
    assert summary_line(report) == line


def test_the_sentence_says_applied_only_of_what_was_applied() -> None:
    for outcome in Outcome:
        results = tuple(Result(result.change, outcome) for result in rich().results)
        sentence = summary_line(replace(rich(), mode="apply", results=results))
        assert ("applied" in sentence) == (outcome is Outcome.APPLIED)
