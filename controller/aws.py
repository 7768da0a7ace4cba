"""AWS: the instances and the meetings' rows, read and written in the controller's words."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from controller.aws_calls import Call
from controller.aws_values import attribute_of, value_of
from controller.budget import Budget
from controller.errors import MisfitError, RefusedError
from controller.model import LIVE_STATUSES, TERMINATED, Condition, Instance, Meeting, RowWrite, Value
from controller.parallel import gather
from controller.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client

#: Values in one filter of DescribeInstances (EC2 documentation: 200).
FILTER_VALUES = 200
#: Instances per page of DescribeInstances (5 to 1,000). Unpaginated calls are throttled sooner.
PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Ec2Fleet:
    """The instances of one region, within one pass's budget."""

    client: "EC2Client"
    settings: Settings
    budget: Budget

    def tagged(self) -> list[Instance]:
        """Every instance with the project's tag, in any state."""
        return [machine for machine in self._described([self._tag_filter()]) if machine.tagged]

    def by_id(self, ids: Collection[str]) -> list[Instance]:
        """Those of these instances that EC2 knows: by a filter, since one unknown id fails a call that names ids."""
        return [m for some in _chunks(sorted(ids)) for m in self._described([_filter("instance-id", some)])]

    def of_meetings(self, meetings: Collection[str]) -> list[Instance]:
        """Every instance that carries one of these meetings, also where the project's tag is lost."""
        wanted = set(meetings)
        found = (m for some in _chunks(sorted(wanted)) for m in self._described([_filter("tag:MeetingID", some)]))
        return [machine for machine in found if machine.meeting in wanted]

    def _tag_filter(self) -> dict[str, Any]:
        key, value = self.settings.project_tag
        return _filter(f"tag:{key}", [value])

    def _described(self, filters: list[dict[str, Any]]) -> Iterable[Instance]:
        call = Call("ec2", "DescribeInstances", "*", proof="Reservations")
        request, page = self.client.describe_instances, {"Filters": filters, "MaxResults": PAGE_SIZE}
        token: str | None = None
        while True:
            following = {"NextToken": token} if token else {}
            found, token = call(request, self.budget, self._parsed, **page, **following)
            yield from found
            if not token:
                return

    def _parsed(self, page: Any) -> tuple[list[Instance], str | None]:
        """A page's instances, and the token of the next one."""
        raw = [instance for reservation in page["Reservations"] for instance in reservation["Instances"]]
        return [parse_instance(instance, self.settings.project_tag) for instance in raw], page.get("NextToken")


@dataclass(frozen=True, slots=True)
class DynamoTable:
    """Reads the meetings' rows, within one pass's budget. People's names are not even asked for."""

    client: "DynamoDBClient"
    settings: Settings
    budget: Budget

    def live(self) -> list[Meeting]:
        """Every row that is not ``TERMINATED``; with an index the rows in a live status, and no other row is read."""
        reads: list[Callable[[], list[Meeting]]] = [self._nobody]
        if self.settings.status_index:
            reads += [partial(self._queried, status) for status in sorted(LIVE_STATUSES)]
        else:
            reads.append(self._scanned)
        return [row for rows in gather(reads, self.budget) for row in rows]

    def _nobody(self) -> list[Meeting]:
        """A row by key that is not there: a table with another key says so before anything is planned."""
        self._row("elephant-dns")
        return []

    def _scanned(self) -> list[Meeting]:
        expression = "attribute_not_exists(#status) OR #status <> :terminated"
        values = {":terminated": {"S": TERMINATED}}
        call = self._call("Scan")
        return self._paged(call, self.client.scan, FilterExpression=expression, ExpressionAttributeValues=values)

    def rows(self, ids: Collection[str]) -> list[Meeting]:
        """Those of these rows that exist, read consistently."""
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
                **_projection(self.settings.roles),
            )
        except RefusedError as error:
            if error.codes == ("ValidationException",):
                raise self._misfit() from error
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
        rows: list[Meeting] = []
        arguments |= {"TableName": self.settings.table_name, "ReturnConsumedCapacity": "TOTAL"}
        arguments |= _projection(self.settings.roles)
        while True:
            found, last = call(request, self.budget, self._page, **arguments)
            rows += found
            if not last:
                return rows
            arguments["ExclusiveStartKey"] = last

    def _page(self, page: Any) -> tuple[list[Meeting], Any]:
        """A page's rows, and the key after which the next page begins."""
        return [self._parsed(item) for item in page["Items"]], page.get("LastEvaluatedKey")

    def _parsed(self, item: Mapping[str, Any]) -> Meeting:
        if not isinstance(item.get("id", {}).get("S"), str):
            raise self._misfit()
        return parse_meeting(item, self.settings.roles)

    def _call(self, action: str, part: str = "") -> Call:
        return Call("dynamodb", action, f"{part}table {self.settings.table_name}", proof="ConsumedCapacity")

    def _misfit(self) -> MisfitError:
        return MisfitError(
            f"The key of table {self.settings.table_name} is not the string id alone, so it is no table of meetings.",
            "Correct TABLE_NAME; nothing was planned.",
        )


