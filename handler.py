"""Lambda's entry: event → request → pass → report. Everything else lives in ``controller``."""

import gc

gc.disable()  # until all is loaded: none of it is garbage, and to look for some again and again is a tenth of the start

import os
from contextlib import suppress
from typing import Any

from controller.bootstrap import Controller, build
from controller.clients import Clients, connect
from controller.errors import IncompleteError, SettingsError, WatchdogError
from controller.events import parse_event
from controller.report.as_json import as_answer
from controller.report.report import Report
from controller.settings import read_settings
from controller.telemetry.log import hush_libraries, log_error, log_for_request, log_metrics, log_report, start_logging
from controller.telemetry.metrics import as_metrics

#: Seconds of the function's time that are kept for the report and for ending in good order.
MARGIN = 5.0
#: Bytes that an answer may have: Lambda takes 6 MB (Lambda quotas: invocation payload), and makes an error of more.
ANSWER_LIMIT = 6_000_000


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """One pass as the event asks for it; returns the report.

    Raises after the report has been logged when the pass failed or is not complete, so that retries, queues and
    alarms see it. A tripped guard alone is not a failure: it has its own metric and alarm.
    """
    log_for_request(context.aws_request_id)
    try:
        request = parse_event(event)
        controller = process.controller(context.invoked_function_arn)
        report = controller.run(request, context.get_remaining_time_in_millis() / 1000 - MARGIN)
    except Exception as error:
        if isinstance(error, WatchdogError) and isinstance(error.report, Report):
            log_report(error.report)
        log_error(error)
        raise
    log_report(report)
    log_metrics(as_metrics(report, request, context.function_name))
    if not report.complete:
        raise IncompleteError("The pass is not complete.", "Its report is in the log, change by change.")
    return as_answer(report, ANSWER_LIMIT)


class Process:
    """What one Lambda process keeps from one invocation to the next: clients and a controller."""

    def __init__(self) -> None:
        self._clients: Clients | None = None
        self._controller: Controller | None = None

    def start(self) -> None:
        """Create the clients. Raises SettingsError where the environment cannot be used."""
        self._clients = connect(read_settings(os.environ))

    def controller(self, function_arn: str) -> Controller:
        """One controller for the life of the process; the account stands in the function's ARN."""
        if self._controller is None:
            settings = read_settings(os.environ)
            start_logging(settings.log_level)
            if self._clients is None:
                self.start()
            self._controller = build(settings, account=function_arn.split(":")[4], clients=self._clients)
        return self._controller

    def end(self) -> None:
        """Close the connections and forget them: the next invocation finds a new process, so to speak."""
        if self._controller is not None:
            self._controller.close()
        self._clients = self._controller = None


process = Process()
hush_libraries()

# Clients are created while the process starts: then Lambda lends it a whole processor, and SnapStart takes its picture.
# Each event reports settings that cannot be used.
with suppress(SettingsError):
    process.start()

gc.freeze()  # what is loaded stays, so that no later look goes through it
gc.enable()
