"""``-v``: a line for each call to the clouds, with its status and how long it took. No call's log holds a secret."""

import logging

from controller.cli.console import err
from controller.report.safe import on_one_line


class _Calls(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        call = getattr(record, "fields", {})
        text = f"{call.get('service')} {call.get('what')}: {call.get('status')}, {call.get('ms')} ms"
        err(on_one_line(text))


def show_calls() -> None:
    """From now on."""
    logger = logging.getLogger("elephant_dns")
    logger.addHandler(_Calls())
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
