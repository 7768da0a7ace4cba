"""Rules for rows: every row of the table of situations."""

from datetime import timedelta

import pytest

from controller.model import Action, Condition, Odd
from tests.build import (
    ADDRESS,
    ELSEWHERE,
    MARK,
    NOW,
    OLD,
    OTHER,
    STRANGER,
    STUDENT,
    TEACHER,
    YOUNG,
    decided,
    found,
    link,
    machine,
    record,
    row,
    settings,
    shown,
    world,
)

EARLY = [None, "PENDING", "SCHEDULED", "LAUNCHED"]
LATE = ["DNS_WRITTEN", "HEALTHY", "IN_PROGRESS", "PAUSED", "", Odd("N", '{"N": "5"}'), Odd("NULL", '{"NULL": true}')]
LIVE = ["LAUNCHED", "DNS_WRITTEN", "HEALTHY", "IN_PROGRESS"]
FOREIGN = record(comment="elephant-dns:somebody/else")


@pytest.mark.parametrize("status", EARLY)
def test_link_current_is_written_and_an_early_status_moves_on(status: str | None) -> None:
    (change,) = decided(world([machine()], [record()], [row(status=status)])).changes
    assert (change.action, change.rule, change.instance) == (Action.WRITE_LINK, "link-current", TEACHER)
    assert dict(change.after) == {"teacher_ec2_link": link(TEACHER), "status": "DNS_WRITTEN"}


@pytest.mark.parametrize("status", LATE)
def test_link_current_leaves_any_other_status_alone(status: str | Odd) -> None:
    (change,) = decided(world([machine()], [record()], [row(status=status)])).changes
    assert dict(change.after) == {"teacher_ec2_link": link(TEACHER)}
    assert change.row
    assert Condition("status", (status,)) in change.row.conditions


@pytest.mark.parametrize("status", EARLY)
def test_status_early_is_written_even_if_the_link_is_right(status: str | None) -> None:
    (change,) = decided(world([machine()], [record()], [row(status=status, links={"teacher": link(TEACHER)})])).changes
    assert (change.rule, dict(change.after)["status"]) == ("status-early", "DNS_WRITTEN")


@pytest.mark.parametrize("status", LATE)
def test_a_right_link_in_a_later_status_plans_nothing(status: str | Odd) -> None:
    assert not decided(world([machine()], [record()], [row(status=status, links={"teacher": link(TEACHER)})])).changes


def test_the_link_waits_for_its_record_in_the_same_plan() -> None:
    wanted = decided(world([machine()], [], [row()]))
    assert shown(wanted) == [("create-record", "record-serving"), ("write-link", "link-current")]


def test_current_is_the_instance_that_the_row_names_while_it_serves() -> None:
    machines = [machine(TEACHER, launched=OLD), machine(OTHER, launched=YOUNG, ip=ELSEWHERE)]
    records = [record(), record(OTHER, ELSEWHERE, id="r2")]
    (named,) = decided(world(machines, records, [row(ids={"teacher": TEACHER})])).changes
    assert named.instance == TEACHER
    (newest,) = decided(world(machines, records, [row()])).changes
    assert newest.instance == OTHER


def test_a_replacement_that_is_still_starting_displaces_nobody() -> None:
    machines = [machine(TEACHER), machine(OTHER, state="pending", ip=None, launched=YOUNG)]
    rows = [row(ids={"teacher": OTHER}, links={"teacher": link(TEACHER)})]
    assert not decided(world(machines, [record()], rows)).changes


@pytest.mark.parametrize("other", [machine(OTHER, meeting="m2"), machine(OTHER, role="student")])
def test_nobody_is_sent_to_the_machine_of_another_meeting_or_role(other: object) -> None:
    assert isinstance(other, type(machine()))
    wanted = decided(world([other], [record(OTHER)], [row(ids={"teacher": OTHER}, links={"teacher": link(OTHER)})]))
    writes = [change for change in wanted.changes if change.key == "m1" and change.role == "teacher"]
    assert shown(writes) == [("clear-link", "link-astray")]
    assert "wrong-instance" in found(wanted)


