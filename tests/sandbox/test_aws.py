"""The sandbox's AWS server does what EC2, DynamoDB and Secrets Manager do, as far as the controller looks."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from controller.sandbox.aws import SECRET, TABLE, AwsServer, exported
from controller.sandbox.cloudflare import Reply
from tests.sandbox.conftest import PROJECT, described
from tests.support.servers import Clouds


def test_a_launched_machine_is_described_as_ec2_would(aws: AwsServer) -> None:
    launched_at = datetime(2026, 1, 31, 12, 0, 0, 999_000, tzinfo=UTC)
    machine = aws.machines.launch("m1", "teacher", address="192.0.2.1", launched_at=launched_at)
    seen = described(aws, Filters=PROJECT)[machine]
    assert seen["State"] == {"Code": 16, "Name": "running"}
    assert seen["PublicIpAddress"] == "192.0.2.1"
    in_seconds = launched_at.replace(microsecond=0)  # two launches in a second are at the same time
    assert seen["LaunchTime"] == aws.machines.all()[machine].launched_at == in_seconds
    assert {tag["Key"]: tag["Value"] for tag in seen["Tags"]} == {
        "Project": "Elephant",
        "MeetingID": "m1",
        "Role": "teacher",
        "Name": "m1_teacher",
    }


def test_a_machine_can_also_be_launched_by_the_api(aws: AwsServer) -> None:
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Project", "Value": "Elephant"}]}]
    answer = aws.client("ec2").run_instances(ImageId="ami-1", MinCount=1, MaxCount=1, TagSpecifications=tags)
    machine = answer["Instances"][0]["InstanceId"]
    assert machine in described(aws, Filters=PROJECT)
    assert aws.machines.all()[machine].tags == {"Project": "Elephant"}


def test_a_stop_takes_the_address_and_a_start_brings_another(aws: AwsServer) -> None:
    machine = aws.machines.launch("m1", "teacher", address="192.0.2.1")
    aws.machines.stop(machine)
    assert "PublicIpAddress" not in described(aws)[machine]
    assert aws.machines.all()[machine].state == "stopped"
    aws.machines.start(machine)
    assert described(aws)[machine]["PublicIpAddress"] not in ("192.0.2.1", None)


def test_a_start_renews_the_launch_time_whoever_starts(aws: AwsServer) -> None:
    first = datetime(2025, 1, 31, 12, tzinfo=UTC)
    by_helper, by_api = (aws.machines.launch(launched_at=first, tags={"Role": role}) for role in ("a", "b"))
    aws.machines.stop(by_helper)
    aws.client("ec2").stop_instances(InstanceIds=[by_api])
    assert {seen["LaunchTime"] for seen in described(aws).values()} == {first}
    begun = datetime.now(UTC).replace(microsecond=0)  # EC2 shows whole seconds
    aws.machines.start(by_helper)
    aws.client("ec2").start_instances(InstanceIds=[by_api])
    assert all(seen["LaunchTime"] >= begun and seen["PublicIpAddress"] for seen in described(aws).values())


def test_the_first_launch_stays_in_the_attachment_of_the_interface(aws: AwsServer) -> None:
    ec2, first = aws.client("ec2"), datetime(2025, 1, 31, 12, tzinfo=UTC)
    made = ec2.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    launched = aws.machines.launch("m1", "teacher", launched_at=first)
    before = described(aws)[made]
    ec2.stop_instances(InstanceIds=[made, launched])
    ec2.start_instances(InstanceIds=[made, launched])
    after = described(aws)[made]
    assert aws.machines.all()[launched].launched_at > first
    assert after["PublicIpAddress"] != before["PublicIpAddress"]
    assert after["NetworkInterfaces"][0]["Attachment"] == before["NetworkInterfaces"][0]["Attachment"]
    of_launched = [{"Name": "attachment.instance-id", "Values": [launched]}]
    (interface,) = ec2.describe_network_interfaces(Filters=of_launched)["NetworkInterfaces"]
    assert interface["Attachment"]["AttachTime"] == first


def test_only_what_was_stopped_has_another_launch_time(aws: AwsServer) -> None:
    first = datetime(2025, 1, 31, 12, tzinfo=UTC)
    pending, running, stopped, ended = (
        aws.machines.launch("m1", "teacher", state=state, launched_at=first)
        for state in ("pending", "running", "stopped", "stopped")
    )
    aws.client("ec2").reboot_instances(InstanceIds=[running])
    aws.machines.start(pending, running)
    aws.machines.terminate(ended)
    assert {machine.launched_at for machine in aws.machines.all().values()} == {first}
    aws.machines.set_state(stopped, "pending")
    assert aws.machines.all()[stopped].launched_at > first
    aws.machines.set_state(stopped, "stopped")
    aws.machines.start(stopped, launched_at=first + timedelta(days=1))
    assert described(aws)[stopped]["LaunchTime"] == first + timedelta(days=1)


def test_clouds_restart_a_machine_so_long_ago(clouds: Clouds) -> None:
    machine = clouds.launch(address="192.0.2.1")
    assert clouds.restart(machine, age=timedelta(minutes=5)) not in ("192.0.2.1", None)
    assert datetime.now(UTC) - clouds.aws.machines.all()[machine].launched_at >= timedelta(minutes=5)
    assert clouds.restart(machine)
    assert datetime.now(UTC) - clouds.aws.machines.all()[machine].launched_at < timedelta(minutes=5)


def test_a_machine_launched_without_an_address_never_gets_one(aws: AwsServer) -> None:
    machine = aws.machines.launch("m1", "teacher", address=None)
    aws.machines.stop(machine)
    aws.machines.start(machine)
    assert "PublicIpAddress" not in described(aws)[machine]


def test_a_terminated_machine_is_still_listed_until_it_is_purged(aws: AwsServer) -> None:
    machine, other = aws.machines.launch("m1", "teacher"), aws.machines.launch("m1", "student")
    aws.machines.terminate(machine)
    assert described(aws, Filters=PROJECT)[machine]["State"]["Name"] == "terminated"
    aws.machines.purge(machine)
    by_id = [{"Name": "instance-id", "Values": [machine, other]}]
    assert described(aws, Filters=by_id).keys() == {other}


@pytest.mark.parametrize("state", ["pending", "running", "shutting-down", "terminated", "stopping", "stopped"])
def test_every_state_can_be_had(aws: AwsServer, state: str) -> None:
    launched = aws.machines.launch("m1", "teacher", state=state)
    changed = aws.machines.launch("m1", "student")
    aws.machines.set_state(changed, state)
    assert {i["State"]["Name"] for i in described(aws).values()} == {state}
    assert (aws.machines.all()[launched].address is not None) == (state in ("running", "stopping"))


def test_a_pending_machine_gets_its_address_when_it_starts(aws: AwsServer) -> None:
    machine = aws.machines.launch("m1", "teacher", state="pending")
    aws.machines.start(machine)
    assert aws.machines.all()[machine].address


def test_tags_can_be_anything_and_can_be_stripped(aws: AwsServer) -> None:
    odd = {"Project": "Elephant", "MeetingID": "", "Role": "teacher; DROP\t✓ <b>" + "x" * 200}
    machine = aws.machines.launch(tags=odd)
    assert {t["Key"]: t["Value"] for t in described(aws, Filters=PROJECT)[machine]["Tags"]} == odd
    aws.machines.set_tags(machine, {})
    assert described(aws, Filters=PROJECT) == {}
    assert machine in described(aws)


def test_an_address_can_be_taken_and_given(aws: AwsServer) -> None:
    machine = aws.machines.launch("m1", "teacher")
    aws.machines.set_address(machine, None)
    assert "PublicIpAddress" not in described(aws)[machine]
    aws.machines.set_address(machine, "198.51.100.7")
    assert described(aws)[machine]["PublicIpAddress"] == "198.51.100.7"


def test_a_long_listing_comes_in_pages(aws: AwsServer) -> None:
    launched = {aws.machines.launch(f"m{number}", "teacher") for number in range(25)}
    assert described(aws, Filters=PROJECT, MaxResults=10).keys() == launched
    assert aws.operations() == ["DescribeInstances"] * 3


def test_rows_of_any_type_come_back_as_they_were(aws: AwsServer) -> None:
    aws.make_table()
    row = {"status": 7, "links": {"a": [None, True, Decimal("1.5")]}, "blank": ""}
    aws.rows.put("m1", **row)
    assert aws.rows.all() == {"m1": {"id": "m1", **row}}
    aws.rows.edit("m1", status="LAUNCHED", blank=...)
    assert aws.rows.get("m1") == {"id": "m1", "status": "LAUNCHED", "links": row["links"]}
    item = aws.client("dynamodb").get_item(TableName=TABLE, Key={"id": {"S": "m1"}})["Item"]
    assert item["status"] == {"S": "LAUNCHED"}
    aws.rows.remove("m1")
    assert aws.rows.all() == {}


def test_an_index_on_status_can_be_queried(aws: AwsServer) -> None:
    aws.make_table("meetings-of-staging", index="by-status")
    aws.rows.put("m1", status="LAUNCHED")
    aws.rows.put("m2", status="HEALTHY")
    answer = aws.client("dynamodb").query(
        TableName="meetings-of-staging",
        IndexName="by-status",
        KeyConditionExpression="#status = :status",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": {"S": "HEALTHY"}},
    )
    assert [item["id"]["S"] for item in answer["Items"]] == ["m2"]


def test_of_conditional_writes_side_by_side_one_wins(aws: AwsServer) -> None:
    aws.make_table()
    aws.rows.put("m1", status="LAUNCHED")
    client = aws.client("dynamodb")

    def write(number: int) -> bool:
        try:
            client.update_item(
                TableName=TABLE,
                Key={"id": {"S": "m1"}},
                UpdateExpression="SET #status = :new",
                ConditionExpression="#status = :old",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={":new": {"S": f"by {number}"}, ":old": {"S": "LAUNCHED"}},
            )
        except client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(write, range(16))).count(True) == 1


def test_a_secret_can_be_written_over(aws: AwsServer) -> None:
    arn = aws.make_secret("first")
    assert aws.make_secret("second") == arn
    answer = aws.client("secretsmanager").get_secret_value(SecretId=SECRET)
    assert answer["SecretString"] == '{"CLOUDFLARE_TOKEN": "second"}'


def test_a_reset_leaves_nothing_behind_and_the_socket_open(aws: AwsServer) -> None:
    url = aws.url
    aws.make_table()
    aws.rows.put("m1")
    aws.make_secret("token")
    machine = aws.machines.launch("m1", "teacher")
    aws.intercept = lambda _, proceed: proceed()
    aws.reset()
    assert aws.url == url
    assert aws.intercept is None
    assert not aws.requests
    assert machine not in described(aws)
    assert aws.client("dynamodb").list_tables()["TableNames"] == []
    assert aws.client("secretsmanager").list_secrets()["SecretList"] == []


def test_connections_are_kept_alive(aws: AwsServer) -> None:
    aws.machines.launch("m1", "teacher")
    for _ in range(5):
        described(aws)
    assert len({exchange.connection for exchange in aws.requests}) == 1


def test_nothing_is_printed_even_about_refused_requests(aws: AwsServer, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ClientError):
        aws.client("dynamodb").get_item(TableName="no-such-table", Key={"id": {"S": "m1"}})
    assert capfd.readouterr() == ("", "")


def test_a_fault_can_stand_before_the_services(aws: AwsServer) -> None:
    busy = b"<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>"
    aws.intercept = lambda _, __: Reply(503, busy, {"content-type": "text/xml"})
    with aws_client(aws, "ec2") as client, pytest.raises(ClientError, match="RequestLimitExceeded"):
        client.describe_instances()
    aws.intercept = lambda _, __: Reply.nothing()
    with aws_client(aws, "ec2") as client, pytest.raises(BotoCoreError):
        client.describe_instances()
    assert aws.requests[0].answer is None


class aws_client:  # noqa: N801  # reads as the function that it could be
    """A client that does not try again."""

    def __init__(self, aws: AwsServer, service: str) -> None:
        config = Config(retries={"total_max_attempts": 1})
        with exported(aws.environment()):
            self._client: Any = boto3.session.Session().client(service, config=config)  # type: ignore[call-overload]  # any service

    def __enter__(self) -> Any:
        return self._client

    def __exit__(self, *_: object) -> None:
        self._client.close()


def test_the_environment_leads_here_and_nowhere_else(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    dead_end = "http://127.0.0.1:1"
    misleading = {"AWS_PROFILE": "production", "AWS_ENDPOINT_URL_STS": dead_end, "HTTP_PROXY": dead_end}
    for name, value in misleading.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with aws_client(aws, "sts") as client:
        assert client.get_caller_identity()["Account"] == aws.account
    assert aws.client("events").list_rules()["Rules"] == []
    assert dict(os.environ) == before


def test_a_server_that_is_not_started_has_no_address() -> None:
    with pytest.raises(RuntimeError, match="not been started"):
        _ = AwsServer().url


def test_old_launches_need_no_time_zone_of_this_machine(aws: AwsServer) -> None:
    moment = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)
    machine = aws.machines.launch("m1", "teacher", launched_at=moment)
    assert described(aws)[machine]["LaunchTime"] == moment
