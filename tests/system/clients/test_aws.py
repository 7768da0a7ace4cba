"""EC2 in the AWS adapter, against moto's server: pages, filters, lookups and addresses; and calls that fail."""

from datetime import UTC, datetime

import pytest

from controller.aws.ec2 import Ec2Fleet, parse_instance
from controller.bootstrap import build
from controller.errors import DeadlineError, ObservationError, TransientError
from controller.model import Mode, Request
from controller.runtime.budget import Budget
from controller.sandbox.cloudflare import Proceed, Reply
from controller.sandbox.cloudflare import Request as Sent
from controller.settings import read_settings
from tests.support.build import OTHER, STUDENT, TEACHER
from tests.support.clock import FastClock
from tests.support.servers import Clouds
from tests.system.faults.aws_kinds import JSON_TYPE
from tests.system.faults.calls import DESCRIBE, QUERY, SCAN, operation


def budget() -> Budget:
    return Budget(FastClock(), 600)


def fleet(clouds: Clouds, **changes: str) -> Ec2Fleet:
    controller = clouds.controller(**changes)
    return Ec2Fleet(controller.ec2, controller.settings, budget())


def test_listing_returns_tagged_instances_in_any_state_of_all_pages(clouds: Clouds) -> None:
    states = ["pending", "running", "stopping", "stopped", "shutting-down", "terminated"]
    ids = {clouds.aws.machines.launch(f"m{n}", "teacher", state=states[n % 6]) for n in range(1203)}
    clouds.aws.machines.launch(tags={"Project": "Other"})
    clouds.aws.machines.launch(tags={})
    clouds.aws.requests.clear()
    assert {machine.id for machine in fleet(clouds).tagged()} == ids
    assert clouds.aws.operations() == ["DescribeInstances"] * 2


def test_instance_has_its_tags_address_and_launch_time(clouds: Clouds) -> None:
    launched = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
    clouds.aws.machines.launch("m1", "teacher", id=TEACHER, address="192.0.2.1", launched_at=launched)
    clouds.aws.machines.launch(id=OTHER, address=None, tags={"Role": "x"})
    found = {machine.id: machine for machine in fleet(clouds).by_id([TEACHER, OTHER, STUDENT])}
    assert found.keys() == {TEACHER, OTHER}, "an unknown id is not an error"
    seen = found[TEACHER]
    assert (seen.state, seen.public_ip, seen.tagged) == ("running", "192.0.2.1", True)
    assert (seen.meeting, seen.role, seen.launched_at) == ("m1", "teacher", launched)
    assert (found[OTHER].tagged, found[OTHER].meeting, found[OTHER].public_ip) == (False, None, None)


#: What a filter leaves of a page in which nothing fits; another page follows.
NOTHING_FITS = {
    DESCRIBE: Reply.text(
        200,
        '<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
        "<reservationSet/><nextToken>more</nextToken></DescribeInstancesResponse>",
        "text/xml;charset=UTF-8",
    ),
    **dict.fromkeys(
        (SCAN, QUERY),
        Reply.text(
            200,
            '{"Items": [], "Count": 0, "ScannedCount": 9, "LastEvaluatedKey": {"id": {"S": "more"}}, '
            '"ConsumedCapacity": {"TableName": "x", "CapacityUnits": 1}}',
            JSON_TYPE,
        ),
    ),
}


def begin_listings_with_nothing(clouds: Clouds) -> None:
    """AWS filters a page after it has cut it: the first one brings nothing, and the second one all."""
    seconds = dict[str, Reply]()

    def answer(request: Sent, proceed: Proceed) -> Reply:
        if (asked := operation(request)) not in NOTHING_FITS:
            return proceed()
        listing = str(request.json["ExpressionAttributeValues"]) if isinstance(request.json, dict) else asked
        if b"NextToken=more" in request.content or b'"more"' in request.content:
            return seconds[listing]
        seconds[listing] = proceed()
        return NOTHING_FITS[asked]

    clouds.aws.intercept = answer


def test_page_without_instances_does_not_end_the_listing(clouds: Clouds) -> None:
    machine = clouds.launch()
    begin_listings_with_nothing(clouds)
    machines = fleet(clouds)
    for found in (machines.tagged(), machines.by_id([machine]), machines.of_meetings(["m1"])):
        assert [seen.id for seen in found] == [machine]


def test_every_instance_of_a_reservation_is_read(clouds: Clouds) -> None:
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Project", "Value": "Elephant"}]}]
    launched = clouds.aws.client("ec2").run_instances(
        ImageId="ami-12345678", MinCount=3, MaxCount=3, TagSpecifications=tags
    )
    ids = {machine["InstanceId"] for machine in launched["Instances"]}
    assert len(ids) == 3
    assert {machine.id for machine in fleet(clouds).tagged()} == ids


def with_second_interface(clouds: Clouds) -> tuple[str, str, str]:
    """Launch a machine with an Elastic IP on its second interface alone: machine, address and interface."""
    ec2 = clouds.aws.client("ec2")
    machine = clouds.launch(address=None)
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    ec2.attach_network_interface(NetworkInterfaceId=interface, InstanceId=machine, DeviceIndex=1)
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=interface)
    return machine, address["PublicIp"], interface


