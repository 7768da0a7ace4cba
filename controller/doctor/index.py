"""The index on the rows' status: is it as a pass needs it, and would it pay where there is none?

A scan reads the whole table in every pass, half a read unit for each 4 KB, so it grows with the meetings of the past.
With the index a pass reads the live rows, whatever the table holds beside them. The threshold is 10 MB: from there on
a scan is 1,280 read units and ten calls one after another (one brings 1 MB at most), which a pass every five minutes
makes 11 million units in 30 days.
"""

from typing import Any

from controller.aws.dynamodb import attributes_read
from controller.doctor.diagnosis import Check, failed, passed, warned
from controller.settings import Settings

#: Bytes, of a table from which on the index pays.
PAYS_FROM = 10 * 1024 * 1024
#: Bytes in half a read unit, for reads that need not be consistent (DynamoDB documentation: read consumption).
BLOCK = 4096


def index_check(table: Any, settings: Settings) -> Check:
    """Check the index, from the table's description."""
    indexes = {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes") or ()}
    if settings.status_index is None:
        return _without(table, settings, [name for name in indexes if not _lacks(indexes[name], settings)])
    index = indexes.get(settings.status_index)
    if index is None:
        there = f" It has: {', '.join(sorted(indexes))}." if indexes else ""
        seen = f"Table {settings.table_name} has no index {settings.status_index}.{there}"
        return failed("status-index", seen, "Correct STATUS_INDEX, or unset it: then the table is scanned.")
    lacks = _lacks(index, settings)
    if lacks:
        seen = f"Index {settings.status_index} {'; it '.join(lacks)}."
        fix = "Create an index with partition key status that projects all attributes, or unset STATUS_INDEX."
        return failed("status-index", seen, fix)
    seen = f"Index {settings.status_index} has the key and the attributes that a pass reads. {_costs(table)}"
    return passed("status-index", seen)


def _without(table: Any, settings: Settings, fitting: list[str]) -> Check:
    if int(table["TableSizeBytes"]) < PAYS_FROM:
        seen = f"None is used, and none is needed below {PAYS_FROM // 1024**2} MB. {_costs(table)}"
        return passed("status-index", seen)
    seen = f"It would pay: a scan reads all of table {settings.table_name}. {_costs(table)}"
    make = "Create an index with partition key status that projects all attributes, and name it in STATUS_INDEX."
    return warned("status-index", seen, f"Set STATUS_INDEX={sorted(fitting)[0]}: it is there." if fitting else make)


def _costs(table: Any) -> str:
    """Return the figures of the table; DynamoDB counts rows and bytes about every six hours."""
    rows, size = int(table["ItemCount"]), int(table["TableSizeBytes"])
    scan = max(1, -(-size // BLOCK)) / 2
    return (
        f"Rows in the table: {rows:,}, {size:,} bytes. In each pass a scan costs {scan:,.1f} read units, the index "
        "2 (four queries, half a unit each) and what the live rows take."
    )


def _lacks(index: Any, settings: Settings) -> list[str]:
    """List what keeps a pass from using this index."""
    keys = {key["KeyType"]: key["AttributeName"] for key in index["KeySchema"]}
    lacks = [] if keys.get("HASH") == "status" else [f"has the partition key {keys.get('HASH')}, not status"]
    if "RANGE" in keys:
        lacks.append(f"has the sort key {keys['RANGE']}, so rows without that attribute are not in it")
    missing = _not_projected(index, {"id", *keys.values()}, settings)
    if missing:
        lacks.append(f"does not project {', '.join(missing)}")
    if index.get("IndexStatus", "ACTIVE") != "ACTIVE":
        lacks.append(f"is not ready ({index['IndexStatus']})")
    return lacks


def _not_projected(index: Any, keys: set[str], settings: Settings) -> list[str]:
    projection = index["Projection"]
    if projection["ProjectionType"] == "ALL":
        return []
    there = keys | set(projection.get("NonKeyAttributes") or ())
    return [attribute for attribute in attributes_read(settings.roles) if attribute not in there]
