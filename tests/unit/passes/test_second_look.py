"""What a pass would destroy is looked at twice: one reading of EC2 can be incomplete, behind, or without a machine."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from controller.errors import ObservationError, TransientError
from controller.model import Instance, Mode, Plan, Request
from controller.reconcile import LOOKS, decide, reconcile
from controller.settings import Settings
from tests.support.build import (
    ADDRESS,
    FOREIGN,
    NOW,
    OLD,
    OTHER,
    STUDENT,
    TEACHER,
    Told,
    found,
    link,
    machine,
    record,
    row,
    settings,
    shown,
)
from tests.support.memory import Clouds, View, readings

FULL, SCOPED = Request(Mode.PLAN), Request(Mode.PLAN, frozenset({TEACHER}))
BOTH = pytest.mark.parametrize("request_", [FULL, SCOPED], ids=["full", "scoped"])
#: Before an end whatever carries the meeting is asked for, beside the machines known to carry it.
ENDING = {"by_id", "of_meetings"}
LESSON = row(status="IN_PROGRESS", ids={"teacher": TEACHER}, links={"teacher": link(TEACHER)})
#: Its record was created in the first start of the machine, which has been started anew since.
BEFORE = record(created=OLD - timedelta(seconds=1))


def plan_of(clouds: Clouds, request: Request = FULL, using: Settings | None = None) -> Plan:
    return decide(request, clouds.its(using))[1]


@pytest.mark.parametrize(
    "first",
    [
        machine(ip=None),
        machine(state="pending", ip=None),
        machine(state="stopping"),
        machine(state="stopped", ip=None),
        machine(state="terminated"),
        machine(role="student"),
        machine(role=None, ip="203.0.113.99"),
    ],
    ids=["no address", "pending", "stopping", "stopped", "terminated", "another role", "another address"],
)
@BOTH
def test_what_a_second_reading_shows_whole_is_not_destroyed(first: Instance, request_: Request) -> None:
    clouds = Clouds(
        lambda number, _: [first if number <= (1 if request_ is FULL else 2) else machine()], [BEFORE], [LESSON]
    )
    assert plan_of(clouds, request_).changes == ()
    assert (clouds.calls[-1], clouds.asked[-1]) == ("by_id", {TEACHER}), "described once more, by its id"


def test_machine_missing_in_two_readings_is_asked_for_again() -> None:
    """The listing and the lookup have not brought it: its record would go."""
    clouds = Clouds(readings([], [], [machine()]), [record()], [LESSON])
    assert plan_of(clouds).changes == ()
    assert clouds.calls[-3:] == ["tagged", "by_id", "by_id"]
    assert clouds.asked == [{TEACHER}, {TEACHER}]


def lessons(**changed: Any) -> list[Instance]:
    """Forty lessons' machines."""
    return [machine(f"i-{number:017x}", meeting=f"m{number}", **changed) for number in range(40)]


@pytest.mark.parametrize("first", [{"ip": None}, {"state": "pending", "ip": None}, {"state": "stopped", "ip": None}])
@pytest.mark.parametrize("written", [OLD - timedelta(seconds=1), NOW - timedelta(seconds=1)])
def test_forty_lessons_survive_a_reading_without_addresses(first: dict[str, object], written: datetime) -> None:
    rows = [
        row(m.meeting or "", "IN_PROGRESS", ids={"teacher": m.id}, links={"teacher": link(m.id)}) for m in lessons()
    ]
    records = [record(m.id, id=m.id, created=written) for m in lessons()]
    clouds = Clouds(readings(lessons(**first), lessons()), records, rows)
    report = reconcile(Request(Mode.APPLY), clouds.its())
    assert (report.results, clouds.writes, len(clouds.held)) == ((), [], 40)
    assert report.calls["ec2"] <= 2


