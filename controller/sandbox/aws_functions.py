"""What moto does not answer of Lambda and EventBridge: an invocation (moto needs Docker) and a test of a pattern."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from moto.events.exceptions import InvalidEventPatternException
from moto.events.models import EventPattern

from controller.sandbox.cloudflare.exchange import Reply, Request

#: What a function's code does with an event.
Program = Callable[[Any], Any]
_INVOCATION = re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?")
_JSON = "application/x-amz-json-1.1"
#: An event that AWS tests must have all of these (EventBridge API reference: TestEventPattern).
_PARTS_OF_EVENTS = frozenset({"id", "account", "source", "time", "region", "resources", "detail-type"})


class Functions:
    """Runs a function's program in this process. ``programs`` is by the function's name, whatever the alias."""

    def __init__(self) -> None:
        self.programs: dict[str, Program] = {}

    def answer(self, request: Request, otherwise: Callable[[], Reply]) -> Reply:
        """Answer an invocation of a program or a test of a pattern; anything else with ``otherwise``."""
        if request.headers.get("x-amz-target") == "AWSEvents.TestEventPattern":
            return _tested(json.loads(request.content))
        found = _INVOCATION.fullmatch(unquote(request.path))
        program = self.programs.get(_name(found[1])) if found else None
        return _ran(program, json.loads(request.content or b"{}")) if program else otherwise()


def _name(function: str) -> str:
    """Return the name in a function's name or ARN, without version or alias."""
    return function.rpartition(":function:")[2].partition(":")[0]


def _ran(program: Program, event: Any) -> Reply:
    """Return the program's result; an exception is an answer too, as Lambda makes one of it."""
    try:
        return Reply.of(200, program(event))
    except Exception as error:  # whatever the program raises
        reply = Reply.of(200, {"errorMessage": str(error), "errorType": type(error).__name__})
        return Reply(200, reply.content, {**reply.headers, "x-amz-function-error": "Unhandled"})


def _tested(asked: Any) -> Reply:
    try:
        pattern, event = EventPattern.load(asked["EventPattern"]), json.loads(asked["Event"])
    except InvalidEventPatternException as error:
        return _refused("InvalidEventPatternException", str(error))
    missing = sorted(_PARTS_OF_EVENTS - event.keys())
    if missing:
        return _refused("ValidationException", f"Parameter Event is not valid. Reason: no {missing[0]}.")
    return Reply.text(200, json.dumps({"Result": pattern.matches_event(event)}), _JSON)


def _refused(code: str, message: str) -> Reply:
    return Reply.text(400, json.dumps({"__type": code, "message": message}), _JSON)