def test_elastic_ip_of_a_second_interface_is_reported(clouds: Clouds) -> None:
    machine, address, interface = with_second_interface(clouds)
    clouds.launch("m2", "teacher", address=None)
    findings = {finding.key: finding for finding in clouds.plan().findings if finding.id == "no-public-address"}
    assert f"It has {address} on {interface}" in findings[machine].message
    assert "primary network interface" in findings[machine].hint
    (other,) = findings.keys() - {machine}
    assert "It has" not in findings[other].message
    assert findings[other].hint.startswith("Give it an address")


def interface(number: int, *addresses: str | None, **fields: object) -> dict[str, object]:
    """A network interface as EC2 describes it, with a private address for each public one."""
    private = [{"Primary": not n, **_association(address)} for n, address in enumerate(addresses)]
    first = _association(addresses[0] if addresses else None)
    return {"NetworkInterfaceId": f"eni-{number}", "PrivateIpAddresses": private, **first, **fields}


def _association(address: str | None) -> dict[str, object]:
    return {"Association": {"PublicIp": address}} if address else {}


@pytest.mark.parametrize(
    ("address", "interfaces", "aside"),
    [
        (None, [interface(0, None), interface(1, "192.0.2.1")], "192.0.2.1 on eni-1"),
        (None, [interface(0, None, "192.0.2.2")], "192.0.2.2 on eni-0"),
        ("192.0.2.1", [interface(0, "192.0.2.1"), interface(1, "192.0.2.2")], None),
        (None, [interface(0, None, Ipv6Addresses=[{"Ipv6Address": "2001:db8::1"}])], None),
        (None, [interface(0), {"Association": {"CarrierIp": "192.0.2.3"}}], None),
        (None, [], None),
    ],
)
def test_address_aside_is_read_from_the_interfaces(
    address: str | None, interfaces: list[dict[str, object]], aside: str | None
) -> None:
    raw = {"InstanceId": TEACHER, "State": {"Name": "running"}, "NetworkInterfaces": interfaces}
    assert parse_instance({**raw, "PublicIpAddress": address}, ("Project", "Elephant")).aside == aside


@pytest.mark.parametrize(
    ("key", "value", "is_tagged"),
    [
        ("Project", "Elephant", True),
        ("Project", "elephant", False),
        ("Project", "ELEPHANT", False),
        ("Project", "Elephant ", False),
        ("project", "Elephant", False),
    ],
)
def test_project_tag_is_compared_exactly(key: str, value: str, is_tagged: bool) -> None:
    raw = {"InstanceId": TEACHER, "State": {"Name": "running"}, "Tags": [{"Key": key, "Value": value}]}
    assert parse_instance(raw, ("Project", "Elephant")).tagged is is_tagged


def test_listing_takes_the_project_tag_literally(clouds: Clouds) -> None:
    """EC2 reads the value of a filter as a pattern."""
    clouds.aws.machines.launch("m1", "teacher")
    assert fleet(clouds, PROJECT_TAG="Project=Ele*", OWNER_ID="other").tagged() == []


def test_every_request_is_one_that_the_pass_knows_of(clouds: Clouds) -> None:
    """What botocore repeats by itself takes time that nobody has counted."""
    sent = list[Sent]()

    def fail_once(request: Sent, proceed: Proceed) -> Reply:
        sent.append(request)
        return proceed() if len(sent) > 1 else Reply(503)

    controller, counted = clouds.controller(), Budget(FastClock(), 600)
    clouds.aws.intercept = fail_once
    Ec2Fleet(controller.ec2, controller.settings, counted).tagged()
    assert len(sent) == counted.calls()["ec2"] == 2


def test_lookups_ask_for_200_ids_at_a_time(clouds: Clouds) -> None:
    ids = [clouds.aws.machines.launch("m", "teacher") for _ in range(401)]
    clouds.aws.requests.clear()
    assert len(fleet(clouds).by_id(ids)) == 401
    assert clouds.aws.operations() == ["DescribeInstances"] * 3


@pytest.mark.parametrize("meeting", ["plain", "a*", "a?c", "a\\b", "ünï", "x" * 256, "[a]"])
def test_members_are_those_of_exactly_these_meetings(clouds: Clouds, meeting: str) -> None:
    wanted = {clouds.aws.machines.launch(meeting, role) for role in ("teacher", "student")}
    for other in ("abc", "a", "a*b", "plai", "a/b"):
        clouds.aws.machines.launch(other, "teacher")
    wanted.add(clouds.aws.machines.launch(tags={"MeetingID": meeting}))
    assert {machine.id for machine in fleet(clouds).of_meetings([meeting])} == wanted


def test_other_project_tag_selects_other_instances(clouds: Clouds) -> None:
    clouds.launch()
    staging = clouds.aws.machines.launch(tags={"Stage": "a=b", "MeetingID": "m", "Role": "teacher"})
    assert [m.id for m in fleet(clouds, PROJECT_TAG="Stage=a=b", OWNER_ID="staging").tagged()] == [staging]


def test_deadline_error_names_the_seconds_given(clouds: Clouds) -> None:
    with pytest.raises(DeadlineError, match="The pass's 1 second is over"):
        clouds.controller().begin(Mode.PLAN, 0.5).budget.timeout(1)


def test_refused_connection_is_retried(clouds: Clouds) -> None:
    with clouds.exported(AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:9") as environment:
        controller = build(read_settings(environment), account=clouds.aws.account)
    clouds.controllers.append(controller)
    with pytest.raises(ObservationError, match="DynamoDB") as caught:
        controller.run(Request(Mode.PLAN), 2)
    assert isinstance(caught.value.__cause__, TransientError)
