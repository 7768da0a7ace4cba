"""The words that the readable forms share: what a change does and makes different, and the pass in one sentence."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from controller.model import Action, Change, Outcome, RecordChange, Result
from controller.report.report import Report

NOTHING = "(none)"

_SIGNS = {
    Action.CREATE_RECORD: ("+", "create record"),
    Action.UPDATE_RECORD: ("~", "update record"),
    Action.DELETE_RECORD: ("-", "delete record"),
    Action.WRITE_LINK: ("~", "write link"),
    Action.CLEAR_LINK: ("-", "clear link"),
    Action.TERMINATE_MEETING: ("-", "end meeting"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that a change makes different; ``old`` or ``new`` None: there is no such side to show."""

    name: str
    old: str | None
    new: str | None


def sign_of(change: Change) -> str:
    """``+`` is made, ``~`` is changed, ``-`` is removed; a link is made where there was none."""
    is_first_link = change.action is Action.WRITE_LINK and not dict(change.before).get(f"{change.role}_ec2_link")
    return "+" if is_first_link else _SIGNS[change.action][0]


def words_of(action: Action) -> str:
    """What the action does."""
    return _SIGNS[action][1]


def thing_of(change: Change) -> str:
    """What is changed: the record's name, or whose link; a meeting that ends is named above its changes."""
    return change.key if isinstance(change, RecordChange) else change.role or ""


def ending_of(result: Result) -> str:
    """How the change ended, or nothing where it is only planned."""
    return "" if result.outcome is Outcome.PLANNED else str(result.outcome)


def differences(change: Change) -> tuple[Difference, ...]:
    """What will be another value: all of a new record, the address of one that goes, else old beside new."""
    before, after = dict(change.before), dict(change.after)
    if not after:
        return (Difference("content", _shown(before.get("content")), None),)
    if not before:
        return tuple(Difference(name, None, _shown(new)) for name, new in after.items())
    pairs = ((name, before.get(name), new) for name, new in after.items())
    return tuple(Difference(name, _shown(old), _shown(new)) for name, old, new in pairs if old != new)


def _shown(value: str | bool | None) -> str:
    return str(value).lower() if isinstance(value, bool) else value or NOTHING


def title_of(report: Report) -> tuple[str, str, str]:
    """What was done, to which domain, and how much of it was looked at."""
    if report.scope is None:
        return report.mode, report.target.domain_root, "everything"
    return report.mode, report.target.domain_root, ", ".join(report.scope)


def seen(report: Report) -> str:
    """How much was observed."""
    instances, records, meetings = report.observed
    return f"{counted(instances, 'instance')}, {counted(records, 'record')}, {counted(meetings, 'meeting')}"


def readable(report: Report) -> Report:
    """The report for a person: where the guard has tripped, no finding repeats each change that it holds."""
    if not report.guard.tripped:
        return report
    return replace(report, findings=tuple(f for f in report.findings if f.id != "guarded-change-held"))


def summary_line(report: Report) -> str:
    """The pass in one sentence, whose numbers add up."""
    found = counted(len(readable(report).findings), "finding")
    if not report.results:
        return f"Nothing to do; {found}."
    if report.mode == "plan":
        held = report.count(Outcome.GUARDED)
        guarded = f"{held:,} of these {len(report.results):,} guarded; " if held else ""
        return f"plan: {_kinds(report.results)}; {guarded}{found}."
    return f"{report.mode}: {', '.join(_ending(report, end) for end, _ in endings(report))}; {found}."


def _ending(report: Report, end: Outcome) -> str:
    ended = [result for result in report.results if result.outcome is end]
    return f"{len(ended):,} {end} ({_kinds(ended)})"


def _kinds(results: Iterable[Result]) -> str:
    return ", ".join(f"{words_of(action)} {number:,}" for action, number in actions(results))


def actions(results: Iterable[Result]) -> tuple[tuple[Action, int], ...]:
    """How many changes of each kind there are, however they ended."""
    numbers = Counter(result.change.action for result in results)
    return tuple((action, numbers[action]) for action in _SIGNS if numbers[action])


def endings(report: Report) -> tuple[tuple[Outcome, int], ...]:
    """How many changes ended how; those that are only planned have not ended."""
    numbers = Counter(result.outcome for result in report.results)
    return tuple((end, numbers[end]) for end in Outcome if numbers[end] and end is not Outcome.PLANNED)


def counted(number: int, noun: str) -> str:
    """The number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def command(report: Report) -> str | None:
    """The command that applies this very plan, where there is something to apply."""
    if not any(result.outcome is Outcome.PLANNED for result in report.results):
        return None
    instances = "".join(f" --instance {instance}" for instance in report.scope or ())
    return f"elephant-dns apply{instances} --expect {report.digest}"


#: What has to be said beside the command; the digest covers both.
COMMAND_NEEDS = "It takes the same --force as the plan, and refuses when the plan has become another one."
