"""Return one pass as CloudWatch metrics: a line in Embedded Metric Format, which CloudWatch reads from the log.

Nine metrics with one dimension, because AWS charges each name and dimension by the month. The log's other lines have
the details. The format: "Embedded metric format specification" in the CloudWatch user guide.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from controller.model import Action, Heard, Mode, Outcome, Request
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
    "SecondsToRecord": "Seconds",
    "FullPassSucceeded": "Count",
    "LinksUnreachable": "Count",
}

#: Outcomes that need no second alarm: ``GuardTripped`` reports what the guard holds.
_SETTLED = (Outcome.APPLIED, Outcome.GUARDED)

#: Most values of one metric in one line, by the specification.
MAX_VALUES = 100


def as_metrics(report: Report, request: Request, function: str) -> dict[str, Any]:
    """Return the pass's metrics.

    ``SecondsToRecord`` has a value for each record created or updated for an event: the seconds from AWS's time of the
    event to the end of the pass (the slowest hundred, if there are more). Only full passes have ``FullPassSucceeded``:
    it is 1 if every change was applied or is held by the guard, which has a metric of its own. A plan counts if the
    schedule asked for it (shadow mode). A plan by hand does not count, because it must not satisfy the alarms.
    ``LinksUnreachable`` is there if links were probed.
    """
    values: dict[str, int | list[float]] = {
        "ChangesApplied": report.count(Outcome.APPLIED),
        "ChangesFailed": report.count(Outcome.FAILED) + report.count(Outcome.NOT_REACHED),
        "Findings": len(report.findings),
        "GuardTripped": int(report.guard.tripped),
        "PassDuration": report.duration_ms,
        "CloudflareCalls": report.calls.get("cloudflare", 0),
    }
    waits = _seconds_to_record(report, request.heard)
    if waits:
        values["SecondsToRecord"] = waits[-MAX_VALUES:]
    if report.scope is None and (report.mode == Mode.APPLY or request.is_scheduled):
        settled = all(result.outcome in _SETTLED for result in report.results)
        values["FullPassSucceeded"] = int(settled or report.mode == Mode.PLAN)
    if report.links:
        values["LinksUnreachable"] = report.links.unreachable
    metrics = [{"Name": name, "Unit": METRICS[name]} for name in values]
    directive = {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": metrics}
    timestamp = round(_end(report).timestamp() * 1000)
    return {"_aws": {"Timestamp": timestamp, "CloudWatchMetrics": [directive]}, DIMENSION: function, **values}


def _seconds_to_record(report: Report, heard: Mapping[str, Heard]) -> list[float]:
    put = (Action.CREATE_RECORD, Action.UPDATE_RECORD)
    instances = {
        result.change.instance
        for result in report.results
        if result.change.action in put and result.outcome is Outcome.APPLIED
    }
    end = _end(report)
    return sorted(max(0.0, (end - of.since).total_seconds()) for instance, of in heard.items() if instance in instances)


def _end(report: Report) -> datetime:
    return report.started_at + timedelta(milliseconds=report.duration_ms)
