"""Rules for rows: every row of the table of situations. How a link is judged is in ``test_evidence.py``."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controller.model import Action, Condition, DnsRecord, Instance, NonString, RowChange, World
from tests.support.build import (
    ADDRESS,
    ELSEWHERE,
    FOREIGN,
    MARK,
    NOW,
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

THREE = [(TEACHER, ADDRESS), (OTHER, ELSEWHERE), (STRANGER, "203.0.113.5")]
EARLY = [None, "PENDING", "SCHEDULED", "LAUNCHED"]
LATE = [
    "DNS_WRITTEN",
    "HEALTHY",
    "IN_PROGRESS",
    "PAUSED",
    "",
    NonString("N", '{"N": "5"}'),
    NonString("NULL", '{"NULL": true}'),
]
LIVE = ["LAUNCHED", "DNS_WRITTEN", "HEALTHY", "IN_PROGRESS"]


@pytest.mark.parametrize("status", EARLY)
def test_link_current_is_written_and_an_early_status_moves_on(status: str | None) -> None:
    (change,) = decided(world([machine()], [record()], [row(status=status)])).changes
    assert (change.action, change.rule, change.instance) == (Action.WRITE_LINK, "link-current", TEACHER)
    assert dict(change.after) == {"teacher_ec2_link": link(TEACHER), "status": "DNS_WRITTEN"}


@pytest.mark.parametrize("status", LATE)
def test_link_current_leaves_any_other_status_alone(status: str | NonString) -> None:
    (change,) = decided(world([machine()], [record()], [row(status=status)])).changes
    assert dict(change.after) == {"teacher_ec2_link": link(TEACHER)}
    assert isinstance(change, RowChange)
    assert Condition("status", (status,)) in change.write.conditions


@pytest.mark.parametrize("status", EARLY)
def test_status_early_is_written_even_if_the_link_is_right(status: str | None) -> None:
    (change,) = decided(world([machine()], [record()], [row(status=status, links={"teacher": link(TEACHER)})])).changes
    assert (change.rule, dict(change.after)["status"]) == ("status-early", "DNS_WRITTEN")


@pytest.mark.parametrize("status", LATE)
def test_a_right_link_in_a_later_status_plans_nothing(status: str | NonString) -> None:
    assert not decided(world([machine()], [record()], [row(status=status, links={"teacher": link(TEACHER)})])).changes


def test_the_link_waits_for_its_record_in_the_same_plan() -> None:
    wanted = decided(world([machine()], [], [row()]))
    assert shown(wanted) == [("create-record", "record-serving"), ("write-link", "link-current")]


def linked(seen: World) -> str | None:
    """The machine that the teacher's link is to lead to."""
    (change,) = (c for c in decided(seen).changes if (c.action, c.role) == (Action.WRITE_LINK, "teacher"))
    return change.instance


def test_current_machine_is_the_named_else_the_linked_else_the_newest() -> None:
    machines = [machine(i, ip=ip, launched=NOW - timedelta(hours=n)) for n, (i, ip) in enumerate(THREE)]
    records = [record(i, ip, id=i) for i, ip in THREE]
    newest, second, oldest = (i for i, _ in THREE)
    assert linked(world(machines, records, [row(status="LAUNCHED")])) == newest
    to_second = {"teacher": link(second)}
    assert linked(world(machines, records, [row(status="LAUNCHED", links=to_second)])) == second
    assert (
        linked(world(machines, records, [row(status="LAUNCHED", ids={"teacher": oldest}, links=to_second)])) == oldest
    )
    gone = [replace(m, state="terminated") if m.id == oldest else m for m in machines]
    assert linked(world(gone, records[:2], [row("m1", "LAUNCHED", ids={"teacher": oldest}, links=to_second)])) == second


@pytest.mark.parametrize(
    "other", [machine(OTHER, meeting="m2"), machine(OTHER, role="student"), machine(OTHER, role=None)]
)
def test_current_is_no_machine_whose_tags_are_anothers(other: Instance) -> None:
    """Neither the row's id nor its link makes it current: nobody is sent to a stranger's desktop."""
    named = row(status="LAUNCHED", ids={"teacher": OTHER}, links={"teacher": link(OTHER)})
    seen = world(
        [machine(), replace(other, public_ip=ELSEWHERE)], [record(), record(OTHER, ELSEWHERE, id="r2")], [named]
    )
    assert linked(seen) == TEACHER


@pytest.mark.parametrize("tags", [{"meeting": "m2"}, {"role": "student"}])
def test_wrongly_named_machine_is_reported_and_never_linked(tags: dict[str, Any]) -> None:
    wanted = decided(world([machine(**tags)], [record()], [row(ids={"teacher": TEACHER}), row("m2")]))
    assert not [c for c in wanted.changes if (c.key, c.role) == ("m1", "teacher")]
    assert "wrong-instance" in found(wanted)


