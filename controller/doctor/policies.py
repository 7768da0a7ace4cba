"""Whether a resource's policy lets a rule's service, or another account, call it: IAM's order of effects."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Asked:
    """A call: the names of its caller, as principals of one kind, the action, the resource, and its context.

    ``context`` is what conditions can ask of the call, by key in lower case; what is not there is not known.
    """

    kind: str
    names: tuple[str, ...]
    action: str
    resource: str
    context: Mapping[str, str]

    @classmethod
    def by_service(cls, service: str, action: str, resource: str, source: str) -> Self:
        """Return a call that a service sends for a rule."""
        context = {
            "aws:sourcearn": source,
            "aws:sourceaccount": source.split(":")[4],
            "aws:securetransport": "true",
            "aws:principalisawsservice": "true",
            "aws:principalservicename": service,
        }
        return cls("Service", (service,), action, resource, context)

    @classmethod
    def by_account(cls, account: str, action: str, resource: str, context: Mapping[str, str]) -> Self:
        """Return a call that a role of an account sends."""
        partition = resource.split(":")[1]
        known = {
            "aws:principalaccount": account,
            "aws:securetransport": "true",
            "aws:principalisawsservice": "false",
            **context,
        }
        return cls("AWS", (account, f"arn:{partition}:iam::{account}:root"), action, resource, known)


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
        and _names_caller(statement.get("Principal"), asked)
    )


def _names(statement: Mapping[str, Any], element: str, wanted: list[str]) -> bool:
    """Return whether an element, or its opposite such as NotAction, covers one of these; absent, it covers all."""
    if f"Not{element}" in statement:
        return not _any_like(statement[f"Not{element}"], wanted)
    return element not in statement or _any_like(statement[element], wanted)


def _names_caller(principal: Any, asked: Asked) -> bool:
    if isinstance(principal, Mapping):
        named = _listed(principal.get(asked.kind))
        return "*" in _listed(principal.get("AWS")) or any(name in named for name in asked.names)
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
    """Judge one condition. A key that is not known here may have any value; one that is known has one."""
    found = re.fullmatch(
        r"(?:For(?:All|Any)Values:)?(?:(String|Arn)(Not)?(Equals|Like|EqualsIgnoreCase)|Bool)", operator
    )
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
