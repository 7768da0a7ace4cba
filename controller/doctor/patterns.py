"""What an EventBridge pattern asks of an event, and what EC2 really sends (AWS documentation: event patterns)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from controller.events import STATE_CHANGE

#: The states that a pass wants to hear of at once; ``pending`` is followed by ``running``.
STATES = ("running", "stopping", "stopped", "shutting-down", "terminated")
#: What a rule for them looks like.
RIGHT_PATTERN = json.dumps({"source": ["aws.ec2"], "detail-type": [STATE_CHANGE], "detail": {"state": STATES}})
_INSTANCE = "i-0123456789abcdef0"


@dataclass(frozen=True, slots=True)
class Unmet:
    """Something that a pattern asks for and an event has not: ``sent`` is what it has there, None for nothing."""

    path: str
    asked: Any
    sent: Any

    def __str__(self) -> str:
        """As a piece of a sentence about the pattern."""
        if self.sent is None:
            return f"it asks for {self.path}, which EC2 never sends"
        return f"it asks for {self.path} {json.dumps(self.asked)}, and EC2 sends {json.dumps(self.sent)}"


def state_change(state: str, function: str) -> dict[str, Any]:
    """Return an event as EC2 sends it where this function's ARN lies: its detail holds id and state, no tags."""
    _, partition, _, region, account, *_ = function.split(":")
    return {
        "version": "0",
        "detail-type": STATE_CHANGE,
        "source": "aws.ec2",
        "account": account,
        "region": region,
        "resources": [f"arn:{partition}:ec2:{region}:{account}:instance/{_INSTANCE}"],
        "detail": {"instance-id": _INSTANCE, "state": state},
    }


def unmet(pattern: Mapping[str, Any], event: Any, path: str = "") -> Iterator[Unmet]:
    """What keeps this pattern from matching this event; nothing if it matches."""
    event = event if isinstance(event, Mapping) else {}
    for key, asked in pattern.items():
        here = f"{path}{key}"
        sent = event.get(key)
        if key == "$or":
            either = [list(unmet(one, event, path)) for one in asked]
            yield from min(either, key=len, default=[])
        elif isinstance(asked, Mapping) and sent is not None:
            yield from unmet(asked, sent, f"{here}.")
        elif isinstance(asked, Mapping):
            yield from () if _wants_absence(asked) else (Unmet(here, asked, None),)
        elif not any(_matches(one, value) for one in asked for value in (sent if isinstance(sent, list) else [sent])):
            yield Unmet(here, asked, sent)


def _wants_absence(asked: Any) -> bool:
    """Whether a pattern asks, all the way down, that something be not there."""
    if isinstance(asked, Mapping):
        return all(map(_wants_absence, asked.values()))
    return {"exists": False} in asked


def _matches(asked: Any, sent: Any) -> bool:
    """One value of a pattern. Filters on numbers and addresses never match what a state change has: text."""
    if not isinstance(asked, Mapping):
        return bool(asked == sent)
    (operator, operand), *_ = asked.items()
    match operator:
        case "exists":
            return (sent is not None) is operand
        case _ if not isinstance(sent, str):
            return False
        case "prefix" | "suffix" | "wildcard" | "equals-ignore-case":
            return _reads(operator, operand, sent)
        case "anything-but":
            return not any(_matches(one, sent) for one in (operand if isinstance(operand, list) else [operand]))
    return False


def _reads(operator: str, operand: Any, sent: str) -> bool:
    if isinstance(operand, Mapping):  # {"prefix": {"equals-ignore-case": …}}
        operand, sent = str(next(iter(operand.values()))).lower(), sent.lower()
    match operator:
        case "prefix":
            return sent.startswith(operand)
        case "suffix":
            return sent.endswith(operand)
        case "wildcard":
            return fnmatchcase(sent, operand.replace("[", "[[]").replace("?", "[?]"))
    return bool(sent.lower() == operand.lower())
