"""Calls counted: a measure of work that nothing else on the machine disturbs."""

import sys
import threading
from collections.abc import Callable
from itertools import count
from typing import Any


def calls(action: Callable[[], object]) -> int:
    """Calls of functions, Python's and C's, in all threads that it starts."""
    counter, before = count(), sys.getprofile()

    def note(frame: Any, event: str, argument: Any) -> None:
        if event in ("call", "c_call"):
            next(counter)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(before)
        threading.setprofile(None)
    return next(counter)
