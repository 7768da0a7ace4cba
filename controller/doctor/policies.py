"""Whether a resource's policy lets a service call it for a rule: IAM's order of effects, as far as policies use it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """A call: the service that sends it, the action, the resource, and the rule that it is for."""

    service: str
    action: str
    resource: str
    source: str

    @property
    def context(self) -> dict[str, str]:
        """Return what conditions can ask of the call, by key in lower case."""
        account = self.source.split(":")[4]
        return {
            "aws:sourcearn": self.source,
            "aws:sourceaccount": account,
            "aws:securetransport": "true",
            "aws:principalisawsservice": "true",
            "aws:principalservicename": self.service,
        }


def allows(policy: Mapping[str, Any], asked: Asked) -> bool | None:
    """Return whether the policy allows the call; None if that depends on a condition that is not known here."""
    statements = [one for one in _listed(policy.get("Statement")) if _is_about(one, asked)]
    fits = {effect: [_meets(one, asked) for one in statements if one.get("Effect") == effect] for effect in _EFFECTS}
    if True in fits["Deny"]:
        return False
    if True in fits["Allow"]:
        return True if None not in fits["Deny"] else None
    return None if None in fits["Allow"] else False


_EFFECTS = ("Deny", "Allow")


def _is_about(statement: Any, asked: Asked) -> bool:
    return (
        isinstance(statement, Mapping)
        and _names(statement, "Action", [asked.action])
        and _names(statement, "Resource", [asked.resource])
        and _names_service(statement.get("Principal"), asked.service)
    )


def _names(statement: Mapping[str, Any], element: str, wanted: list[str]) -> bool:
    """Return whether an element, or its opposite such as NotAction, covers one of these; absent, it covers all."""
    if f"Not{element}" in statement:
        return not _any_like(statement[f"Not{element}"], wanted)
    return element not in statement or _any_like(statement[element], wanted)


def _names_service(principal: Any, service: str) -> bool:
    if isinstance(principal, Mapping):
        return "*" in _listed(principal.get("AWS")) or service in _listed(principal.get("Service"))
    return bool(principal == "*")


def _meets(statement: Mapping[str, Any], asked: Asked) -> bool | None:
    """Return whether every condition is met; None where one that is not known decides."""
    met = list(_conditions(statement.get("Condition") or {}, asked.context))
    return False if False in met else None if None in met else True


def _conditions(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> Iterator[bool | None]:
    for operator, tests in conditions.items():
        for key, values in tests.items():
            yield _met(operator.removesuffix("IfExists"), values, context.get(key.lower()))


def _met(operator: str, values: Any, actual: str | None) -> bool | None:
    """Judge one condition. A key that is not known here may have any value."""
    found = re.fullmatch(r"(String|Arn)(Not)?(Equals|Like|EqualsIgnoreCase)|Bool", operator)
    if actual is None or not found:
        return None
    # Lambda and EventBridge know patterns in every condition on an ARN (IAM reference: ArnEquals is ArnLike).
    is_pattern = found[1] == "Arn" or found[3] == "Like"
    is_like = _any_like(values, [actual]) if is_pattern else actual.lower() in (str(v).lower() for v in _listed(values))
    return is_like is not bool(found[2])


def _any_like(patterns: Any, wanted: Iterable[str]) -> bool:
    """Match IAM's patterns: ``*`` and ``?`` are the only wildcards, and case does not count."""
    return any(
        re.fullmatch(re.escape(str(one)).replace(r"\*", ".*").replace(r"\?", "."), text, re.IGNORECASE)
        for one in _listed(patterns)
        for text in wanted
    )


def _listed(value: Any) -> list[Any]:
    """Return a list: IAM accepts a single value in place of one."""
    return list(value) if isinstance(value, list) else [] if value is None else [value]
