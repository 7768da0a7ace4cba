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
    """Changes that belong together."""

    meeting: str  # empty: no known meeting
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The part of a report that is shown, in the report's order, and how many of each kind are not."""

    results: tuple[Result, ...]
    findings: tuple[Finding, ...]
    left_out: tuple[tuple[str, int], ...]


def by_meeting(results: Iterable[Result]) -> tuple[Section, ...]:
    """Return the changes of each meeting, by its id; those of no known meeting come last."""
    grouped = groupby(sorted(results, key=_place), key=_place)
    return tuple(Section(meeting, tuple(members)) for (_, meeting), members in grouped)


def _place(result: Result) -> tuple[bool, str]:
    meeting = (result.change.meeting or "").strip()
    return not meeting, meeting


def alike(findings: Iterable[Finding]) -> tuple[tuple[Finding, ...], ...]:
    """Return the findings of each kind that need the same to be done, in the order of their first."""
    groups = defaultdict[tuple[str, str], list[Finding]](list)
    for finding in findings:
        groups[finding.id, finding.hint].append(finding)
    return tuple(map(tuple, groups.values()))


def by_message(findings: Iterable[Finding]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return each message with the keys that it is about, in the order of their first."""
    groups = defaultdict[str, list[str]](list)
    for finding in findings:
        groups[finding.message].append(finding.key)
    return tuple((message, tuple(keys)) for message, keys in groups.items())


def is_long(report: Report) -> bool:
    """Return whether the report is too long to be read whole."""
    return len(report.results) + len(report.findings) > READABLE


def excerpt(report: Report, room: int, cost: Callable[[Item], int]) -> Excerpt:
    """Return what there is room for: the first of every kind, then the second of every kind, and so on."""
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
    """Return the item's kind: its action and how that ended, or the finding's id."""
    if isinstance(item, Finding):
        return f"! {item.id}"
    return f"{sign_of(item.change)} {words_of(item.change.action)} {ending_of(item)}".rstrip()
