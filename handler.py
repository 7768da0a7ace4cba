"""Lambda's entry point: event → request → pass → report. Everything else is in ``controller``."""

import gc

gc.disable()  # while modules load: nothing of them is garbage, and looking for some takes a tenth of the start

import math
import os
from contextlib import suppress
from typing import Any

from controller.bootstrap import Controller, build
from controller.clients import Clients, connect
from controller.errors import SettingsError, WatchdogError
from controller.events import parse_event, returned
from controller.model import Request
from controller.report.as_json import as_answer
from controller.report.report import Report, incomplete
from controller.settings import read_settings
from controller.telemetry.log import hush_libraries, log_error, log_for_request, log_metrics, log_report, start_logging
from controller.telemetry.metrics import as_metrics

#: Seconds of the function's time that are reserved for the report and for an orderly end.
MARGIN = 5.0
#: Seconds that a function needs at least: with fewer no call to a cloud fits in.
LEAST = 6
#: Largest answer in bytes: Lambda accepts 6 MB (Lambda quotas: invocation payload), and fails on more.
ANSWER_LIMIT = 6_000_000


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Run one pass as the event asks for it; return the report, or for a queue's batch the messages to deliver again.

    Raises after the report has been logged if the pass failed, or is not complete and not a batch, so that retries,
    queues and alarms see it. A tripped guard alone is not a failure: it has its own metric and alarm.
    """
    log_for_request(context.aws_request_id)
    try:
        request, seconds = parse_event(event), _seconds(context)
        controller = process.controller(context.invoked_function_arn)
        report = controller.run(request, seconds)
    except Exception as error:
        if isinstance(error, WatchdogError) and isinstance(error.report, Report):
            log_report(error.report)
        log_error(error)
        raise
    log_report(report)
    log_metrics(as_metrics(report, request, context.function_name))
    failed = returned(request, (*(result.change.instance for result in report.unfinished), *_unseen(request, report)))
    if failed is not None and not report.guard.tripped:
        return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}
    if not report.complete:
        raise incomplete(report)
    return as_answer(report, ANSWER_LIMIT)


def _unseen(request: Request, report: Report) -> list[str]:
    """Return the machines of the request that may be in a cell that could not be read."""
    unread = {cell.name for cell in report.cells if cell.error}
    return [i for i in sorted(request.scope or ()) if unread and request.homes.get(i) in (None, *unread)]


def _seconds(context: Any) -> float:
    """Return the seconds that the pass may take. Raises SettingsError if the function's time-out leaves none."""
    left: float = context.get_remaining_time_in_millis() / 1000
    timeout = math.ceil(left)  # a few milliseconds have passed
    if timeout < LEAST:
        raise SettingsError(
            f"The function's time-out is {timeout} s; a pass needs at least {LEAST} s.",
            "Set the function's Timeout to 240 s, as the template does.",
        )
    return left - MARGIN


class Process:
    """The clients and the controller that a Lambda process keeps between invocations."""

    def __init__(self) -> None:
        self._clients: Clients | None = None
        self._controller: Controller | None = None

    def start(self) -> None:
        """Create the clients. Raises SettingsError if the environment is malformed."""
        self._clients = connect(read_settings(os.environ))

    def controller(self, function_arn: str) -> Controller:
        """Return the controller of this process, created at the first call with the account in the function's ARN."""
        if self._controller is None:
            settings = read_settings(os.environ)
            start_logging(settings.log_level)
            if self._clients is None:
                self.start()
            self._controller = build(settings, account=function_arn.split(":")[4], clients=self._clients)
        return self._controller

    def end(self) -> None:
        """Close the connections and forget them, so that the next invocation starts as in a new process."""
        if self._controller is not None:
            self._controller.close()
        self._clients = self._controller = None


process = Process()
hush_libraries()

# Create clients while the process starts: then Lambda lends it a whole processor, and SnapStart takes its snapshot.
# Malformed settings are reported by each event.
with suppress(SettingsError):
    process.start()

gc.freeze()  # what is loaded stays, so no later collection needs to look at it
gc.enable()
