"""Lambda's entry: event → request → pass → report. Everything else lives in ``controller``."""

import os
from functools import cache
from typing import Any

from controller.bootstrap import Controller, build
from controller.errors import IncompleteError
from controller.events import parse_event
from controller.log import log_error, log_for_request, log_metrics, log_report, start_logging
from controller.metrics import as_metrics
from controller.report.as_json import as_dict
from controller.settings import read_settings

#: Seconds of the function's time that are kept for the report and for ending in good order.
MARGIN = 5.0


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """One pass as the event asks for it; returns the report.

    Raises after the report has been logged when the pass failed or is not complete, so that retries, queues and
    alarms see it.
    """
    log_for_request(context.aws_request_id)
    try:
        request = parse_event(event)
        controller = _controller(context.invoked_function_arn)
        report = controller.run(request, context.get_remaining_time_in_millis() / 1000 - MARGIN)
    except Exception as error:
        log_error(error)
        raise
    log_report(report)
    log_metrics(as_metrics(report, request.seen_at, context.function_name))
    if not report.ended_well:
        raise IncompleteError(
            "The pass did not end well.", report.guard.reason or "Its report is in the log, change by change."
        )
    return as_dict(report)


@cache
def _controller(function_arn: str) -> Controller:
    """One controller for the life of the process; the account stands in the function's ARN."""
    settings = read_settings(os.environ)
    start_logging(settings.log_level)
    return build(settings, account=function_arn.split(":")[4])
