"""The report in a terminal: it fits, it is harmless, and it says how much it does not show."""

import re
from dataclasses import replace

import pytest

from controller.model import Action, Finding, Guard, Outcome, Result
from controller.report import as_list, as_markdown, as_text
from controller.report.report import Report
from controller.report.sections import READABLE
from controller.report.words import summary_line
from controller.report.wrap import columns
from tests.support.build import TEACHER, YOUNG, machine, row, world
from tests.unit.report.reports import (
    HOSTILE,
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
    shown_in,
)

ESCAPES = re.compile(r"\x1b\[\d+m")


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [80, 60, 200])
def test_every_line_fits(name: str, width: int) -> None:
    text = as_text.render(REPORTS[name](), width=width)
    assert max(map(columns, text.splitlines())) <= width


@pytest.mark.parametrize("name", REPORTS)
def test_terminal_gets_printable_characters_only(name: str) -> None:
    text = as_text.render(REPORTS[name]())
    assert text.replace("\n", "").isprintable()


def test_foreign_text_begins_no_line_and_replaces_no_sign() -> None:
    meeting = "m" * 68 + " findings (seen,  + create record"
    report = plan_of(
        world(machines=[machine(meeting=meeting, launched=YOUNG)], rows=[row(meeting, ids={"teacher": TEACHER})])
    )
    for text in (as_text.render(report), as_text.render(hostile())):
        body = re.sub(r"\n  elephant-dns explain [a-z-]+ says more\n", "\n", text).splitlines()[5:-4]
        heads = ("meeting ", "machines of no known meeting", "findings (seen, and left alone)")
        assert [line for line in body if line and not line.startswith((*heads, "  "))] == []
        assert [line for line in body if re.match(r"  \S", line) and line[2:4] not in ("+ ", "~ ", "- ", "! ")] == []
    assert len(re.findall(r"^  \S", as_text.render(report), re.MULTILINE)) == 2
    assert as_text.render(report).count("\nfindings") == 0


@pytest.mark.parametrize("name", REPORTS)
def test_colours_add_escapes_only(name: str) -> None:
    report = REPORTS[name]()
    coloured = as_text.render(report, colour=True)
    assert "\x1b[" in coloured
    assert ESCAPES.sub("", coloured) == as_text.render(report)


def test_10_000_changes_show_the_first_of_each_kind_and_numbers() -> None:
    report = large()
    text = as_text.render(report)
    assert len(report.results) == 10_000
    assert len(text.splitlines()) < 250
    for kind, total in numbers_of(report).items():
        shown = shown_in(text, kind)
        assert shown > 0
        assert re.search(rf"^  {re.escape(kind)} +{total - shown:,}$", text, re.MULTILINE)
    assert "--format html and json show all of them" in text


def test_failed_change_is_shown_among_thousands_of_others() -> None:
    def ending(number: int, result: Result) -> Result:
        return Result(result.change, *((Outcome.FAILED, "no room") if number == 7_777 else (Outcome.APPLIED, None)))

    text = as_text.render(applied(large(), ending))
    assert text.count("[failed]") == text.count("! no room") == 1


def test_short_report_is_shown_whole() -> None:
    report = large(READABLE // 5)
    assert as_text.render(report).count("create record i-") == READABLE // 5
    assert "many more" not in as_text.render(report)


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (nothing(), "Nothing to do; 0 findings."),
        (first_look(), "plan: records 1 to create, 1 to delete; links 1 to write, 1 to clear; 1 finding."),
        (REPORTS["guarded"](), "plan: records 2 to delete; meetings 1 to end; 3 of these 3 guarded; 1 finding."),
        (
            ended(),
            "apply: 9 applied (records 2 updated, 5 deleted; links 2 written), 1 superseded (links 1 to clear), "
            "1 failed (records 1 to create), 2 not-reached (links 1 to write; meetings 1 to end); 4 findings.",
        ),
    ],
)
def test_the_pass_in_one_sentence(report: Report, line: str) -> None:
    assert summary_line(report) == line


def test_summary_says_applied_only_of_applied_changes() -> None:
    for outcome in Outcome:
        results = tuple(Result(result.change, outcome) for result in rich().results)
        sentence = summary_line(replace(rich(), mode="apply", results=results))
        assert ("applied" in sentence) == (outcome is Outcome.APPLIED)


