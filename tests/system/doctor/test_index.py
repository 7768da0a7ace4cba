"""The index on the status: as a pass needs it, and when it would pay."""

from collections.abc import Callable
from typing import Any

import pytest

from controller.doctor.diagnosis import Check, Status
from tests.support.servers import Clouds
from tests.system.doctor.deployed import changed, table
from tests.system.doctor.test_table import only

INDEX = {"STATUS_INDEX": "by-status"}
READ = ["status", "meet_time", "termination_reason"]
READ += ["teacher_ec2_id", "teacher_ec2_link", "student_ec2_id", "student_ec2_link"]


def with_index(clouds: Clouds, change: Callable[[dict[str, Any]], None]) -> Check:
    """The check of an index that DynamoDB describes with this change."""
    only(clouds, index="by-status")
    changed(clouds, "DescribeTable", lambda body: change(body["Table"]["GlobalSecondaryIndexes"][0]))
    return table(clouds, **INDEX)["status-index"]


def sized(clouds: Clouds, rows: int, size: int) -> None:
    """As if the table held so much: DynamoDB counts it itself."""
    changed(clouds, "DescribeTable", lambda body: body["Table"].update(ItemCount=rows, TableSizeBytes=size))


def test_an_index_that_projects_everything_passes(clouds: Clouds) -> None:
    assert with_index(clouds, lambda index: None).status is Status.PASS


def test_an_index_that_projects_what_is_read_passes(clouds: Clouds) -> None:
    projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": READ[1:]}
    assert with_index(clouds, lambda index: index.update(Projection=projection)).status is Status.PASS


@pytest.mark.parametrize("lacking", READ[1:])
def test_an_index_without_an_attribute_fails_and_names_it(clouds: Clouds, lacking: str) -> None:
    projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": [name for name in READ if name != lacking]}
    said = with_index(clouds, lambda index: index.update(Projection=projection))
    assert said.status is Status.FAIL
    assert f"does not project {lacking}." in said.seen


def test_an_index_of_keys_alone_names_all_that_it_lacks(clouds: Clouds) -> None:
    said = with_index(clouds, lambda index: index.update(Projection={"ProjectionType": "KEYS_ONLY"}))
    assert (said.status, f"does not project {', '.join(READ[1:])}." in said.seen) == (Status.FAIL, True)


def test_an_index_on_another_key_fails(clouds: Clouds) -> None:
    schema = [{"AttributeName": "meet_time", "KeyType": "HASH"}]
    said = with_index(clouds, lambda index: index.update(KeySchema=schema))
    assert (said.status, "partition key meet_time, not status" in said.seen) == (Status.FAIL, True)


def test_an_index_with_a_sort_key_fails(clouds: Clouds) -> None:
    schema = [{"AttributeName": "status", "KeyType": "HASH"}, {"AttributeName": "meet_time", "KeyType": "RANGE"}]
    said = with_index(clouds, lambda index: index.update(KeySchema=schema))
    assert (said.status, "sort key meet_time" in said.seen) == (Status.FAIL, True)


def test_an_index_that_is_being_created_fails(clouds: Clouds) -> None:
    said = with_index(clouds, lambda index: index.update(IndexStatus="CREATING"))
    assert (said.status, "not ready (CREATING)" in said.seen) == (Status.FAIL, True)


def test_an_index_that_is_not_there_fails_and_names_those_that_are(clouds: Clouds) -> None:
    only(clouds, index="by-state")
    said = table(clouds, **INDEX)["status-index"]
    assert said.status is Status.FAIL
    assert "has no index by-status. It has: by-state." in said.seen


def test_a_small_table_needs_no_index(clouds: Clouds) -> None:
    sized(clouds, 2000, 1_000_000)
    said = table(clouds)["status-index"]
    assert said.status is Status.PASS
    assert "below 10 MB" in said.seen
    assert "2,000, 1,000,000 bytes" in said.seen
    assert "a scan costs 122.5 read units" in said.seen


def test_from_ten_megabytes_on_an_index_would_pay(clouds: Clouds) -> None:
    sized(clouds, 20_000, 10 * 1024 * 1024)
    said = table(clouds)["status-index"]
    assert said.status is Status.WARN
    assert "1,280.0 read units" in said.seen
    assert said.fix.startswith("Create an index")


def test_an_index_that_would_pay_and_is_there_is_named(clouds: Clouds) -> None:
    only(clouds, index="by-status")
    sized(clouds, 20_000, 10 * 1024 * 1024)
    assert table(clouds)["status-index"].fix == "Set STATUS_INDEX=by-status: it is there."
