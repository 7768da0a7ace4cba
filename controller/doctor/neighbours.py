"""Other functions of this account and region with the same table: two watchdogs on one table undo each other's work."""

from collections.abc import Mapping
from typing import Any

from controller.aws.call import Call
from controller.clients import AwsClients
from controller.doctor.diagnosis import Check, fails_as, passed, skipped, warned
from controller.doctor.pages import pages
from controller.errors import CallError, DeniedError
from controller.runtime.budget import Budget
from controller.settings import TABLE, Settings

TABLE_USERS = "table-users"
#: Variables that only a watchdog has: a launcher names the table as well, and should.
_WATCHDOG = ("DOMAIN_ROOT", "ZONE_ID")
(_DEFAULT,) = (variable.default for variable in TABLE if variable.name == "TABLE_NAME")


def table_users(aws: AwsClients, settings: Settings, function: str, budget: Budget) -> Check:
    """Return a warning that lists the other watchdogs that name this table; ``function`` is this deployment's own."""
    call = Call("lambda", "ListFunctions", "*", proof="Functions")
    table = settings.table_name.rpartition("/")[2]
    try:
        found = pages(
            call,
            aws.functions.list_functions,
            budget,
            lambda page: [str(raw["FunctionName"]) for raw in page["Functions"] if _names(raw, table)],
            ("NextMarker", "Marker"),
        )
        others = sorted(set(found) - {function.rpartition(":function:")[2].split(":")[0]})
    except DeniedError as error:
        return skipped(TABLE_USERS, f"the functions cannot be listed: {error.hint} Only this command needs it")
    except CallError as error:
        return fails_as(TABLE_USERS, error)
    if not others:
        return passed(TABLE_USERS, f"No other watchdog in this account and region uses the table {table}.")
    seen = f"The table {table} is also used by {', '.join(others)}."
    return warned(TABLE_USERS, seen, "Give each deployment a table of its own, unless the other one only plans.")


def _names(raw: Mapping[str, Any], table: str) -> bool:
    """Whether this function is a watchdog on the table."""
    environment = (raw.get("Environment") or {}).get("Variables") or {}
    named = environment.get("TABLE_NAME") or _DEFAULT
    return any(name in environment for name in _WATCHDOG) and str(named).rpartition("/")[2] == table