GONE = machine(state="terminated")
DESTROYING: list[tuple[Request, Iterable[Instance], list[str]]] = [
    (FULL, [machine()], ["tagged"]),
    (FULL, [machine(state="stopped")], ["tagged", "by_id"]),
    (SCOPED, [machine()], ["by_id", "of_meetings"]),
    (SCOPED, [machine(state="stopped")], ["by_id", "of_meetings", "by_id"]),
]


@pytest.mark.parametrize(("request_", "seen", "calls"), DESTROYING, ids=["full", "full-", "scoped", "scoped-"])
def test_it_costs_one_call_and_that_only_where_something_is_destroyed(
    request_: Request, seen: Iterable[Instance], calls: list[str]
) -> None:
    clouds = Clouds(readings(seen), [record()], [LESSON])
    wanted = plan_of(clouds, request_)
    assert ("delete-record" in [action for action, _ in shown(wanted)]) is (seen != [machine()])
    assert [call for call in clouds.calls if call not in ("listing", "live", "rows")] == calls


def test_all_that_is_doomed_is_described_in_one_call() -> None:
    fleet = lessons(state="stopped", ip=None)
    clouds = Clouds(readings(fleet), [record(m.id, id=m.id) for m in fleet])
    assert len(plan_of(clouds).changes) == 40
    assert clouds.asked == [{m.id for m in fleet}]
    assert clouds.budget.calls()["ec2"] == 2


def test_it_is_repeated_until_nothing_new_is_doomed() -> None:
    """The teacher's machine is seen stopped, then gone: now the meeting is over, by the student's machine as well."""
    student = machine(STUDENT, role="student", state="terminated")
    view: View = readings(
        [machine(state="stopped", ip=None), student],
        [GONE],
        [GONE, replace(student, state="running")],
    )
    clouds = Clouds(view, [record()], [replace(LESSON, instance_ids={"teacher": TEACHER, "student": STUDENT})])
    wanted = plan_of(clouds)
    assert clouds.asked == [{TEACHER}, {TEACHER, STUDENT}]
    assert ("terminate-meeting", "meeting-over") not in shown(wanted)
    assert ("delete-record", "record-gone") in shown(wanted)


def test_change_shown_by_both_readings_is_applied_without_more_calls() -> None:
    clouds = Clouds(readings([GONE]), [record()], [LESSON])
    assert shown(plan_of(clouds)) == [("delete-record", "record-gone"), ("terminate-meeting", "meeting-over")]
    assert sorted(clouds.calls) == ["by_id", "listing", "live", "of_meetings", "tagged"]


@pytest.mark.parametrize("tags", [{}, {"role": None}, {"role": "student"}], ids=str)
def test_before_an_end_whatever_carries_the_meeting_is_asked_for(tags: dict[str, Any]) -> None:
    """A machine that has lost the project's tag, and which no row and no record names, is a member all the same."""
    lost = machine(OTHER, tagged=False, **tags)
    clouds = Clouds(readings([GONE, lost]), [], [LESSON])
    wanted = plan_of(clouds)
    assert shown(wanted) == [("clear-link", "link-dead")]
    assert "untagged-instance" in found(wanted)
    gone_too = Clouds(readings([GONE, replace(lost, state="terminated")]), [], [LESSON])
    assert shown(plan_of(gone_too)) == [("terminate-meeting", "meeting-over")]


def test_end_planned_by_the_second_reading_gets_its_own_look() -> None:
    """The machine was seen stopped, and has been described twice by the time it is seen gone."""
    lost = machine(OTHER, tagged=False)
    clouds = Clouds(readings([machine(state="stopped")], [GONE], [GONE, lost]), [record()], [LESSON])
    assert shown(plan_of(clouds)) == [("delete-record", "record-gone"), ("clear-link", "link-dead")]
    assert clouds.calls[-4:-2] == ["tagged", "by_id"]
    assert set(clouds.calls[-2:]) == ENDING