def test_tripped_guard_is_reported_at_both_ends_and_only_there() -> None:
    report = REPORTS["guarded"]()
    lines = as_text.render(report).splitlines()
    at = [number for number, line in enumerate(lines) if line.startswith("GUARD: ")]
    assert (at[0], len(at)) == (3, 2)
    assert lines[at[1] - 1] == ""
    assert [finding.id for finding in report.findings].count("guarded-change-held") == 3
    for text in (as_text.render(report), as_markdown.render(report)):
        assert "guarded-change-held" not in text


def test_held_change_says_why_while_the_guard_has_not_tripped() -> None:
    report = replace(REPORTS["guarded"](), guard=Guard())
    assert as_text.render(report).count("! guarded-change-held: 3 findings") == 1


def test_first_link_is_a_create_and_a_later_one_an_update() -> None:
    text = as_text.render(rich())
    assert len(re.findall(r"\+ write link \w+\n +\w+_ec2_link: \(none\) →", text)) == 2
    assert len(re.findall(r"~ write link \w+\n +\w+_ec2_link: https", text)) == 1


def test_after_a_shown_plan_only_failures_are_shown_in_full() -> None:
    report, later = ended(), Finding("does-not-converge", "m1", "what was found on the way", "look")
    text = as_text.render_ends(replace(report, findings=(*report.findings, later)), report.findings)
    done = [line for line in text.splitlines() if line.endswith("  [applied]") or line.strip() == "[applied]"]
    assert len(done) == report.count(Outcome.APPLIED) == 9
    assert "  + write link algebra-17 student  [applied]" in done
    assert text.index("[failed]") > text.rindex("[applied]")
    assert "! The zone has no room for more records." in text
    assert len(re.findall(r"^  ! ", text, re.MULTILINE)) == 1
    assert "what was found on the way" in text
    assert "digest" not in text
    assert " ".join(text.splitlines()[-3:]) == summary_line(report).replace("4 findings", "5 findings")


def test_list_of_retire_is_harmless_and_fits() -> None:
    planned = [result for result in large().results if result.change.action is Action.DELETE_RECORD]
    marked = [(("content", "192.0.2.1"), ("comment", f"mark {text}")) for text in HOSTILE]
    harmful = [
        Result(replace(result.change, before=before), Outcome.FAILED, text)
        for result, before, text in zip(planned, marked, HOSTILE, strict=False)
    ]
    for results in (planned, harmful):
        report = replace(hostile(), results=tuple(results))
        for text in (as_list.render(report), as_list.render_ends(report, ())):
            assert text.replace("\n", "").isprintable()
            assert max(map(columns, text.splitlines())) <= 80
            assert len(re.findall(r"^  - ", text, re.MULTILINE)) == len(results), "none goes that nobody has seen"


def test_a_sign_colours_its_whole_line_and_the_reason_is_dim() -> None:
    text = as_text.render(rich(), colour=True)
    assert "  \x1b[32m+ create record i-0d91b7584a2265b1f.example.com\x1b[0m\n" in text
    assert "  \x1b[33m~ update record i-096ec9d28663ca828.example.com\x1b[0m\n" in text
    assert "  \x1b[31m- end meeting\x1b[0m\n" in text
    assert "  \x1b[36m! odd-row biology-3\x1b[0m\n" in text
    assert "      \x1b[2mEC2 does not know the machine\x1b[0m\n" in text
    assert "\n      status: LAUNCHED → DNS_WRITTEN\n" in text, "values are as bright as before"


def test_an_end_keeps_its_own_colour_on_one_line_and_on_two() -> None:
    name = "i-0d91b7584a2265b1f.example.com"
    wide, narrow = (as_text.render(ended(), width=width, colour=True) for width in (80, 45))
    assert f"  \x1b[32m+ create record {name}\x1b[0m  \x1b[31m[failed]\x1b[0m\n" in wide
    assert f"  \x1b[32m+ create record\x1b[0m\n    \x1b[32m{name}\x1b[0m  \x1b[31m[failed]\x1b[0m\n" in narrow


@pytest.mark.parametrize("name", REPORTS)
def test_short_form_holds_the_summary_and_every_failure(name: str) -> None:
    report = REPORTS[name]()
    first, *rest = as_text.render_short(report).splitlines()
    assert first == summary_line(report)
    failed = [result for result in report.results if result.outcome in (Outcome.FAILED, Outcome.NOT_REACHED)]
    assert sum(line.startswith("  ") and line[2] in "+~-" and line[3] == " " for line in rest) == len(failed)
    assert ("GUARD: " in "".join(rest)) is report.guard.tripped
    assert bool(rest) is bool(failed or report.guard.tripped)
