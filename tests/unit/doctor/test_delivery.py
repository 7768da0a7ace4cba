"""What a target delivers, where that is not simply the event."""

from typing import Any

import pytest

from controller.doctor.delivery import UnknownError, request_of, scheduled_event
from controller.doctor.routes import Route, Trigger
from controller.errors import RequestError
from controller.model import Mode, Request

RULE = "arn:aws:events:us-west-2:123456789012:rule/R"
MACHINE = "i-0123456789abcdef0"
EVENT = {
    "source": "aws.ec2",
    "detail-type": "EC2 Instance State-change Notification",
    "time": "2000-01-01T00:00:00Z",
    "detail": {"instance-id": MACHINE, "state": "running"},
}


def trigger(**fields: Any) -> Trigger:
    return Trigger(kind="Rule", name="R", arn=RULE, enabled=True, route=Route("f"), **fields)


def template(text: str, **paths: str) -> Request:
    return request_of(trigger(template=text, paths=paths), EVENT)


@pytest.mark.parametrize(
    "text",
    [
        '{"action": "apply", "instance": "<id>"}',
        '{"action": "apply", "instance": <id>}',
        '{"action": "apply", "instance": ["<id>"]}',
        '{"action": "apply", "instance": "i-<rest>"}',
        "<aws.events.event>",
        '{"source": "aws.ec2", "detail-type": "<type>", "detail": <detail>}',
    ],
)
def test_a_template_is_filled_as_eventbridge_does(text: str) -> None:
    event = {**EVENT, "rest": MACHINE[2:]}
    paths = {"id": "$.detail.instance-id", "rest": "$.rest", "type": "$.detail-type", "detail": "$.detail"}
    assert request_of(trigger(template=text, paths=paths), event).scope == frozenset({MACHINE})


def test_an_object_in_a_text_is_text() -> None:
    with pytest.raises(RequestError):
        template('{"action": "apply", "instance": "<d>"}', d="$.detail")


@pytest.mark.parametrize("path", ["$.detail[0]", "$..id", "detail", "$.a b"])
def test_a_path_that_is_not_of_names_is_unknown(path: str) -> None:
    with pytest.raises(UnknownError, match="the path"):
        request_of(trigger(path=path), EVENT)


def test_a_place_without_a_path_is_unknown() -> None:
    with pytest.raises(UnknownError, match="<other>"):
        template("<other>")


@pytest.mark.parametrize("kind", ["Rule", "Schedule"])
def test_the_event_of_a_schedule_is_a_full_pass(kind: str) -> None:
    started = Trigger(kind=kind, name="R", arn=RULE, enabled=True, route=Route("f"))
    request = request_of(started, scheduled_event(started))
    assert (request.mode, request.scope) == (Mode.APPLY, None)