def test_what_carries_a_meeting_that_does_not_end_is_not_asked_for() -> None:
    clouds = Clouds(readings([machine(state="stopped", ip=None)]), [record()], [LESSON])
    plan_of(clouds)
    assert clouds.calls.count("of_meetings") == 0


def test_a_link_does_not_move_on_one_reading_without_the_address() -> None:
    second = machine(OTHER, ip="203.0.113.5")
    records = [record(), record(OTHER, "203.0.113.5", id="r2")]
    clouds = Clouds(readings([machine(ip=None), second], [machine(), second]), records, [LESSON])
    assert plan_of(clouds).changes == ()
    moved = Clouds(readings([machine(ip=None), second]), records, [LESSON])
    assert shown(plan_of(moved)) == [("write-link", "link-current")], "what two readings show counts"


def test_machine_found_by_the_second_look_is_looked_at_again() -> None:
    """Its row is not live, so nobody has looked at it before."""
    scheduled = row(status="SCHEDULED", ids={"teacher": TEACHER}, links={"teacher": link(OTHER)})
    stopped, whole = ([machine(), machine(OTHER, tagged=False, state=state)] for state in ("stopped", "running"))
    clouds = Clouds(readings(stopped, stopped, whole), [], [scheduled])
    assert shown(plan_of(clouds)) == [("create-record", "record-serving"), ("write-link", "link-current")]
    assert clouds.asked == [{OTHER}, {OTHER}, {OTHER}], "until two answers agree"


SECOND = machine(OTHER, ip="203.0.113.5")
#: The student was given a second machine, so the link moves, and that the first machine is asked about once more.
MOVED = replace(LESSON, instance_ids={"teacher": OTHER})


@pytest.mark.parametrize(
    "lie",
    [None, machine(ip=None), machine(state="stopped"), machine(ip="203.0.113.9")],
    ids=["absent", "bare", "stopped", "moved"],
)
def test_what_only_the_second_look_says_is_not_believed(lie: Instance | None) -> None:
    """The listing shows the machine; the second look leaves it out or shows it otherwise, and its record would go."""
    then = [SECOND, *([lie] if lie else [])]
    records = [BEFORE, record(OTHER, "203.0.113.5", id="r2")]
    clouds = Clouds(readings([machine(), SECOND], then, [machine(), SECOND]), records, [MOVED])
    assert shown(plan_of(clouds)) == [("write-link", "link-current")]
    assert clouds.asked == [{TEACHER}, {TEACHER}, {TEACHER}]


def test_bare_second_look_at_an_untagged_machine_is_not_believed() -> None:
    """Its link goes, so it is looked at; a look without the address must not take the record as well."""
    astray = machine(role="student", tagged=False)
    view = readings([], [astray], [replace(astray, public_ip=None)], [astray])  # the listing leaves it out
    clouds = Clouds(view, [BEFORE], [LESSON])
    assert shown(plan_of(clouds)) == [("clear-link", "link-astray")]
    assert clouds.asked == [{TEACHER}] * 4, "looked up, and then until two answers agree"


@pytest.mark.parametrize(
    ("request_", "other"),
    [(FULL, [machine(state="terminated")]), (SCOPED, [machine(state="terminated")]), (FULL, [])],
    ids=["full", "scoped", "absent"],
)
def test_answers_that_contradict_each_other_prove_nothing(request_: Request, other: list[Instance]) -> None:
    """Each of them alone would take the record."""
    stopped = [machine(state="stopped")]
    for answers in ([stopped, other], [other, stopped]):
        clouds = Clouds(lambda *_: answers[len(clouds.asked) % 2], [record()], [LESSON])  # noqa: B023  # used here only
        assert plan_of(clouds, request_).changes == ()
        assert len(clouds.asked) <= LOOKS + 1


def test_two_states_that_mean_the_same_agree() -> None:
    clouds = Clouds(readings([machine(state="stopping")], [machine(state="stopped")]), [record()], [LESSON])
    assert ("delete-record", "record-stopped") in shown(plan_of(clouds))
    assert clouds.asked == [{TEACHER}]


