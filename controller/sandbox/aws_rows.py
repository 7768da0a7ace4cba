"""The meetings' table: rows in, rows out, as plain dicts."""

from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends

from controller.sandbox.aws_http import MOTO_LOCK

_TO_DYNAMO, _FROM_DYNAMO = TypeSerializer(), TypeDeserializer()


class Rows:
    """The rows of one table, for a writer beside the controller: without conditions and log."""

    def __init__(self, account: str, region: str, table: str) -> None:
        self._account = account
        self._region = region
        self.table = table

    def put(self, id: str, /, **attributes: Any) -> None:
        """Write a whole row. Attributes may be of any type that DynamoDB has, such as int, Decimal, dict or None."""
        item = {name: _TO_DYNAMO.serialize(value) for name, value in {"id": id, **attributes}.items()}
        with MOTO_LOCK:
            self._backend.put_item(self.table, item)

    def edit(self, id: str, /, **attributes: Any) -> None:
        """Change some attributes of a row. An Ellipsis (``...``) removes one."""
        with MOTO_LOCK:
            changed = {**self.get(id), **attributes}
            self.put(id, **{name: value for name, value in changed.items() if value is not ... and name != "id"})

    def remove(self, id: str, /) -> None:
        """Delete a row."""
        with MOTO_LOCK:
            self._backend.delete_item(self.table, {"id": {"S": id}})

    def get(self, id: str, /) -> dict[str, Any]:
        """Return a row with its key. Raises KeyError if there is none."""
        with MOTO_LOCK:
            item = self._backend.get_item(self.table, {"id": {"S": id}})
        if item is None:
            raise KeyError(id)
        return _plain(item.to_json()["Attributes"])

    def all(self) -> dict[str, dict[str, Any]]:
        """Return every row by id."""
        with MOTO_LOCK:
            items = [item.to_json()["Attributes"] for item in self._backend.get_table(self.table).all_items()]
        return {row["id"]: row for row in map(_plain, items)}

    @property
    def _backend(self) -> DynamoDBBackend:
        return dynamodb_backends[self._account][self._region]


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _FROM_DYNAMO.deserialize(value) for name, value in item.items()}
