"""Which of several: the machine that a link leads to, and the record that is kept at a name."""

from datetime import datetime

from controller.model import Change, DnsRecord
from tests.support.build import (
    ELSEWHERE,
    NOW,
    OLD,
    OTHER,
    TEACHER,
    YOUNG,
    decided,
    id_of,
    link,
    machine,
    record,
    row,
    world,
)

WRONG = "203.0.113.5"


def changes_at(*records: DnsRecord) -> list[tuple[str, str]]:
    changes = decided(world([machine()], records)).changes
    return [(str(change.action), str(id_of(change))) for change in changes]


def link_with(*, first: datetime | None, second: datetime | None) -> Change:
    machines = [
        machine(TEACHER, launched=first),
        machine(OTHER, ip=ELSEWHERE, launched=second),
    ]
    records = [record(), record(OTHER, ELSEWHERE, id="r2")]
    (change,) = decided(world(machines, records, [row(status="HEALTHY")])).changes
    return change


def test_a_link_leads_to_the_machine_that_was_launched_last() -> None:
    assert dict(link_with(first=NOW, second=OLD).after) == {"teacher_ec2_link": link(TEACHER)}
    assert dict(link_with(first=OLD, second=NOW).after) == {"teacher_ec2_link": link(OTHER)}
    assert dict(link_with(first=OLD, second=None).after) == {"teacher_ec2_link": link(TEACHER)}


def test_of_two_machines_launched_in_the_same_moment_the_id_decides() -> None:
    assert dict(link_with(first=OLD, second=OLD).after) == {"teacher_ec2_link": link(OTHER)}


def test_of_two_wrong_records_ours_is_kept_though_it_is_younger() -> None:
    unmarked = record(content=ELSEWHERE, id="r1", comment="by hand", created=OLD)
    ours = record(content=WRONG, id="r2", created=YOUNG)
    assert changes_at(unmarked, ours) == [("update-record", "r2")]


def test_a_record_of_unknown_age_counts_as_the_youngest() -> None:
    unknown, old = record(content=ELSEWHERE, id="r1", created=None), record(content=WRONG, id="r2", created=YOUNG)
    assert changes_at(unknown, old) == [("delete-record", "r1"), ("update-record", "r2")]


def test_beside_a_foreign_record_an_unmarked_one_is_not_adopted() -> None:
    unmarked = record(id="r1", comment="by hand")
    assert changes_at(unmarked, record(content=WRONG, id="r2", comment="elephant-dns:somebody/else")) == []