def test_machine_first_seen_by_a_lookup_has_its_row_read() -> None:
    """It has lost the project's tag, and an own record names it; its meeting is history."""
    clouds = Clouds(readings([machine(tagged=False)]), [record()], [replace(LESSON, status="TERMINATED")])
    assert found(plan_of(clouds)) == ["terminated-meeting-alive", "untagged-instance"]


def test_of_what_is_held_no_second_look_is_taken() -> None:
    clouds = Clouds(readings([]), [record(comment="elephant-dns:school")])
    wanted = plan_of(clouds, using=settings(OWNER_ID="school"))
    assert wanted.guard.tripped
    assert clouds.asked == [{TEACHER}], "only the lookup"


def test_a_second_look_that_fails_fails_the_pass() -> None:
    clouds = Clouds(readings([GONE]), [record()], [LESSON], fails={"by_id": (0, TransientError("not now"))})
    with pytest.raises(ObservationError, match="Cannot read EC2, so nothing was planned"):
        plan_of(clouds)


def test_scoped_second_look_without_the_machine_proves_nothing() -> None:
    clouds = Clouds(readings([GONE], [GONE], []), [record()], [LESSON])
    assert plan_of(clouds, SCOPED).changes == ()


def test_what_destroys_is_read_after_what_it_destroys() -> None:
    clouds = Clouds(readings([GONE]), [record(), record(OTHER, id="r2")], [LESSON])
    plan_of(clouds)
    assert set(clouds.calls[:2]) == {"listing", "live"}
    assert clouds.calls[2:4] == ["tagged", "by_id"]
    assert set(clouds.calls[4:]) == ENDING
    assert clouds.asked == [{OTHER}, {TEACHER, OTHER}]


def test_rows_of_unknown_status_cost_no_call_and_twenty_findings() -> None:
    rows = [
        row(f"m{n}", "COMPLETED", ids={"teacher": f"i-{n:017x}"}, links={"student": link(f"i-{n:08x}")})
        for n in range(10_000)
    ]
    told = Told()
    report = reconcile(Request(Mode.APPLY), Clouds(readings([]), [], rows).its(), told)
    assert report.calls == {"ec2": 1, "dynamodb": 1, "cloudflare": 2}
    assert len(report.findings) == 21
    assert [plan.findings for plan in told.plans] == [report.findings]


@pytest.mark.parametrize("status", [None, "PENDING", "SCHEDULED", "PAUSED"])
def test_only_what_a_live_row_or_a_record_of_ours_names_is_looked_up(status: str | None) -> None:
    names, records = {"teacher": TEACHER}, [record(OTHER, comment=FOREIGN), record(STUDENT, id="r2", comment="by hand")]
    clouds = Clouds(readings([]), records, [row(status=status, ids=names, links=names)])
    assert plan_of(clouds).changes == ()
    assert clouds.asked == []
    live = Clouds(readings([]), [record(OTHER)], [row(ids=names, links={"student": link(STUDENT)})])
    plan_of(live)
    assert live.asked[0] == {TEACHER, OTHER, STUDENT}


@pytest.mark.parametrize("state", ["pending", "running"])
def test_a_strangers_machine_that_is_up_costs_a_scoped_pass_one_call(state: str) -> None:
    clouds = Clouds(readings([machine(state=state, tagged=False)]), [record()], [LESSON])
    assert plan_of(clouds, SCOPED).changes == ()
    assert clouds.calls == ["by_id"]


def test_history_of_a_machine_that_is_alive_is_read_by_its_id() -> None:
    clouds = Clouds(readings([machine()]), [record(content=ADDRESS)], [replace(LESSON, status="TERMINATED")])
    assert found(plan_of(clouds)) == ["terminated-meeting-alive"]
    assert clouds.calls[-1] == "rows"
