"""What reaches the function when a rule or a schedule fires, and what the function's own parser makes of it."""

import json
import re
from collections.abc import Mapping
from typing import Any

from controller.doctor.routes import Trigger
from controller.events import SCHEDULED, parse_event
from controller.model import Request

_PATH = re.compile(r"\$(?:\.[A-Za-z0-9_-]+)*")
_PLACE = re.compile(r"<([A-Za-z0-9_.-]+)>")


class UnknownError(Exception):
    """Raised where what is delivered cannot be computed here."""


def request_of(trigger: Trigger, event: Mapping[str, Any]) -> Request:
    """Return the pass that this event becomes on its way through the trigger's target.

    Raises RequestError where the function refuses what it gets, UnknownError where that cannot be computed here.
    """
    content = _content(trigger, event)
    if trigger.route.queue:
        record = {"messageId": trigger.name, "eventSource": "aws:sqs", "body": json.dumps(content)}
        content = {"Records": [record]}
    return parse_event(content)


def scheduled_event(trigger: Trigger) -> dict[str, Any]:
    """Return what EventBridge or its Scheduler sends where the target has no input of its own."""
    *_, region, account, _ = trigger.arn.split(":", 5)
    source, detail = ("aws.events", {}) if trigger.kind == "Rule" else ("aws.scheduler", "{}")
    return {
        "version": "0",
        "id": "00000000-0000-0000-0000-000000000000",
        "detail-type": SCHEDULED,
        "source": source,
        "account": account,
        "time": "2000-01-01T00:00:00Z",
        "region": region,
        "resources": [trigger.arn],
        "detail": detail,
    }


def _content(trigger: Trigger, event: Mapping[str, Any]) -> Any:
    if trigger.input is not None:
        return _parsed(trigger.input)
    if trigger.template is not None:
        return _filled(trigger, event)
    return _at(trigger.path or "$", event)


def _at(path: str, event: Any) -> Any:
    """Return what a path of names leads to in the event. Raises UnknownError for any other path."""
    if not _PATH.fullmatch(path):
        raise UnknownError(f"the path {path}")
    for name in path.split(".")[1:]:
        event = event.get(name) if isinstance(event, Mapping) else None
    return event


def _filled(trigger: Trigger, event: Mapping[str, Any]) -> Any:
    """Fill the places of an input transformer's template (EventBridge documentation: input transformation)."""
    known = {
        "aws.events.event": event,
        "aws.events.event.json": json.dumps(event),
        "aws.events.rule-arn": trigger.arn,
        "aws.events.rule-name": trigger.name,
        "aws.events.event.ingestion-time": event["time"],
    }
    values = {**known, **{name: _at(path, event) for name, path in (trigger.paths or {}).items()}}

    template = trigger.template or ""

    def fill(place: re.Match[str]) -> str:
        if place[1] not in values:
            raise UnknownError(f"the place {place[0]} of its template")
        value = values[place[1]]
        is_in_text = len(re.findall(r'(?<!\\)"', template[: place.start()])) % 2
        if not is_in_text:
            return json.dumps(value)
        return json.dumps(value if isinstance(value, str) else json.dumps(value))[1:-1]

    return _parsed(_PLACE.sub(fill, template))


def _parsed(text: str) -> Any:
    """Return the JSON in a text; any other text arrives as a string."""
    try:
        return json.loads(text)
    except ValueError:
        return text
