"""Invocations and tests of patterns, as Lambda and EventBridge answer them."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controller.sandbox.aws import AwsServer
from tests.support.servers import Clouds

EVENT = {
    "id": "1",
    "account": "123456789012",
    "source": "aws.ec2",
    "time": "2000-01-01T00:00:00Z",
    "region": "us-west-2",
    "resources": [],
    "detail-type": "x",
    "detail": {"state": "running"},
}


def invoked(aws: AwsServer, function: str) -> dict[str, Any]:
    return dict(aws.client("lambda").invoke(FunctionName=function, Payload=b'{"n": 1}'))


@pytest.mark.parametrize("suffix", ["", ":live"])
def test_a_program_gets_the_event_and_its_result_comes_back(clouds: Clouds, suffix: str) -> None:
    clouds.aws.functions.programs["F"] = lambda event: {"got": event}
    for name in (f"F{suffix}", f"arn:aws:lambda:us-west-2:123456789012:function:F{suffix}"):
        answer = invoked(clouds.aws, name)
        assert "FunctionError" not in answer
        assert json.loads(answer["Payload"].read()) == {"got": {"n": 1}}


def test_an_exception_of_a_program_is_an_answer(clouds: Clouds) -> None:
    def fail(event: Any) -> None:
        raise KeyError("id")

    clouds.aws.functions.programs["F"] = fail
    answer = invoked(clouds.aws, "F")
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read()) == {"errorMessage": "'id'", "errorType": "KeyError"}


def test_a_reset_forgets_the_programs(clouds: Clouds) -> None:
    clouds.aws.functions.programs["F"] = lambda event: event
    clouds.reset()
    assert clouds.aws.functions.programs == {}


@pytest.mark.parametrize(("state", "fits"), [("running", True), ("stopped", False)])
def test_a_pattern_is_tested_against_an_event(clouds: Clouds, state: str, fits: bool) -> None:
    pattern = {"source": ["aws.ec2"], "detail": {"state": [state]}}
    answer = clouds.aws.client("events").test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(EVENT))
    assert answer["Result"] is fits


@pytest.mark.parametrize(
    ("pattern", "left_out", "code"),
    [
        ('{"source": "aws.ec2"}', "", "InvalidEventPatternException"),
        ("{", "", "InvalidEventPatternException"),
        ('{"source": ["aws.ec2"]}', "id", "ValidationException"),
        ('{"source": ["aws.ec2"]}', "time", "ValidationException"),
    ],
)
def test_what_is_not_a_pattern_or_an_event_is_refused(clouds: Clouds, pattern: str, left_out: str, code: str) -> None:
    event = {name: value for name, value in EVENT.items() if name != left_out}
    with pytest.raises(ClientError) as refused:
        clouds.aws.client("events").test_event_pattern(EventPattern=pattern, Event=json.dumps(event))
    assert refused.value.response["Error"]["Code"] == code
