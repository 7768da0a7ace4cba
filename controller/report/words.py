"""The words that the readable forms share: what a change does and makes different, and the pass in one sentence."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from controller.model import Action, Change, Outcome, RecordChange, Result
from controller.report.report import OTHERS, Report

NOTHING = "(none)"
#: What each sign means; Markdown has one of its own for an update.
LEGEND = (("+", "create"), ("~", "update"), ("-", "delete"), ("!", "finding"))

_SIGNS = {
    Action.CREATE_RECORD: ("+", "create record"),
    Action.UPDATE_RECORD: ("~", "update record"),
    Action.DELETE_RECORD: ("-", "delete record"),
    Action.WRITE_LINK: ("~", "write link"),
    Action.CLEAR_LINK: ("-", "clear link"),
    Action.TERMINATE_MEETING: ("-", "end meeting"),
}
#: What is changed, what is planned for it, and what was done to it.
_PHRASES = {
    Action.CREATE_RECORD: ("records", "create", "created"),
    Action.UPDATE_RECORD: ("records", "update", "updated"),
    Action.DELETE_RECORD: ("records", "delete", "deleted"),
    Action.WRITE_LINK: ("links", "write", "written"),
    Action.CLEAR_LINK: ("links", "clear", "cleared"),
    Action.TERMINATE_MEETING: ("meetings", "end", "ended"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that a change sets; ``old`` or ``new`` is None where that side is not shown."""

    name: str
    old: str | None
    new: str | None


def sign_of(change: Change) -> str:
    """Return ``+`` for a create, ``~`` for an update, ``-`` for a delete; the first link of a role is a create."""
    is_first_link = change.action is Action.WRITE_LINK and not dict(change.before).get(f"{change.role}_ec2_link")
    return "+" if is_first_link else _SIGNS[change.action][0]


def words_of(action: Action) -> str:
    """Return what the action does."""
    return _SIGNS[action][1]


def thing_of(change: Change) -> str:
    """Return what is changed: the record's name, or the link's role. A heading names a meeting that ends."""
    return change.key if isinstance(change, RecordChange) else change.role or ""


def ending_of(result: Result) -> str:
    """Return how the change ended, or nothing where it is only planned."""
    return "" if result.outcome is Outcome.PLANNED else str(result.outcome)


def differences(change: Change) -> tuple[Difference, ...]:
    """Return all of a new record, the address of a deleted one, or else each new value beside the old one."""
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
    """Return the mode, the domain and the scope."""
    if report.only_cells is not None:
        return report.mode, report.target.domain_root, f"only cells {', '.join(report.only_cells)}"
    scope = "everything" if report.scope is None else ", ".join(report.scope)
    return report.mode, report.target.domain_root, scope


def seen(report: Report) -> str:
    """Return how much was observed."""
    instances, records, meetings = report.observed
    return f"{counted(instances, 'instance')}, {counted(records, 'record')}, {counted(meetings, 'meeting')}"


def readable(report: Report) -> Report:
    """Return the report for a person: without a finding for each change that the guard holds, with cells if several."""
    if report.guard.tripped:
        report = replace(report, findings=tuple(f for f in report.findings if f.id != "guarded-change-held"))
    return (
        report if len(report.cells) < 2 else replace(report, results=tuple(_in_cell(report, r) for r in report.results))
    )


def _in_cell(report: Report, result: Result) -> Result:
    """Return the result with the cell of its machine in the reason."""
    cell = report.cell_of(result.change.instance)
    return (
        result
        if cell is None
        else replace(result, change=replace(result.change, reason=f"{result.change.reason} ({cell})"))
    )


def cells_seen(report: Report) -> str:
    """Return what was seen in each cell, where there are several or one could not be read; else nothing."""
    if len(report.cells) < 2 and not report.unread:
        return ""
    return "; ".join(
        f"{cell.name} NOT READ" if cell.error else f"{cell.name} {counted(cell.instances, 'instance')}"
        for cell in report.cells
    )


def summary_line(report: Report) -> str:
    """Return the pass in one sentence, with numbers that add up."""
    found = findings_counted(report)
    if report.unread:
        found += f"; {counted(len(report.unread), 'cell')} not read"
    if not report.results:
        return f"Nothing to do; {found}."
    if report.mode == "plan":
        held = report.count(Outcome.GUARDED)
        guarded = f"{held:,} of these {len(report.results):,} guarded; " if held else ""
        return f"plan: {_kinds(report.results)}; {guarded}{found}."
    return f"{report.mode}: {', '.join(_ending(report, end) for end, _ in endings(report))}; {found}."


def findings_counted(report: Report) -> str:
    """Return the number of findings with its noun, those included that are not listed."""
    findings = readable(report).findings
    kinds = {finding.id for finding in findings}
    unlisted = {kind: number for kind, number in report.unlisted.items() if kind in kinds}
    listed = sum(not (finding.id in unlisted and finding.key == OTHERS) for finding in findings)
    return counted(listed + sum(unlisted.values()), "finding")


def _ending(report: Report, end: Outcome) -> str:
    ended = [result for result in report.results if result.outcome is end]
    return f"{len(ended):,} {end} ({_kinds(ended, are_done=end is Outcome.APPLIED)})"


def _kinds(results: Iterable[Result], *, are_done: bool = False) -> str:
    """Return such as "records 7 to create, 4 to update; links 2 to write"."""
    parts = defaultdict[str, list[str]](list)
    for action, number in actions(results):
        things, verb, participle = _PHRASES[action]
        parts[things].append(f"{number:,} {participle if are_done else f'to {verb}'}")
    return "; ".join(f"{things} {', '.join(numbers)}" for things, numbers in parts.items())


def actions(results: Iterable[Result]) -> tuple[tuple[Action, int], ...]:
    """Return how many changes of each kind there are, however they ended."""
    numbers = Counter(result.change.action for result in results)
    return tuple((action, numbers[action]) for action in _SIGNS if numbers[action])


def endings(report: Report) -> tuple[tuple[Outcome, int], ...]:
    """Return how many changes ended in each way; those that are only planned have not ended."""
    numbers = Counter(result.outcome for result in report.results)
    return tuple((end, numbers[end]) for end in Outcome if numbers[end] and end is not Outcome.PLANNED)


def counted(number: int, noun: str) -> str:
    """Return the number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def command(report: Report) -> str | None:
    """Return the command that applies exactly this plan, or None where nothing is left to apply."""
    if not any(result.outcome is Outcome.PLANNED for result in report.results):
        return None
    instances = "".join(f" --instance {instance}" for instance in report.scope or ())
    cells = "".join(f" --cell {cell}" for cell in report.only_cells or ())
    return f"elephant-dns apply{instances}{cells} --expect {report.digest}"


#: What a reader of the command has to know; the digest covers both.
COMMAND_NEEDS = "Pass the same --force as for the plan. It refuses when the plan has changed."
