"""Read and write the meetings' rows in DynamoDB, in the controller's terms."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from controller.aws.attributes import attribute_of, value_of
from controller.aws.call import Call
from controller.errors import MismatchError, RefusedError
from controller.model import LIVE_STATUSES, TERMINATED, Condition, Meeting, RowWrite, Value
from controller.runtime.budget import Budget
from controller.runtime.threads import gather
from controller.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

#: What DynamoDB says of a table with another key. A ValidationException has many other causes.
_ABOUT_KEY = re.compile(
    "key element does not match the schema|conditions on the keys is invalid|required keys was not given|"
    "mismatch for key"
)
#: What names the next page of rows: in an answer, and in a request.
NEXT_PAGE = ("LastEvaluatedKey", "ExclusiveStartKey")


@dataclass(frozen=True, slots=True)
class DynamoTable:
    """Reads the meetings' rows within one pass's budget, and nothing about people."""

    client: "DynamoDBClient"
    settings: Settings
    budget: Budget

    def live(self) -> list[Meeting]:
        """Return every row that is not ``TERMINATED``; with an index, the rows in a live status alone."""
        reads: list[Callable[[], list[Meeting]]] = [self._nobody]
        if self.settings.status_index:
            reads += [partial(self._queried, status) for status in sorted(LIVE_STATUSES)]
        else:
            reads.append(self._scanned)
        return [row for rows in gather(reads, self.budget) for row in rows]

    def _nobody(self) -> list[Meeting]:
        """Read a row that does not exist, so that a table with another key fails before anything is planned."""
        self._row("elephant-dns")
        return []

    def _scanned(self) -> list[Meeting]:
        expression = "attribute_not_exists(#status) OR #status <> :terminated"
        values = {":terminated": {"S": TERMINATED}}
        call = self._call("Scan")
        return self._paged(call, self.client.scan, FilterExpression=expression, ExpressionAttributeValues=values)

    def rows(self, ids: Collection[str]) -> list[Meeting]:
        """Return those of these rows that exist, read consistently."""
        found = gather([partial(self._row, meeting) for meeting in sorted(ids)], self.budget)
        return [row for row in found if row]

    def _row(self, meeting: str) -> Meeting | None:
        try:
            return self._call("GetItem")(
                self.client.get_item,
                self.budget,
                lambda answer: self._parsed(answer["Item"]) if answer.get("Item") else None,
                TableName=self.settings.table_name,
                Key={"id": {"S": meeting}},
                ConsistentRead=True,
                ReturnConsumedCapacity="TOTAL",
                **projection(self.settings.roles),
            )
        except RefusedError as error:
            if error.codes == ("ValidationException",) and _ABOUT_KEY.search(error.message):
                raise self._mismatch() from error
            raise

    def _queried(self, status: str) -> list[Meeting]:
        return self._paged(
            self._call("Query", f"index {self.settings.status_index} of "),
            self.client.query,
            IndexName=self.settings.status_index,
            KeyConditionExpression="#status = :status",
            ExpressionAttributeValues={":status": {"S": status}},
        )

    def _paged(self, call: Call, request: Any, **arguments: Any) -> list[Meeting]:
        rows = call.pages(
            request,
            self.budget,
            lambda page: [self._parsed(item) for item in page["Items"]],
            NEXT_PAGE,
            TableName=self.settings.table_name,
            ReturnConsumedCapacity="TOTAL",
            Select="SPECIFIC_ATTRIBUTES",  # the policies ask for it
            **projection(self.settings.roles),
            **arguments,
        )
        return list(rows)

    def _parsed(self, item: Mapping[str, Any]) -> Meeting:
        if not isinstance(item.get("id", {}).get("S"), str):
            raise self._mismatch()
        return parse_meeting(item, self.settings.roles)

    def _call(self, action: str, part: str = "") -> Call:
        return Call("dynamodb", action, f"{part}table {self.settings.table_name}", proof="ConsumedCapacity")

    def _mismatch(self) -> MismatchError:
        return MismatchError(
            f"The key of table {self.settings.table_name} is not the string id alone: it is not a table of meetings.",
            "Correct TABLE_NAME. Nothing was planned.",
        )


@dataclass(frozen=True, slots=True)
class DynamoWriter:
    """Writes rows within one pass's budget. A pass that only plans has none."""

    client: "DynamoDBClient"
    settings: Settings
    budget: Budget

    def write(self, meeting: str, change: RowWrite) -> None:
        """Send one conditional UpdateItem, which never creates a row. Raises ConditionError or another CallError."""
        Call("dynamodb", "UpdateItem", f"table {self.settings.table_name}", proof="ConsumedCapacity", writes=True)(
            self.client.update_item,
            self.budget,
            lambda _: None,
            ReturnConsumedCapacity="TOTAL",
            ReturnValues="NONE",  # the policies ask for it
            TableName=self.settings.table_name,
            Key={"id": {"S": meeting}},
            **expressions(change),
        )


