"""The diagnosis for a terminal: what is wrong, and what to do about it."""

from controller.doctor.diagnosis import Check, Diagnosis, Status
from controller.report.safe import on_one_line
from controller.report.wrap import wrapped

_COLOURS = {Status.PASS: "32", Status.WARN: "33", Status.FAIL: "31", Status.SKIP: "2"}


def render(diagnosis: Diagnosis, *, width: int = 80, colour: bool = False, quiet: bool = False) -> str:
    """Every check, or with ``quiet`` those that somebody should look at, and a summary in one line."""
    shown = [check for check in diagnosis.checks if not quiet or check.status in (Status.WARN, Status.FAIL)]
    lines = [line for check in shown for line in _check(check, width, colour=colour)]
    return "\n".join([*lines, *([""] if lines else []), _summary(diagnosis)]) + "\n"


def _check(check: Check, width: int, *, colour: bool) -> list[str]:
    status = f"\x1b[{_COLOURS[check.status]}m{check.status}\x1b[0m" if colour else str(check.status)
    fix = wrapped(on_one_line(check.fix), width, lead="      → ") if check.fix else []
    return [f"{status}  {on_one_line(check.id)}", *wrapped(on_one_line(check.seen), width, lead="      "), *fix]


def _summary(diagnosis: Diagnosis) -> str:
    counts = ", ".join(f"{diagnosis.count(status)} {status}" for status in Status if diagnosis.count(status))
    verdict = "A pass can do its work" if diagnosis.healthy else "A pass cannot do all of its work like this"
    return f"{verdict}: {counts}."
