"""The EventBridge rules that reach the function: straight, by an alias, or by a queue that the function reads.

==================================  ====================================
asked                               IAM action
==================================  ====================================
what the function's queues are      ``lambda:ListEventSourceMappings``
which rules have such a target      ``events:ListRuleNamesByTarget``
what a rule matches                 ``events:DescribeRule``
what a rule sends                   ``events:ListTargetsByRule``
==================================  ====================================
"""

from dataclasses import dataclass
from typing import Any

from controller.aws.call import Call
from controller.clients import AwsClients
from controller.doctor.pages import pages
from controller.errors import NotFoundError
from controller.runtime.budget import Budget

_READING = frozenset({"Creating", "Enabling", "Enabled", "Updating"})


@dataclass(frozen=True, slots=True)
class Route:
    """How events come to the function: a target that rules can name, and whether it leads on."""

    target: str
    via: str
    open: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the default event bus, the one on which EC2's events arrive; ``input`` is sent in an event's place."""

    name: str
    enabled: bool
    pattern: str | None
    schedule: str | None
    input: str | None
    route: Route


@dataclass(frozen=True, slots=True)
class Rules:
    """Asks Lambda and EventBridge. Every method raises CallError."""

    aws: AwsClients
    budget: Budget

    def reaching(self, function: str) -> list[Rule]:
        """The rules whose events come to this ARN of the function: the function's own, or an alias's."""
        direct = Route(function, "", open=True)
        return [
            self._rule(name, route) for route in (direct, *self._queues(function)) for name in self._names(route.target)
        ]

    def is_on(self, name: str) -> bool:
        """Whether there is a rule of this name, and events or the clock bring something about."""
        call = Call("events", "DescribeRule", f"rule {name}", proof="Name")
        try:
            return call(self.aws.rules.describe_rule, self.budget, _is_on, Name=name)
        except NotFoundError:
            return False

    def _queues(self, function: str) -> list[Route]:
        found = pages(
            Call("lambda", "ListEventSourceMappings", "*", proof="EventSourceMappings"),
            self.aws.functions.list_event_source_mappings,
            self.budget,
            lambda page: [_queue(raw) for raw in page["EventSourceMappings"] if ":sqs:" in raw["EventSourceArn"]],
            ("NextMarker", "Marker"),
            FunctionName=function,
        )
        return list(found)

    def _names(self, target: str) -> list[str]:
        found = pages(
            Call("events", "ListRuleNamesByTarget", "*", proof="RuleNames"),
            self.aws.rules.list_rule_names_by_target,
            self.budget,
            lambda page: [str(name) for name in page["RuleNames"]],
            ("NextToken", "NextToken"),
            TargetArn=target,
        )
        return list(found)

    def _rule(self, name: str, route: Route) -> Rule:
        call = Call("events", "DescribeRule", f"rule {name}", proof="Name")
        inputs = pages(
            Call("events", "ListTargetsByRule", f"rule {name}", proof="Targets"),
            self.aws.rules.list_targets_by_rule,
            self.budget,
            lambda page: [raw.get("Input") for raw in page["Targets"] if raw["Arn"] == route.target],
            ("NextToken", "NextToken"),
            Rule=name,
        )
        sent = next(inputs, None)
        return call(self.aws.rules.describe_rule, self.budget, lambda raw: _rule(raw, route, sent), Name=name)


def _queue(raw: Any) -> Route:
    arn = str(raw["EventSourceArn"])
    return Route(arn, f" by queue {arn.rpartition(':')[2]}", open=raw.get("State") in _READING)


def _rule(raw: Any, route: Route, sent: str | None) -> Rule:
    return Rule(
        name=str(raw["Name"]),
        enabled=_is_on(raw),
        pattern=raw.get("EventPattern"),
        schedule=raw.get("ScheduleExpression"),
        input=sent,
        route=route,
    )


def _is_on(raw: Any) -> bool:
    return bool(raw["State"] != "DISABLED")
