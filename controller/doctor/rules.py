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
from controller.doctor.routes import Route, Trigger
from controller.errors import NotFoundError
from controller.runtime.budget import Budget

_READING = frozenset({"Creating", "Enabling", "Enabled", "Updating"})


@dataclass(frozen=True, slots=True)
class Rules:
    """Asks Lambda and EventBridge. Every method raises CallError."""

    aws: AwsClients
    budget: Budget

    def routes(self, function: str) -> list[Route]:
        """Return the ways to this ARN of the function: the function's own, or an alias's."""
        queues = Call("lambda", "ListEventSourceMappings", "*", proof="EventSourceMappings").pages(
            self.aws.functions.list_event_source_mappings,
            self.budget,
            lambda page: [
                Route(function, str(raw["EventSourceArn"]), open=raw.get("State") in _READING)
                for raw in page["EventSourceMappings"]
                if ":sqs:" in raw["EventSourceArn"]
            ],
            ("NextMarker", "Marker"),
            FunctionName=function,
        )
        return [Route(function), *queues]

    def by(self, route: Route) -> list[Trigger]:
        """Return the rules that have this way's target, once for each target."""
        names = Call("events", "ListRuleNamesByTarget", "*", proof="RuleNames").pages(
            self.aws.rules.list_rule_names_by_target,
            self.budget,
            lambda page: [str(name) for name in page["RuleNames"]],
            ("NextToken", "NextToken"),
            TargetArn=route.target,
        )
        return [trigger for name in names for trigger in self._rule(name, route)]

    def is_on(self, name: str) -> bool:
        """Return whether a rule of this name exists and is enabled."""
        call = Call("events", "DescribeRule", f"rule {name}", proof="Name")
        try:
            return call(self.aws.rules.describe_rule, self.budget, _is_on, Name=name)
        except NotFoundError:
            return False

    def _rule(self, name: str, route: Route) -> list[Trigger]:
        targets = Call("events", "ListTargetsByRule", f"rule {name}", proof="Targets").pages(
            self.aws.rules.list_targets_by_rule,
            self.budget,
            lambda page: [raw for raw in page["Targets"] if raw["Arn"] == route.target],
            ("NextToken", "NextToken"),
            Rule=name,
        )
        call = Call("events", "DescribeRule", f"rule {name}", proof="Name")
        found = list(targets)
        return call(
            self.aws.rules.describe_rule,
            self.budget,
            lambda raw: [_trigger(raw, target, route) for target in found],
            Name=name,
        )


def _trigger(raw: Any, target: Any, route: Route) -> Trigger:
    transformer = target.get("InputTransformer") or {}
    return Trigger(
        kind="Rule",
        name=str(raw["Name"]),
        arn=str(raw["Arn"]),
        enabled=_is_on(raw),
        route=route,
        pattern=raw.get("EventPattern"),
        schedule=raw.get("ScheduleExpression"),
        input=target.get("Input"),
        path=target.get("InputPath"),
        template=transformer.get("InputTemplate"),
        paths=transformer.get("InputPathsMap") or {},
        role=target.get("RoleArn"),
    )


def _is_on(raw: Any) -> bool:
    return bool(raw["State"] != "DISABLED")
