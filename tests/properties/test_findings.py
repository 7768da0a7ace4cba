"""What a pass can see but must not mend is reported, about the thing itself. Section 7 of the rules."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from controller.model import Instance, Odd
from tests.properties import owners, spec
from tests.properties.passes import planned
from tests.properties.profiles import PROMISE
from tests.properties.spec import Sight
from tests.properties.state import START, Case, State, Zone
from tests.properties.test_regressions import FOREIGN, ONE, TWO, link, machine, record, world
from tests.properties.worlds import cases


def told_of(case: Case) -> str:
    """All that the findings say, keys included."""
    report = planned(case).report
    assert report is not None
    return "\n".join(f"{f.key} {f.message} {f.hint}" for f in report.findings)


@PROMISE
@given(cases())
def test_every_stranger_at_a_needed_name_every_orphan_and_every_odd_machine_is_told_of(case: Case) -> None:
    sight, told = Sight.of(case.state, case.settings), told_of(case)
    for found in sight.records:
        cls, is_stranger = spec.class_of(sight, found.instance), owners.is_foreign(found, case.settings)
        is_orphan = owners.is_unmarked(found) and cls in (spec.GONE, spec.STOPPED) and not case.settings.adopt_unmarked
        if (cls == spec.SERVING and is_stranger and spec.is_routable_machine(sight, found.instance)) or is_orphan:
            assert found.instance in told
    for instance in case.state.instances:
        is_odd = spec.class_of(sight, instance) == spec.UNCLAIMED
        is_unroutable = spec.class_of(sight, instance) == spec.SERVING
        if is_odd or (is_unroutable and not spec.is_routable_machine(sight, instance)):
            assert instance in told


SERVING = machine(ONE, "203.0.113.1")
OLD = timedelta(minutes=11)
TOLD = {
    "no row for an instance's meeting": (world([SERVING], []), "m"),
    "a terminated meeting with a machine alive": (world([SERVING], [], m={"status": "TERMINATED"}), "m"),
    "two serving instances for one role": (world([SERVING, machine(TWO, "203.0.113.2")], [], m={}), "m"),
    "running without an address for more than 10 minutes": (world([machine(ONE, None, age=OLD)], [], m={}), ONE),
    "a row that names another meeting's instance": (world([SERVING], [], m={}, n={"teacher_ec2_id": ONE}), "n"),
    "a launched id that was never seen": (world([], [], m={"status": "LAUNCHED", "teacher_ec2_id": ONE}), ONE),
    "a status of a wrong type": (world([], [], m={"status": Odd("N", '{"N": "1"}')}), "m"),
    "an unknown status": (world([], [], m={"status": "CANCELLED"}), "m"),
    "an id that is none": (world([], [], m={"status": "LAUNCHED", "teacher_ec2_id": "i-XYZ"}), "m"),
    "an unmarked record beside ours": (
        world([SERVING], [record("a", ONE, "203.0.113.1"), record("b", ONE, "203.0.113.2", "by hand")]),
        ONE,
    ),
    "a foreign record where we need the name": (world([SERVING], [record("a", ONE, "203.0.113.1", FOREIGN)]), ONE),
    "an AAAA record beside ours": (world([SERVING], [replace(record("a", ONE, "2001:db8::1", ""), type="AAAA")]), ONE),
    "a CNAME where we need the name": (world([SERVING], [replace(record("a", ONE, "x.org", ""), type="CNAME")]), ONE),
    "a young record of a machine that EC2 does not know": (
        world([SERVING], [replace(record("a", TWO, "203.0.113.2"), created_on=START)]),
        TWO,
    ),
}


@pytest.mark.parametrize("what", TOLD)
def test_it_is_told_of(what: str) -> None:
    case, key = TOLD[what]
    report = planned(case).report
    assert report is not None
    assert [f for f in report.findings if key in f.key or key in f.message], report.findings
    assert all(f.id and f.message and f.hint for f in report.findings)


def test_a_machine_with_our_tag_lost_is_told_of() -> None:
    stranger = Instance(ONE, "running", "203.0.113.1", False, None, None, START)
    assert ONE in told_of(world([stranger], [], m={"status": "HEALTHY", "teacher_ec2_link": link(ONE)}))


def test_a_zone_that_cannot_be_read_is_told_of() -> None:
    case = Case(State(START, {ONE: SERVING}, {}, {}), world([], []).settings, Zone(is_readable=False))
    assert "zone" in told_of(case)


def test_a_world_that_is_right_is_told_nothing_of() -> None:
    row = {"status": "HEALTHY", "teacher_ec2_id": ONE, "teacher_ec2_link": link(ONE)}
    assert told_of(world([SERVING], [record("a", ONE, "203.0.113.1")], m=row)) == ""
