"""Alarms and dashboard look at metrics that are there, and tell who is to be told."""

import json
from typing import Any

import pytest

from controller.metrics import DIMENSION, METRICS, NAMESPACE
from tests.infra.cloudformation import read, stack

TOPIC = "arn:aws:sns:us-west-2:123456789012:operations"
DEPLOYED = stack(AlarmTopicArn=TOPIC, CreateDashboard="true")
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
    (dimension,) = ALARMS[alarm]["Dimensions"]
    assert_is_emitted(ALARMS[alarm]["Namespace"], ALARMS[alarm]["MetricName"], dimension["Name"], dimension["Value"])


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


def test_a_full_pass_is_missed_after_three_periods_of_the_schedule() -> None:
    alarm = stack(ScheduleMinutes="15").resources("AWS::CloudWatch::Alarm")["NoFullPassAlarm"]
    assert (alarm["MetricName"], alarm["Period"], alarm["EvaluationPeriods"]) == ("FullPassSucceeded", 900, 3)
    assert alarm["TreatMissingData"] == "breaching"  # a watchdog that does not run emits nothing


def test_passes_that_end_without_success_raise_the_alarm_after_three() -> None:
    alarm = ALARMS["NotConvergedAlarm"]
    assert (alarm["MetricName"], alarm["Period"], alarm["EvaluationPeriods"]) == ("FullPassSucceeded", 300, 3)
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "Maximum",
        "LessThanThreshold",
        1,
    )
    assert alarm["TreatMissingData"] == "notBreaching"


def test_a_watchdog_that_is_switched_off_is_not_missed() -> None:
    off = stack(Enabled="false").resources("AWS::CloudWatch::Alarm")
    assert set(ALARMS) - set(off) == {"NoFullPassAlarm"}


def test_both_dead_letter_queues_are_watched() -> None:
    watched = {alarm["Dimensions"][0]["Value"] for alarm in ALARMS.values() if alarm["Namespace"] == "AWS/SQS"}
    assert watched == {name for name in QUEUES if "DeadLetters" in name}


@pytest.mark.parametrize("minutes", read()["Parameters"]["ScheduleMinutes"]["AllowedValues"])
def test_cloudwatch_evaluates_alarms_over_such_a_time(minutes: str) -> None:
    # CloudWatch API, PutMetricAlarm: a multiple of 60 seconds, and a day at most for periods below an hour.
    for alarm in stack(ScheduleMinutes=minutes).resources("AWS::CloudWatch::Alarm").values():
        assert alarm["Period"] % 60 == 0
        assert alarm["Period"] * alarm["EvaluationPeriods"] <= 24 * 3600