@dataclass(frozen=True, slots=True)
class DynamoWriter:
    """Writes rows, within one pass's budget. A plan is made without one."""

    client: "DynamoDBClient"
    settings: Settings
    budget: Budget

    def write(self, meeting: str, change: RowWrite) -> None:
        """One conditional UpdateItem; it never creates a row."""
        Call("dynamodb", "UpdateItem", f"table {self.settings.table_name}", proof="ConsumedCapacity", writes=True)(
            self.client.update_item,
            self.budget,
            lambda _: None,
            ReturnConsumedCapacity="TOTAL",
            TableName=self.settings.table_name,
            Key={"id": {"S": meeting}},
            **expressions(change),
        )


def parse_instance(raw: Any, project_tag: tuple[str, str]) -> Instance:
    """An instance as the rules see it."""
    tags = {tag["Key"]: tag["Value"] for tag in raw.get("Tags", ())}
    return Instance(
        id=raw["InstanceId"],
        state=raw["State"]["Name"],
        public_ip=raw.get("PublicIpAddress") or None,
        tagged=tags.get(project_tag[0]) == project_tag[1],
        meeting=tags.get("MeetingID"),
        role=tags.get("Role"),
        launched_at=raw.get("LaunchTime"),
    )


def parse_meeting(item: Mapping[str, Any], roles: Sequence[str]) -> Meeting:
    """A row as the rules see it; values of a wrong type are kept as such."""
    return Meeting(
        id=item["id"]["S"],
        status=value_of(item.get("status")),
        instance_ids={role: value_of(item.get(f"{role}_ec2_id")) for role in roles},
        links={role: value_of(item.get(f"{role}_ec2_link")) for role in roles},
        meet_time=value_of(item.get("meet_time")),
        termination_reason=value_of(item.get("termination_reason")),
    )


def expressions(change: RowWrite) -> dict[str, Any]:
    """The write as DynamoDB's expressions; every attribute goes through a name, since ``status`` is a reserved word."""
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
    """What is read of a row: nothing about the people in it."""
    of_roles = [f"{role}_{field}" for role in roles for field in ("ec2_id", "ec2_link")]
    return ["id", "status", "meet_time", "termination_reason", *of_roles]


def _projection(roles: Iterable[str]) -> dict[str, Any]:
    attributes = attributes_read(roles)
    return {
        "ProjectionExpression": ", ".join(f"#{attribute}" for attribute in attributes),
        "ExpressionAttributeNames": {f"#{attribute}": attribute for attribute in attributes},
    }


def _filter(name: str, values: Sequence[str]) -> dict[str, Any]:
    """A filter. EC2 reads values as patterns: a backslash, which escapes, becomes ``?``, and the caller compares."""
    return {"Name": name, "Values": [value.replace("\\", "?") for value in values]}


def _chunks(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + FILTER_VALUES] for start in range(0, len(values), FILTER_VALUES))
