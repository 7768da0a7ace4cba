"""Alarms and dashboard look at metrics that are there, and tell who is to be told."""

import json
from typing import Any

import pytest

from controller.telemetry.metrics import DIMENSION, METRICS, NAMESPACE
from tests.infra.alarm import Period, Watched, rings
from tests.infra.cloudformation import read, stack

TOPIC = "arn:aws:sns:us-west-2:123456789012:operations"
DEPLOYED = stack(AlarmTopicArn=TOPIC, CreateDashboard="true", ProbeLinks="true")
ALARMS = DEPLOYED.resources("AWS::CloudWatch::Alarm")
QUEUES = {queue["QueueName"] for queue in DEPLOYED.resources("AWS::SQS::Queue").values()}
NAME = DEPLOYED.only("AWS::Lambda::Function")["FunctionName"]

#: Metrics of AWS's own that we look at: the namespace's metrics and the dimension they have.
OF_AWS = {
    "AWS/Lambda": ({"Errors"}, DIMENSION, {NAME}),
    "AWS/SQS": ({"ApproximateNumberOfMessagesVisible"}, "QueueName", QUEUES),
}


def assert_is_emitted(namespace: str, metric: str, dimension: str, value: str) -> None:
    names, known, values = {NAMESPACE: (set(METRICS), DIMENSION, {NAME}), **OF_AWS}[namespace]
    assert metric in names
    assert dimension == known
    assert value in values


def widgets() -> list[dict[str, Any]]:
    body = json.loads(DEPLOYED.only("AWS::CloudWatch::Dashboard")["DashboardBody"])
    return [widget["properties"] for widget in body["widgets"]]


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_every_alarm_looks_at_a_metric_that_is_emitted(alarm: str) -> None:
    watched = Watched.by(ALARMS[alarm])
    (dimension,) = watched.dimensions
    assert_is_emitted(watched.namespace, watched.name, dimension["Name"], dimension["Value"])


def test_the_dashboard_shows_metrics_that_are_emitted_and_all_of_ours() -> None:
    shown = [metric for widget in widgets() for metric in widget["metrics"]]
    for namespace, name, dimension, value, *_ in shown:
        assert_is_emitted(namespace, name, dimension, value)
    assert {metric[1] for metric in shown if metric[0] == NAMESPACE} == set(METRICS)


def test_the_dashboard_is_made_for_who_asks() -> None:
    assert stack().resources("AWS::CloudWatch::Dashboard") == {}


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_every_alarm_tells_the_topic_of_its_beginning_and_its_end(alarm: str) -> None:
    assert ALARMS[alarm]["AlarmActions"] == ALARMS[alarm]["OKActions"] == [TOPIC]
    assert ALARMS[alarm]["AlarmDescription"]


def test_without_a_topic_alarms_tell_nobody() -> None:
    alarms = stack().resources("AWS::CloudWatch::Alarm").values()
    assert [alarm for alarm in alarms if "AlarmActions" in alarm or "OKActions" in alarm] == []


