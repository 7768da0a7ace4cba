"""The rows of meetings that are over. No pass reads them; ``explain`` does, for an old machine."""

from typing import TYPE_CHECKING, Any

from controller.aws.call import Call
from controller.aws.dynamodb import attributes_read, parse_meeting
from controller.model import TERMINATED, Meeting
from controller.ports import Context
from controller.runtime.threads import bounded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def rows_naming(client: "DynamoDBClient", context: Context, instance: str) -> list[Meeting]:
    """Return the ``TERMINATED`` rows that name this instance, by a query of the index or a scan. Raises CallError."""
    return bounded(lambda: _rows(client, context, instance), context.budget)


def _rows(client: "DynamoDBClient", context: Context, instance: str) -> list[Meeting]:
    settings, rows = context.settings, list[Meeting]()
    names = {f"#{attribute}": attribute for attribute in attributes_read(settings.roles)}
    names_it = " OR ".join(f"#{role}_ec2_id = :instance" for role in settings.roles)
    asked: dict[str, Any] = {
        "TableName": settings.table_name,
        "ReturnConsumedCapacity": "TOTAL",
        "ProjectionExpression": ", ".join(names),
        "Select": "SPECIFIC_ATTRIBUTES",  # the policy Plan asks for it
        "ExpressionAttributeNames": names,
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
    while True:
        found, last = call(request, context.budget, lambda page: (page["Items"], page.get("LastEvaluatedKey")), **asked)
        rows += [parse_meeting(item, settings.roles) for item in found]
        if not last:
            return rows
        asked["ExclusiveStartKey"] = last
