"""What an EventBridge pattern asks of an event, and what AWS really sends (AWS documentation: event patterns).

EventBridge itself says whether a pattern matches (``events:TestEventPattern``). The reading here says why it does not,
and takes EventBridge's place where that call is denied.
"""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from controller.aws.call import Call
from controller.clients import AwsClients
from controller.errors import DeniedError
from controller.events import STATE_CHANGE, TAG_CHANGE
from controller.runtime.budget import Budget

#: The states that a pass wants to hear of at once; ``pending`` is followed by ``running``.
STATES = ("running", "stopping", "stopped", "shutting-down", "terminated")
#: What a rule for them looks like.
RIGHT_PATTERN = json.dumps({"source": ["aws.ec2"], "detail-type": [STATE_CHANGE], "detail": {"state": STATES}})
#: What differs in an event of another account or region.
_OF_PLACE = frozenset({"account", "region", "resources"})
#: The machine of the events that are tried.
INSTANCE = "i-0123456789abcdef0"


@dataclass(frozen=True, slots=True)
class Unmet:
    """Something that a pattern asks for and an event lacks: ``sent`` is what it has there, None for nothing."""

    path: str
    asked: Any
    sent: Any

    def __str__(self) -> str:
        """Return it as a piece of a sentence about the pattern."""
        if self.sent is None:
            return f"it asks for {self.path}, which AWS never sends"
        return f"it asks for {self.path} {json.dumps(self.asked)}, and AWS sends {json.dumps(self.sent)}"


class Matcher:
    """Whether a rule's pattern matches an event: asked of EventBridge, or read here once that is denied.

    What was asked is not asked again: the rules of twenty cells are alike, and so are their events where a pattern does
    not ask for their place.
    """

    def __init__(self, aws: AwsClients, budget: Budget) -> None:
        self._aws, self._budget = aws, budget
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], bool] = {}
        self.denied: DeniedError | None = None

    def matches(self, pattern: str, event: Mapping[str, Any]) -> bool:
        """Return EventBridge's answer, or the reading here. Raises CallError if EventBridge has no answer."""
        if self.denied is None:
            try:
                return self._asked(pattern, event)
            except DeniedError as error:
                self.denied = error
        return not list(unmet(json.loads(pattern), event))

    def _asked(self, pattern: str, event: Mapping[str, Any]) -> bool:
        asked = json.loads(pattern)
        alike = {} if "$or" in asked else dict.fromkeys(_OF_PLACE - asked.keys())
        key = pattern, json.dumps({**event, **alike})
        with self._lock:
            if key not in self._known:
                self._known[key] = self._tested(pattern, event)
            return self._known[key]

    def _tested(self, pattern: str, event: Mapping[str, Any]) -> bool:
        call = Call("events", "TestEventPattern", "*", proof="Result")
        test = self._aws.rules.test_event_pattern
        return call(
            test, self._budget, lambda answer: bool(answer["Result"]), EventPattern=pattern, Event=json.dumps(event)
        )


def right_tag_pattern(keys: Iterable[str]) -> str:
    """Return what a rule for changes of these tags looks like."""
    detail = {"service": ["ec2"], "resource-type": ["instance"], "changed-tag-keys": list(keys)}
    return json.dumps({"source": ["aws.tag"], "detail-type": [TAG_CHANGE], "detail": detail})


def is_for_tags(pattern: str) -> bool:
    """Return whether a pattern means changed tags, and no state changes: also one that never matches."""
    return ("aws.tag" in pattern or TAG_CHANGE in pattern) and STATE_CHANGE not in pattern


def tag_change(key: str, place: str) -> dict[str, Any]:
    """Return an event as EventBridge sends it when this tag of an instance there changes."""
    detail = {
        "changed-tag-keys": [key],
        "service": "ec2",
        "resource-type": "instance",
        "version": 1,
        "tags": {key: "x"},
    }
    return {**state_change("running", place), "detail-type": TAG_CHANGE, "source": "aws.tag", "detail": detail}


def state_change(state: str, place: str) -> dict[str, Any]:
    """Return an event as EC2 sends it in the account and region of this ARN: its detail holds id and state, no tags."""
    _, partition, _, region, account, *_ = place.split(":")
    return {
        "version": "0",
        "id": "00000000-0000-0000-0000-000000000000",
        "detail-type": STATE_CHANGE,
        "source": "aws.ec2",
        "account": account,
        "time": "2000-01-01T00:00:00Z",
        "region": region,
        "resources": [f"arn:{partition}:ec2:{region}:{account}:instance/{INSTANCE}"],
        "detail": {"instance-id": INSTANCE, "state": state},
    }


def unmet(pattern: Mapping[str, Any], event: Any, path: str = "") -> Iterator[Unmet]:
    """Yield what keeps this pattern from matching this event; nothing if it matches."""
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
    """Return whether a pattern asks, all the way down, for something to be absent."""
    if isinstance(asked, Mapping):
        return all(map(_wants_absence, asked.values()))
    return {"exists": False} in asked


def _matches(asked: Any, sent: Any) -> bool:
    """Compare one value of a pattern. Filters on numbers and addresses never match what a state change has: text."""
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
