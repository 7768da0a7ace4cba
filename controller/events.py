"""Turn an event that wakes the Lambda function into a request. An event is a hint, never an order.

==========================================================  ========================================
event                                                       pass
==========================================================  ========================================
``EC2 Instance State-change Notification``                  apply, over that instance
``Tag Change on Resource`` of an EC2 instance               apply, over that instance
an SQS batch of such events                                 apply, over all instances named
``Scheduled Event``                                         apply, over everything
``{"action": "plan"|"apply", "instance": …, "force": …}``   as it says; ``"scheduled": true`` from a rule
anything else                                               RequestError; nothing is done
==========================================================  ========================================
"""

import json
import re
from collections import defaultdict
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
_HOME = re.compile(r"[0-9]{12}/[a-z0-9-]{1,32}")
_KEYS = frozenset({"action", "instance", "force", "scheduled"})


def parse_event(event: Any) -> Request:
    """Return the request in an event. Raises RequestError, with the expected form as hint."""
    match event:
        case {"Records": [_, *_] as records}:
            return _batch(records)
        case {"detail-type": "Scheduled Event", "source": "aws.events" | "aws.scheduler"}:
            return Request(Mode.APPLY, is_scheduled=True)
        case {"detail-type": "EC2 Instance State-change Notification" | "Tag Change on Resource"}:
            return _of_instances([event])
        case {"action": "plan" | "apply" as action}:
            return _command(action, event)
    raise RequestError("Unknown kind of event: nothing was done.", EXPECTED)


def _of_instances(events: Iterable[Any], findings: Iterable[Finding] = ()) -> Request:
    """Return a request for one pass over the instances of these events."""
    heard: dict[str, Heard] = {}
    homes = defaultdict[str, set[str]](set)
    scope = set[str]()
    for event in events:
        (instance, state), at = _change_of(event), _time_of(event)
        scope.add(instance)
        if home := _home_of(event):
            homes[instance].add(home)
        if at is not None and state is not None:
            heard[instance] = _later(heard.get(instance), Heard(state, at, at))
    agreed = {i: home for i, (home, *others) in homes.items() if not others}  # else every cell is asked
    return Request(Mode.APPLY, frozenset(scope), findings=tuple(findings), heard=heard, homes=agreed)


def _later(known: Heard | None, new: Heard) -> Heard:
    """Return the later of two events of one instance, with the earlier time: events arrive in any order."""
    if known is None:
        return new
    return replace(max(known, new, key=lambda heard: heard.at), since=min(known.since, new.since))


def _change_of(event: Any) -> tuple[str, str | None]:
    """Return the instance that the event is about, and its new state; None if its tags changed.

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
    raise RequestError(
        "Malformed event: expected the state or the tags of an EC2 instance. Nothing was done.", EXPECTED
    )


def _home_of(event: Mapping[str, Any]) -> str | None:
    """Return the cell that the event comes from, or None if it names no account and region."""
    home = f"{event.get('account')}/{event.get('region')}"
    return home if _HOME.fullmatch(home) else None


def _time_of(event: Mapping[str, Any]) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(event.get("time")))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _batch(records: Iterable[Any]) -> Request:
    """Return one request for a burst of events. A message of another kind becomes a finding, so it blocks no other."""
    events, findings, messages = list[Any](), list[Finding](), defaultdict[str, list[Any]](list)
    for record in records:
        match record:
            case {"eventSource": "aws:sqs", "body": str() as body}:
                try:
                    event = json.loads(body)
                    instance, _ = _change_of(event)
                except (RequestError, ValueError, RecursionError):
                    findings.append(_unusable(record))
                else:
                    events.append(event)
                    messages[instance].append(record.get("messageId"))
            case _:
                raise RequestError("Unknown kind of batch: expected messages from SQS. Nothing was done.", EXPECTED)
    return replace(_of_instances(events, findings), messages={i: _ids(found) for i, found in messages.items()})


def _ids(found: Iterable[Any]) -> tuple[str, ...]:
    """Return the message ids, each once. An empty id would return the whole batch, so it does not count."""
    return tuple(dict.fromkeys(id for id in found if isinstance(id, str) and id))


def returned(request: Request, instances: Iterable[str | None]) -> list[str] | None:
    """Return the ids of the messages about these instances, which the queue is to deliver again.

    None if the request is not a batch, or an instance has no message with an id: then only the whole batch can go back.
    """
    known, failed = request.messages, set(instances)
    if known is None or failed - {instance for instance, ids in known.items() if ids}:
        return None
    return [id for instance, ids in known.items() if instance in failed for id in ids]


def _unusable(record: Mapping[str, Any]) -> Finding:
    return Finding(
        "unusable-event",
        str(record.get("messageId", "message"))[:100],
        "A message in the queue is not about the state or the tags of an EC2 instance. The pass skipped it.",
        "Find out who else sends to the queue: only the rules of this deployment should.",
    )


def _command(action: str, event: Mapping[str, Any]) -> Request:
    unknown = sorted(str(key) for key in event if key not in _KEYS)
    if unknown:
        raise RequestError(f"Unknown keys in the event: {', '.join(unknown)[:200]}.", EXPECTED)
    scope = _scope(event["instance"]) if "instance" in event else None
    force = _flag(event, "force")
    if force and scope:
        raise RequestError(
            'Cannot combine "force" with "instance": the guard holds nothing in a scoped pass. Nothing was done.',
            'Leave one of the two out: "force" releases what the guard holds in a pass over everything.',
        )
    return Request(Mode(action), scope, force=force, is_scheduled=_flag(event, "scheduled"))


def _flag(event: Mapping[str, Any], name: str) -> bool:
    flag = event.get(name, False)
    if not isinstance(flag, bool):
        raise RequestError(f'Invalid "{name}": expected true or false. Nothing was done.', EXPECTED)
    return flag


def _scope(value: Any) -> frozenset[str]:
    ids = value if isinstance(value, list) else [value]
    return parse_scope(ids)


def parse_scope(ids: Iterable[Any]) -> frozenset[str]:
    """Return the set of instance ids. Raises RequestError for a malformed id, or if there is none: that means all."""
    scope = list(ids)
    wrong = [str(item)[:60] for item in scope if not is_instance_id(item)]
    if not scope:
        raise RequestError(
            "No instance ID in the list: expected at least one. Nothing was done.",
            "Name an instance, or leave the list out for a pass over everything.",
        )
    if wrong:
        raise RequestError(
            f"Invalid instance ID {', '.join(map(repr, wrong))}: expected i- and 8 or 17 lower-case hex digits.",
            "Nothing was done.",
        )
    return frozenset(scope)
