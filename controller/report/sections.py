"""A report in parts: its changes by meeting, and of a large one the first of each kind."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from controller.model import Finding, Result
from controller.report.report import Report
from controller.report.words import ending_of, sign_of, words_of

#: Changes and findings that a person reads through; of more than these a form shows an excerpt, or folds them.
READABLE = 100

Item = Result | Finding


@dataclass(frozen=True, slots=True)
class Section:
    """The changes that belong together."""

    meeting: str  # empty: no known meeting
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is shown of a report, in the report's order, and how many of each kind are not."""

    results: tuple[Result, ...]
    findings: tuple[Finding, ...]
    left_out: tuple[tuple[str, int], ...]


def by_meeting(results: Iterable[Result]) -> tuple[Section, ...]:
    """The changes of each meeting, by its id; those of no known meeting come last."""
    grouped = groupby(sorted(results, key=_place), key=_place)
    return tuple(Section(meeting, tuple(members)) for (_, meeting), members in grouped)


def _place(result: Result) -> tuple[bool, str]:
    meeting = (result.change.meeting or "").strip()
    return not meeting, meeting


def is_long(report: Report) -> bool:
    """Whether nobody would read all of it."""
    return len(report.results) + len(report.findings) > READABLE


def excerpt(report: Report, room: int, cost: Callable[[Item], int]) -> Excerpt:
    """As much as there is room for: the first of every kind, then the second of every kind, and so on."""
    items: list[Item] = [*report.results, *report.findings]
    chosen: set[int] = set()
    for number in _first_of_each_kind_first(items):
        room -= cost(items[number])
        if room < 0:
            break
        chosen.add(number)
    shown = [items[number] for number in sorted(chosen)]
    left_out = Counter(kind_of(item) for number, item in enumerate(items) if number not in chosen)
    return Excerpt(
        tuple(item for item in shown if isinstance(item, Result)),
        tuple(item for item in shown if isinstance(item, Finding)),
        tuple(left_out.items()),
    )


def _first_of_each_kind_first(items: list[Item]) -> list[int]:
    seen: defaultdict[str, int] = defaultdict(int)
    ranks = []
    for number, item in enumerate(items):
        kind = kind_of(item)
        ranks.append((seen[kind], number))
        seen[kind] += 1
    return [number for _, number in sorted(ranks)]


def kind_of(item: Item) -> str:
    """What the item is one of many of: the same action with the same end, or the same finding."""
    if isinstance(item, Finding):
        return f"! {item.id}"
    return f"{sign_of(item.change)} {words_of(item.change.action)} {ending_of(item)}".rstrip()
