"""Which links a pass probes, and what verdicts become findings."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from controller.model import DnsRecord, Finding
from controller.probe.links import Judged, findings_of, in_place, in_use
from controller.probe.verdict import Cause, Kind, Link, Verdict
from controller.rules.facts import Facts
from tests.support.build import (
    ADDRESS,
    ELSEWHERE,
    NOW,
    OLD,
    STUDENT,
    TEACHER,
    link,
    machine,
    name,
    record,
    row,
    settings,
    world,
)


def facts(status: str = "HEALTHY", records: Iterable[DnsRecord] | None = None) -> Facts:
    """A meeting with a teacher, all of it right unless the arguments say otherwise."""
    rows = [row(status=status, ids={"teacher": TEACHER}, links={"teacher": link(TEACHER)})]
    return Facts.of(world([machine()], [record()] if records is None else records, rows), settings())


def judged(number: int, kind: Kind, cause: Cause) -> Judged:
    """A verdict about the teacher's link of a meeting."""
    return Link(name(TEACHER), 8443, TEACHER, f"m{number}", "teacher"), Verdict(kind, cause, str(cause), "do it")


def broken(number: int, cause: Cause = Cause.PORT_CLOSED) -> Judged:
    return judged(number, Kind.BROKEN, cause)


def unknown(number: int, cause: Cause = Cause.ACCESS) -> Judged:
    return judged(number, Kind.UNKNOWN, cause)


def works(number: int) -> Judged:
    return judged(number, Kind.WORKS, Cause.WORKS)


def shown(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    return [(finding.id, finding.key) for finding in findings]


@pytest.mark.parametrize("status", ["HEALTHY", "IN_PROGRESS"])
def test_link_of_a_ready_meeting_is_probed(status: str) -> None:
    (found,) = in_use(facts(status), ())
    assert found == Link(name(TEACHER), 8443, TEACHER, "m1", "teacher", ADDRESS)
    assert found.url == link(TEACHER)


@pytest.mark.parametrize("status", ["SCHEDULED", "LAUNCHED", "DNS_WRITTEN", "TERMINATED", "PAUSED"])
def test_link_of_a_meeting_that_is_not_ready_is_not_probed(status: str) -> None:
    assert in_use(facts(status), ()) == []


@pytest.mark.parametrize(
    "records",
    [
        [],
        [record(content=ELSEWHERE)],
        [record(proxied=False)],
        [record(type="CNAME", content="example.net")],
        [record(), record(id="r2", content=ELSEWHERE)],
        [record(created=NOW - timedelta(seconds=59))],
        [record(modified=NOW - timedelta(seconds=59))],
    ],
    ids=["none", "elsewhere", "not-proxied", "cname", "two", "young", "just-updated"],
)
def test_link_is_not_probed_before_its_record_is_in_place(records: list[DnsRecord]) -> None:
    assert in_use(facts(records=records), ()) == []


def test_link_of_a_machine_that_this_pass_changed_is_not_probed() -> None:
    assert in_use(facts(), {TEACHER, None}) == []
    assert in_use(facts(), {STUDENT, None})


def test_record_without_a_date_counts_as_settled() -> None:
    assert in_use(facts(records=[record(created=None)]), ())


def test_links_of_named_machines_need_only_their_records() -> None:
    found = in_place(facts("LAUNCHED"), [TEACHER, STUDENT])
    assert [each.instance for each in found] == [TEACHER]
    assert list(in_place(facts(records=[record(created=OLD, content=ELSEWHERE)]), [TEACHER])) == []


def test_links_that_work_are_no_finding() -> None:
    assert list(findings_of([works(1), works(2)])) == []
    assert list(findings_of([])) == []


def test_each_broken_link_is_a_finding_with_cause_and_remedy() -> None:
    first, second = findings_of([works(1), broken(2), broken(3, Cause.DROPPED)])
    assert shown([first, second]) == [("link-unreachable", "m2"), ("link-unreachable", "m3")]
    assert "port-closed" in first.message
    assert first.hint == "do it"


def test_one_broken_link_alone_is_a_finding_about_its_meeting() -> None:
    assert shown(findings_of([broken(1)])) == [("link-unreachable", "m1")]


def test_all_links_that_fail_alike_are_one_finding() -> None:
    (finding,) = findings_of([broken(number, Cause.NO_CERTIFICATE) for number in range(100)])
    assert (finding.id, finding.key) == ("link-unreachable", "all links")
    assert "All 100 links" in finding.message


@pytest.mark.parametrize("other", [works(3), unknown(3), broken(3, Cause.DROPPED)], ids=["works", "unknown", "another"])
def test_links_that_do_not_all_fail_alike_are_a_finding_each(other: Judged) -> None:
    found = [finding for finding in findings_of([broken(1), broken(2), other]) if finding.key in ("m1", "m2")]
    assert shown(found) == [("link-unreachable", "m1"), ("link-unreachable", "m2")]


def test_links_that_cannot_be_judged_are_one_finding_for_each_cause() -> None:
    found = list(findings_of([unknown(1), unknown(2), unknown(3, Cause.NO_WAY_OUT), works(4)]))
    assert shown(found) == [("link-not-judged", "m1"), ("link-not-judged", "m3")]
    assert "The same holds for 1 more" in found[0].message