def test_a_replacement_that_is_still_starting_displaces_nobody() -> None:
    machines = [machine(TEACHER), machine(OTHER, state="pending", ip=None, launched=YOUNG)]
    rows = [row(ids={"teacher": OTHER}, links={"teacher": link(TEACHER)})]
    assert not decided(world(machines, [record()], rows)).changes


BLOCKERS = [
    [record(content=ELSEWHERE, comment=FOREIGN)],
    [record(type="CNAME", content="x.example.org", comment="")],
    [record(), record(content=ELSEWHERE, id="r2", comment="by hand")],
]


@pytest.mark.parametrize("here", BLOCKERS, ids=["foreign", "alias", "unmarked beside ours"])
def test_blocked_name_gets_no_link_and_only_a_dead_link_is_cleared(here: list[DnsRecord]) -> None:
    dead = machine(OTHER, state="terminated")
    to_dead, to_current = ({"teacher": link(i)} for i in (OTHER, TEACHER))
    assert not decided(world([machine()], here, [row(status="LAUNCHED")])).changes
    assert not decided(world([machine()], here, [row(status="LAUNCHED", links=to_current)])).changes, "it stays"
    assert shown(decided(world([machine(), dead], here, [row(links=to_dead)]))) == [("clear-link", "link-dead")]
    idle = machine(OTHER, ip=None)
    assert not decided(world([machine(), idle], here, [row(links=to_dead)])).changes


def test_dead_link_is_cleared_first_if_the_new_record_is_pending() -> None:
    machines, rows = [machine(), machine(OTHER, state="terminated")], [row(links={"teacher": link(OTHER)})]
    for here in ([], [record(content=ELSEWHERE)]):
        _, *of_row = shown(decided(world(machines, here, rows)))
        assert of_row == [("clear-link", "link-dead"), ("write-link", "link-current")]
    in_place = shown(decided(world(machines, [record()], rows)))
    assert in_place == [("write-link", "link-current")], "written over the dead one in one write"


@pytest.mark.parametrize("linked", [machine(OTHER, ip=None), None], ids=["alive", "unknown"])
def test_link_that_is_not_dead_stays_until_the_new_one_is_written(linked: Instance | None) -> None:
    machines, rows = [machine(), *([linked] if linked else [])], [row(links={"teacher": link(OTHER)})]
    assert shown(decided(world(machines, [], rows))) == [
        ("create-record", "record-serving"),
        ("write-link", "link-current"),
    ]


def test_an_address_that_cannot_be_proxied_blocks_the_link() -> None:
    assert not decided(world([machine(ip="10.1.2.3")], [], [row(status="LAUNCHED")])).changes


@pytest.mark.parametrize(
    "odd",
    [
        "https://elsewhere.org/x",
        f"http://{TEACHER}.example.com:8443",
        f"https://{TEACHER}.example.com:443",
        NonString("N", "{}"),
    ],
)
def test_a_link_of_another_shape_is_only_ever_overwritten(odd: str | NonString) -> None:
    dead, alive = machine(state="terminated", launched=YOUNG), machine(OTHER)
    rows = [row(links={"teacher": odd}, status="HEALTHY")]
    assert not decided(world([dead], [], [row(links={"teacher": odd}, status="SCHEDULED")])).changes
    (change,) = decided(world([alive], [record(OTHER)], rows)).changes
    assert change.action is Action.WRITE_LINK


@pytest.mark.parametrize("status", LIVE)
def test_meeting_over_takes_the_links_along_in_one_write(status: str) -> None:
    machines = [machine(state="terminated"), machine(STUDENT, role="student", state="shutting-down")]
    links = {"teacher": link(TEACHER), "student": "https://elsewhere.example.org/"}
    (change,) = decided(world(machines, [], [row(links=links, status=status)])).changes
    assert (change.action, change.rule) == (Action.TERMINATE_MEETING, "meeting-over")
    assert dict(change.after) == {
        "status": "TERMINATED",
        "termination_reason": "INSTANCES_GONE",
        "teacher_ec2_link": None,
    }, "a link of another shape stays"


@pytest.mark.parametrize(
    "member",
    [
        *(machine(STUDENT, role="student", state=state) for state in ("pending", "running", "stopping", "stopped")),
        machine(STUDENT, role="janitor"),
        machine(STUDENT, role="student", tagged=False),
        machine(STUDENT, role=None, ip=None),
    ],
    ids=lambda m: f"{m.state}-{m.role}-{m.tagged}",
)
def test_one_member_that_does_not_count_keeps_the_meeting(member: Instance) -> None:
    """Whoever carries the meeting is a member, of whatever role, also without the project's tag."""
    lesson = row(status="IN_PROGRESS", links={"teacher": link(TEACHER)})
    wanted = decided(world([machine(state="terminated"), member], [], [lesson]))
    assert [c for c in shown(wanted) if c[0] != "create-record"][:1] == [("clear-link", "link-dead")]
    assert ("terminate-meeting", "meeting-over") not in shown(wanted), "only the dead link goes"


