"""What EC2 shows can differ from what there is, machine by machine, for so many readings or until it is ended."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controller.sandbox.aws import AwsServer
from tests.sandbox.conftest import PROJECT, described

LAUNCHED = datetime(2025, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def machine(aws: AwsServer) -> str:
    return aws.machines.launch("m1", "teacher", address="192.0.2.1", launched_at=LAUNCHED)


@pytest.fixture
def other(aws: AwsServer) -> str:
    return aws.machines.launch("m1", "student", address="192.0.2.2", launched_at=LAUNCHED)


def by_filter(*ids: str) -> dict[str, Any]:
    return {"Filters": [{"Name": "instance-id", "Values": list(ids)}]}


def shown(aws: AwsServer, machine: str) -> tuple[str, str | None] | None:
    """State and address in one listing; None where it is not listed."""
    seen = described(aws, Filters=PROJECT).get(machine)
    return seen and (seen["State"]["Name"], seen.get("PublicIpAddress"))


def test_a_hidden_machine_is_found_by_its_id_only(aws: AwsServer, machine: str, other: str) -> None:
    aws.machines.hide(machine)
    assert described(aws, Filters=PROJECT).keys() == described(aws).keys() == {other}
    of_meeting = [*PROJECT, {"Name": "tag:MeetingID", "Values": ["m1"]}]
    assert described(aws, Filters=of_meeting).keys() == {other}
    assert described(aws, **by_filter(machine)).keys() == described(aws, InstanceIds=[machine]).keys() == {machine}
    assert aws.machines.all().keys() == {machine, other}
    aws.machines.show_truth(machine)
    assert described(aws, Filters=PROJECT).keys() == {machine, other}


def test_a_machine_can_be_hidden_altogether(aws: AwsServer, machine: str, other: str) -> None:
    aws.machines.hide(machine, by_id=True)
    assert described(aws, Filters=PROJECT).keys() == described(aws, **by_filter(machine, other)).keys() == {other}
    with pytest.raises(ClientError, match=f"InvalidInstanceID.NotFound.*{machine}"):
        described(aws, InstanceIds=[other, machine])


def test_failed_call_uses_up_no_reading_of_another_machine(aws: AwsServer, machine: str, other: str) -> None:
    aws.machines.hide(machine, by_id=True, readings=1)
    aws.machines.strip_address(other, readings=1)
    with pytest.raises(ClientError, match="NotFound"):
        described(aws, InstanceIds=[other, machine])
    seen = described(aws, InstanceIds=[other, machine])
    assert "PublicIpAddress" in seen[machine]
    assert "PublicIpAddress" not in seen[other]


def test_all_machines_of_a_reservation_or_one_can_be_hidden(aws: AwsServer) -> None:
    made = aws.client("ec2").run_instances(ImageId="ami-1", MinCount=2, MaxCount=2)["Instances"]
    first, second = (instance["InstanceId"] for instance in made)
    aws.machines.hide(first)
    assert described(aws).keys() == {second}
    aws.machines.hide(second)
    assert aws.client("ec2").describe_instances()["Reservations"] == []


def test_an_address_is_missing_for_so_many_readings(aws: AwsServer, machine: str, other: str) -> None:
    aws.machines.strip_address(machine, readings=2)
    for _ in range(2):
        seen = described(aws, Filters=PROJECT)
        assert seen[machine]["State"] == {"Code": 16, "Name": "running"}
        assert "PublicIpAddress" not in seen[machine]
        assert seen[other]["PublicIpAddress"] == "192.0.2.2"
    assert shown(aws, machine) == ("running", "192.0.2.1")


def test_a_stripped_address_shows_nowhere_and_nothing_else_is_missing(aws: AwsServer) -> None:
    made = aws.client("ec2").run_instances(ImageId="ami-1", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    true = described(aws)[made]
    aws.machines.strip_address(made, readings=1)
    seen = described(aws)[made]
    assert true["PublicIpAddress"] not in str(seen)
    assert true.keys() - seen.keys() == {"PublicIpAddress", "PublicDnsName"}
    assert seen["NetworkInterfaces"][0]["Attachment"] == true["NetworkInterfaces"][0]["Attachment"]
    assert described(aws)[made] == true


@pytest.mark.parametrize(
    ("state", "code", "address"),
    [("pending", 0, None), ("stopping", 64, "192.0.2.1"), ("stopped", 80, None), ("terminated", 48, None)],
)
def test_another_state_shows_as_a_machine_in_it_would(
    aws: AwsServer, machine: str, state: str, code: int, address: str | None
) -> None:
    aws.machines.show_state(machine, state, readings=1)
    seen = described(aws, Filters=PROJECT)[machine]
    assert seen["State"] == {"Code": code, "Name": state}
    assert (seen.get("PublicIpAddress"), seen["LaunchTime"]) == (address, LAUNCHED)
    assert shown(aws, machine) == ("running", "192.0.2.1")


def test_lies_come_one_after_another(aws: AwsServer, machine: str) -> None:
    aws.machines.hide(machine, readings=1)
    aws.machines.show_state(machine, "pending", readings=2)
    aws.machines.strip_address(machine, readings=1)
    assert [shown(aws, machine) for _ in range(5)] == [
        None,
        ("pending", None),
        ("pending", None),
        ("running", None),
        ("running", "192.0.2.1"),
    ]


def test_who_is_hidden_in_listings_can_be_shown_wrongly_by_id(aws: AwsServer, machine: str) -> None:
    aws.machines.hide(machine)
    aws.machines.strip_address(machine, readings=1)
    assert "PublicIpAddress" not in described(aws, **by_filter(machine))[machine]
    assert "PublicIpAddress" in described(aws, **by_filter(machine))[machine]
    assert shown(aws, machine) is None


def test_what_is_held_shows_as_it_was_whatever_happens(aws: AwsServer, machine: str, other: str) -> None:
    aws.machines.hold(machine, other, readings=1)
    aws.client("ec2").stop_instances(InstanceIds=[machine, other])
    aws.client("ec2").start_instances(InstanceIds=[other])
    for seen, address in zip(described(aws, Filters=PROJECT).values(), ("192.0.2.1", "192.0.2.2"), strict=True):
        assert (seen["State"]["Name"], seen["PublicIpAddress"], seen["LaunchTime"]) == ("running", address, LAUNCHED)
    seen = described(aws, Filters=PROJECT)
    assert seen[machine]["State"]["Name"] == "stopped"
    assert seen[other]["PublicIpAddress"] != "192.0.2.2"
    assert seen[other]["LaunchTime"] > LAUNCHED


def test_a_listing_is_one_reading_however_many_pages_it_has(aws: AwsServer) -> None:
    launched = [aws.machines.launch(f"m{number}", "teacher") for number in range(12)]
    aws.machines.hide(launched[0], launched[4], launched[11], readings=1)
    aws.machines.strip_address(*launched, readings=1)
    first = described(aws, Filters=PROJECT, MaxResults=5)
    assert first.keys() == set(launched) - {launched[0], launched[4], launched[11]}
    assert not any("PublicIpAddress" in seen for seen in first.values())
    second = described(aws, Filters=PROJECT, MaxResults=5)
    late = {machine for machine in second if "PublicIpAddress" not in second[machine]}
    assert second.keys() == set(launched)
    assert late == {launched[0], launched[4], launched[11]}
    assert aws.operations() == ["DescribeInstances"] * 6


def test_what_asks_for_others_is_no_reading(aws: AwsServer, machine: str, other: str) -> None:
    aws.machines.strip_address(machine, readings=1)
    described(aws, **by_filter(other))
    described(aws, InstanceIds=[other])
    described(aws, Filters=[{"Name": "tag:Role", "Values": ["student"]}])
    aws.client("ec2").describe_instance_status()
    assert shown(aws, machine) == ("running", None)


def test_a_purged_machine_is_forgotten_and_a_reset_ends_all_lies(aws: AwsServer, machine: str, other: str) -> None:
    aws.machines.terminate(machine)
    aws.machines.purge(machine)
    aws.machines.hide(other, by_id=True)
    assert described(aws) == described(aws, **by_filter(machine, other)) == {}
    with pytest.raises(KeyError):
        aws.machines.hold(machine)
    aws.reset()
    again = aws.machines.launch("m1", "student", id=other)
    assert described(aws).keys() == {again}


def test_the_log_has_what_was_answered(aws: AwsServer, machine: str) -> None:
    aws.machines.hide(machine, readings=1)
    described(aws)
    described(aws)
    told, true = (exchange.answer for exchange in aws.requests)
    assert told
    assert true
    assert machine.encode() not in told.content
    assert machine.encode() in true.content