@pytest.mark.parametrize("blocker", [FOREIGN, record(type="CNAME", content="x.y", comment="")])
def test_no_link_is_written_where_the_record_is_blocked(blocker: object) -> None:
    assert isinstance(blocker, type(record()))
    assert not decided(world([machine()], [blocker], [row(status="LAUNCHED")])).changes
    right = row(status="LAUNCHED", links={"teacher": link(TEACHER)})
    assert not decided(world([machine()], [blocker], [right])).changes, "a link to current stays"


def test_where_current_is_blocked_a_link_to_a_dead_machine_goes() -> None:
    machines = [machine(), machine(OTHER, state="terminated")]
    wanted = decided(world(machines, [FOREIGN], [row(links={"teacher": link(OTHER)})]))
    assert shown(wanted) == [("clear-link", "link-dead")]


def test_an_address_that_cannot_be_proxied_blocks_the_link() -> None:
    assert not decided(world([machine(ip="10.1.2.3")], [], [row(status="LAUNCHED")])).changes


@pytest.mark.parametrize("state", ["stopping", "stopped", "shutting-down", "terminated"])
def test_link_dead_is_removed_unguarded(state: str) -> None:
    machines = [machine(state=state), machine(STUDENT, role="student")]
    links = {"teacher": link(TEACHER), "student": link(STUDENT)}
    wanted = decided(world(machines, [record(STUDENT)], [row(links=links, status="IN_PROGRESS")]))
    assert shown(wanted) == [("clear-link", "link-dead")]
    assert dict(wanted.changes[0].after) == {"teacher_ec2_link": None}, "the status stays: the student is still there"
    assert not wanted.changes[0].concluded


@pytest.mark.parametrize("seen", [machine(tagged=False), machine(role="janitor"), machine(meeting="")])
def test_link_unclaimed_is_removed_guarded(seen: object) -> None:
    assert isinstance(seen, type(machine()))
    (change,) = decided(world([seen], [], [row(links={"teacher": link(TEACHER)})], listed=1)).changes
    assert (change.rule, change.concluded) == ("link-unclaimed", (TEACHER,))


def test_link_absent_is_removed_guarded() -> None:
    rows = [row(links={"teacher": link(TEACHER)}, status="PENDING")]
    (change,) = decided(world([machine(STUDENT, role="student", ip=None)], [], rows, absent=[TEACHER])).changes
    assert (change.action, change.rule, change.concluded) == (Action.CLEAR_LINK, "link-absent", (TEACHER,))


def test_link_absent_stays_while_a_record_of_ours_is_young() -> None:
    rows = [row(links={"teacher": link(TEACHER)}, status="HEALTHY")]
    assert not decided(world([], [record(created=YOUNG)], rows, absent=[TEACHER])).changes


def test_a_link_to_a_starting_machine_of_the_role_stays() -> None:
    starting = machine(state="pending", ip=None)
    assert not decided(world([starting], [], [row(links={"teacher": link(TEACHER)})])).changes


@pytest.mark.parametrize(
    "odd",
    [
        "https://elsewhere.org/x",
        f"http://{TEACHER}.example.com:8443",
        f"https://{TEACHER}.example.com:443",
        Odd("N", "{}"),
    ],
)
def test_a_link_of_another_shape_is_only_ever_overwritten(odd: str | Odd) -> None:
    dead, alive = machine(state="terminated", launched=YOUNG), machine(OTHER)
    rows = [row(links={"teacher": odd}, status="HEALTHY")]
    assert not decided(world([dead], [], [row(links={"teacher": odd}, status="SCHEDULED")])).changes
    (change,) = decided(world([alive], [record(OTHER)], rows)).changes
    assert change.action is Action.WRITE_LINK


