"""The rows of meetings that are over. No pass reads them; ``explain`` does, for an old machine."""

from typing import TYPE_CHECKING, Any

from controller.aws.call import Call
from controller.aws.dynamodb import NEXT_PAGE, parse_meeting, projection
from controller.model import TERMINATED, Meeting
from controller.ports import Context
from controller.runtime.threads import bounded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def rows_naming(client: "DynamoDBClient", context: Context, instance: str) -> list[Meeting]:
    """Return the ``TERMINATED`` rows that name this instance, by a query of the index or a scan. Raises CallError."""
    return bounded(lambda: _rows(client, context, instance), context.budget)


def _rows(client: "DynamoDBClient", context: Context, instance: str) -> list[Meeting]:
    settings = context.settings
    names_it = " OR ".join(f"#{role}_ec2_id = :instance" for role in settings.roles)
    asked: dict[str, Any] = {
        **projection(settings.roles),
        "TableName": settings.table_name,
        "ReturnConsumedCapacity": "TOTAL",
        "Select": "SPECIFIC_ATTRIBUTES",  # the policy Plan asks for it
        "ExpressionAttributeValues": {":instance": {"S": instance}, ":over": {"S": TERMINATED}},
    }
    request: Any
    action, where, request = "Scan", f"table {settings.table_name}", client.scan
    if settings.status_index:
        action, where, request = "Query", f"index {settings.status_index} of {where}", client.query
        asked |= {"IndexName": settings.status_index, "KeyConditionExpression": "#status = :over"}
        asked["FilterExpression"] = names_it
    else:
        asked["FilterExpression"] = f"#status = :over AND ({names_it})"
    call = Call("dynamodb", action, where, proof="ConsumedCapacity")

    def read(page: Any) -> list[Meeting]:
        return [parse_meeting(item, settings.roles) for item in page["Items"]]

    return list(call.pages(request, context.budget, read, NEXT_PAGE, **asked))
