"""The overview as text, Markdown and JSON."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files

import jsonschema
import pytest

from controller.report.as_markdown import MOST
from controller.report.wrap import columns
from controller.status import as_html, as_json, as_markdown, as_text
from controller.status.overview import Overview, overview, probed
from controller.status.words import age
from tests.support.build import NOW, STUDENT, TARGET, TEACHER, link, machine, record, row, settings, world

HOSTILE = "m\x1b[31m|`<b>\n"


def seen(meeting: str = "algebra-17", *, more: int = 0) -> Overview:
    """One meeting in which the student's machine has stopped, one to come, and so many that nobody can join."""
    machines = [
        machine(meeting=meeting, launched=NOW - timedelta(minutes=12)),
        machine(STUDENT, "stopped", ip=None, meeting=meeting, role="student", launched=NOW - timedelta(hours=3)),
    ]
    names = {"teacher": TEACHER, "student": STUDENT}
    rows = [
        row(meeting, "IN_PROGRESS", ids=names, links={"teacher": link(TEACHER)}, meet_time="2026-01-31T12:00:00Z"),
        row("later", "SCHEDULED", meet_time="2026-02-01T09:00:00+02:00"),
        *(row(f"lost-{n:04}", "LAUNCHED", meet_time="2026-01-31T13:00:00+02:00") for n in range(more)),
    ]
    return overview(world(machines, [record()], rows), settings(), TARGET)


def test_the_text_lists_each_role_and_why_it_cannot_join() -> None:
    assert as_text.render(seen()) == (
        "example.com (account 123456789012, us-west-2), 2026-01-31 12:00:00 UTC\n"
        "\n"
        "! algebra-17  12:00  IN_PROGRESS  cannot join\n"
        "    teacher i-000000000000000a1 running 12m  record ok     link ok    join yes\n"
        "    student i-000000000000000b2 stopped 3h   record none   link none  join no\n"
        "      student: its machine i-000000000000000b2 is stopped\n"
        "\n"
        "2 meetings: 1 cannot join, 1 quiet (--all lists the 1 quiet)\n"
    )


def test_all_lists_the_quiet_ones_without_reasons() -> None:
    text = as_text.render(seen(), everything=True)
    assert "  later  2026-02-01 07:00  SCHEDULED  quiet\n    teacher -" in text
    assert "later" not in as_text.render(seen())
    assert text.endswith("2 meetings: 1 cannot join, 1 quiet\n")


def test_a_table_of_nothing_says_so() -> None:
    nothing = overview(world(), settings(), TARGET)
    assert as_text.render(nothing).endswith("UTC\n\n0 meetings\n")
    assert "|" not in as_markdown.render(nothing)


def test_json_shows_the_beginning_of_a_long_status() -> None:
    shown = overview(world([machine()], [], [row("m1", "##[x]" * 80_000)]), settings(), TARGET)
    text = as_json.render(shown)
    assert json.loads(text)["meetings"][0]["status"] == "##[x]" * 40
    assert "##" not in text


def test_what_a_probe_heard_adds_no_cell_and_no_link() -> None:
    heard = probed(seen(), {TEACHER: (None, "heard |[x](https://example.org)\n")})
    table = as_markdown.render(heard)
    assert {line.count("|") for line in table.splitlines() if "|" in line} == {9}
    assert "[x]" not in table


@pytest.mark.parametrize("width", [40, 80, 140])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = as_text.render(seen("m" * 200, more=3), everything=True, width=width)
    assert max(map(columns, text.splitlines())) <= width


def test_colours_are_for_terminals_that_want_them() -> None:
    assert "\x1b[31m! algebra-17" in as_text.render(seen(), colour=True)
    assert "\x1b" not in as_text.render(seen(HOSTILE))


def test_markdown_takes_nobodys_mark_up() -> None:
    text = as_markdown.render(seen(HOSTILE))
    (line,) = (line for line in text.splitlines() if "running" in line)
    assert line.count("|") == 9
    assert "<b>" not in text


def test_markdown_fits_into_a_comment_and_says_what_it_leaves_out() -> None:
    text = as_markdown.render(seen(more=2_000))
    left_out = int(text.splitlines()[-1].split()[0].replace(",", ""))
    assert len(text) < MOST
    assert left_out + text.count("lost-") + text.count("algebra") == 2_001


def test_json_follows_its_schema_and_lists_all() -> None:
    schema = json.loads(files("controller.status").joinpath("status.schema.json").read_text(encoding="utf-8"))
    document = json.loads(as_json.render(seen(HOSTILE)))
    jsonschema.validate(document, schema, cls=jsonschema.Draft202012Validator)
    assert document["counts"] == {"cannot_join": 1, "not_known": 0, "starting": 0, "ready": 0, "quiet": 1}
    assert [meeting["meeting"] for meeting in document["meetings"]] == [HOSTILE, "later"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "counts": {}}, schema)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-5, "0s"), (0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (7200, "2h"), (172_800, "2d")],
)
def test_an_age_has_one_unit(seconds: int, expected: str) -> None:
    assert age(timedelta(seconds=seconds)) == expected


def test_a_time_that_nobody_can_read_is_shown_as_the_row_says_it() -> None:
    odd = replace(seen().lines[0], meet_time="half past nine", begins=None)
    assert "half past nine" in as_text.render(replace(seen(), lines=(odd,)))


def test_html_stands_alone_and_takes_nobodys_mark_up() -> None:
    text = as_html.render(seen(HOSTILE))
    assert "<b>" not in text
    assert "\x1b" not in text
    assert not re.search(r"(?:src|href)=", text)
    assert text.index("cannot join") < text.index("its machine i-000000000000000b2 is stopped")
    assert "later" not in text
    assert "later" in as_html.render(seen(HOSTILE), everything=True)


def test_html_of_nothing_says_so() -> None:
    assert "No meeting to list." in as_html.render(overview(world(), settings(), TARGET))
