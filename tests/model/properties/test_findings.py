"""What a pass can see but must not fix is reported, about the thing itself (docs/how-it-works.md)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from controller.model import Instance, NonString
from tests.model.properties.passes import planned
from tests.model.properties.profiles import PROMISE
from tests.model.properties.random_worlds import cases
from tests.model.properties.test_regressions import FOREIGN, LATE, ONE, TWO, machine, record, world
from tests.support.build import link
from tests.support.clock import START
from tests.support.spec import owners
from tests.support.spec import sight as spec
from tests.support.spec.sight import Sight
from tests.support.state import Case, State, Zone


def told_of(case: Case) -> list[tuple[str, str]]:
    """What is found, and of what."""
    report = planned(case).report
    assert report is not None
    assert all(f.message and f.hint for f in report.findings)
    return [(f.id, f.key) for f in report.findings]


@PROMISE
@given(cases())
def test_foreign_records_orphans_and_odd_machines_are_reported(case: Case) -> None:
    sight, told = Sight.of(case.state, case.settings), told_of(case)
    for found in sight.records:
        cls, is_stranger = spec.class_of(sight, found.instance), owners.is_foreign(found, case.settings)
        if cls == spec.SERVING and is_stranger and spec.is_routable_machine(sight, found.instance):
            assert ("foreign-record", found.name) in told
        if owners.is_unmarked(found) and cls in (spec.GONE, spec.STOPPED) and not case.settings.adopt_unmarked:
            assert ("unmarked-record", found.name) in told
        if is_stranger and cls in (spec.GONE, spec.STOPPED):
            assert ("orphaned-record", found.name) in told
    for instance in sight.instances:
        cls, name = spec.class_of(sight, instance), f"{instance}.{case.settings.domain_root}"
        assert cls != spec.UNCLAIMED or ("unclaimed-instance", instance) in told
        assert cls != spec.UNTAGGED or ("untagged-instance", instance) in told
        if cls == spec.SERVING and not spec.is_routable_machine(sight, instance):
            assert ("address-not-routable", name) in told


SERVING = machine(ONE, "203.0.113.1")
OLD = timedelta(minutes=11)
NAME = f"{ONE}.example.com"
TOLD = {
    "no row for an instance's meeting": (world([SERVING], []), "missing-meeting", "m"),
    "a terminated meeting with a machine alive": (
        world([SERVING], [], m={"status": "TERMINATED"}), "terminated-meeting-alive", "m"
    ),
    "two serving instances for one role": (
        world([SERVING, machine(TWO, "203.0.113.2")], [], m={}), "several-serving", "m"
    ),
    "running without an address for more than 10 minutes": (
        world([machine(ONE, None, age=OLD)], [], m={}), "no-public-address", ONE
    ),
    "a row that names another meeting's instance": (
        world([SERVING], [], m={}, n={"teacher_ec2_id": ONE}), "wrong-instance", "n"
    ),
    "a launched id that was never seen": (
        world([], [], m={"status": "LAUNCHED", "teacher_ec2_id": ONE}), "instance-not-seen", "m"
    ),
    "a status of a wrong type": (world([], [], m={"status": NonString("N", '{"N": "1"}')}), "odd-row", "m"),
    "an unknown status": (world([], [], m={"status": "CANCELLED"}), "odd-row", "m"),
    "an id that is none": (world([], [], m={"status": "LAUNCHED", "teacher_ec2_id": "i-XYZ"}), "odd-row", "m"),
    "an unmarked record beside ours": (
        world([SERVING], [record("a", ONE, "203.0.113.1"), record("b", ONE, "203.0.113.2", "by hand")], m={}),
        "unmarked-record",
        NAME,
    ),
    "a foreign record where we need the name": (
        world([SERVING], [record("a", ONE, "203.0.113.1", FOREIGN)], m={}), "foreign-record", NAME
    ),
    "an AAAA record beside ours": (
        world([SERVING], [replace(record("a", ONE, "2001:db8::1", ""), type="AAAA")], m={}), "conflicting-record", NAME
    ),
    "an unmarked record with another address where ours is right": (
        world([SERVING], [record("a", ONE, "203.0.113.1"), record("b", ONE, "203.0.113.2", "")], m={}),
        "unmarked-record",
        NAME,
    ),
    "another owner's record at the name of a machine that was seen gone": (
        world([replace(SERVING, state="terminated", public_ip=None)], [record("a", ONE, "203.0.113.1", FOREIGN)], m={}),
        "orphaned-record",
        NAME,
    ),
    "a late meeting that nothing shows to be over": (
        world([], [], m={"status": "LAUNCHED", "meet_time": LATE, "teacher_ec2_id": ONE}), "meeting-late", "m"
    ),
    "a row that names a machine with another deployment's mark at its name": (
        world([], [record("a", ONE, "203.0.113.1", FOREIGN)], m={"status": "HEALTHY", "teacher_ec2_id": ONE}),
        "foreign-instance",
        "m",
    ),
    "a link to the right machine under another domain": (
        world([SERVING], [record("a", ONE, "203.0.113.1", FOREIGN)], m={
            "status": "HEALTHY", "teacher_ec2_id": ONE, "teacher_ec2_link": link(ONE).replace("example.com", "x.org")
        }),
        "link-of-another-domain",
        "m",
    ),
    "a record of an absent machine that cannot be dated": (
        world([SERVING], [replace(record("a", TWO, "203.0.113.2"), created_on=None)], m={}),
        "undated-record",
        f"{TWO}.example.com",
    ),
    "a CNAME where we need the name": (
        world([SERVING], [replace(record("a", ONE, "x.org", ""), type="CNAME")], m={}), "conflicting-record", NAME
    ),
    "a young record of a machine that EC2 does not know": (
        world([SERVING], [replace(record("a", TWO, "203.0.113.2"), created_on=START)], m={}),
        "instance-not-seen",
        f"{TWO}.example.com",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", TOLD)
def test_it_is_told_of(what: str) -> None:
    case, found, key = TOLD[what]
    assert (found, key) in told_of(case)


def test_a_machine_with_our_tag_lost_is_told_of() -> None:
    stranger = Instance(ONE, "running", "203.0.113.1", False, None, None, START)
    case = world([stranger], [], m={"status": "HEALTHY", "teacher_ec2_link": link(ONE)})
    assert told_of(case) == [("untagged-instance", ONE)]


def test_a_change_that_the_guard_holds_is_told_of() -> None:
    case = world([], [record("a", ONE, "203.0.113.1")])
    held = replace(case, settings=replace(case.settings, place=None))
    assert told_of(held) == [("guarded-change-held", NAME)]


@pytest.mark.parametrize("status", ["COMPLETED", "CANCELLED"])
def test_ten_thousand_rows_of_unknown_status_cost_twenty_findings(
    status: str,
) -> None:
    rows = {f"m{n}": {"status": status, "teacher_ec2_id": f"i-{n:08x}"} for n in range(10_000)}
    ran = planned(world([], [], **rows))
    assert ran.report is not None
    assert len(ran.report.findings) <= 21
    assert "fleet.by_id" not in ran.calls


def test_a_zone_that_cannot_be_read_is_told_of() -> None:
    case = Case(State(START, {ONE: SERVING}, {}, {"m": {}}), world([], []).settings, Zone(is_readable=False))
    assert told_of(case) == [("zone-not-readable", "zone")]


def test_a_world_that_is_right_is_told_nothing_of() -> None:
    row = {"status": "HEALTHY", "teacher_ec2_id": ONE, "teacher_ec2_link": link(ONE)}
    assert told_of(world([SERVING], [record("a", ONE, "203.0.113.1")], m=row)) == []
