"""The function as it is deployed, its aliases, and what starts it: read once, judged by several checks.

It calls ``lambda:GetFunctionConfiguration``, ``lambda:ListAliases``, and what ``rules.py`` and ``schedules.py`` name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from controller.aws.call import Call
from controller.clients import AwsClients
from controller.doctor.routes import Trigger
from controller.doctor.rules import Rules
from controller.doctor.schedules import Schedules
from controller.errors import CallError
from controller.runtime.budget import Budget


@dataclass(frozen=True, slots=True)
class Deployed:
    """A function, a version or an alias of it. ``environment`` is None where Lambda could not decrypt it."""

    arn: str
    environment: Mapping[str, str] | None = field(repr=False)  # it may hold a token
    handler: str
    seconds: int
    state: str
    update: str

    @classmethod
    def parsed(cls, raw: Any) -> Self:
        """Read Lambda's answer."""
        environment = raw.get("Environment") or {}
        return cls(
            arn=str(raw["FunctionArn"]),
            environment=None if environment.get("Error") else dict(environment.get("Variables") or {}),
            handler=str(raw.get("Handler") or raw.get("PackageType")),
            seconds=int(raw.get("Timeout") or 3),
            state=str(raw.get("State") or "Active"),
            update=str(raw.get("LastUpdateStatus") or "Successful"),
        )

    @property
    def name(self) -> str:
        """Return the function's name, without version or alias."""
        return self.arn.split(":")[6]

    @property
    def account(self) -> str:
        """Return the account that it is in."""
        return self.arn.split(":")[4]

    @property
    def region(self) -> str:
        """Return the region that it is in."""
        return self.arn.split(":")[3]


@dataclass(frozen=True, slots=True)
class Deployment:
    """The function, the ARNs of its aliases, and the triggers; an error in their place where they cannot be read."""

    function: Deployed
    aliases: tuple[str, ...]
    rules: tuple[Trigger, ...] | CallError
    schedules: tuple[Trigger, ...] | CallError
    woken: Mapping[str, Deployed]
    """What is started, by the ARN at which: what a trigger reaches; where nothing does, the aliases or the function."""

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        """Return the triggers that could be read."""
        found = (self.rules, self.schedules)
        return tuple(trigger for some in found if not isinstance(some, CallError) for trigger in some)


def read_deployment(aws: AwsClients, name: str, budget: Budget) -> Deployment:
    """Read all of it. Raises CallError where the function or its aliases cannot be read."""
    function, aliases = _deployed(aws, name, budget), _aliases(aws, name, budget)
    rules, schedules = _triggers(aws, [function.arn, *aliases], budget)
    reached = [
        trigger.route.function for some in (rules, schedules) if not isinstance(some, CallError) for trigger in some
    ]
    targets = list(dict.fromkeys(reached)) or aliases or [function.arn]
    woken = {target: _deployed(aws, target, budget) for target in targets}
    return Deployment(function, tuple(aliases), rules, schedules, woken)


def _triggers(
    aws: AwsClients, targets: list[str], budget: Budget
) -> tuple[tuple[Trigger, ...] | CallError, tuple[Trigger, ...] | CallError]:
    asked = Rules(aws, budget)
    try:
        routes = [route for target in targets for route in asked.routes(target)]
        rules = tuple(trigger for route in routes for trigger in asked.by(route))
    except CallError as error:
        return error, error
    try:
        return rules, tuple(Schedules(aws, budget).by(routes))
    except CallError as error:
        return rules, error


def _deployed(aws: AwsClients, name: str, budget: Budget) -> Deployed:
    call = Call("lambda", "GetFunctionConfiguration", f"function {name}", proof="FunctionArn")
    return call(aws.functions.get_function_configuration, budget, Deployed.parsed, FunctionName=name)


def _aliases(aws: AwsClients, name: str, budget: Budget) -> list[str]:
    found = Call("lambda", "ListAliases", f"function {name}", proof="Aliases").pages(
        aws.functions.list_aliases,
        budget,
        lambda page: [str(alias["AliasArn"]) for alias in page["Aliases"]],
        ("NextMarker", "Marker"),
        FunctionName=name,
    )
    return list(found)
