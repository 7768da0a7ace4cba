"""An event says more than EC2 does, for a moment: the machine is looked at again, and nobody else waits for it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from controller.model import Heard, Instance
from tests.model.properties.clouds import Clouds
from tests.model.properties.faults import Calls, Script
from tests.model.properties.passes import Ran, run
from tests.model.properties.test_evidence import is_now
from tests.model.properties.test_regressions import ONE, TWO, machine, record, world
from tests.support.build import link
from tests.support.clock import START
from tests.support.spec.right import wrongs
from tests.support.state import Case

RUNS, OTHER = machine(ONE, "203.0.113.1", age=timedelta(seconds=20)), machine(TWO, "203.0.113.2", role="student")
ROW = {"status": "LAUNCHED", "teacher_ec2_id": ONE, "student_ec2_id": TWO}
#: What EC2 shows of a machine that runs.
BEHIND: Mapping[str, Instance | None] = {
    "not there": None,
    "pending": replace(RUNS, state="pending", public_ip=None),
    "without an address": replace(RUNS, public_ip=None),
}


def told(state: str, *instances: str, age: timedelta = timedelta(seconds=3)) -> dict[str, Heard]:
    return {instance: Heard(state, START - age, START - age) for instance in instances}


def looks_at(ran: Ran) -> list[int]:
    """At which of its calls a pass describes machines."""
    return [number for number, call in enumerate(ran.calls) if call == "fleet.by_id"]


def behind_world(shown: Instance | None) -> Case:
    return world([OTHER, *([shown] if shown else [])], [], m=ROW)


@pytest.mark.parametrize("shown", BEHIND.values(), ids=BEHIND)
@pytest.mark.parametrize("after", [1, 5, 10])
def test_machine_shown_late_gets_its_record_and_link_by_its_event(shown: Instance | None, after: int) -> None:
    heard = told("running", ONE, TWO)
    late = looks_at(run(Clouds(behind_world(shown)), [ONE, TWO], heard=heard))[after]
    clouds = Clouds(behind_world(shown))
    ran = run(clouds, [ONE, TWO], heard=heard, script=Script(Calls(meddlers={late: is_now(RUNS)})))
    assert ran.state.rows["m"]["teacher_ec2_link"] == link(ONE)
    assert wrongs(ran.state, clouds.case.settings) == []
    assert timedelta(0) < ran.state.now - START <= timedelta(seconds=20)


def test_the_others_of_the_batch_do_not_wait() -> None:
    case = behind_world(None)
    ran = run(Clouds(case), [ONE, TWO], heard=told("running", ONE, TWO))
    written = {
        event.key: event.before.now for event in ran.journal if hasattr(event, "before") and hasattr(event, "key")
    }
    assert set(written.values()) == {START}
    assert ran.state.rows["m"]["student_ec2_link"] == link(TWO)


def test_after_twenty_seconds_nobody_waits_any_longer() -> None:
    ran = run(Clouds(behind_world(None)), [ONE], heard=told("running", ONE))
    assert ran.state.now - START == timedelta(seconds=20)
    assert ran.calls.count("fleet.by_id") <= 12


@pytest.mark.parametrize("state", ["stopping", "stopped", "shutting-down", "terminated"])
def test_ended_machine_shown_running_is_read_until_shown_ended(state: str) -> None:
    case = world([OTHER, RUNS], [record("a", ONE, "203.0.113.1")], m={**ROW, "teacher_ec2_link": link(ONE)})
    heard = told(state, ONE)
    late = looks_at(run(Clouds(case), [ONE], heard=heard))[4]
    ended = is_now(replace(RUNS, state=state, public_ip=None))
    ran = run(Clouds(case), [ONE], heard=heard, script=Script(Calls(meddlers={late: ended})))
    assert ran.state.records == {}
    assert "teacher_ec2_link" not in ran.state.rows["m"]


NOT_WAITED_FOR = {
    "an old event": (None, told("running", ONE, age=timedelta(minutes=1))),
    "a stranger's machine": (replace(RUNS, tagged=False, state="pending", public_ip=None), told("running", ONE)),
    "a stranger's that ends": (replace(RUNS, tagged=False), told("terminated", ONE)),
    "a machine that is shown already": (RUNS, told("running", ONE)),
    "a machine that has ended since": (replace(RUNS, state="terminated", public_ip=None), told("running", ONE)),
    "a machine that ended and is forgotten": (None, told("terminated", ONE)),
    "a machine that is about to run": (replace(RUNS, state="pending", public_ip=None), told("pending", ONE)),
    "nothing heard": (None, {}),
}


@pytest.mark.parametrize(("shown", "heard"), NOT_WAITED_FOR.values(), ids=NOT_WAITED_FOR)
def test_it_is_not_waited_for(shown: Instance | None, heard: dict[str, Heard]) -> None:
    ran = run(Clouds(behind_world(shown)), [ONE], heard=heard)
    assert ran.state.now == START


def test_waiting_stops_when_the_machine_is_a_strangers() -> None:
    heard = told("running", ONE)
    late = looks_at(run(Clouds(behind_world(None)), [ONE], heard=heard))[2]
    strangers = is_now(replace(RUNS, tagged=False, state="pending", public_ip=None))
    ran = run(Clouds(behind_world(None)), [ONE], heard=heard, script=Script(Calls(meddlers={late: strangers})))
    assert ran.state.now - START < timedelta(seconds=20)
