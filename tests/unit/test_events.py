"""Events: every shape of the contract, and a clear refusal of anything else."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from controller.errors import RequestError
from controller.events import parse_event, returned
from controller.model import Heard, Mode, Request
from tests.support.build import OTHER, STUDENT, TEACHER
from tests.support.events import BY_SCHEDULER, SCHEDULED, batch, state_change, tag_change


@pytest.mark.parametrize("state", ["pending", "running", "stopping", "stopped", "shutting-down", "terminated"])
def test_a_state_change_is_a_scoped_pass_whatever_the_state(state: str) -> None:
    assert parse_event(state_change(state=state)) == Request(Mode.APPLY, frozenset({TEACHER}))


def test_a_change_of_tags_is_a_scoped_pass_that_waits_for_no_state() -> None:
    request = parse_event(tag_change())
    assert request == Request(Mode.APPLY, frozenset({TEACHER}))
    assert request.heard == {}


def test_events_that_name_two_cells_of_a_machine_name_none() -> None:
    """One of them is wrong. The machine is looked for everywhere, so the right one is not lost."""
    away = {**state_change(), "region": "eu-west-1"}
    homes = {TEACHER: "123456789012/us-west-2"}
    assert parse_event(batch(state_change(), state_change())).homes == homes
    for events in ([state_change(), away], [away, state_change()]):
        assert parse_event(batch(*events)).homes == {}


@pytest.mark.parametrize(
    ("account", "region", "home"),
    [
        ("123456789012", "us-west-2", "123456789012/us-west-2"),
        ("123456789012", "us-gov-west-1", "123456789012/us-gov-west-1"),
        ("1234", "us-west-2", None),
        ("123456789012", "x" * 200_000, None),
        ("123456789012", "us-west-2\n", None),
        (None, None, None),
    ],
)
def test_home_of_an_event_is_an_account_and_a_region(account: object, region: object, home: str | None) -> None:
    event = {**state_change(), "account": account, "region": region}
    assert parse_event(event).homes == ({TEACHER: home} if home else {})


def test_tags_and_states_come_in_one_batch() -> None:
    request = parse_event(batch(tag_change(), state_change(STUDENT), state_change()))
    assert request.scope == frozenset({TEACHER, STUDENT})
    assert request.heard.keys() == {TEACHER, STUDENT}
    assert request.findings == ()


@pytest.mark.parametrize(
    "event",
    [
        tag_change(service="s3"),
        tag_change(**{"resource-type": "volume"}),
        tag_change("vol-1"),
        {**tag_change(), "resources": []},
        {**tag_change(), "source": "aws.ec2"},
        {**tag_change(), "resources": [TEACHER, STUDENT]},
        {**tag_change(), "detail": "x"},
    ],
    ids=["bucket", "volume", "not an id", "no resource", "another source", "two resources", "no detail"],
)
def test_a_change_of_other_tags_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match="expected the state or the tags"):
        parse_event(event)
    assert [finding.id for finding in parse_event(batch(event)).findings] == ["unusable-event"]


def test_a_batch_is_one_pass_over_all_of_its_instances() -> None:
    request = parse_event(batch(state_change(), state_change(STUDENT), state_change(state="stopped")))
    assert request == Request(Mode.APPLY, frozenset({TEACHER, STUDENT}))


@pytest.mark.parametrize(
    "body", ["", "no json", "[]", "null", "{}", json.dumps(SCHEDULED), json.dumps(state_change("i-1"))]
)
def test_a_body_that_is_no_such_event_is_a_finding(body: str) -> None:
    request = parse_event(batch(state_change(), body))
    assert request.scope == frozenset({TEACHER})
    assert [(finding.id, finding.key) for finding in request.findings] == [("unusable-event", "m1")]


def test_a_batch_without_any_usable_event_is_a_pass_over_nothing() -> None:
    assert parse_event(batch("x")).scope == frozenset()


def test_deeply_nested_nonsense_is_a_finding() -> None:
    assert parse_event(batch("[" * 100_000)).scope == frozenset()


@pytest.mark.parametrize("event", [SCHEDULED, BY_SCHEDULER], ids=["a-rule", "EventBridge-Scheduler"])
def test_a_schedule_is_a_full_pass(event: dict[str, Any]) -> None:
    assert parse_event(event) == Request(Mode.APPLY, is_scheduled=True)


@pytest.mark.parametrize(
    ("event", "request_"),
    [
        ({"action": "plan"}, Request(Mode.PLAN)),
        ({"action": "apply"}, Request(Mode.APPLY)),
        ({"action": "apply", "force": True}, Request(Mode.APPLY, force=True)),
        ({"action": "plan", "scheduled": True}, Request(Mode.PLAN, is_scheduled=True)),
        ({"action": "plan", "instance": TEACHER}, Request(Mode.PLAN, frozenset({TEACHER}))),
        ({"action": "apply", "instance": [TEACHER, STUDENT]}, Request(Mode.APPLY, frozenset({TEACHER, STUDENT}))),
    ],
)
def test_a_command_does_as_it_says(event: object, request_: Request) -> None:
    assert parse_event(event) == request_


UNKNOWN, MALFORMED = "Unknown kind of event: nothing was done.", "Malformed event: expected the state or the tags of"
BATCH = "Unknown kind of batch: expected messages from SQS."


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (None, UNKNOWN),
        ([], UNKNOWN),
        ("plan", UNKNOWN),
        ({}, UNKNOWN),
        ({"action": "destroy"}, UNKNOWN),
        ({"action": ["plan"]}, UNKNOWN),
        ({"action": "plan", "instance": []}, "No instance ID in the list"),
        ({"action": "plan", "instance": "i-XYZ"}, "Invalid instance ID 'i-XYZ'"),
        ({"action": "plan", "instance": [TEACHER, 5, "x"]}, "Invalid instance ID '5', 'x'"),
        ({"action": "plan", "instance": None}, "Invalid instance ID 'None'"),
        ({"action": "apply", "force": "yes"}, 'Invalid "force": expected true or false.'),
        ({"action": "apply", "force": True, "instance": TEACHER}, 'Cannot combine "force" with "instance"'),
        ({"action": "plan", "scheduled": "yes"}, 'Invalid "scheduled"'),
        ({"action": "apply", "forced": True, "again": 1}, "Unknown keys in the event: again, forced."),
        ({"Records": []}, UNKNOWN),
        ({"Records": [{"eventSource": "aws:s3", "body": "{}"}]}, BATCH),
        ({"Records": [5]}, BATCH),
        ({"detail-type": "Scheduled Event", "source": "me"}, UNKNOWN),
        ({**state_change(), "source": "me"}, MALFORMED),
        (state_change("i-0abc'; DROP"), MALFORMED),
        ({**state_change(), "detail": None}, MALFORMED),
        ({"detail-type": "EC2 Spot Instance Interruption Warning", "source": "aws.ec2"}, UNKNOWN),
    ],
)
def test_anything_else_is_refused_with_what_was_expected(event: object, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_event(event)
    assert caught.value.message.startswith(message)
    assert caught.value.hint


def test_refused_force_over_an_instance_says_what_to_do() -> None:
    with pytest.raises(RequestError) as caught:
        parse_event({"action": "apply", "force": True, "instance": TEACHER})
    assert caught.value.hint.startswith('Leave one of the two out: "force" releases')


def test_messages_about_an_event_show_the_beginning_of_long_texts() -> None:
    with pytest.raises(RequestError, match=f"in the event: {'x' * 200}[.]"):
        parse_event({"action": "apply", "x" * 300: 1})
    with pytest.raises(RequestError, match=f"instance ID '{'x' * 60}'"):
        parse_event({"action": "apply", "instance": "x" * 300})
    event = batch("{}")
    event["Records"][0]["messageId"] = "x" * 300
    assert [finding.key for finding in parse_event(event).findings] == ["x" * 100]


def test_unusable_message_without_an_id_is_a_finding() -> None:
    event = batch("{}")
    del event["Records"][0]["messageId"]
    assert [finding.key for finding in parse_event(event).findings] == ["message"]


@pytest.mark.parametrize(
    ("failed", "ids"),
    [
        ([], []),
        ([STUDENT], ["m1"]),
        ([STUDENT, TEACHER, STUDENT], ["m0", "m2", "m1"]),
        ([TEACHER, OTHER], None),
        ([TEACHER, None], None),
    ],
    ids=["none", "one", "all", "another machine", "no machine"],
)
def test_messages_about_failed_machines_are_returned_once(failed: list[str | None], ids: list[str] | None) -> None:
    assert returned(parse_event(batch(state_change(), state_change(STUDENT), tag_change())), failed) == ids


@pytest.mark.parametrize("id", [None, "", 5])
def test_failed_machine_without_a_usable_id_returns_the_batch(id: object) -> None:
    event = batch(state_change(), state_change(STUDENT))
    event["Records"][1]["messageId"] = id
    assert returned(parse_event(event), [TEACHER]) == ["m0"]
    assert returned(parse_event(event), [STUDENT]) is None


def test_single_event_returns_no_messages() -> None:
    assert returned(parse_event(state_change()), []) is None


def at(second: int) -> datetime:
    return datetime(2026, 1, 31, 12, 0, second, tzinfo=UTC)


def test_request_knows_each_instances_last_state_and_first_change() -> None:
    early = state_change(state="pending") | {"time": "2026-01-31T12:00:05Z"}
    late = state_change(state="running") | {"time": "2026-01-31T12:00:07Z"}
    other = state_change(STUDENT, "stopped") | {"time": "2026-01-31T13:00:00+01:00"}
    for events in ([late, early, other], [other, early, late]):
        heard = parse_event(batch(*events)).heard
        assert heard == {TEACHER: Heard("running", at(7), since=at(5)), STUDENT: Heard("stopped", at(0), since=at(0))}


def test_a_single_event_is_heard_as_one_of_a_batch_is() -> None:
    assert (
        parse_event(state_change()).heard
        == parse_event(batch(state_change())).heard
        == {TEACHER: Heard("running", at(0), since=at(0))}
    )


def test_a_time_without_an_offset_is_utc() -> None:
    assert parse_event(state_change() | {"time": "2026-01-31T12:00:00"}).heard[TEACHER].at == at(0)


def test_commands_and_schedules_have_heard_nothing() -> None:
    for event in (SCHEDULED, {"action": "apply", "instance": TEACHER}):
        assert parse_event(event).heard == {}


@pytest.mark.parametrize("time", [None, "", "yesterday", 5, {}])
def test_an_event_without_a_readable_time_is_an_event_all_the_same(time: object) -> None:
    request = parse_event(state_change() | {"time": time})
    assert request.scope == frozenset({TEACHER})
    assert request.heard == {}
