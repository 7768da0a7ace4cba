"""The AWS adapter against moto's server: pages, filters, lookups, conditions and odd values."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from controller.aws.call import Call
from controller.aws.dynamodb import DynamoTable, DynamoWriter, expressions
from controller.aws.ec2 import Ec2Fleet, parse_instance
from controller.aws.secret import SecretToken
from controller.bootstrap import build
from controller.errors import (
    AuthenticationError,
    ConditionError,
    DeadlineError,
    MismatchError,
    ObservationError,
    TerminalError,
    TransientError,
)
from controller.model import Condition, Mode, NonString, Request, RowWrite
from controller.runtime.budget import Budget
from controller.sandbox.cloudflare import Proceed, Reply
from controller.sandbox.cloudflare import Request as Sent
from controller.settings import read_settings
from tests.support.build import OTHER, STUDENT, TEACHER
from tests.support.clock import FastClock
from tests.support.servers import Clouds
from tests.system.faults.aws_kinds import JSON_TYPE
from tests.system.faults.calls import DESCRIBE, QUERY, SCAN, operation

PEOPLE = {"teacher_name": "A. Person", "student_name": "B. Person", "jitsi_url": "https://meet.example.org/x"}


def budget() -> Budget:
    return Budget(FastClock(), 600)


def fleet(clouds: Clouds, **changes: str) -> Ec2Fleet:
    controller = clouds.controller(**changes)
    return Ec2Fleet(controller.ec2, controller.settings, budget())


def table(clouds: Clouds, **changes: str) -> DynamoTable:
    controller = clouds.controller(**changes)
    return DynamoTable(controller.dynamodb, controller.settings, budget())


def writer(clouds: Clouds) -> DynamoWriter:
    controller = clouds.controller()
    return DynamoWriter(controller.dynamodb, controller.settings, budget())


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


def test_scan_returns_rows_not_terminated_and_no_names_of_people(clouds: Clouds) -> None:
    clouds.aws.rows.put("m1", status="LAUNCHED", teacher_ec2_id=TEACHER, **PEOPLE)
    clouds.aws.rows.put("m2", **PEOPLE)
    clouds.aws.rows.put("m3", status="TERMINATED", **PEOPLE)
    clouds.aws.rows.put("m4", status=5, teacher_ec2_link=None, student_ec2_id=["x"], meet_time=b"\x00")
    clouds.aws.requests.clear()
    rows = {row.id: row for row in table(clouds).live()}
    assert rows.keys() == {"m1", "m2", "m4"}
    assert (rows["m1"].status, rows["m1"].instance_ids["teacher"], rows["m2"].status) == ("LAUNCHED", TEACHER, None)
    assert rows["m4"].status == NonString("N", '{"N": "5"}')
    assert isinstance(rows["m4"].meet_time, NonString)
    assert not [x for x in clouds.aws.requests if x.reply and b"Person" in x.reply.content], "people are not asked for"


def test_scan_reads_all_pages(clouds: Clouds) -> None:
    for number in range(40):
        clouds.aws.rows.put(f"m{number}", status="LAUNCHED", teacher_name="x" * 300_000)
    clouds.aws.requests.clear()
    assert len(table(clouds).live()) == 40
    assert len(clouds.aws.operations()) > 1


@pytest.mark.parametrize("index", [None, "by-status"])
def test_page_without_rows_does_not_end_the_listing(clouds: Clouds, index: str | None) -> None:
    clouds.aws.make_table("paged", index=index)
    clouds.aws.rows.put("m1", status="LAUNCHED")
    clouds.aws.rows.put("m2", status="HEALTHY")
    begin_listings_with_nothing(clouds)
    rows = table(clouds, TABLE_NAME="paged", **({"STATUS_INDEX": index} if index else {})).live()
    assert sorted(row.id for row in rows) == ["m1", "m2"]


def test_row_is_read_consistently(clouds: Clouds) -> None:
    clouds.aws.rows.put("m1", status="LAUNCHED")
    clouds.aws.requests.clear()
    table(clouds).rows(["m1"])
    (exchange,) = clouds.aws.requests
    assert isinstance(exchange.json, dict)
    assert exchange.json["ConsistentRead"] is True


def test_rows_are_read_by_key_without_missing_ones(clouds: Clouds) -> None:
    clouds.aws.rows.put("m1", status="TERMINATED")
    assert [row.id for row in table(clouds).rows(["m1", "m2"])] == ["m1"]


def test_index_reads_live_rows_only(clouds: Clouds) -> None:
    clouds.aws.make_table("indexed", index="by-status")
    for status in ("SCHEDULED", "LAUNCHED", "DNS_WRITTEN", "HEALTHY", "IN_PROGRESS", "TERMINATED", "PAUSED"):
        clouds.aws.rows.put(status, status=status)
    clouds.aws.requests.clear()
    rows = table(clouds, TABLE_NAME="indexed", STATUS_INDEX="by-status").live()
    assert {row.id for row in rows} == {"LAUNCHED", "DNS_WRITTEN", "HEALTHY", "IN_PROGRESS"}
    assert sorted(clouds.aws.operations()) == ["GetItem", *["Query"] * 4], "and one row that is not there, for the key"


def test_table_with_another_key_stops_the_pass(clouds: Clouds) -> None:
    clouds.aws.make_table("other", key="meeting")
    clouds.aws.machines.launch("m1", "teacher")
    with pytest.raises(MismatchError, match="The key of table other is not the string id alone"):
        clouds.plan(TABLE_NAME="other")


@pytest.mark.parametrize("key", ["booking", "id2"])
def test_table_with_id_that_is_not_its_key_stops_the_pass(clouds: Clouds, key: str) -> None:
    clouds.aws.make_table("other", key=key)
    clouds.aws.client("dynamodb").put_item(TableName="other", Item={key: {"S": "x"}, "id": {"S": "m1"}})
    with pytest.raises(MismatchError, match="The key of table other is not the string id alone"):
        clouds.plan(TABLE_NAME="other")


def test_missing_table_is_named(clouds: Clouds) -> None:
    with pytest.raises(ObservationError, match="table nowhere"):
        clouds.plan(TABLE_NAME="nowhere")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        None,
        5,
        7,
        True,
        b"\x00\xff",
        ["a", 1],
        {"a": {"b": None}},
        {"B": b"x", "(bytes)": {"S": "y"}},
        [{"B": [b"x"]}],
        {"s1", "s2"},
        {b"x", b"y"},
    ],
)
def test_condition_can_name_any_value_of_a_row(clouds: Clouds, value: Any) -> None:
    clouds.aws.rows.put("m1", status=value)
    (row,) = table(clouds).rows(["m1"])
    write = RowWrite((Condition("status", (row.status,)),), sets=(("teacher_ec2_link", "x"),))
    writer(clouds).write("m1", write)
    assert clouds.aws.rows.get("m1")["teacher_ec2_link"] == "x"
    clouds.aws.rows.edit("m1", status="moved on")
    with pytest.raises(ConditionError):
        writer(clouds).write("m1", write)


def test_condition_of_each_kind_holds_or_fails(clouds: Clouds) -> None:
    def holds(condition: Condition) -> bool:
        try:
            writer(clouds).write("m1", RowWrite((condition,), sets=(("touched", "yes"),)))
        except ConditionError:
            return False
        return True

    clouds.aws.rows.put("m1", status="LAUNCHED")
    assert holds(Condition("status", ("LAUNCHED",)))
    assert holds(Condition("status", (None, "LAUNCHED", "PENDING")))
    assert holds(Condition("teacher_ec2_id", (None,)))
    assert holds(Condition("status", ("TERMINATED",), negated=True))
    assert holds(Condition("teacher_ec2_id", ("TERMINATED",), negated=True)), "absent is not TERMINATED"
    assert not holds(Condition("status", (None, "PENDING")))
    assert not holds(Condition("status", ("LAUNCHED",), negated=True))


def test_write_never_creates_a_row(clouds: Clouds) -> None:
    with pytest.raises(ConditionError):
        writer(clouds).write("nobody", RowWrite((Condition("status", (None,)),), sets=(("status", "x"),)))
    assert clouds.aws.rows.all() == {}


def test_write_sets_defaults_and_removes(clouds: Clouds) -> None:
    clouds.aws.rows.put("m1", status="a", reason="kept", link="x")
    write = RowWrite((), sets=(("status", "b"),), defaults=(("reason", "new"), ("other", "new")), removes=("link",))
    writer(clouds).write("m1", write)
    assert clouds.aws.rows.get("m1") == {"id": "m1", "status": "b", "reason": "kept", "other": "new"}


def test_attributes_always_go_by_placeholder_names() -> None:
    built = expressions(RowWrite((Condition("status", ("a", None)),), sets=(("status", "b"),)))
    for key in ("UpdateExpression", "ConditionExpression"):
        words = built[key].replace("(", " ").replace(")", " ").split()
        assert "status" not in words
    assert built["ExpressionAttributeNames"] == {"#id": "id", "#status": "status"}


def token(clouds: Clouds) -> str:
    clouds.aws.requests.clear()
    client = clouds.aws.client("secretsmanager")
    try:
        return SecretToken(client, "prod/elephant/cloudflare").token(budget())
    finally:
        client.close()


def secret(value: str) -> dict[str, str]:
    return {"Name": "a secret", "SecretString": f'{{"CLOUDFLARE_TOKEN": "{value}"}}'}


class OvertakenSecrets:
    """While the first reading still waits for its answer, a later pass reads the secret that was written since."""

    def __init__(self) -> None:
        self.tokens = SecretToken(self, "a secret")  # type: ignore[arg-type]  # all that is called of the client
        self.readings = 0

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803  # as boto3 calls it
        self.readings += 1
        if self.readings > 1:
            return secret("new")
        assert self.tokens.token(budget()) == "new"
        return secret("old")


def test_late_token_does_not_replace_a_newer_one() -> None:
    secrets = OvertakenSecrets()
    assert secrets.tokens.token(budget()) == "old", "it is what this pass read"
    assert secrets.tokens.token(budget()) == "new"
    assert secrets.readings == 2


@pytest.mark.parametrize(
    "text",
    [
        '{"CLOUDFLARE_TOKEN": "abc"}',
        '{"CLOUDFLARE_API_TOKEN": "abc"}',
        '\ufeff{"CLOUDFLARE_TOKEN": " \\"abc\\"\\n"}',
    ],
)
def test_token_is_read_and_cleaned(clouds: Clouds, text: str) -> None:
    clouds.aws.write_secret(text)
    assert token(clouds) == "abc"


@pytest.mark.parametrize(
    "text",
    [
        "abc-s3cret",
        '{"TOKEN": "s3cret"}',
        '["s3cret"]',
        '{"CLOUDFLARE_TOKEN": 5}',
        '{"CLOUDFLARE_TOKEN": "s3 cret"}',
        '{"CLOUDFLARE_TOKEN": "s3cret", "CLOUDFLARE_API_TOKEN": "s3cond"}',
        '""',
    ],
)
def test_secret_of_another_shape_is_reported_without_its_text(clouds: Clouds, text: str) -> None:
    clouds.aws.write_secret(text)
    with pytest.raises(TerminalError) as caught:
        token(clouds)
    assert "CLOUDFLARE_TOKEN" in str(caught.value)
    assert "s3" not in str(caught.value)


def test_missing_secret_is_named(clouds: Clouds) -> None:
    with pytest.raises(ObservationError, match=r"^Cannot read the Cloudflare token, so .*prod/elephant/nowhere"):
        clouds.plan(SECRET_ARN="prod/elephant/nowhere")


def test_deadline_error_names_the_seconds_given(clouds: Clouds) -> None:
    with pytest.raises(DeadlineError, match="The pass's 1 second is over"):
        clouds.controller().begin(Mode.PLAN, 0.5).budget.timeout(1)


def test_missing_credentials_are_reported(clouds: Clouds, monkeypatch: pytest.MonkeyPatch) -> None:
    with clouds.exported() as environment:
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(key)
        with pytest.raises(AuthenticationError, match="credentials"):
            build(read_settings(environment))


PROFILES = """
[profile sso]
sso_session = of-a-test
sso_account_id = 123456789012
sso_role_name = reader
[sso-session of-a-test]
sso_region = us-west-2
sso_start_url = https://sso.example.com/start
[profile older-sso]
sso_start_url = https://sso.example.com/start
sso_region = us-west-2
sso_account_id = 123456789012
sso_role_name = reader
[profile web]
role_arn = arn:aws:iam::123456789012:role/reader
web_identity_token_file = /nowhere/token
"""


@pytest.mark.parametrize(("profile", "said"), [("sso", "oken"), ("older-sso", "SSO"), ("web", "'/nowhere/token'")])
def test_unreadable_credentials_are_reported(clouds: Clouds, tmp_path: Path, profile: str, said: str) -> None:
    (tmp_path / "config").write_text(PROFILES)
    changes = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_PROFILE": profile}
    changes |= {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    with (
        clouds.exported(**changes) as environment,
        pytest.raises(
            AuthenticationError,
            match=f"(credentials cannot be read|cannot get AWS credentials): .*{said}.* [Ll]og in again",
        ),
    ):
        build(read_settings(environment))


def raising(error: OSError) -> Callable[[], None]:
    def request() -> None:
        raise error

    return request


@pytest.mark.parametrize("error", [ConnectionResetError(104, "reset"), TimeoutError(), OSError("odd")])
def test_network_error_is_not_blamed_on_credentials(error: OSError) -> None:
    call = Call("ec2", "DescribeInstances", "*", proof="Reservations")
    with pytest.raises(TransientError, match="no usable answer"):
        call(raising(error), Budget(FastClock(), 600), lambda answer: answer)


def test_refused_connection_is_retried(clouds: Clouds) -> None:
    with clouds.exported(AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:9") as environment:
        controller = build(read_settings(environment), account=clouds.aws.account)
    clouds.controllers.append(controller)
    with pytest.raises(ObservationError, match="DynamoDB") as caught:
        controller.run(Request(Mode.PLAN), 2)
    assert isinstance(caught.value.__cause__, TransientError)


def test_rotated_token_is_read_again_once(clouds: Clouds) -> None:
    clouds.launch()
    controller = clouds.controller()
    assert controller.run(Request(Mode.APPLY), 30).converged
    clouds.aws.make_secret(clouds.cloudflare.rotate_token())
    clouds.aws.requests.clear()
    assert controller.run(Request(Mode.PLAN), 30).converged
    assert clouds.aws.operations().count("GetSecretValue") == 1


def test_token_rotated_during_the_first_pass_is_read_again(clouds: Clouds) -> None:
    def rotate(request: Sent, proceed: Proceed) -> Reply:
        if request.method == "POST":
            clouds.cloudflare.intercept = None
            clouds.aws.make_secret(clouds.cloudflare.rotate_token())
        return proceed()

    clouds.launch()
    clouds.cloudflare.intercept = rotate
    assert clouds.apply().complete
