"""The schedules of EventBridge Scheduler that reach the function; it is another service than EventBridge's rules.

It calls ``scheduler:ListSchedules``, which names no target's input, and ``scheduler:GetSchedule`` for those that fit.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.aws.call import Call
from controller.clients import AwsClients
from controller.doctor.routes import Route, Trigger
from controller.runtime.budget import Budget

#: Targets that name an API in place of a resource: what is invoked stands in the input (Scheduler: universal targets).
_INVOKE = ":scheduler:::aws-sdk:lambda:invoke"


@dataclass(frozen=True, slots=True)
class Schedules:
    """Asks EventBridge Scheduler. Every method raises CallError."""

    aws: AwsClients
    budget: Budget

    def by(self, routes: Sequence[Route]) -> list[Trigger]:
        """Return the schedules with one of these ways' targets."""
        ways = {route.target: route for route in routes}
        found = Call("scheduler", "ListSchedules", "*", proof="Schedules").pages(
            self.aws.schedules.list_schedules,
            self.budget,
            lambda page: [
                (str(raw["GroupName"]), str(raw["Name"]))
                for raw in page["Schedules"]
                if raw["Target"]["Arn"] in ways or raw["Target"]["Arn"].endswith(_INVOKE)
            ],
            ("NextToken", "NextToken"),
        )
        return [trigger for group, name in found for trigger in self._schedule(group, name, ways)]

    def _schedule(self, group: str, name: str, ways: Mapping[str, Route]) -> list[Trigger]:
        call = Call("scheduler", "GetSchedule", f"schedule {group}/{name}", proof="Name")
        read = self.aws.schedules.get_schedule
        return call(read, self.budget, lambda raw: list(_triggers(raw, ways)), GroupName=group, Name=name)


def _triggers(raw: Any, ways: Mapping[str, Route]) -> Iterator[Trigger]:
    target, sent = str(raw["Target"]["Arn"]), raw["Target"].get("Input")
    if target.endswith(_INVOKE):
        target, sent = _invoked(sent)
    route = ways.get(target)
    if route:
        yield Trigger(
            kind="Schedule",
            name=str(raw["Name"]),
            arn=str(raw["Arn"]),
            enabled=raw["State"] != "DISABLED",
            route=route,
            schedule=str(raw["ScheduleExpression"]),
            ends=raw.get("EndDate"),
            input=sent,
            role=str(raw["Target"]["RoleArn"]),
        )


def _invoked(text: str | None) -> tuple[str, str | None]:
    """Return the function that a universal target invokes, where it names an ARN, and what it sends."""
    try:
        asked = json.loads(text or "{}")
    except ValueError:
        asked = {}
    if not isinstance(asked, dict):
        return "", None
    function = str(asked.get("FunctionName") or "")
    qualifier = asked.get("Qualifier")
    sent = asked.get("Payload")
    return f"{function}:{qualifier}" if qualifier else function, sent if isinstance(sent, str) else json.dumps(sent)
