"""Events: what may wake the Lambda function, and the request that each becomes. An event is a hint, never an order.

==========================================================  ========================================
event                                                       pass
==========================================================  ========================================
``EC2 Instance State-change Notification``                  apply, over that instance
``Tag Change on Resource`` of an EC2 instance               apply, over that instance
an SQS batch of such events                                 apply, over all instances named
``Scheduled Event``                                         apply, over everything
``{"action": "plan"|"apply", "instance": …, "force": …}``   as it says; ``"scheduled": true`` from a rule
anything else                                               RequestError, nothing done
==========================================================  ========================================
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from controller.errors import RequestError
from controller.model import Finding, Heard, Mode, Request
from controller.names import is_instance_id

STATE_CHANGE = "EC2 Instance State-change Notification"
TAG_CHANGE = "Tag Change on Resource"
SCHEDULED = "Scheduled Event"
EXPECTED = (
    f"Expected an EventBridge event of detail-type {STATE_CHANGE!r}, {TAG_CHANGE!r} (of an EC2 instance) or "
    f"{SCHEDULED!r}, an SQS batch of the first two, or "
    '{"action": "plan" or "apply", optionally "instance": "i-…" or a list of them, "force": true, "scheduled": true}.'
)
_KEYS = frozenset({"action", "instance", "force", "scheduled"})


def parse_event(event: Any) -> Request:
    """The request in an event. Raises RequestError, naming what was expected."""
    match event:
        case {"Records": [_, *_] as records}:
            return _batch(records)
        case {"detail-type": "Scheduled Event", "source": "aws.events" | "aws.scheduler"}:
            return Request(Mode.APPLY, is_scheduled=True)
        case {"detail-type": "EC2 Instance State-change Notification" | "Tag Change on Resource"}:
            return _of_instances([event])
        case {"action": "plan" | "apply" as action}:
            return _command(action, event)
    raise RequestError("The event is none that this function knows; nothing was done.", EXPECTED)


def _of_instances(events: Iterable[Any], findings: Iterable[Finding] = ()) -> Request:
    """A pass over the instances of these events."""
    heard: dict[str, Heard] = {}
    homes: dict[str, str] = {}
    scope = set[str]()
    for event in events:
        (instance, state), at = _change_of(event), _time_of(event)
        scope.add(instance)
        if home := _home_of(event):
            homes[instance] = home
        if at is not None and state is not None:
            heard[instance] = _later(heard.get(instance), Heard(state, at, at))
    return Request(Mode.APPLY, frozenset(scope), findings=tuple(findings), heard=heard, homes=homes)


def _later(known: Heard | None, new: Heard) -> Heard:
    """The later of two events of one instance, with the time of the first: events come in any order."""
    if known is None:
        return new
    return replace(max(known, new, key=lambda heard: heard.at), since=min(known.since, new.since))


def _change_of(event: Any) -> tuple[str, str | None]:
    """The instance that the event is about, and its new state; None where its tags changed.

    The form of a tag's change: "Monitor tag changes" in the guide of AWS's resource groups.
    """
    match event:
        case {
            "source": "aws.ec2",
            "detail-type": "EC2 Instance State-change Notification",
            "detail": {"instance-id": str() as instance, **detail},
        } if is_instance_id(instance):
            return instance, str(detail.get("state"))
        case {
            "source": "aws.tag",
            "detail-type": "Tag Change on Resource",
            "resources": [str() as arn],
            "detail": {"service": "ec2", "resource-type": "instance"},
        } if is_instance_id(instance := arn.rpartition("/")[2]):
            return instance, None
    raise RequestError("The event is not about the state or the tags of an EC2 instance; nothing was done.", EXPECTED)


def _home_of(event: Mapping[str, Any]) -> str | None:
    """The cell that the event comes from."""
    match event:
        case {"account": str() as account, "region": str() as region} if account and region:
            return f"{account}/{region}"
    return None


def _time_of(event: Mapping[str, Any]) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(event.get("time")))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _batch(records: Iterable[Any]) -> Request:
    """One pass for a burst of events; what is no such event becomes a finding, so that it cannot block the others."""
    events, findings = list[Any](), list[Finding]()
    for record in records:
        match record:
            case {"eventSource": "aws:sqs", "body": str() as body}:
                try:
                    event = json.loads(body)
                    _change_of(event)
                except (RequestError, ValueError, RecursionError):
                    findings.append(_unusable(record))
                else:
                    events.append(event)
            case _:
                raise RequestError("The batch does not come from SQS; nothing was done.", EXPECTED)
    return _of_instances(events, findings)


def _unusable(record: Mapping[str, Any]) -> Finding:
    return Finding(
        "unusable-event",
        str(record.get("messageId", "message"))[:100],
        "A message in the queue is not about the state or the tags of an EC2 instance; it was skipped.",
        "Find out who else sends to the queue: only the rules of this deployment should.",
    )


def _command(action: str, event: Mapping[str, Any]) -> Request:
    unknown = sorted(str(key) for key in event if key not in _KEYS)
    if unknown:
        raise RequestError(f"The event has keys that mean nothing here: {', '.join(unknown)[:200]}.", EXPECTED)
    scope = _scope(event["instance"]) if "instance" in event else None
    force = _flag(event, "force")
    if force and scope:
        raise RequestError(
            '"force" goes with a pass over everything, not with "instance": nothing was done.',
            "A pass over single instances concludes nothing from absence, so there is nothing to let through.",
        )
    return Request(Mode(action), scope, force=force, is_scheduled=_flag(event, "scheduled"))


def _flag(event: Mapping[str, Any], name: str) -> bool:
    flag = event.get(name, False)
    if not isinstance(flag, bool):
        raise RequestError(f'"{name}" must be true or false; nothing was done.', EXPECTED)
    return flag


def _scope(value: Any) -> frozenset[str]:
    ids = value if isinstance(value, list) else [value]
    return parse_scope(ids)


def parse_scope(ids: Iterable[Any]) -> frozenset[str]:
    """A set of instance ids. Raises RequestError for an empty one (it would mean everything) or a malformed id."""
    scope = list(ids)
    wrong = [str(item)[:60] for item in scope if not is_instance_id(item)]
    if wrong or not scope:
        raise RequestError(
            f"{', '.join(map(repr, wrong)) or 'An empty list'} is no instance id; nothing was done.",
            "An instance id is i- and 8 or 17 lower-case hexadecimal digits.",
        )
    return frozenset(scope)