@pytest.mark.parametrize("status", LIVE)
def test_meeting_over_ends_in_one_write(status: str) -> None:
    machines = [machine(state="terminated"), machine(STUDENT, role="student", state="shutting-down")]
    links = {"teacher": link(TEACHER), "student": "https://elsewhere.org/"}
    (change,) = decided(world(machines, [], [row(links=links, status=status)])).changes
    assert (change.action, change.rule, change.concluded) == (Action.TERMINATE_MEETING, "meeting-over", ())
    assert dict(change.after) == {
        "status": "TERMINATED",
        "termination_reason": "INSTANCES_GONE",
        "teacher_ec2_link": None,
    }
    assert change.row
    assert change.row.removes == ("teacher_ec2_link",)
    seen = {condition.attribute: condition.values for condition in change.row.conditions}
    assert seen == {
        "status": (status,),
        "teacher_ec2_id": (None,),
        "teacher_ec2_link": (link(TEACHER),),
        "student_ec2_id": (None,),
        "student_ec2_link": ("https://elsewhere.org/",),
    }


def test_a_reason_that_is_there_stays() -> None:
    (change,) = decided(world([machine(state="terminated")], [], [row(reason="OVER")])).changes
    assert "termination_reason" not in dict(change.after)


@pytest.mark.parametrize("status", [None, "PENDING", "SCHEDULED", "PAUSED"])
def test_only_a_live_meeting_ends(status: str | None) -> None:
    assert not decided(world([machine(state="terminated")], [], [row(status=status)])).changes


def test_a_meeting_without_members_does_not_end() -> None:
    assert not decided(world([], [], [row(ids={"teacher": "not-an-id"})])).changes


def test_links_make_no_members() -> None:
    (change,) = decided(
        world([machine(meeting="m2", state="terminated")], [], [row(links={"teacher": link(TEACHER)})])
    ).changes
    assert (change.action, change.key) == (Action.CLEAR_LINK, "m1")


@pytest.mark.parametrize("state", ["pending", "running", "stopping", "stopped"])
def test_one_member_that_is_not_gone_keeps_the_meeting(state: str) -> None:
    machines = [machine(state="terminated"), machine(STUDENT, role="janitor", state=state)]
    assert not [c for c in decided(world(machines, [], [row()])).changes if c.action is Action.TERMINATE_MEETING]


def test_a_member_that_only_the_row_names_keeps_the_meeting_too() -> None:
    machines = [machine(state="terminated"), machine(OTHER, tagged=False)]
    assert not decided(world(machines, [], [row(ids={"student": OTHER})])).changes


def test_a_machine_that_died_young_does_not_end_a_meeting_whose_other_role_is_still_to_come() -> None:
    dead = machine(state="terminated", launched=YOUNG)
    assert not decided(world([dead], [], [row(status="LAUNCHED")])).changes
    both = [dead, machine(STUDENT, role="student", state="terminated", launched=YOUNG)]
    assert shown(decided(world(both, [], [row(status="LAUNCHED")]))) == [("terminate-meeting", "meeting-over")]
    stranger = machine(STUDENT, meeting="m2", state="terminated", launched=YOUNG)
    assert not decided(world([stranger], [], [row(ids={"student": STUDENT})])).changes, "no teacher was ever seen"
    named = world([dead, machine(STUDENT, role=None, state="terminated")], [], [row(ids={"student": STUDENT})])
    assert shown(decided(named)) == [("terminate-meeting", "meeting-over")]


