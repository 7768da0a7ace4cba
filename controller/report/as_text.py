"""The report as text for a terminal: grouped by meeting, what differs, why, and what to do about the rest."""

import textwrap
from itertools import groupby

from controller.model import Action, Finding, Outcome, Result
from controller.report.report import Report
from controller.report.safe import on_one_line

_SIGNS = {
    Action.CREATE_RECORD: ("+", "create record"),
    Action.UPDATE_RECORD: ("~", "update record"),
    Action.DELETE_RECORD: ("-", "delete record"),
    Action.WRITE_LINK: ("~", "write link"),
    Action.CLEAR_LINK: ("-", "clear link"),
    Action.TERMINATE_MEETING: ("-", "end meeting"),
}
_COLOURS = {"+": "32", "~": "33", "-": "31", "!": "36", "#": "1"}
_NOTHING = "(none)"


def render(report: Report, *, width: int = 80, colour: bool = False) -> str:
    """The whole report; every line fits the width as far as names allow."""
    page = _Page(width, colour)
    _head(page, report)
    by_meeting = sorted(report.results, key=_meeting)
    for meeting, results in groupby(by_meeting, key=_meeting):
        page.title(f"meeting {meeting}" if meeting else "machines of no known meeting")
        for result in results:
            _change(page, result)
    if report.findings:
        page.title("findings (seen, and left alone)")
        for finding in report.findings:
            _finding(page, finding)
    _foot(page, report)
    return page.text()


def _meeting(result: Result) -> str:
    return (result.change.meeting or "").strip()


class _Page:
    """Lines of a bounded width."""

    def __init__(self, width: int, colour: bool) -> None:
        self._width = max(width, 40)
        self._colour = colour
        self._lines: list[str] = []

    def title(self, text: str) -> None:
        self._lines += ["", self._painted("#", on_one_line(text))]

    def signed(self, sign: str, text: str) -> None:
        self._lines.append(f"  {self._painted(sign, sign)} {on_one_line(text)}")

    def wrapped(self, text: str, indent: int = 6, first: str = "") -> None:
        lead = " " * indent
        self._lines += textwrap.wrap(
            on_one_line(text),
            self._width,
            initial_indent=lead + first,
            subsequent_indent=lead + " " * len(first),
            break_long_words=False,
            break_on_hyphens=False,
        )

    def blank(self) -> None:
        self._lines.append("")

    def fits(self, text: str) -> bool:
        return len(text) <= self._width

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"

    def _painted(self, sign: str, text: str) -> str:
        return f"\x1b[{_COLOURS[sign]}m{text}\x1b[0m" if self._colour else text


def _head(page: _Page, report: Report) -> None:
    target = report.target
    where = "everything" if report.scope is None else ", ".join(report.scope)
    instances, records, meetings = report.observed
    page.wrapped(f"{report.mode} for {target.domain_root}: {where}", indent=0)
    page.wrapped(f"table {target.table}, zone {target.zone}, owner {target.owner}", indent=0)
    page.wrapped(f"seen: {instances} instances, {records} records at their names, {meetings} meetings", indent=0)


def _change(page: _Page, result: Result) -> None:
    change = result.change
    sign, words = _SIGNS[change.action]
    thing = change.key if change.action.value.endswith("-record") else change.role or ""
    ending = "" if result.outcome is Outcome.PLANNED else f"  [{result.outcome}]"
    page.signed(sign, f"{words} {thing}".rstrip() + ending)
    before, after = dict(change.before), dict(change.after)
    if not after:  # a record that goes: where it led to is what matters
        page.wrapped(f"content: {_shown(before.get('content'))}")
    for name, new in after.items():
        _difference(page, name, before.get(name), new, is_new=not before)
    page.wrapped(change.reason)
    if result.error:
        page.wrapped(result.error, first="! ")


def _difference(page: _Page, name: str, old: object, new: object, *, is_new: bool) -> None:
    if is_new:
        page.wrapped(f"{name}: {_shown(new)}")
        return
    if old == new:
        return
    line = f"{name}: {_shown(old)} → {_shown(new)}"
    if page.fits(" " * 6 + line):
        page.wrapped(line)
    else:
        page.wrapped(f"{name}: {_shown(old)}")
        page.wrapped(_shown(new), first="→ ")


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value or _NOTHING)


def _finding(page: _Page, finding: Finding) -> None:
    page.signed("!", f"{finding.id} {finding.key}")
    page.wrapped(finding.message)
    page.wrapped(finding.hint, first="→ ")


def _foot(page: _Page, report: Report) -> None:
    page.blank()
    if report.guard.tripped:
        page.wrapped(f"GUARD: {report.guard.reason}", indent=0)
    page.wrapped(summary_line(report), indent=0)
    if report.results:
        page.wrapped(f"digest {report.digest}", indent=0)


def summary_line(report: Report) -> str:
    """The pass in one sentence."""
    if not report.results:
        return f"Nothing to do; {_counted(len(report.findings), 'finding')}."
    actions = [result.change.action for result in report.results]
    parts = [f"{words} {actions.count(action)}" for action, (_, words) in _SIGNS.items() if action in actions]
    ends = [o for o in Outcome if o is not Outcome.PLANNED and report.count(o)]
    parts += [f"{report.count(end)} {end}" for end in ends]
    return f"{report.mode}: {', '.join(parts)}; {_counted(len(report.findings), 'finding')}."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