def parse_meeting(item: Mapping[str, Any], roles: Sequence[str]) -> Meeting:
    """Return a row as the rules see it; values of a wrong type stay what they are."""
    return Meeting(
        id=item["id"]["S"],
        status=value_of(item.get("status")),
        instance_ids={role: value_of(item.get(f"{role}_ec2_id")) for role in roles},
        links={role: value_of(item.get(f"{role}_ec2_link")) for role in roles},
        meet_time=value_of(item.get("meet_time")),
        termination_reason=value_of(item.get("termination_reason")),
    )


def expressions(change: RowWrite) -> dict[str, Any]:
    """Return the write as DynamoDB's expressions, with placeholders for names: ``status`` is a reserved word."""
    names, values = {"#id": "id"}, dict[str, Any]()

    def name(attribute: str) -> str:
        return names.setdefault(f"#{attribute}", attribute) and f"#{attribute}"

    def value(content: Value) -> str:
        key = f":v{len(values)}"
        values[key] = attribute_of(content)
        return key

    def condition(part: Condition) -> str:
        present = [value(content) for content in part.values if content is not None]
        if part.negated:
            tests = [
                f"({name(part.attribute)} <> {key} OR attribute_not_exists({name(part.attribute)}))" for key in present
            ]
            return " AND ".join(tests)
        tests = [f"{name(part.attribute)} IN ({', '.join(present)})"] if present else []
        tests += [f"attribute_not_exists({name(part.attribute)})"] if None in part.values else []
        return f"({' OR '.join(tests)})"

    sets = [f"{name(key)} = {value(content)}" for key, content in change.sets]
    sets += [f"{name(key)} = if_not_exists({name(key)}, {value(content)})" for key, content in change.defaults]
    removes = [name(key) for key in change.removes]
    update = [f"SET {', '.join(sets)}"] if sets else []
    update += [f"REMOVE {', '.join(removes)}"] if removes else []
    return {
        "UpdateExpression": " ".join(update),
        "ConditionExpression": " AND ".join(["attribute_exists(#id)", *map(condition, change.conditions)]),
        "ExpressionAttributeNames": names,
        **({"ExpressionAttributeValues": values} if values else {}),
    }


def attributes_read(roles: Iterable[str]) -> list[str]:
    """Return the attributes to read of a row: nothing about the people in it."""
    of_roles = [f"{role}_{field}" for role in roles for field in ("ec2_id", "ec2_link")]
    return ["id", "status", "meet_time", "termination_reason", *of_roles]


def projection(roles: Iterable[str]) -> dict[str, Any]:
    """Return the arguments of a read that make it return these attributes alone."""
    attributes = attributes_read(roles)
    return {
        "ProjectionExpression": ", ".join(f"#{attribute}" for attribute in attributes),
        "ExpressionAttributeNames": {f"#{attribute}": attribute for attribute in attributes},
    }