def test_a_machine_that_only_the_row_names_is_a_member_too() -> None:
    for named in (machine(STUDENT, tagged=False, meeting=None), machine(STUDENT, meeting=None)):
        gone = machine(state="terminated")
        assert not decided(world([gone, named], [], [row(ids={"student": STUDENT})])).changes
        gone_too = replace(named, state="terminated")
        assert shown(decided(world([gone, gone_too], [], [row(ids={"student": STUDENT})]))) == [
            ("terminate-meeting", "meeting-over")
        ]


@pytest.mark.parametrize(
    ("linked", "ends"),
    [
        (machine(OTHER, meeting="m2", state="terminated"), True),
        (machine(OTHER, meeting="m2", state="stopped"), True),
        (machine(OTHER, meeting="m2"), True),
        (machine(OTHER, meeting="m2", role="student"), True),
        (machine(OTHER, meeting="nobody's", role="student"), False),
        (machine(OTHER, meeting="m2", ip=None), False),
        (None, False),
    ],
    ids=["gone", "stopped", "a stranger's", "a stranger's of the role", "without a row", "without address", "unknown"],
)
def test_a_meeting_is_over_only_where_no_link_deserves_to_stay(linked: Instance | None, ends: bool) -> None:
    machines, lesson = [machine(state="terminated")], row(status="HEALTHY", links={"student": link(OTHER)})
    machines += [linked] if linked else []
    wanted = decided(world(machines, [record(OTHER)] if linked else [], [lesson, row("m2", None)]))
    assert (("terminate-meeting", "meeting-over") in shown(wanted)) is ends


def test_dead_links_go_first_where_the_end_rests_on_absence() -> None:
    late = (NOW - timedelta(days=2)).isoformat()
    about: dict[str, Any] = {"status": "HEALTHY", "ids": {"teacher": TEACHER}, "meet_time": late}
    gone = machine(STUDENT, role="student", state="terminated")
    first = row(**about, links={"teacher": link(TEACHER), "student": link(STUDENT)})
    assert shown(decided(world([gone], [], [first], absent=[TEACHER]))) == [("clear-link", "link-dead")]
    (change,) = decided(world([gone], [], [replace(first, links={"teacher": link(TEACHER)})], absent=[TEACHER])).changes
    assert change.rule == "meeting-over"
    assert dict(change.after)["teacher_ec2_link"] is None, "a link to what is only absent goes with the end"


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


def test_early_death_does_not_end_a_meeting_that_awaits_another_role() -> None:
    dead = machine(state="terminated", launched=YOUNG)
    assert not decided(world([dead], [], [row(status="LAUNCHED")])).changes
    both = [dead, machine(STUDENT, role="student", state="terminated", launched=YOUNG)]
    assert shown(decided(world(both, [], [row(status="LAUNCHED")]))) == [("terminate-meeting", "meeting-over")]
    stranger = machine(STUDENT, meeting="m2", state="terminated", launched=YOUNG)
    assert not decided(world([stranger], [], [row(ids={"student": STUDENT})])).changes, "no teacher was ever seen"
    named = world([dead, machine(STUDENT, role=None, state="terminated")], [], [row(ids={"student": STUDENT})])
    assert shown(decided(named)) == [("terminate-meeting", "meeting-over")]


def test_terminated_is_history() -> None:
    rows = [row(status="TERMINATED", links={"teacher": link(OTHER)}, ids={"teacher": TEACHER})]
    wanted = decided(world([machine(), machine(OTHER, state="terminated")], [record()], rows))
    assert (wanted.changes, found(wanted)) == ((), ["terminated-meeting-alive"])


def test_no_row_is_ever_created() -> None:
    wanted = decided(world([machine()], [record()], [], rowless=["m1"]))
    assert (wanted.changes, found(wanted)) == ((), ["missing-meeting"])


def test_a_link_names_what_it_saw() -> None:
    (change,) = decided(world([machine()], [record()], [row(status="LAUNCHED", ids={"teacher": TEACHER})])).changes
    assert isinstance(change, RowChange)
    assert set(change.write.conditions) == {
        Condition("teacher_ec2_id", (TEACHER,)),
        Condition("status", (None, "PENDING", "SCHEDULED", "LAUNCHED", "DNS_WRITTEN")),
    }


def test_a_removal_names_the_very_link() -> None:
    (change,) = decided(world([machine(state="stopped")], [], [row(links={"teacher": link(TEACHER)})])).changes
    assert isinstance(change, RowChange)
    assert set(change.write.conditions) == {
        Condition("teacher_ec2_link", (link(TEACHER),)),
        Condition("status", ("TERMINATED",), negated=True),
    }


def test_roles_and_port_are_settings() -> None:
    using = settings(ROLES="guest", DCV_PORT="443")
    (change,) = decided(world([machine(role="guest")], [record()], [row()]), using).changes
    assert dict(change.after) == {"guest_ec2_link": f"https://{TEACHER}.example.com:443"}


def test_mark_and_address_of_the_build_are_what_the_tests_think() -> None:
    assert record().comment == MARK
    assert record().content == ADDRESS
