"""The report as JSON: the schema that dashboards, queues and other programs read."""

import json
from dataclasses import asdict
from datetime import UTC
from typing import Any

from controller.model import Finding, Result
from controller.report.report import SCHEMA, SERVICES, Report
from controller.report.safe import in_json


def as_dict(report: Report) -> dict[str, Any]:
    """Return the report by its schema, ready for ``json.dumps`` and for a Lambda function's return value."""
    instances, records, meetings = report.observed
    return {
        "schema": SCHEMA,
        "mode": report.mode,
        **_scope(report),
        "target": asdict(report.target),
        "started_at": report.started_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "duration_ms": report.duration_ms,
        "observed": {"instances": instances, "records": records, "meetings": meetings},
        "digest": report.digest,
        "cells": [
            {
                "account": cell.account,
                "region": cell.region,
                "read": cell.error is None,
                "error": cell.error,
                "instances": cell.instances,
            }
            for cell in report.cells
        ],
        "changes": [
            {**change_as_dict(result), "cell": report.cell_of(result.change.instance)} for result in report.results
        ],
        "findings": [asdict(finding) for finding in report.findings],
        "guard": asdict(report.guard),
        "summary": report.summary(),
        "calls": {**dict.fromkeys(SERVICES, 0), **report.calls},
        "complete": report.complete,
        "converged": report.converged,
        **({"links": asdict(report.links)} if report.links else {}),
    }


def _scope(report: Report) -> dict[str, Any]:
    """Return the scope. That of some cells is their machines, so that no program takes their pass for a full one."""
    if (only := report.only_cells) is not None:
        machines = sorted(machine for machine, cell in report.homes.items() if cell in only)
        return {"scope": machines, "only_cells": list(only)}
    return {"scope": "all" if report.scope is None else list(report.scope)}


def as_answer(report: Report, limit: int) -> dict[str, Any]:
    """Return the report by its schema; without changes and findings where it has more bytes of JSON than the limit."""
    whole = as_dict(report)
    if len(json.dumps(whole)) <= limit:
        return whole
    left_out = Finding(
        "report-cut",
        "report",
        f"The report is too large for an answer: {len(report.results)} changes and {len(report.findings)} findings are "
        "left out here.",
        "They are in the log, one line each; elephant-dns plan --format json has them all.",
    )
    return {**whole, "changes": [], "findings": [asdict(left_out)]}


def change_as_dict(result: Result) -> dict[str, Any]:
    """Return one change and how it ended."""
    change = result.change
    return {
        "action": str(change.action),
        "key": change.key,
        "instance": change.instance,
        "meeting": change.meeting,
        "role": change.role,
        "before": dict(change.before),
        "after": dict(change.after),
        "reason": change.reason,
        "rule": change.rule,
        "outcome": str(result.outcome),
        "error": result.error,
    }


def render(report: Report) -> str:
    """Return the report as one JSON document, in ASCII: no terminal and no log interprets it."""
    return in_json(json.dumps(as_dict(report), indent=2)) + "\n"
