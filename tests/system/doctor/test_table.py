"""The table: its key, and each action of a pass on it, allowed and denied."""

import pytest

from controller.doctor.diagnosis import Check, Status
from controller.sandbox.aws_http import operation_of
from tests.support.servers import Clouds
from tests.system.doctor.deployed import changed, deny, instead, table
from tests.system.faults.aws_kinds import failure

KEY = {"table", "status-index"}
ACTIONS = {"dynamodb:Scan", "dynamodb:GetItem", "dynamodb:UpdateItem"}


def ended(checks: dict[str, Check], status: Status) -> set[str]:
    """The ids of those that ended so."""
    return {id for id, check in checks.items() if check.status is status}


def only(clouds: Clouds, **table: str) -> None:
    """Another table in place of the one that the tests have."""
    clouds.aws.reset()
    clouds.aws.make_table(**table)
    clouds.aws.make_secret(clouds.cloudflare.token)


@pytest.mark.parametrize("action", ["Scan", "GetItem", "UpdateItem"])
def test_a_denied_action_fails_and_the_others_are_tried(clouds: Clouds, action: str) -> None:
    deny(clouds, action)
    checks = table(clouds)
    assert ended(checks, Status.FAIL) == {f"dynamodb:{action}"}
    assert ended(checks, Status.PASS) == (KEY | ACTIONS) - {f"dynamodb:{action}"}
    said = checks[f"dynamodb:{action}"]
    assert f"dynamodb:{action} on table elephant-meetings: AccessDeniedException" in said.seen
    assert said.fix.startswith(f"Allow the action dynamodb:{action} on table elephant-meetings.")


def test_a_query_that_is_denied_names_the_index(clouds: Clouds) -> None:
    only(clouds, index="by-status")
    deny(clouds, "Query")
    said = table(clouds, STATUS_INDEX="by-status")["dynamodb:Query"]
    assert said.status is Status.FAIL
    assert said.fix == "Allow the action dynamodb:Query on index by-status of table elephant-meetings."


def test_who_may_not_write_can_still_plan(clouds: Clouds) -> None:
    deny(clouds, "UpdateItem")
    assert table(clouds)["dynamodb:UpdateItem"].fix.endswith("can plan only.")


def test_the_write_that_is_tried_changes_no_row(clouds: Clouds) -> None:
    assert table(clouds)["dynamodb:UpdateItem"].status is Status.PASS
    (body,) = [e.request.json for e in clouds.aws.requests if operation_of(e) == "UpdateItem"]
    assert isinstance(body, dict)
    assert body["Key"]["id"]["S"].startswith("elephant-dns-doctor-")
    assert body["ConditionExpression"] == "attribute_exists(#id)"
    assert clouds.aws.rows.all() == {}


def test_a_table_that_is_not_there_fails_once(clouds: Clouds) -> None:
    checks = table(clouds, TABLE_NAME="another-table")
    assert (ended(checks, Status.FAIL), ended(checks, Status.SKIP)) == ({"table"}, {"status-index"} | ACTIONS)
    assert "table another-table does not exist in this account and region" in checks["table"].fix


def test_a_table_with_another_key_fails_once(clouds: Clouds) -> None:
    only(clouds, key="meeting")
    checks = table(clouds)
    assert (ended(checks, Status.FAIL), ended(checks, Status.SKIP)) == ({"table"}, ACTIONS)
    assert "is meeting (HASH, type S)" in checks["table"].seen
    assert "TABLE_NAME" in checks["table"].fix


@pytest.mark.parametrize(
    ("type", "sort", "shown"),
    [("N", None, "id (HASH, type N)"), ("S", "at", "id (HASH, type S), at (RANGE, type S)")],
    ids=["number", "sort-key"],
)
def test_a_key_of_another_type_or_with_a_sort_key_fails(
    clouds: Clouds, type: str, sort: str | None, shown: str
) -> None:
    client = clouds.aws.client("dynamodb")
    client.delete_table(TableName="elephant-meetings")
    fields = [("id", "HASH", type), *([(sort, "RANGE", "S")] if sort else [])]
    client.create_table(
        TableName="elephant-meetings",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind, _ in fields],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": of} for name, _, of in fields],
    )
    said = table(clouds)["table"]
    assert (said.status, shown in said.seen) == (Status.FAIL, True)


def test_a_denied_description_warns_and_actions_are_tried(clouds: Clouds) -> None:
    deny(clouds, "DescribeTable")
    checks = table(clouds)
    assert (ended(checks, Status.WARN), ended(checks, Status.PASS)) == ({"table"}, ACTIONS)
    assert "dynamodb:DescribeTable on table elephant-meetings" in checks["table"].fix


def test_a_failed_description_fails_and_actions_are_tried(clouds: Clouds) -> None:
    instead(clouds, ["DescribeTable"], failure(400, "SomethingNobodyKnowsException"))
    checks = table(clouds)
    assert (ended(checks, Status.FAIL), ended(checks, Status.PASS)) == ({"table"}, ACTIONS)


def test_with_an_index_the_query_is_tried_and_no_scan(clouds: Clouds) -> None:
    only(clouds, index="by-status")
    checks = table(clouds, STATUS_INDEX="by-status")
    assert ended(checks, Status.PASS) == KEY | ACTIONS - {"dynamodb:Scan"} | {"dynamodb:Query"}


def test_a_table_that_is_in_other_regions_too_is_a_warning(clouds: Clouds) -> None:
    assert "belongs to one deployment" in table(clouds)["table"].seen
    replicas = [{"RegionName": "us-east-1"}, {"RegionName": "eu-west-1"}]
    changed(clouds, "DescribeTable", lambda body: body["Table"].update(Replicas=replicas))
    said = table(clouds)["table"]
    assert (said.status, "replicas in eu-west-1, us-east-1" in said.seen) == (Status.WARN, True)
    assert "belongs to one deployment" in said.fix
