"""How much time a schedule lets pass between two runs, from its expression."""

import re
from collections.abc import Mapping

_MINUTES = {"minute": 1, "hour": 60, "day": 1440}
_DAY = 1440
_RATE = re.compile(r"rate\(\s*([0-9]+)\s+(minute|hour|day)s?\s*\)")
_CRON = re.compile(r"cron\((.*)\)")
_DAYS = {name: place for place, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def minutes_between(expression: str) -> int | None:
    """Return the most minutes between two runs; None if it does not run every day, or cannot be read."""
    if rate := _RATE.fullmatch(expression):
        return int(rate[1]) * _MINUTES[rate[2]]
    cron = _CRON.fullmatch(expression)
    fields = cron[1].split() if cron else []
    if len(fields) != 6:
        return None
    try:
        minutes, hours, *days = (_values(*field) for field in zip(fields[:5], _RANGES, strict=True))
    except ValueError:
        return None
    whole = [set(range(low, high + 1)) for low, high, _ in _RANGES[2:]]
    if days != whole or fields[5] != "*":
        return None
    runs = sorted(hour * 60 + minute for hour in hours for minute in minutes)
    return max(later - sooner for sooner, later in zip(runs, [*runs[1:], runs[0] + _DAY], strict=True))


_Range = tuple[int, int, Mapping[str, int]]
#: Minute, hour, day of the month, month, day of the week: the least and the most, and names for values.
_RANGES: tuple[_Range, ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: place for place, name in enumerate(_MONTHS, 1)}),
    (1, 7, _DAYS),
)


def _values(field: str, limits: _Range) -> set[int]:
    """Return the values of one field. Raises ValueError for one that is not a list of numbers, ranges and steps."""
    low, high, names = limits

    def number(text: str) -> int:
        return names[text.upper()] if text.upper() in names else int(text)

    found = set[int]()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        if first in ("*", "?"):
            start, end = low, high
        else:
            start = number(first)
            end = number(last) if dash else high if step else start
        found.update(range(start, end + 1, int(step or 1)))
    if not found or not found <= set(range(low, high + 1)):
        raise ValueError(field)
    return found
