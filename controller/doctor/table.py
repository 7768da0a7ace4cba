"""The meetings' table: its key, its index, and each action of a pass, tried without changing anything."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from controller.aws.call import Call
from controller.aws.dynamodb import DynamoTable, DynamoWriter
from controller.doctor.diagnosis import (
    Check,
    Status,
    attempt,
    failed,
    fails_as,
    passed,
    skipped,
    unless_allowed,
    warned,
)
from controller.doctor.index import index_check
from controller.doctor.look import Look
from controller.errors import CallError, ConditionError, DeniedError, NotFoundError
from controller.model import RowWrite
from controller.runtime.budget import Budget
from controller.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

#: The ids that are asked for begin so, as no meeting's does: the policy for this command can name them.
NOBODY = "elephant-dns-doctor-"
#: A write of an attribute that passes write: the policies allow no other.
_TRIED = RowWrite((), removes=("termination_reason",))


def table_checks(look: Look) -> Iterator[Check]:
    """Check the table as it is described, then each action of a pass on it."""
    table = _Table(look.aws.dynamodb, look.settings, look.budget, f"{NOBODY}{secrets.token_hex(16)}")
    try:
        key, index = table.described()
    except NotFoundError as error:
        yield fails_as("table", error)
        yield from (skipped(id, "the table is not there") for id in ("status-index", *table.actions()))
        return
    except CallError as error:
        yield unless_allowed("table", error, "Key and index")
        yield skipped("status-index", "the table cannot be described")
    else:
        yield from (key, index)
        if key.status is Status.FAIL:
            yield from (skipped(id, "this is not a table of meetings") for id in table.actions())
            return
    for id, action in table.actions().items():
        yield attempt(id, partial(_allowed, id, action))


def _allowed(id: str, action: Callable[[], str]) -> Check:
    return passed(id, f"Allowed{action()}.")


@dataclass(frozen=True, slots=True)
class _Table:
    client: "DynamoDBClient"
    settings: Settings
    budget: Budget
    nobody: str

    def described(self) -> tuple[Check, Check]:
        """Check key and index. Raises CallError if the table cannot be described."""
        call = self._call("DescribeTable", proof="Table")
        return call(
            self.client.describe_table,
            self.budget,
            lambda answer: (_key(answer["Table"], self.settings), index_check(answer["Table"], self.settings)),
            TableName=self.settings.table_name,
        )

    def actions(self) -> dict[str, Callable[[], str]]:
        """Return each IAM action of a pass on the table, with the call that tries it."""
        reading = {"dynamodb:Query": self._query} if self.settings.status_index else {"dynamodb:Scan": self._scan}
        return {**reading, "dynamodb:GetItem": self._get, "dynamodb:UpdateItem": self._update}

    def _scan(self) -> str:
        self._read(self._call("Scan"), self.client.scan)
        return " (at most one row was read)"

    def _query(self) -> str:
        index = self.settings.status_index
        self._read(
            self._call("Query", f"index {index} of "),
            self.client.query,
            IndexName=index,
            KeyConditionExpression="#status = :status",
            ExpressionAttributeNames={"#status": "status", "#id": "id"},
            ExpressionAttributeValues={":status": {"S": self.nobody}},
        )
        return f" on index {index}"

    def _get(self) -> str:
        DynamoTable(self.client, self.settings, self.budget).rows([self.nobody])
        return ""

    def _update(self) -> str:
        """Try a conditional write to a row that does not exist: DynamoDB asks IAM first, then the condition fails."""
        try:
            DynamoWriter(self.client, self.settings, self.budget).write(self.nobody, _TRIED)
        except ConditionError:
            pass
        except DeniedError as error:
            raise DeniedError(error.message, f"{error.hint} Without it elephant-dns can plan only.") from error
        return " (tried on a row that is not there, on the condition that it is)"

    def _read(self, call: Call, request: Any, **arguments: Any) -> None:
        """Read at most one row, and of it the key alone."""
        arguments = {"ExpressionAttributeNames": {"#id": "id"}, **arguments}
        table = self.settings.table_name
        call(
            request,
            self.budget,
            lambda _: None,
            TableName=table,
            Limit=1,
            ProjectionExpression="#id",
            Select="SPECIFIC_ATTRIBUTES",
            ReturnConsumedCapacity="TOTAL",
            **arguments,
        )

    def _call(self, action: str, part: str = "", proof: str = "ConsumedCapacity") -> Call:
        return Call("dynamodb", action, f"{part}table {self.settings.table_name}", proof=proof)


def _key(table: Any, settings: Settings) -> Check:
    types = {field["AttributeName"]: field["AttributeType"] for field in table["AttributeDefinitions"]}
    keys = [(key["AttributeName"], key["KeyType"], types.get(key["AttributeName"])) for key in table["KeySchema"]]
    if keys == [("id", "HASH", "S")]:
        seen = f"The key of table {settings.table_name} is the string id."
        return _replicated(table, seen) or passed("table", f"{seen} The table belongs to one deployment alone.")
    shown = ", ".join(f"{name} ({kind}, type {of})" for name, kind, of in keys)
    seen = f"The key of table {settings.table_name} is {shown}, so it is not a table of meetings."
    return failed("table", seen, "Correct TABLE_NAME: the key is id, a string, without a sort key.")


def _replicated(table: Any, seen: str) -> Check | None:
    """Warn if the rows are in other regions, too: a deployment there sees them as its own."""
    regions = sorted(str(replica["RegionName"]) for replica in table.get("Replicas") or ())
    if not regions:
        return None
    fix = "Run no other deployment on it, in no region: a table belongs to one deployment alone."
    return warned("table", f"{seen} It has replicas in {', '.join(regions)}.", fix)
