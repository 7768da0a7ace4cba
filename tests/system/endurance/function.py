"""The function as Lambda calls it, on the simulation's clock, with what its process holds after each event."""

import gc
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import handler
from controller import bootstrap
from tests.benchmarks.calls import calls
from tests.support.clock import FakeClock

#: Seconds in which all threads that a pass has left behind must have ended. No test waits for them unless one has not.
PATIENCE = 10.0
_DESCRIPTORS = Path("/proc/self/fd")


class Clock(FakeClock):
    """Time is set with each event, and passes by sleeping."""

    def set(self, moment: datetime) -> None:
        """It is this time now, or later if the process has slept for longer."""
        self._now = max(self._now, moment)


CLOCK = Clock()
vars(bootstrap)["SystemClock"] = lambda: CLOCK  # for every controller of this process
_BEFORE = {thread.ident for thread in threading.enumerate()}


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Run the event at its time. Measure the process after it, and count the calls of functions, where asked to."""
    CLOCK.set(datetime.fromisoformat(event["at"]))
    answer: dict[str, Any] = {}

    def invoke() -> None:
        try:
            answer["answer"] = handler.lambda_handler(event["event"], context)
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {error}"

    if event["event"] == "end":
        handler.process.end()
    if event["event"] in ("begin", "end"):
        return {"held": _held()}
    start = time.process_time()
    counted = calls(invoke) if event["is_measured"] else _only(invoke)
    spent = {"cpu": time.process_time() - start, "calls": counted, "slept": sum(CLOCK.slept)}
    CLOCK.slept.clear()
    return {**answer, **spent, **({"held": _held()} if event["is_measured"] else {})}


def _only(action: Callable[[], None]) -> int:
    action()
    return 0


def _held() -> dict[str, Any]:
    """What this process holds: blocks of Python's memory, kilobytes of all memory, descriptors, threads left over."""
    left, end = [thread for thread in threading.enumerate() if thread.ident not in _BEFORE], time.monotonic() + PATIENCE
    for thread in left:
        thread.join(max(0.0, end - time.monotonic()))
    gc.collect()
    return {
        "blocks": sys.getallocatedblocks(),
        "kilobytes": _kilobytes(),
        "descriptors": len(list(_DESCRIPTORS.iterdir())) if _DESCRIPTORS.exists() else 0,
        "threads": [thread.name for thread in left if thread.is_alive()],
    }


def _kilobytes() -> int:
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)
