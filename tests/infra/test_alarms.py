"""Alarms and dashboard watch metrics that exist, and alarms notify the right person."""

import json
from typing import Any

import pytest

from controller.telemetry.metrics import DIMENSION, METRICS, NAMESPACE
from tests.infra.alarm import Period, Watched, changes, rings
from tests.infra.cloudformation import INFRA, read, stack
from tests.infra.incidents import INCIDENTS, WORLDS, Pass, recorded, series, watched
from tests.support.servers import Clouds

TOPIC = "arn:aws:sns:us-west-2:123456789012:operations"
PAGER = "arn:aws:sns:us-west-2:123456789012:pager"
CELLS = "123456789012/us-west-2,123456789012/us-east-1"
DEPLOYED = stack(AlarmTopicArn=TOPIC, PageTopicArn=PAGER, CreateDashboard="true", ProbeLinks="true", Cells=CELLS)
ALARMS = DEPLOYED.resources("AWS::CloudWatch::Alarm")
QUEUES = {queue["QueueName"] for queue in DEPLOYED.resources("AWS::SQS::Queue").values()}
NAME = DEPLOYED.only("AWS::Lambda::Function")["FunctionName"]

#: Metrics of AWS's own that we look at: the namespace's metrics and the dimension they have.
OF_AWS = {
    "AWS/Lambda": ({"Errors", "Throttles"}, DIMENSION, {NAME}),
    "AWS/SQS": (
        {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible", "NumberOfMessagesSent"},
        "QueueName",
        QUEUES,
    ),
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


@pytest.mark.parametrize(
    ("metric", "stats"), [("SecondsToLink", ["p50", "p90"]), ("SecondsBeforeMeeting", ["p50", "p10"])]
)
def test_dashboard_shows_percentiles_of_the_time_to_join(metric: str, stats: list[str]) -> None:
    shown = [one for widget in widgets() for one in widget["metrics"] if one[1] == metric]
    assert [one[4]["stat"] for one in shown] == stats


def test_the_dashboard_is_made_for_who_asks() -> None:
    assert stack().resources("AWS::CloudWatch::Dashboard") == {}


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_alarm_notifies_its_topic_of_beginning_and_end(alarm: str) -> None:
    topic = PAGER if alarm == "NoFullPassAlarm" else TOPIC
    assert ALARMS[alarm]["AlarmActions"] == ALARMS[alarm]["OKActions"] == [topic]
    assert ALARMS[alarm]["AlarmDescription"]


def test_without_a_page_topic_every_alarm_notifies_the_alarm_topic() -> None:
    alarms = stack(AlarmTopicArn=TOPIC).resources("AWS::CloudWatch::Alarm").values()
    assert {tuple(alarm[key]) for alarm in alarms for key in ("AlarmActions", "OKActions")} == {(TOPIC,)}


def test_page_topic_alone_gets_the_paging_alarm_alone() -> None:
    alarms = stack(PageTopicArn=PAGER).resources("AWS::CloudWatch::Alarm")
    assert [name for name, alarm in alarms.items() if "AlarmActions" in alarm] == ["NoFullPassAlarm"]


def test_without_a_topic_alarms_notify_nobody() -> None:
    alarms = stack().resources("AWS::CloudWatch::Alarm").values()
    assert [alarm for alarm in alarms if "AlarmActions" in alarm or "OKActions" in alarm] == []


#: What each alarm's metric was in the last periods, and whether it rings. () is a period without data.
NOTHING: Period = ()
STATES: list[tuple[str, list[Period], bool]] = [
    ("ErrorsAlarm", [(0, 0), (0, 1, 0)], False),  # one failure alone
    ("ErrorsAlarm", [(0, 1), (0, 0), (1,)], True),
    ("ErrorsAlarm", [(0, 1), (0, 0), (0, 0)], False),
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
    ("NoFullPassAlarm", [(0,), (0,), (0,)], False),  # it ended, and not-converged looks at how
    ("NoFullPassAlarm", [(1,), (0,), NOTHING], False),
    ("NoFullPassAlarm", [(1,), NOTHING, NOTHING, (0,)], False),
    ("NoFullPassAlarm", [(1,), (1,), NOTHING, NOTHING, NOTHING], True),
    ("NoFullPassAlarm", [NOTHING, NOTHING, NOTHING], True),  # also before the very first pass
    ("StateChangesWaitingAlarm", [(1790,), (1810,)], True),
    ("StateChangesWaitingAlarm", [(1810,), (5,)], False),
    ("StateChangesWaitingAlarm", [(1810,), NOTHING, NOTHING, NOTHING], False),  # the queue is empty
    ("StateChangesWaitingAlarm", [(600,), (1500,)], False),
    ("MachinesOverdueAlarm", [(0,), (1,), (3,)], True),
    ("MachinesOverdueAlarm", [(2,), NOTHING, (1,)], True),
    ("MachinesOverdueAlarm", [(0,), (0,), (1,)], False),  # somebody ends it at once
    ("MachinesOverdueAlarm", [(1,), (0,), (0,)], False),
    ("MachinesOverdueAlarm", [NOTHING, NOTHING], False),
    ("LinkLateAlarm", [(9,), (*[9] * 8, 400, 400)], True),
    ("LinkLateAlarm", [(9,), (*[9] * 9, 400)], False),  # one of ten
    ("LinkLateAlarm", [(300,)], False),
    ("LinkLateAlarm", [(400,), (9,)], False),
    ("LinkLateAlarm", [NOTHING, NOTHING], False),
    ("CellsUnreadAlarm", [(0, 0), (1,), (0, 1)], True),
    ("CellsUnreadAlarm", [(0,), (0,), (1,)], False),  # throttled once
    ("CellsUnreadAlarm", [(1,), (1,), (0,)], False),
    ("CellsUnreadAlarm", [NOTHING, NOTHING], False),
    ("LinksUnreachableAlarm", [(0,), (1,), (2,)], True),
    ("LinksUnreachableAlarm", [(0,), (0,), (1,)], False),  # a desktop that was slow once
    ("LinksUnreachableAlarm", [(1,), (1,), (0,)], False),
    ("LinksUnreachableAlarm", [NOTHING, NOTHING], False),
    ("StateChangeDeadLettersAlarm", [(0, 0), (0, 1)], True),
    ("StateChangeDeadLettersAlarm", [(2, 1), (0, 0)], False),  # it was purged
    ("StateChangeDeadLettersAlarm", [NOTHING, NOTHING], False),
    ("ReconcileDeadLettersAlarm", [(0, 0), (0, 1)], False),
    ("ReconcileDeadLettersAlarm", [(0, 1), (1, 0)], True),
    ("ReconcileDeadLettersAlarm", [(1,), (1,), (0,), (0,)], False),  # the messages are still there
    ("ReconcileDeadLettersAlarm", [NOTHING, NOTHING], False),
]


@pytest.mark.parametrize(("alarm", "periods", "rung"), STATES)
def test_an_alarm_rings_when_it_should_and_only_then(alarm: str, periods: list[Period], rung: bool) -> None:
    assert rings(ALARMS[alarm], *periods) == rung


def test_every_alarm_is_tried_both_ways() -> None:
    assert {(alarm, rung) for alarm, _, rung in STATES} == {(alarm, rung) for alarm in ALARMS for rung in (True, False)}


@pytest.mark.parametrize(
    "alarm",
    [
        "ErrorsAlarm",
        "GuardAlarm",
        "NotConvergedAlarm",
        "NoFullPassAlarm",
        "MachinesOverdueAlarm",
        "CellsUnreadAlarm",
        "LinksUnreachableAlarm",
        "ReconcileDeadLettersAlarm",
    ],
)
@pytest.mark.parametrize("minutes", read()["Parameters"]["ScheduleMinutes"]["AllowedValues"])
def test_alarms_on_full_passes_use_periods_of_the_schedule(alarm: str, minutes: str) -> None:
    deployed = stack(ScheduleMinutes=minutes, ProbeLinks="true", Cells=CELLS).resources("AWS::CloudWatch::Alarm")[alarm]
    assert Watched.by(deployed).seconds == int(minutes) * 60


def test_a_watchdog_that_is_switched_off_is_not_missed() -> None:
    off = stack(Enabled="false", ProbeLinks="true", Cells=CELLS).resources("AWS::CloudWatch::Alarm")
    assert set(ALARMS) - set(off) == {"NoFullPassAlarm", "StateChangesWaitingAlarm"}


def test_a_queue_that_shadow_mode_does_not_read_is_not_watched() -> None:
    shadow = stack(ScheduleAction="plan", ProbeLinks="true", Cells=CELLS).resources("AWS::CloudWatch::Alarm")
    assert set(ALARMS) - set(shadow) == {"StateChangesWaitingAlarm"}


def test_a_state_change_that_is_still_tried_does_not_count_as_waiting() -> None:
    queue = DEPLOYED.resources("AWS::SQS::Queue")["StateChanges"]
    attempts = queue["RedrivePolicy"]["maxReceiveCount"] * queue["VisibilityTimeout"]
    assert attempts < ALARMS["StateChangesWaitingAlarm"]["Threshold"] < queue["MessageRetentionPeriod"]


def test_every_queue_is_watched() -> None:
    looked_at = [Watched.by(alarm) for alarm in ALARMS.values()]
    queues = {one.dimensions[0]["Value"] for one in looked_at if one.namespace == "AWS/SQS"}
    assert queues == QUEUES


def test_links_and_cells_are_watched_where_there_are_any() -> None:
    always = set(stack().resources("AWS::CloudWatch::Alarm"))
    assert set(ALARMS) - always == {"LinksUnreachableAlarm", "CellsUnreadAlarm"}


@pytest.mark.parametrize("minutes", read()["Parameters"]["ScheduleMinutes"]["AllowedValues"])
def test_cloudwatch_evaluates_alarms_over_such_a_time(minutes: str) -> None:
    # CloudWatch API, PutMetricAlarm: a multiple of 60 seconds, and a day at most for periods below an hour.
    for alarm in stack(ScheduleMinutes=minutes).resources("AWS::CloudWatch::Alarm").values():
        seconds = Watched.by(alarm).seconds
        assert seconds % 60 == 0
        assert seconds * alarm["EvaluationPeriods"] <= 24 * 3600


# Incidents: which alarms begin, whom they notify, and how often.


@pytest.fixture
def passes(clouds: Clouds, capsys: pytest.CaptureFixture[str]) -> dict[str, Pass]:
    return {name: recorded(clouds, world, capsys) for name, world in WORLDS.items()}


def named(alarm: str) -> str:
    return str(ALARMS[alarm]["AlarmName"]).removeprefix("ElephantDNSWatchdog-")


def rows() -> dict[str, list[str]]:
    """The runbook's table of incidents: the other cells by the first."""
    text = (INFRA.parent / "docs" / "runbook.md").read_text(encoding="utf-8")
    section = text.partition("### What rings when\n")[2].partition("\n### ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]
    return {first: rest for first, *rest in cells}


def test_passes_of_incidents_end_in_different_ways(passes: dict[str, Pass]) -> None:
    ends = {name: (run.failed, run.metrics.get("FullPassSucceeded")) for name, run in passes.items()}
    assert ends == {
        "clean": (False, 1),
        "stubborn": (True, 0),
        "guarded": (False, 1),
        "refused": (True, None),
        "leaked": (False, 1),
        "unread": (True, 0),
    }
    assert passes["guarded"].metrics["GuardTripped"] == 1
    assert passes["leaked"].metrics["MachinesOverdue"] == 1
    assert passes["unread"].metrics["CellsUnread"] == 1


def test_runbook_says_which_alarms_ring_in_which_incident(passes: dict[str, Pass]) -> None:
    found = {}
    for incident in INCIDENTS:
        shown = series(incident, passes)
        sent = {named(name): changes(alarm, *shown.get(watched(alarm), ())) for name, alarm in ALARMS.items()}
        rung = sorted(name for name, count in sent.items() if count)
        pages = sent["no-full-pass"]
        mails = sum(sent.values()) - pages
        found[incident] = [", ".join(f"`{name}`" for name in rung) or "none", str(pages), str(mails)]
    assert found == rows()


def test_every_alarm_rings_in_some_incident() -> None:
    rung = {name for cells in rows().values() for name in cells[0].replace("`", "").split(", ")} - {"none"}
    assert rung == {named(alarm) for alarm in ALARMS}
