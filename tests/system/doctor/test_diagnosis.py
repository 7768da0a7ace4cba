"""Checks side by side: what one part meets never stops another, and the deadline holds for all."""

import threading
from collections.abc import Iterator

from controller.doctor.diagnosis import Check, Part, Status, attempt, passed, side_by_side
from controller.errors import TerminalError
from controller.runtime.budget import Budget
from tests.support.clock import FastClock


def test_a_part_that_hangs_keeps_what_it_has_found_and_stops_no_other() -> None:
    begun, never = threading.Event(), threading.Event()

    def hanging(_: None) -> Iterator[Check]:
        yield passed("secret", "Readable.")
        begun.set()
        never.wait(60)

    def quick(_: None) -> Iterator[Check]:
        begun.wait(60)
        yield passed("table", "Right.")

    parts = [Part(("table",), quick), Part(("secret", "token", "zone"), hanging)]
    found = side_by_side(parts, None, Budget(FastClock(), 1))
    never.set()
    assert [(check.id, check.status) for check in found] == [
        ("table", Status.PASS),
        ("secret", Status.PASS),
        ("token", Status.FAIL),
        ("zone", Status.SKIP),
    ]


def test_an_error_is_a_check_that_failed() -> None:
    def broken() -> Check:
        raise TerminalError("It is not there.", "Make it.")

    assert attempt("table", broken) == Check("table", Status.FAIL, "It is not there.", "Make it.")
