"""Is another deployment at work on the same table? Two of them write their links into the same rows.

It calls ``lambda:ListFunctions``: a function with DOMAIN_ROOT and ZONE_ID in its environment is a deployment.
"""

import re
from collections.abc import Mapping
from typing import Any

from controller.aws.call import Call
from controller.doctor.deployed import Deployed
from controller.doctor.diagnosis import Check, if_allowed, passed, warned
from controller.doctor.look import Look
from controller.settings import TABLE

_ID = "table-users"
_DEFAULT = next(variable.default for variable in TABLE if variable.name == "TABLE_NAME")


def sharing_check(look: Look, function: Deployed) -> Check:
    """Check that no function of another deployment names the table of a pass from here."""
    return if_allowed(_ID, lambda: _shared(look, function))


def table_in(name: str, function: Deployed) -> str:
    """Return the table's name if it is in the function's account and region, however it is given; else its ARN."""
    return re.sub(rf"arn:[a-z-]+:dynamodb:{function.region}:{function.account}:table/", "", name)


def _shared(look: Look, function: Deployed) -> Check:
    table = table_in(look.settings.table_name, function)
    found = Call("lambda", "ListFunctions", "*", proof="Functions").pages(
        look.aws.functions.list_functions,
        look.budget,
        lambda page: [(str(raw["FunctionName"]), _environment(raw)) for raw in page["Functions"]],
        ("NextMarker", "Marker"),
    )
    others = sorted(
        name
        for name, environment in found
        if name != function.name
        and _is_deployment(environment)
        and table_in(environment.get("TABLE_NAME") or str(_DEFAULT), function) == table
    )
    if not others:
        return passed(_ID, f"No function of another deployment here names table {look.settings.table_name}.")
    seen = f"Table {look.settings.table_name} is also named by the function of another deployment: {', '.join(others)}."
    fix = "Give each deployment a TABLE_NAME of its own, unless that one only plans; or delete that one."
    return warned(_ID, seen, fix)


def _environment(raw: Any) -> Mapping[str, str]:
    return dict((raw.get("Environment") or {}).get("Variables") or {})


def _is_deployment(environment: Mapping[str, str]) -> bool:
    return bool(environment.get("DOMAIN_ROOT") and environment.get("ZONE_ID"))
