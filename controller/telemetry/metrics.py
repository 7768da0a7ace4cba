"""Return one pass as CloudWatch metrics: a line in Embedded Metric Format, which CloudWatch reads from the log.

Fourteen metrics with one dimension, because each name and dimension is charged by the month. What is finer is in the
log's other lines. The format: "Embedded metric format specification" in the CloudWatch user guide.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from controller.model import Action, Heard, Mode, Outcome, Request, WriteLink
from controller.report.report import Report

NAMESPACE = "ElephantDNSWatchdog"
DIMENSION = "FunctionName"
METRICS = {
    "ChangesApplied": "Count",
    "ChangesFailed": "Count",
    "Findings": "Count",
    "GuardTripped": "Count",
    "PassDuration": "Milliseconds",
    "CloudflareCalls": "Count",
    "MachinesOverdue": "Count",
    "MeetingsLate": "Count",
    "SecondsToRecord": "Seconds",
    "SecondsToLink": "Seconds",
    "SecondsBeforeMeeting": "Seconds",
    "FullPassSucceeded": "Count",
    "LinksUnreachable": "Count",
    "CellsUnread": "Count",
}

#: The findings that say that somebody waits, or that a meeting does not end.
LATE = frozenset({"meeting-late", "not-launched", "role-not-launched", "never-healthy"})
#: Outcomes that need no second alarm: ``GuardTripped`` reports what the guard holds.
_SETTLED = (Outcome.APPLIED, Outcome.GUARDED)

#: Most values of one metric in one line, by the specification.
MAX_VALUES = 100


def as_metrics(report: Report, request: Request, function: str) -> dict[str, Any]:
    """Return the pass's metrics.

    Of the three that have many values in a pass, the hundred worst are kept:

    - ``SecondsToRecord``: for each record written for an event, from AWS's time of the event to the pass's end;
    - ``SecondsToLink``: for each link that any pass wrote, from the machine's launch to the pass's end;
    - ``SecondsBeforeMeeting``: for the same links, from then to the meeting's time; negative where that was earlier.

    ``MachinesOverdue``, ``MeetingsLate`` and ``FullPassSucceeded`` come from full passes alone. The last one is 1 if
    every cell was read, and every change was applied or is held by the guard, which has a metric of its own. A plan
    counts if the schedule asked for it (shadow mode). A plan by hand does not count: it must not satisfy the alarms.
    ``LinksUnreachable`` is there if links were probed, ``CellsUnread`` if there are several cells, or if
    the only one could not be read.
    """
    values: dict[str, int | list[float]] = {
        "ChangesApplied": report.count(Outcome.APPLIED),
        "ChangesFailed": report.count(Outcome.FAILED) + report.count(Outcome.NOT_REACHED),
        "Findings": report.found(),
        "GuardTripped": int(report.guard.tripped),
        "PassDuration": report.duration_ms,
        "CloudflareCalls": report.calls.get("cloudflare", 0),
    }
    if waits := _sorted_worst_last(_seconds_to_record(report, request.heard)):
        values["SecondsToRecord"] = waits
    if waits := _sorted_worst_last(_seconds_to_link(report)):
        values["SecondsToLink"] = waits
    if ahead := [-seconds for seconds in _sorted_worst_last(_seconds_after_meeting(report))]:
        values["SecondsBeforeMeeting"] = ahead
    if report.is_full:
        values["MachinesOverdue"] = report.found("machine-overdue")
        values["MeetingsLate"] = sum(map(report.found, LATE))
    if report.is_full and (report.mode == Mode.APPLY or request.is_scheduled):
        settled = not report.unread and all(result.outcome in _SETTLED for result in report.results)
        values["FullPassSucceeded"] = int(settled or report.mode == Mode.PLAN)
    if len(report.cells) > 1 or report.unread:
        values["CellsUnread"] = sum(cell.error is not None for cell in report.cells)
    if report.links:
        values["LinksUnreachable"] = report.links.unreachable
    metrics = [{"Name": name, "Unit": METRICS[name]} for name in values]
    directive = {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": metrics}
    timestamp = round(_end(report).timestamp() * 1000)
    return {"_aws": {"Timestamp": timestamp, "CloudWatchMetrics": [directive]}, DIMENSION: function, **values}


def _sorted_worst_last(seconds: Iterable[float]) -> list[float]:
    return sorted(seconds)[-MAX_VALUES:]


def _seconds_to_record(report: Report, heard: Mapping[str, Heard]) -> Iterator[float]:
    put = (Action.CREATE_RECORD, Action.UPDATE_RECORD)
    instances = {
        result.change.instance
        for result in report.results
        if result.change.action in put and result.outcome is Outcome.APPLIED
    }
    end = _end(report)
    return (max(0.0, (end - of.since).total_seconds()) for instance, of in heard.items() if instance in instances)


def _seconds_to_link(report: Report) -> Iterator[float]:
    end = _end(report)
    return (max(0.0, (end - link.launched_at).total_seconds()) for link in _written(report) if link.launched_at)


def _seconds_after_meeting(report: Report) -> Iterator[float]:
    end = _end(report)
    return ((end - link.begins).total_seconds() for link in _written(report) if link.begins)


def _written(report: Report) -> list[WriteLink]:
    """Return the links that this pass wrote; one that was right already, beside a status that moves on, is not new."""
    done = (result.change for result in report.results if result.outcome is Outcome.APPLIED)
    return [change for change in done if isinstance(change, WriteLink) and change.rule == "link-current"]


def _end(report: Report) -> datetime:
    return report.started_at + timedelta(milliseconds=report.duration_ms)
