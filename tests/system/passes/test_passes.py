"""Whole passes against both servers: sizes, round trips, scopes, guards, and rows that change meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest

from controller.errors import PlanChangedError
from controller.model import Mode, Request
from controller.sandbox.cloudflare import Permission, Proceed, Reply
from controller.sandbox.cloudflare import Request as Sent
from tests.support.build import link, name
from tests.support.servers import Clouds, outcomes

pytestmark = pytest.mark.usefixtures("requests_judged")

NEW = timedelta(seconds=20)


def calls_to(clouds: Clouds) -> list[str]:
    """The requests that Cloudflare got, in short."""
    return [f"{x.request.method} {x.request.path.rpartition('/')[2]}" for x in clouds.cloudflare.requests]


def thousand(clouds: Clouds) -> None:
    for number in range(500):
        for role in ("teacher", "student"):
            clouds.aws.machines.launch(
                f"m{number}", role, id=f"i-{number:016x}{role[0] == 't':d}", launched_at=datetime.now(UTC)
            )
        clouds.aws.rows.put(f"m{number}", status="LAUNCHED")


@pytest.mark.parametrize(("plan", "most"), [("pro", 3), ("free", 7)])
def test_1000_machines_converge_in_one_pass(clouds: Clouds, plan: str, most: int) -> None:
    clouds.reset(plan=plan, quota=5000)
    thousand(clouds)
    report = clouds.apply()
    assert report.converged
    assert report.summary()["create-record"] == report.summary()["write-link"] == 1000
    assert report.calls["cloudflare"] <= most
    assert clouds.aws.operations().count("UpdateItem") == 500, "one write for both links of a row"
    clouds.cloudflare.requests.clear()
    again = clouds.apply()
    assert not again.results
    assert again.calls["cloudflare"] == 1
    assert {row["status"] for row in clouds.aws.rows.all().values()} == {"DNS_WRITTEN"}


def test_from_event_to_link_in_four_sequential_round_trips(clouds: Clouds) -> None:
    """EC2; then records, rows and siblings side by side; Cloudflare; DynamoDB. A warm process knows its zone."""
    controller = clouds.controller()
    controller.run(Request(Mode.APPLY), 30)
    machine = clouds.launch(age=NEW)
    clouds.aws.requests.clear()
    clouds.cloudflare.requests.clear()
    report = controller.run(Request(Mode.APPLY, frozenset({machine})), 30)
    assert outcomes(report) == [("create-record", "applied"), ("write-link", "applied")]
    assert calls_to(clouds) == ["GET dns_records", "POST batch"]
    assert clouds.aws.operations()[0] == "DescribeInstances"
    assert sorted(clouds.aws.operations()[1:3]) == ["DescribeInstances", "GetItem"]
    assert clouds.aws.operations()[3:] == ["UpdateItem"]
    assert clouds.aws.rows.get("m1")["teacher_ec2_link"] == link(machine)


def test_a_scoped_pass_without_change_makes_one_cloudflare_call(clouds: Clouds) -> None:
    machine = clouds.launch(age=NEW)
    clouds.apply(machine)
    clouds.cloudflare.requests.clear()
    assert not clouds.apply(machine).results
    assert len(clouds.cloudflare.requests) == 1


@pytest.mark.parametrize("state", ["pending", "running"])
def test_event_of_a_strangers_machine_costs_one_call_to_ec2(clouds: Clouds, state: str) -> None:
    stranger = clouds.aws.machines.launch(tags={"Name": "database"}, state=state)
    clouds.aws.requests.clear()
    report = clouds.apply(stranger)
    assert not report.results
    assert clouds.aws.operations() == ["DescribeInstances"]
    assert not clouds.cloudflare.requests


def test_a_record_is_only_deleted_on_evidence_that_was_read_after_it(clouds: Clouds) -> None:
    machine = clouds.launch(state="stopped")
    clouds.seed(machine, "192.0.2.1")

    def start_meanwhile(request: Sent, proceed: Proceed) -> Reply:
        reply = proceed()
        if request.method == "GET" and clouds.aws.machines.all()[machine].state == "stopped":
            clouds.aws.machines.set_state(machine, "running")
            clouds.aws.machines.set_address(machine, "192.0.2.1")
        return reply

    clouds.cloudflare.intercept = start_meanwhile
    clouds.apply(machine)
    assert [write.operation for write in clouds.cloudflare.history] == []
    assert clouds.records() == {name(machine): ["192.0.2.1"]}


def test_a_terminated_machine_loses_record_and_link_at_once(clouds: Clouds) -> None:
    machine = clouds.launch()
    clouds.launch(role="student", state="terminated")
    clouds.apply(machine)
    clouds.aws.machines.terminate(machine)
    report = clouds.apply(machine)
    assert outcomes(report) == [("delete-record", "applied"), ("clear-link", "applied")]
    assert clouds.records() == {}
    assert clouds.aws.rows.get("m1")["status"] == "DNS_WRITTEN", "the end is the full pass's"
    assert outcomes(clouds.apply()) == [("terminate-meeting", "applied")]
    row = clouds.aws.rows.get("m1")
    assert (row["status"], row["termination_reason"]) == ("TERMINATED", "INSTANCES_GONE")
    assert "teacher_ec2_link" not in row


def test_machines_relaunched_after_both_ended_are_served(clouds: Clouds) -> None:
    old = [clouds.launch(role=role) for role in ("teacher", "student")]
    clouds.apply()
    clouds.aws.machines.terminate(*old)
    clouds.apply(*old)
    new = [clouds.launch(role=role, age=NEW) for role in ("teacher", "student")]
    clouds.apply(*new)
    row = clouds.aws.rows.get("m1")
    assert row["status"] == "DNS_WRITTEN"
    assert [row["teacher_ec2_link"], row["student_ec2_link"]] == [link(machine) for machine in new]


def test_a_scoped_pass_changes_nothing_of_other_machines(clouds: Clouds) -> None:
    machine, sibling, other = clouds.launch(), clouds.launch(role="student"), clouds.launch("m2")
    clouds.apply(machine)
    assert clouds.records().keys() == {name(machine)}
    assert "student_ec2_link" not in clouds.aws.rows.get("m1")
    assert clouds.plan(sibling, other).summary()["create-record"] == 2


def test_scoped_pass_removes_its_machines_link_and_no_other(clouds: Clouds) -> None:
    old = clouds.launch(age=timedelta(hours=1))
    clouds.apply()
    clouds.launch(age=NEW)
    clouds.aws.machines.terminate(old)
    assert outcomes(clouds.apply(old)) == [("delete-record", "applied"), ("clear-link", "applied")]
    assert clouds.records() == {}


def test_a_scoped_pass_concludes_nothing_from_absence(clouds: Clouds) -> None:
    machine = clouds.launch()
    clouds.seed(machine, "192.0.2.1")
    clouds.aws.machines.purge(machine)
    assert not clouds.apply(machine).results
    assert outcomes(clouds.apply()) == [("delete-record", "applied")]


def test_a_tag_policy_cuts_nobody_off(clouds: Clouds) -> None:
    machines = [clouds.launch(f"m{number}") for number in range(8)]
    assert clouds.apply().converged
    before, rows = clouds.records(), clouds.aws.rows.all()
    for number, machine in enumerate(machines[:7]):
        clouds.aws.machines.set_tags(machine, {"MeetingID": f"m{number}"})
    report = clouds.apply()
    assert not report.results
    assert {finding.key for finding in report.findings if finding.id == "untagged-instance"} == {*machines[:7]}
    assert (clouds.records(), clouds.aws.rows.all()) == (before, rows)
    clouds.aws.machines.stop(machines[0])
    assert outcomes(clouds.apply(machines[0])) == [("delete-record", "applied"), ("clear-link", "applied")]


def test_what_ended_during_an_outage_goes_at_once(clouds: Clouds) -> None:
    machines = [clouds.launch(f"m{number}") for number in range(40)]
    for number, machine in enumerate(machines):
        clouds.seed(machine, f"192.0.2.{number + 1}")
    clouds.aws.machines.purge(*machines)
    assert outcomes(clouds.apply()) == [("delete-record", "applied")] * 40


def test_a_first_reading_without_addresses_costs_nobody_the_record(clouds: Clouds) -> None:
    machines = [clouds.launch(f"m{number}") for number in range(40)]
    clouds.apply()
    before = clouds.records(), clouds.aws.rows.all()
    clouds.aws.machines.strip_address(*machines, readings=1)
    assert clouds.apply().ended_well
    assert (clouds.records(), clouds.aws.rows.all()) == before


@pytest.mark.parametrize("state", ["pending", "stopped"])
def test_the_state_of_a_moment_ago_costs_nobody_the_record(clouds: Clouds, state: str) -> None:
    machine = clouds.launch()
    clouds.apply()
    before = clouds.records(), clouds.aws.rows.all()
    clouds.aws.machines.show_state(machine, state, readings=1)
    assert not clouds.apply().results
    assert (clouds.records(), clouds.aws.rows.all()) == before


def test_running_machine_shown_without_address_keeps_its_record(clouds: Clouds) -> None:
    machine = clouds.launch()
    clouds.apply()
    before = clouds.records()
    clouds.aws.machines.strip_address(machine)
    for _ in range(3):
        assert not clouds.apply().results
    assert clouds.records() == before


def test_restarted_machine_loses_the_record_of_its_last_address(clouds: Clouds) -> None:
    machine = clouds.launch()
    clouds.seed(machine, clouds.address(machine) or "")
    clouds.restart(machine, age=timedelta(minutes=1))
    clouds.aws.machines.strip_address(machine)
    report = clouds.apply()
    assert [(r.change.rule, r.outcome) for r in report.results] == [("record-before-launch", "applied")]


def test_two_deployments_share_a_zone_and_never_touch_each_other(clouds: Clouds) -> None:
    ours = clouds.launch()
    clouds.apply()
    staging = clouds.aws.machines.launch(tags={"Project": "Staging", "MeetingID": "s1", "Role": "teacher"})

    def apply_to_staging() -> None:
        assert clouds.apply(PROJECT_TAG="Project=Staging", OWNER_ID="123456789012/us-west-2/staging").complete

    apply_to_staging()
    assert clouds.records().keys() == {name(ours), name(staging)}
    clouds.aws.machines.terminate(ours, staging)
    apply_to_staging()
    assert clouds.records().keys() == {name(ours)}
    clouds.apply()
    assert clouds.records() == {}


def test_a_plan_needs_a_token_that_can_only_read_and_writes_nothing(clouds: Clouds) -> None:
    clouds.launch()
    gone = clouds.launch("m2", state="terminated")
    clouds.seed(gone, "192.0.2.1")
    before = clouds.aws.rows.all()
    token = clouds.cloudflare.add_token([Permission.DNS_READ])
    report = clouds.plan(CLOUDFLARE_API_TOKEN=token)
    assert {outcome for _, outcome in outcomes(report)} == {"planned"}
    assert clouds.cloudflare.history == []
    assert clouds.aws.rows.all() == before
    assert not {"UpdateItem", "GetSecretValue"} & set(clouds.aws.operations())


def test_a_plan_for_everything_is_not_the_same_plan_for_one_machine(clouds: Clouds) -> None:
    machine = clouds.launch()
    full, scoped = clouds.plan(), clouds.plan(machine)
    assert full.results == scoped.results
    for scope, expect in ((None, scoped.digest), (frozenset({machine}), full.digest)):
        with pytest.raises(PlanChangedError):
            clouds.controller().run(Request(Mode.APPLY, scope, expect=expect), 30)
    assert clouds.cloudflare.history == []


def test_a_strangers_machine_that_ends_costs_one_listing(clouds: Clouds) -> None:
    """It may be ours with a lost tag, and what is seen to end loses its record at once."""
    stranger = clouds.aws.machines.launch(tags={"Name": "database"}, state="terminated")
    assert not clouds.apply(stranger).results
    assert calls_to(clouds) == ["GET dns_records"]
    clouds.seed(stranger, "192.0.2.1")
    assert outcomes(clouds.apply(stranger)) == [("delete-record", "applied")]


def test_healthy_that_arrives_in_the_middle_does_not_cost_the_link(clouds: Clouds) -> None:
    machine = clouds.launch(age=NEW)

    def get_healthy(request: Sent, proceed: Proceed) -> Reply:
        if request.method == "POST":
            clouds.aws.rows.edit("m1", status="HEALTHY")
        return proceed()

    clouds.cloudflare.intercept = get_healthy
    report = clouds.apply(machine)
    assert outcomes(report) == [("create-record", "applied"), ("write-link", "applied")]
    row = clouds.aws.rows.get("m1")
    assert (row["status"], row["teacher_ec2_link"]) == ("HEALTHY", link(machine))
    written = dict(report.results[1].change.after)
    assert written == {"teacher_ec2_link": link(machine)}, "the report says what was written"


def test_record_vanished_during_a_pass_supersedes_its_link(clouds: Clouds) -> None:
    machine = clouds.launch()
    record = clouds.seed(machine, "192.0.2.99")

    def vanish(request: Sent, proceed: Proceed) -> Reply:
        if request.method == "POST" and clouds.records():
            clouds.cloudflare.remove(record)
        return proceed()

    clouds.cloudflare.intercept = vanish
    report = clouds.apply()
    assert outcomes(report) == [("update-record", "superseded"), ("write-link", "superseded")]
    assert (report.complete, report.converged) == (True, False)
    assert clouds.apply().converged


def test_a_meeting_that_ends_in_the_middle_supersedes_the_link(clouds: Clouds) -> None:
    machine = clouds.launch(age=NEW)

    def end(request: Sent, proceed: Proceed) -> Reply:
        if request.method == "POST":
            clouds.aws.rows.edit("m1", status="TERMINATED")
        return proceed()

    clouds.cloudflare.intercept = end
    report = clouds.apply(machine)
    assert outcomes(report) == [("create-record", "applied"), ("write-link", "superseded")]
    assert (report.complete, report.converged) == (True, False)
    assert "teacher_ec2_link" not in clouds.aws.rows.get("m1")


def test_rows_out_of_the_indexs_sight_are_read_by_key(clouds: Clouds) -> None:
    clouds.aws.make_table("indexed", index="by-status")
    machine = clouds.aws.machines.launch("m1", "teacher")
    clouds.aws.rows.put("m1", status="SCHEDULED")
    clouds.aws.rows.put("m2", status="SCHEDULED", teacher_ec2_link=link("i-0000000a"))
    report = clouds.apply(TABLE_NAME="indexed", STATUS_INDEX="by-status")
    assert outcomes(report) == [("create-record", "applied"), ("write-link", "applied")]
    assert clouds.aws.rows.get("m1")["teacher_ec2_link"] == link(machine)
