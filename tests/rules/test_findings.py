"""Findings about machines and rows: each is seen, says what to do, and changes nothing."""

import json
from datetime import timedelta

import pytest

from controller.model import Odd
from tests.build import ELSEWHERE, NOW, OTHER, TEACHER, YOUNG, decided, found, link, machine, record, row, world


def is_sentence(text: str) -> bool:
    """Whether somebody wrote this to be read."""
    return text[0].isupper() and text.endswith(".") and not text.isupper()


def test_two_serving_machines_for_one_role() -> None:
    machines = [machine(), machine(OTHER, ip=ELSEWHERE)]
    rows = [row(ids={"teacher": TEACHER}, links={"teacher": link(TEACHER)})]
    assert found(decided(world(machines, [record(), record(OTHER, ELSEWHERE, id="r2")], rows))) == ["several-serving"]


def test_running_without_an_address_for_more_than_ten_minutes() -> None:
    def after(minutes: int) -> list[str]:
        return found(decided(world([machine(ip=None, launched=NOW - timedelta(minutes=minutes))])))

    assert after(11) == ["no-public-address"]
    assert after(9) == []


def test_untagged_and_unclaimed_machines() -> None:
    assert found(decided(world([machine(tagged=False)]))) == ["untagged-instance"]
    assert found(decided(world([machine(role=None)]))) == ["unclaimed-instance"]


@pytest.mark.parametrize("status", ["paused", "", Odd("N", '{"N": "5"}'), Odd("NULL", '{"NULL": true}')])
def test_a_status_that_nobody_knows_is_an_odd_row(status: str | Odd) -> None:
    assert found(decided(world(rows=[row(status=status)]))) == ["odd-row"]


@pytest.mark.parametrize("value", ["i-123", "teacher's machine", " " + TEACHER, Odd("L", '{"L": []}')])
def test_an_instance_id_that_is_none_is_an_odd_row(value: str | Odd) -> None:
    assert found(decided(world(rows=[row(ids={"teacher": value})]))) == ["odd-row"]


@pytest.mark.parametrize("value", ["", None, Odd("NULL", '{"NULL": true}')])
def test_an_empty_field_is_not_odd(value: str | Odd | None) -> None:
    seen = world(rows=[row(ids={"teacher": value}, links={"teacher": value}, meet_time=value)])
    assert found(decided(seen)) == []


def test_a_launched_id_that_ec2_never_showed() -> None:
    rows = [row(status="LAUNCHED", ids={"teacher": TEACHER})]
    assert found(decided(world(rows=rows, absent=[TEACHER]))) == ["instance-not-seen"]


def test_hostile_tags_change_nothing_and_are_findings() -> None:
    hostile = "x\x1b[2J\n|<b>@all</b>" + "é" * 240
    machines = [machine(role="teacher; DROP"), machine(OTHER, meeting=hostile, ip=ELSEWHERE)]
    wanted = decided(world(machines, [], [], rowless=[hostile]))
    assert found(wanted) == ["missing-meeting", "unclaimed-instance"]
    assert [change.meeting for change in wanted.changes] == [hostile]
    assert json.dumps([finding.message for finding in wanted.findings])


def test_findings_say_what_to_do() -> None:
    machines = [
        machine(),
        machine(OTHER, ip=None, launched=NOW - timedelta(hours=1)),
        machine("i-0000000a", tagged=False),
    ]
    rows = [row(status="?"), row("m2", "TERMINATED", ids={"teacher": OTHER}), row("m3", ids={"student": TEACHER})]
    wanted = decided(world(machines, [record(created=YOUNG), record(type="AAAA", id="r2")], rows))
    assert len(wanted.findings) >= 6
    assert all(is_sentence(finding.hint) and is_sentence(finding.message) for finding in wanted.findings)
