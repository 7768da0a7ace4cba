"""The diagnosis for a terminal: what is wrong, and what to do about it."""

from itertools import groupby

from controller.doctor.diagnosis import Check, Diagnosis, Status
from controller.report.safe import on_one_line
from controller.report.wrap import wrapped

_COLOURS = {Status.PASS: "32", Status.WARN: "33", Status.FAIL: "31", Status.SKIP: "2"}


def render(diagnosis: Diagnosis, *, width: int = 80, colour: bool = False, quiet: bool = False) -> str:
    """Return every check, or with ``quiet`` those that somebody should look at, and a summary in one line."""
    shown = [check for check in diagnosis.checks if not quiet or check.status in (Status.WARN, Status.FAIL)]
    # What one cause keeps from being looked at is one paragraph, under all of its names.
    alike = groupby(shown, lambda check: (check.seen, check.fix) if check.status is Status.SKIP else check)
    lines = [line for _, checks in alike for line in _checks(list(checks), width, colour=colour)]
    return "\n".join([*lines, *([""] if lines else []), _summary(diagnosis)]) + "\n"


def _checks(checks: list[Check], width: int, *, colour: bool) -> list[str]:
    check = checks[0]
    status = f"\x1b[{_COLOURS[check.status]}m{check.status}\x1b[0m" if colour else str(check.status)
    fix = wrapped(on_one_line(check.fix), width, lead="      → ") if check.fix else []
    ids = wrapped(on_one_line(", ".join(each.id for each in checks)), width, lead="      ")
    return [f"{status}  {ids[0].lstrip()}", *ids[1:], *wrapped(on_one_line(check.seen), width, lead="      "), *fix]


def _summary(diagnosis: Diagnosis) -> str:
    counts = ", ".join(f"{diagnosis.count(status)} {status}" for status in Status if diagnosis.count(status))
    verdict = "A pass can do its work" if diagnosis.healthy else "A pass cannot do all of its work like this"
    return f"{verdict}: {counts}."