#: What each alarm's metric was in the last periods, and whether that is to be told. () is a period without data.
NOTHING: Period = ()
STATES: list[tuple[str, list[Period], bool]] = [
    ("ErrorsAlarm", [(0, 0), (0, 1, 0)], True),
    ("ErrorsAlarm", [(0, 1), (0, 0)], False),
    ("ErrorsAlarm", [NOTHING, NOTHING], False),
    ("GuardAlarm", [(0,), (1, 0)], True),  # a pass for one machine, in the same period, has no guard that trips
    ("GuardAlarm", [(1,), (0, 0)], False),
    ("GuardAlarm", [NOTHING, NOTHING], False),
    ("NotConvergedAlarm", [(0,), (0,), (0,)], True),
    ("NotConvergedAlarm", [(1,), (0,), (0,)], False),
    ("NotConvergedAlarm", [(0,), (0,), (0, 1)], False),
    ("NotConvergedAlarm", [(0,), NOTHING, NOTHING], False),
    ("NotConvergedAlarm", [NOTHING, NOTHING, NOTHING], False),
    ("NoFullPassAlarm", [(1,), (1,), (1,)], False),
    ("NoFullPassAlarm", [(0, 1), (0, 1), (0, 1)], False),  # a second one in the period has succeeded
    ("NoFullPassAlarm", [(1,), (0,), NOTHING], False),
    ("NoFullPassAlarm", [(0,), (0,), (0,)], True),
    ("NoFullPassAlarm", [(1,), (0,), NOTHING, (0,)], True),
    ("NoFullPassAlarm", [(1,), (1,), NOTHING, NOTHING, NOTHING], True),
    ("NoFullPassAlarm", [NOTHING, NOTHING, NOTHING], True),  # before the first pass of all, too
    ("LinksUnreachableAlarm", [(0,), (1,), (2,)], True),
    ("LinksUnreachableAlarm", [(0,), (0,), (1,)], False),  # a desktop that was slow once
    ("LinksUnreachableAlarm", [(1,), (1,), (0,)], False),
    ("LinksUnreachableAlarm", [NOTHING, NOTHING], False),
    ("StateChangeDeadLettersAlarm", [(0, 0), (0, 1)], True),
    ("StateChangeDeadLettersAlarm", [(2, 1), (0, 0)], False),  # it was purged
    ("StateChangeDeadLettersAlarm", [NOTHING, NOTHING], False),
    ("ReconcileDeadLettersAlarm", [(0, 0), (0, 1)], True),
    ("ReconcileDeadLettersAlarm", [(2, 1), (0, 0)], False),
    ("ReconcileDeadLettersAlarm", [NOTHING, NOTHING], False),
]


@pytest.mark.parametrize(("alarm", "periods", "rung"), STATES)
def test_an_alarm_rings_when_it_should_and_only_then(alarm: str, periods: list[Period], rung: bool) -> None:
    assert rings(ALARMS[alarm], *periods) == rung


def test_every_alarm_is_tried_both_ways() -> None:
    assert {(alarm, rung) for alarm, _, rung in STATES} == {(alarm, rung) for alarm in ALARMS for rung in (True, False)}


@pytest.mark.parametrize("alarm", ["GuardAlarm", "NotConvergedAlarm", "NoFullPassAlarm", "LinksUnreachableAlarm"])
@pytest.mark.parametrize("minutes", read()["Parameters"]["ScheduleMinutes"]["AllowedValues"])
def test_what_full_passes_tell_is_looked_at_by_periods_of_the_schedule(alarm: str, minutes: str) -> None:
    deployed = stack(ScheduleMinutes=minutes, ProbeLinks="true").resources("AWS::CloudWatch::Alarm")[alarm]
    assert Watched.by(deployed).seconds == int(minutes) * 60


def test_a_watchdog_that_is_switched_off_is_not_missed() -> None:
    off = stack(Enabled="false", ProbeLinks="true").resources("AWS::CloudWatch::Alarm")
    assert set(ALARMS) - set(off) == {"NoFullPassAlarm"}


def test_links_are_watched_where_they_are_probed() -> None:
    assert set(ALARMS) - set(stack().resources("AWS::CloudWatch::Alarm")) == {"LinksUnreachableAlarm"}


def test_both_dead_letter_queues_are_watched() -> None:
    watched = [Watched.by(alarm) for alarm in ALARMS.values()]
    queues = {one.dimensions[0]["Value"] for one in watched if one.namespace == "AWS/SQS"}
    assert queues == {name for name in QUEUES if "DeadLetters" in name}


@pytest.mark.parametrize("minutes", read()["Parameters"]["ScheduleMinutes"]["AllowedValues"])
def test_cloudwatch_evaluates_alarms_over_such_a_time(minutes: str) -> None:
    # CloudWatch API, PutMetricAlarm: a multiple of 60 seconds, and a day at most for periods below an hour.
    for alarm in stack(ScheduleMinutes=minutes).resources("AWS::CloudWatch::Alarm").values():
        seconds = Watched.by(alarm).seconds
        assert seconds % 60 == 0
        assert seconds * alarm["EvaluationPeriods"] <= 24 * 3600