@pytest.mark.parametrize(
    ("status", "records", "meet_time", "ends"),
    [
        ("LAUNCHED", [], None, False),
        ("LAUNCHED", [record()], None, True),
        ("LAUNCHED", [record(created=YOUNG)], None, False),
        ("HEALTHY", [record(created=YOUNG)], None, False),
        ("HEALTHY", [record(), record(id="r2", created=YOUNG)], None, False),
        ("HEALTHY", [record(created=YOUNG), record(id="r2")], None, False),
        ("LAUNCHED", [record(comment="by hand")], None, False),
        ("DNS_WRITTEN", [], None, True),
        ("HEALTHY", [], None, True),
        ("IN_PROGRESS", [], None, True),
        ("LAUNCHED", [], (NOW - timedelta(hours=25)).isoformat(), True),
        ("LAUNCHED", [], (NOW - timedelta(hours=23)).isoformat(), False),
        ("LAUNCHED", [], "2026-01-30T11:00:00", True),
        ("LAUNCHED", [], "2026-01-30T12:30:00+00:00", False),
        ("LAUNCHED", [], "2026-01-30T12:30:00+02:00", True),
        ("LAUNCHED", [], "the day before yesterday", False),
        ("LAUNCHED", [], "1712102451234", False),
        ("LAUNCHED", [], "20260129", False),
        ("LAUNCHED", [], "2026-W04-1", False),
        ("LAUNCHED", [], " 2026-01-29", False),
        ("LAUNCHED", [], "2026-01-29\n", False),
        ("LAUNCHED", [], "2026-01-29", True),
        ("LAUNCHED", [], Odd("N", '{"N": "0"}'), False),
    ],
)
def test_absence_ends_a_meeting_only_with_evidence(
    status: str, records: list[object], meet_time: str | Odd | None, ends: bool
) -> None:
    rows = [row(status=status, ids={"teacher": TEACHER}, meet_time=meet_time)]
    listed = machine(OTHER, meeting="m9", state="terminated")
    wanted = decided(world([listed], records, rows, absent=[TEACHER]))  # type: ignore[arg-type]
    over = [change for change in wanted.changes if change.action is Action.TERMINATE_MEETING]
    assert bool(over) is ends
    assert all(change.concluded == (TEACHER,) for change in over)
    assert ("instance-not-seen" in found(wanted)) is not ends


def test_terminated_is_history() -> None:
    rows = [row(status="TERMINATED", links={"teacher": link(OTHER)}, ids={"teacher": TEACHER})]
    wanted = decided(world([machine(), machine(OTHER, state="terminated")], [record()], rows))
    assert (wanted.changes, found(wanted)) == ((), ["terminated-meeting-alive"])


def test_no_row_is_ever_created() -> None:
    wanted = decided(world([machine()], [record()], [], rowless=["m1"]))
    assert (wanted.changes, found(wanted)) == ((), ["missing-meeting"])


def test_a_link_names_what_it_saw() -> None:
    (change,) = decided(world([machine()], [record()], [row(status="LAUNCHED", ids={"teacher": TEACHER})])).changes
    assert change.row
    assert set(change.row.conditions) == {
        Condition("teacher_ec2_id", (TEACHER,)),
        Condition("status", (None, "PENDING", "SCHEDULED", "LAUNCHED", "DNS_WRITTEN")),
    }


def test_a_removal_names_the_very_link() -> None:
    (change,) = decided(world([machine(state="stopped")], [], [row(links={"teacher": link(TEACHER)})])).changes
    assert change.row
    assert set(change.row.conditions) == {
        Condition("teacher_ec2_link", (link(TEACHER),)),
        Condition("status", ("TERMINATED",), negated=True),
    }


def test_roles_and_port_are_settings() -> None:
    using = settings(ROLES="guest", DCV_PORT="443")
    (change,) = decided(world([machine(role="guest")], [record()], [row()]), using).changes
    assert dict(change.after) == {"guest_ec2_link": f"https://{TEACHER}.example.com:443"}


def test_a_dead_link_is_to_be_removed_where_its_replacement_cannot_be_written() -> None:
    machines = [machine(), machine(OTHER, state="terminated", ip=None)]
    create, write = decided(world(machines, [], [row(links={"teacher": link(OTHER)})])).changes
    assert create.action is Action.CREATE_RECORD
    assert shown(write.instead) == [("clear-link", "link-dead")]


def test_strangers_do_not_matter() -> None:
    assert not decided(world([machine(STRANGER, tagged=False, meeting="m1")], [], [row()])).changes


def test_mark_and_address_of_the_build_are_what_the_tests_think() -> None:
    assert record().comment == MARK
    assert record().content == ADDRESS
