"""Metrics: a few names, one dimension, and values that an alarm can stand on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controller.model import Change, Finding, Guard, Heard, Mode, Outcome, Request, Result, WriteLink
from controller.report.report import CellSeen, Links, Report, Target
from controller.telemetry.metrics import DIMENSION, LATE, METRICS, NAMESPACE, as_metrics
from tests.support.build import STUDENT, TEACHER, create, delete, of_row, update

STARTED = datetime(2026, 1, 31, 12, 0, 30, tzinfo=UTC)
REPORT = Report(
    mode="apply",
    scope=None,
    target=Target("123456789012", "us-west-2", "zone", "example.com", "table", "owner"),
    started_at=STARTED,
    duration_ms=1500,
    observed=(0, 0, 0),
    digest="",
    results=(),
    findings=(),
    guard=Guard(),
    calls={"cloudflare": 3, "ec2": 1},
)


def metrics(*, since: dict[str, datetime] | None = None, is_scheduled: bool = False, **fields: Any) -> dict[str, Any]:
    """The metrics of a pass that was woken by events: the latest of each instance a moment ago, the first one then."""
    heard = {instance: Heard("running", STARTED, first) for instance, first in (since or {}).items()}
    request = Request(Mode.APPLY, heard=heard, is_scheduled=is_scheduled)
    return as_metrics(replace(REPORT, **fields), request, "ElephantDNSWatchdog")


def written(rule: str = "link-current", **fields: Any) -> WriteLink:
    """A link to a machine that was launched 90 s before the pass began, for a meeting one minute after that."""
    launched, begins = STARTED - timedelta(seconds=90), STARTED + timedelta(minutes=1)
    link = of_row(WriteLink)
    assert isinstance(link, WriteLink)
    return replace(link, **{"launched_at": launched, "begins": begins, "rule": rule, **fields})


def test_the_line_has_the_form_that_cloudwatch_reads() -> None:
    line = metrics()
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert line["_aws"]["Timestamp"] == 1769860831500
    assert directive["Namespace"] == NAMESPACE
    assert directive["Dimensions"] == [[DIMENSION]]
    assert {metric["Name"] for metric in directive["Metrics"]} == set(line) - {"_aws", DIMENSION}
    assert all(metric["Unit"] == METRICS[metric["Name"]] for metric in directive["Metrics"])
    assert line[DIMENSION] == "ElephantDNSWatchdog"


def test_all_metrics_together_are_those_that_are_named() -> None:
    line = metrics(
        results=(Result(create(), Outcome.APPLIED), Result(written(), Outcome.APPLIED)),
        since={TEACHER: STARTED},
        links=Links(probed=2, unreachable=1, not_judged=0),
        cells=(CellSeen("123456789012", "us-west-2", 1), CellSeen("123456789012", "eu-west-1", 0, "away")),
    )
    assert sorted(line) == sorted(["_aws", DIMENSION, *METRICS])
    assert len(METRICS) == 14


@pytest.mark.parametrize("errors", [(None, None), (None, "away"), ("away", "away"), ("away",)])
def test_unread_cells_are_counted(errors: tuple[str | None, ...]) -> None:
    cells = tuple(CellSeen("123456789012", f"eu-west-{n}", 0, error) for n, error in enumerate(errors))
    assert metrics(cells=cells)["CellsUnread"] == len(errors) - errors.count(None)


@pytest.mark.parametrize("is_scheduled", [False, True])
def test_a_pass_for_some_cells_is_not_a_full_pass(is_scheduled: bool) -> None:
    line = metrics(only_cells=("123456789012/us-west-2",), is_scheduled=is_scheduled)
    assert not {"FullPassSucceeded", "MachinesOverdue", "MeetingsLate"} & line.keys()


def test_a_deployment_of_one_place_has_no_metric_of_cells() -> None:
    assert "CellsUnread" not in metrics(cells=(CellSeen("123456789012", "us-west-2", 1),))


def test_outcomes_findings_guard_and_calls_are_counted() -> None:
    results = [Result(delete(), outcome) for outcome in Outcome]
    line = metrics(results=tuple(results), findings=(Finding("id", "key", "text", "do"),), guard=Guard(True, "so"))
    assert {name: line[name] for name in line if name in METRICS} == {
        "ChangesApplied": 1,
        "ChangesFailed": 2,
        "Findings": 1,
        "GuardTripped": 1,
        "PassDuration": 1500,
        "CloudflareCalls": 3,
        "MachinesOverdue": 0,
        "MeetingsLate": 0,
        "FullPassSucceeded": 0,
    }


@pytest.mark.parametrize("change", [create(), update()], ids=lambda change: str(change.action))
def test_seconds_to_record_count_from_event_to_end_of_pass(change: Change) -> None:
    line = metrics(results=(Result(change, Outcome.APPLIED),), since={TEACHER: STARTED - timedelta(seconds=10)})
    assert line["SecondsToRecord"] == [11.5]


@pytest.mark.parametrize(
    "result",
    [
        Result(create(), Outcome.FAILED),
        Result(delete(), Outcome.APPLIED),
        Result(of_row(WriteLink), Outcome.APPLIED),
        Result(create(STUDENT), Outcome.APPLIED),
    ],
)
def test_nothing_else_counts_as_a_wait_for_a_record(result: Result) -> None:
    assert "SecondsToRecord" not in metrics(results=(result,), since={TEACHER: STARTED})


def test_a_clock_that_runs_behind_awss_makes_no_negative_wait() -> None:
    results = (Result(create(), Outcome.APPLIED),)
    assert metrics(results=results, since={TEACHER: STARTED + timedelta(minutes=1)})["SecondsToRecord"] == [0.0]


def test_of_a_great_burst_the_slowest_hundred_are_kept() -> None:
    instances = [f"i-{number:08x}" for number in range(150)]
    since = {instance: STARTED - timedelta(seconds=number) for number, instance in enumerate(instances)}
    results = tuple(Result(create(instance), Outcome.APPLIED) for instance in instances)
    waits = metrics(results=results, since=since)["SecondsToRecord"]
    assert (len(waits), waits[0], waits[-1]) == (100, 51.5, 150.5)


def test_a_full_pass_succeeds_when_all_that_differed_was_applied() -> None:
    assert metrics(results=(Result(create(), Outcome.APPLIED),))["FullPassSucceeded"] == 1


def test_full_pass_with_held_changes_leaves_alarm_to_guard_metric() -> None:
    held = metrics(results=(Result(delete(), Outcome.GUARDED),), guard=Guard(True, "so"))
    assert (held["FullPassSucceeded"], held["GuardTripped"]) == (1, 1)


SETTLED = (Outcome.APPLIED, Outcome.GUARDED)


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome not in SETTLED])
def test_a_full_pass_does_not_succeed_while_anything_is_left(outcome: Outcome) -> None:
    assert metrics(results=(Result(create(), outcome),))["FullPassSucceeded"] == 0


def test_in_shadow_mode_a_plan_that_was_made_is_a_success() -> None:
    results = (Result(create(), Outcome.PLANNED),)
    assert metrics(mode="plan", results=results, is_scheduled=True)["FullPassSucceeded"] == 1


def test_a_plan_by_hand_does_not_tell_the_alarms_that_all_is_well() -> None:
    assert "FullPassSucceeded" not in metrics(mode="plan")


def test_a_scoped_pass_says_nothing_of_full_passes() -> None:
    assert "FullPassSucceeded" not in metrics(scope=(TEACHER,))


def test_the_wait_for_a_link_counts_from_the_launch_in_every_pass() -> None:
    line = metrics(results=(Result(written(), Outcome.APPLIED),), scope=(TEACHER,))
    assert (line["SecondsToLink"], line["SecondsBeforeMeeting"]) == ([91.5], [58.5])


def test_a_link_after_the_meetings_time_counts_below_zero() -> None:
    late = written(begins=STARTED - timedelta(minutes=2))
    assert metrics(results=(Result(late, Outcome.APPLIED),))["SecondsBeforeMeeting"] == [-121.5]


@pytest.mark.parametrize(
    "result",
    [
        Result(written(), Outcome.FAILED),
        Result(written(), Outcome.PLANNED),
        Result(written("status-early"), Outcome.APPLIED),
        Result(written(launched_at=None, begins=None), Outcome.APPLIED),
    ],
    ids=["failed", "planned", "the status alone", "no times"],
)
def test_nothing_else_counts_as_a_wait_for_a_link(result: Result) -> None:
    assert not {"SecondsToLink", "SecondsBeforeMeeting"} & metrics(results=(result,)).keys()


def test_of_many_links_the_hundred_worst_are_kept() -> None:
    links = [
        written(launched_at=STARTED - n * timedelta(seconds=1), begins=STARTED - n * timedelta(seconds=1))
        for n in range(150)
    ]
    line = metrics(results=tuple(Result(link, Outcome.APPLIED) for link in links))
    assert (len(line["SecondsToLink"]), max(line["SecondsToLink"]), min(line["SecondsToLink"])) == (100, 150.5, 51.5)
    assert (min(line["SecondsBeforeMeeting"]), max(line["SecondsBeforeMeeting"])) == (-150.5, -51.5)


def test_late_machines_and_meetings_count_beyond_what_is_listed() -> None:
    overdue = [Finding("machine-overdue", f"i-{n}", "text", "do") for n in range(30)]
    others = [Finding(kind, "m1", "text", "do") for kind in sorted(LATE)]
    report = replace(REPORT, findings=(*overdue, *others)).shortened()
    line = as_metrics(report, Request(Mode.APPLY), "function")
    assert (line["MachinesOverdue"], line["MeetingsLate"], line["Findings"]) == (30, 4, 34)


def test_a_scoped_pass_says_nothing_of_what_is_late() -> None:
    assert not {"MachinesOverdue", "MeetingsLate"} & metrics(scope=(TEACHER,)).keys()


def test_unreachable_links_are_counted_where_links_were_probed() -> None:
    assert "LinksUnreachable" not in metrics()
    assert metrics(links=Links(probed=5, unreachable=0, not_judged=1))["LinksUnreachable"] == 0
    assert metrics(links=Links(probed=5, unreachable=3, not_judged=1))["LinksUnreachable"] == 3
