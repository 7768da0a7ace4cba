"""The meetings' table against moto's server: scans, an index, reads by key, conditions and odd values."""

from typing import Any

import pytest

from controller.aws.dynamodb import DynamoTable, DynamoWriter, expressions
from controller.errors import ConditionError, MismatchError, ObservationError
from controller.model import Condition, NonString, RowWrite
from tests.support.build import TEACHER
from tests.support.servers import Clouds
from tests.system.clients.test_aws import begin_listings_with_nothing, budget

PEOPLE = {"teacher_name": "A. Person", "student_name": "B. Person", "jitsi_url": "https://meet.example.org/x"}


def table(clouds: Clouds, **changes: str) -> DynamoTable:
    controller = clouds.controller(**changes)
    return DynamoTable(controller.dynamodb, controller.settings, budget())


def writer(clouds: Clouds) -> DynamoWriter:
    controller = clouds.controller()
    return DynamoWriter(controller.dynamodb, controller.settings, budget())


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
