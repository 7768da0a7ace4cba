"""What a pattern asks of an event: our reading against moto's matcher, and by hand where moto has none."""

import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.events.models import EventPattern

from controller.doctor.patterns import RIGHT_PATTERN, STATES, state_change, unmet
from tests.model.properties.profiles import CHEAP

ARN = "arn:aws:lambda:us-west-2:123456789012:function:ElephantDNSWatchdog"
EVENT = state_change("running", ARN)


def matches(pattern: dict[str, Any], event: dict[str, Any] = EVENT) -> bool:
    return not list(unmet(pattern, event))


@pytest.mark.parametrize("state", STATES)
def test_the_pattern_that_is_recommended_matches_every_state(state: str) -> None:
    pattern = json.loads(RIGHT_PATTERN)
    assert matches(pattern, state_change(state, ARN))
    assert not matches(pattern, state_change("pending", ARN))


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        (["running"], True),
        (["stopped", "running"], True),
        (["Running"], False),
        ([{"prefix": "run"}], True),
        ([{"prefix": "stop"}], False),
        ([{"prefix": {"equals-ignore-case": "RUN"}}], True),
        ([{"suffix": "ing"}], True),
        ([{"suffix": "ed"}], False),
        ([{"wildcard": "r*ing"}], True),
        ([{"wildcard": "r?nning"}], False),
        ([{"wildcard": "[r]unning"}], False),
        ([{"equals-ignore-case": "RUNNING"}], True),
        ([{"anything-but": "pending"}], True),
        ([{"anything-but": ["pending", "running"]}], False),
        ([{"anything-but": {"prefix": "run"}}], False),
        ([{"exists": True}], True),
        ([{"exists": False}], False),
        ([{"numeric": [">", 0]}], False),
        ([None], False),
    ],
)
def test_the_filters_of_a_value(asked: list[Any], fits: bool) -> None:
    assert matches({"detail": {"state": asked}}) is fits


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ({}, True),
        ({"detail": {"tags": [{"exists": False}]}}, True),
        ({"detail": {"tags": {"Project": [{"exists": False}]}}}, True),
        ({"detail": {"tags": {"Project": ["Elephant"]}}}, False),
        ({"detail": {"tags": [{"anything-but": "x"}]}}, False),
        ({"source": {"name": ["aws.ec2"]}}, False),
        ({"resources": [{"prefix": "arn:aws:ec2:us-west-2:123456789012:instance/"}]}, True),
        ({"resources": ["arn:aws:ec2:us-west-2:123456789012:instance/i-1"]}, False),
        ({"$or": [{"source": ["x"]}, {"source": ["aws.ec2"]}]}, True),
        ({"$or": [{"source": ["x"]}, {"source": ["y"]}]}, False),
        ({"detail": {"$or": [{"state": ["running"]}, {"tags": ["x"]}]}}, True),
    ],
)
def test_the_shape_of_a_pattern(pattern: dict[str, Any], fits: bool) -> None:
    assert matches(pattern) is fits


_VALUES = st.sampled_from(["running", "stopped", "aws.ec2", "us-west-2", "", "i-0123456789abcdef0"])
_FILTERS = st.one_of(
    _VALUES,
    st.builds(lambda text: {"prefix": text[:3]}, _VALUES),
    st.builds(lambda there: {"exists": there}, st.booleans()),
    st.builds(lambda texts: {"anything-but": texts}, st.lists(_VALUES, min_size=1, max_size=2)),
)
_LEAVES = st.lists(_FILTERS, min_size=1, max_size=2)
_DETAIL = st.dictionaries(st.sampled_from(["state", "instance-id", "tags"]), _LEAVES, min_size=1)
_PATTERNS = st.fixed_dictionaries({}, optional={"source": _LEAVES, "region": _LEAVES, "detail": _DETAIL})


@CHEAP
@given(_PATTERNS)
def test_we_and_moto_read_patterns_alike(pattern: dict[str, Any]) -> None:
    assert matches(pattern) is EventPattern.load(json.dumps(pattern)).matches_event(cast(Any, EVENT))


@pytest.mark.parametrize(("partition", "region"), [("aws-us-gov", "us-gov-west-1"), ("aws-cn", "cn-north-1")])
def test_pattern_with_an_arn_matches_in_other_partitions(partition: str, region: str) -> None:
    event = state_change("running", f"arn:{partition}:lambda:{region}:123456789012:function:ElephantDNSWatchdog")
    pattern = {"resources": [{"prefix": f"arn:{partition}:ec2:{region}:123456789012:instance/"}]}
    assert (list(unmet(pattern, event)), event["region"]) == ([], region)
