"""An event can be ahead of what EC2 answers: those machines are read again, and get a pass of their own."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from controller.errors import ObservationError, TransientError
from controller.model import Heard, Instance, Mode, Outcome, Request
from controller.reconcile import reconcile
from controller.report.report import Report
from controller.runtime.budget import Budget
from tests.support.build import ELSEWHERE, NOW, STUDENT, TEACHER, Told, link, machine, record, row
from tests.support.clock import FakeClock
from tests.support.memory import Clouds, View, at, readings

LESSON = row(status="LAUNCHED", ids={"teacher": TEACHER})
STUDYING = machine(STUDENT, meeting="m2", ip=ELSEWHERE)
MADE, MADE_STUDENTS = f"create-record {TEACHER}", f"create-record {STUDENT}"


def heard(state: str, *instances: str, ago: float = 1) -> Mapping[str, Heard]:
    moment = NOW - timedelta(seconds=ago)
    return {instance: Heard(state, moment, moment) for instance in instances or (TEACHER,)}


def woken(clouds: Clouds, of: Mapping[str, Heard], mode: Mode = Mode.APPLY) -> Report:
    """The pass that these events wake."""
    return reconcile(Request(mode, frozenset(of), heard=of), clouds.its())


def ends(report: Report) -> list[tuple[str, str]]:
    return [(str(result.change.action), str(result.outcome)) for result in report.results]


LINKED = [("create-record", "applied"), ("write-link", "applied")]


@pytest.mark.parametrize(
    "before",
    [[], [machine(state="pending", ip=None)], [machine(ip=None)], [machine(state="stopped", ip=None)]],
    ids=["not known", "pending", "without address", "stopped"],
)
def test_running_machine_is_served_when_ec2_shows_it_later(before: list[Instance]) -> None:
    clouds = Clouds(at(seconds=2, before=before, then=[machine()]), [], [LESSON])
    report = woken(clouds, heard("running"))
    assert ends(report) == LINKED
    assert clouds.clock.slept == [2.0]
    assert clouds.writes == [(2.0, MADE), (2.0, "m1")]
    assert (report.duration_ms, report.scope) == (2000, (TEACHER,))


@pytest.mark.parametrize("state", ["stopping", "stopped", "shutting-down", "terminated"])
@pytest.mark.parametrize("still", ["pending", "running"])
def test_a_machine_that_ends_loses_its_record_when_ec2_shows_it(state: str, still: str) -> None:
    view = at(seconds=2, before=[machine(state=still)], then=[machine(state=state, ip=None)])
    clouds = Clouds(view, [record()], [replace(LESSON, status="HEALTHY", links={"teacher": link(TEACHER)})])
    assert ends(woken(clouds, heard(state))) == [("delete-record", "applied"), ("clear-link", "applied")]
    assert clouds.clock.slept == [2.0]


def test_ended_machine_still_shown_running_gets_nothing() -> None:
    clouds = Clouds(at(seconds=4, before=[machine()], then=[machine(state="terminated")]), [], [LESSON])
    assert (ends(woken(clouds, heard("terminated"))), clouds.writes) == ([], [])


def test_the_others_of_the_batch_are_served_first() -> None:
    clouds = Clouds(at(seconds=2, before=[STUDYING], then=[STUDYING, machine()]), [], [LESSON, row("m2", "LAUNCHED")])
    report = woken(clouds, heard("running", TEACHER, STUDENT))
    assert sorted(clouds.writes) == [(0, MADE_STUDENTS), (0, "m2"), (2.0, MADE), (2.0, "m1")]
    assert ends(report) == [LINKED[0]] * 2 + [LINKED[1]] * 2, "one report, in the order of doing"
    assert report.scope == (TEACHER, STUDENT)


def test_each_gets_its_pass_as_soon_as_ec2_has_caught_up() -> None:
    def view(_: int, second: float) -> list[Instance]:
        return [m for due, m in ((2, machine()), (6, STUDYING)) if second >= due]

    clouds = Clouds(view, [], [])
    woken(clouds, heard("running", TEACHER, STUDENT))
    assert clouds.writes == [(2.0, MADE), (6.0, MADE_STUDENTS)]
    assert clouds.clock.slept == [2.0] * 3
    assert clouds.asked[:5] == [{TEACHER, STUDENT}, {TEACHER, STUDENT}, {TEACHER}, {STUDENT}, {STUDENT}]


def test_it_is_waited_for_20_seconds_at_most_and_its_pass_comes_then() -> None:
    lost = Clouds(readings([]), [], [LESSON])
    report = woken(lost, heard("running"))
    assert lost.clock.slept == [2.0] * 10
    assert (ends(report), report.calls["ec2"]) == ([], 12), "at first, ten looks, and the pass of its own"
    stale = Clouds(readings([machine()]), [], [])
    assert ends(woken(stale, heard("terminated"))) == [("create-record", "applied")], "what EC2 shows is what counts"
    assert stale.writes == [(20.0, MADE)]


def test_after_the_wait_a_machine_without_an_address_is_what_it_is() -> None:
    clouds = Clouds(readings([machine(ip=None)]), [], [LESSON])
    assert ends(woken(clouds, heard("running"))) == []
    assert clouds.asked == [{TEACHER}] * 12


@pytest.mark.parametrize("state", ["running", "stopped", "terminated"])
@pytest.mark.parametrize("seen", ["pending", "running"])
def test_a_machine_without_our_tag_is_never_waited_for(state: str, seen: str) -> None:
    clouds = Clouds(readings([machine(state=seen, ip=None, tagged=False)]))
    assert ends(woken(clouds, heard(state))) == []
    assert (clouds.clock.slept, clouds.calls) == ([], ["by_id"])


@pytest.mark.parametrize(("ago", "looks"), [(60, 0), (59, 1), (50, 5), (-5, 10)])
def test_an_event_is_ahead_for_a_minute_only(ago: float, looks: int) -> None:
    clouds = Clouds(readings([]), [], [])
    woken(clouds, heard("running", ago=ago))
    assert len(clouds.clock.slept) == looks


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("running", [machine()]),
        ("running", [machine(state="terminated")]),
        ("terminated", [machine(state="stopped", ip=None)]),
        ("stopping", []),
        ("pending", []),
    ],
    ids=str,
)
def test_where_ec2_shows_it_or_what_came_later_nothing_is_waited_for(state: str, shown: list[Instance]) -> None:
    clouds = Clouds(readings(shown), [], [])
    woken(clouds, heard(state))
    assert clouds.clock.slept == []


def test_a_plan_waits_for_nothing_and_leaves_those_machines_out() -> None:
    clouds = Clouds(readings([machine()]), [], [LESSON])
    assert ends(woken(clouds, heard("terminated"), Mode.PLAN)) == []
    assert clouds.clock.slept == []


def test_a_pass_that_nobody_woke_waits_for_nothing() -> None:
    clouds = Clouds(readings([machine(state="pending", ip=None)]), [], [LESSON])
    for scope in (None, frozenset({TEACHER})):
        reconcile(Request(Mode.APPLY, scope), clouds.its())
    assert clouds.clock.slept == []


@pytest.mark.parametrize(("seconds", "slept"), [(10, 0), (11, 1), (15, 3)])
def test_of_the_pass_s_time_enough_is_kept_to_act(seconds: float, slept: int) -> None:
    clouds = Clouds(readings([machine()]), [], [], seconds=seconds)
    woken(clouds, heard("terminated"))
    assert len(clouds.clock.slept) == slept
    assert clouds.writes == [(slept * 2, MADE)]


def test_a_pass_that_must_stop_waits_no_longer() -> None:
    stop = threading.Event()

    class Stopping(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            stop.set()

    clouds = Clouds(readings([]), [], [], clock=Stopping())
    clouds.budget = Budget(clouds.clock, 600, stop)
    woken(clouds, heard("running"))
    assert clouds.clock.slept == [2.0]


FAILING = {
    "while it is waited for": ("by_id", 1),
    "in the pass of its own": ("listing", 1),
}


@pytest.mark.parametrize(("call", "good"), FAILING.values(), ids=FAILING)
def test_a_later_failure_carries_the_report_of_what_was_done(call: str, good: int) -> None:
    clouds = Clouds(
        at(seconds=2, before=[STUDYING], then=[STUDYING, machine()]),
        fails={call: (good, TransientError("not now"))},
    )
    with pytest.raises(ObservationError, match="not now") as caught:
        woken(clouds, heard("running", TEACHER, STUDENT))
    report = caught.value.report
    assert isinstance(report, Report)
    assert [(result.change.instance, result.outcome) for result in report.results] == [(STUDENT, Outcome.APPLIED)]


def test_a_failure_of_the_first_pass_has_no_report_to_carry() -> None:
    clouds = Clouds(readings([]), fails={"by_id": (0, TransientError("not now"))})
    with pytest.raises(ObservationError) as caught:
        woken(clouds, heard("running"))
    assert caught.value.report is None


def test_each_part_of_a_pass_tells_its_plan_and_its_ends() -> None:
    clouds = Clouds(at(seconds=2, before=[STUDYING], then=[STUDYING, machine()]), [], [])
    told = Told()
    request = Request(Mode.APPLY, frozenset({TEACHER, STUDENT}), heard=heard("running", TEACHER, STUDENT))
    reconcile(request, clouds.its(), told)
    assert [[result.change.instance for result in plan.results] for plan in told.plans] == [[STUDENT], [TEACHER]]
    assert [result.change.instance for result in told.results] == [STUDENT, TEACHER]


def test_an_event_decides_nothing() -> None:
    """Whatever it says, what is done is what EC2 shows calls for."""

    def done(of: Mapping[str, Heard], view: View) -> list[tuple[float, str]]:
        clouds = Clouds(view, [record()], [replace(LESSON, status="HEALTHY", links={"teacher": link(TEACHER)})])
        woken(clouds, of)
        return clouds.writes

    moment = datetime.min.replace(tzinfo=NOW.tzinfo)
    for state in ("running", "terminated", "nonsense"):
        assert done({TEACHER: Heard(state, moment, moment)}, readings([machine()])) == []
