"""Lambda's entry: event → request → pass → report. Everything else lives in ``controller``."""

import gc

gc.disable()  # until all is loaded: none of it is garbage, and to look for some again and again is a tenth of the start

import os
from contextlib import suppress
from functools import cache
from typing import Any

from controller.bootstrap import Clients, Controller, build, connect
from controller.errors import IncompleteError, SettingsError, WatchdogError
from controller.events import parse_event
from controller.log import hush_libraries, log_error, log_for_request, log_metrics, log_report, start_logging
from controller.metrics import as_metrics
from controller.report.as_json import as_answer
from controller.report.report import Report
from controller.settings import read_settings

#: Seconds of the function's time that are kept for the report and for ending in good order.
MARGIN = 5.0
#: Bytes that an answer may have: Lambda takes 6 MB (Lambda quotas: invocation payload), and makes an error of more.
ANSWER_LIMIT = 6_000_000


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
        if isinstance(error, WatchdogError) and isinstance(error.report, Report):
            log_report(error.report)
        log_error(error)
        raise
    log_report(report)
    log_metrics(as_metrics(report, request, context.function_name))
    if not report.ended_well:
        raise IncompleteError(
            "The pass did not end well.", report.guard.reason or "Its report is in the log, change by change."
        )
    return as_answer(report, ANSWER_LIMIT)


@cache
def _controller(function_arn: str) -> Controller:
    """One controller for the life of the process; the account stands in the function's ARN."""
    settings = read_settings(os.environ)
    start_logging(settings.log_level)
    return build(settings, account=function_arn.split(":")[4], clients=_clients())


@cache
def _clients() -> Clients:
    return connect(read_settings(os.environ))


hush_libraries()

# Clients are made while the process starts: then Lambda lends it a whole processor, and SnapStart takes its picture.
# Settings that cannot be used are told to each event.
with suppress(SettingsError):
    _clients()

gc.freeze()  # what is loaded stays, so that no later look goes through it
gc.enable()
