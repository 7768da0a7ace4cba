"""Log one JSON line for each change, finding and pass. Messages are constant; what varies is in fields."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from controller import __version__
from controller.errors import WatchdogError
from controller.model import Outcome
from controller.report.as_json import as_dict, change_as_dict
from controller.report.report import Report
from controller.report.safe import in_json

_LOGGER = logging.getLogger("elephant_dns")


class _JsonLines(logging.Formatter):
    """Formats a record as JSON. It escapes line breaks, so that text from tags and rows cannot forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        time = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        line = {"timestamp": time, "level": record.levelname, "message": record.getMessage(), **_CONTEXT, **fields}
        return in_json(json.dumps(line, default=str))


#: Fields of every line. A Lambda process has one invocation at a time.
_CONTEXT: dict[str, str] = {}


def log_for_request(request_id: str) -> None:
    """Name this invocation in every line from now on."""
    _CONTEXT["request_id"] = request_id


def start_logging(level: str, stream: TextIO | None = None) -> None:
    """Log JSON lines to this stream, by default to standard output, where Lambda collects them."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(_JsonLines())
    _LOGGER.handlers[:] = [handler]
    _LOGGER.propagate = False
    _LOGGER.setLevel(level)


def hush_libraries() -> None:
    """Keep libraries' DEBUG lines out of the log, whatever Lambda's own log level is.

    Those of botocore hold the bodies of answers, and Secrets Manager's answer is the token.
    """
    logging.getLogger().setLevel(logging.WARNING)


def log_report(report: Report) -> None:
    """Log one line for each change and finding, and one for the pass."""
    for result in report.results:
        is_bad = result.outcome in (Outcome.FAILED, Outcome.NOT_REACHED)
        _log(logging.ERROR if is_bad else logging.INFO, "change", change_as_dict(result))
    for finding in report.findings:
        fields = {"id": finding.id, "key": finding.key, "hint": finding.hint, "text": finding.message}
        _log(logging.WARNING, "finding", fields)
    whole = {key: value for key, value in as_dict(report).items() if key not in ("changes", "findings")}
    _log(logging.INFO if report.ended_well else logging.ERROR, "pass", {**whole, "release": __version__})


def log_note(text: str) -> None:
    """Log a sentence about the pass, for a person."""
    _log(logging.INFO, "note", {"text": text})


def log_metrics(metrics: Mapping[str, Any]) -> None:
    """Write the pass's metrics for CloudWatch, whatever the log's level: the alarms need them."""
    sys.stdout.write(json.dumps({**_CONTEXT, **metrics}) + "\n")
    sys.stdout.flush()


def log_error(error: Exception) -> None:
    """Log the error of a pass that ended without a report, perhaps before the settings were read."""
    if not _LOGGER.handlers:
        start_logging("INFO")
    hint = error.hint if isinstance(error, WatchdogError) else ""
    text = error.message if isinstance(error, WatchdogError) else str(error)
    _log(logging.ERROR, "pass failed", {"error": type(error).__name__, "text": text, "hint": hint})


def _log(level: int, message: str, fields: dict[str, Any]) -> None:
    _LOGGER.log(level, message, extra={"fields": fields})
