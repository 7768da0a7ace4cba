"""The report as Markdown for GitHub: a pull request's comment, a job's summary.

Foreign text stands in fences, where it is neither mark-up nor mention. A fence has more backticks than any text within
it, so no text can end it.
"""

import re
from collections.abc import Iterable, Sequence

from controller.model import Finding
from controller.report.as_text import Pen, change_lines, findings_lines, left_out_lines
from controller.report.report import Report
from controller.report.safe import in_markdown
from controller.report.sections import Excerpt, Item, Section, by_meeting, excerpt, is_long
from controller.report.words import COMMAND_NEEDS, cells_seen, command, counted, readable, seen, summary_line, title_of

#: GitHub takes 65,536 characters in a comment; whoever posts it may want to add a line.
MOST = 65_000
#: Columns of a fence that GitHub shows in a comment without a scroll bar.
_PEN = Pen(width=90)
#: Instances named in the heading.
_NAMED = 20
#: Characters of a command that somebody would copy.
_LONGEST_COMMAND = 1_000
#: Characters kept for the numbers of what is left out, and for what joins the parts.
_REST = 3_000


def render(report: Report) -> str:
    """Return the report in fewer than 65,000 characters; it says what it leaves out."""
    report = readable(report)
    head, foot = _head(report), _foot(report)
    part = excerpt(report, MOST - len(head) - len(foot) - _REST, _cost)
    body = [*_changes(part, is_open=not is_long(report)), *_findings(part), *_left_out(part)]
    return "\n\n".join([head, *body, foot]) + "\n"


def _cost(item: Item) -> int:
    """Return the characters that the item takes at most: each with a section or a hint of its own."""
    if isinstance(item, Finding):
        return sum(map(len, findings_lines([item], _PEN)))
    return len(_section(Section((item.change.meeting or "").strip(), (item,)), is_open=True)) + 2


def _head(report: Report) -> str:
    mode, domain, _ = title_of(report)
    target = report.target
    scope, only = report.scope or (), report.only_cells or ()
    facts = {
        "scope": _listed(scope) or ("only cells " if only else "everything") + _listed(only),
        "seen": seen(report),
        **({"cells": in_markdown(cells)} if (cells := cells_seen(report)) else {}),
        "table": in_markdown(target.table),
        "zone": in_markdown(target.zone),
        "owner": in_markdown(target.owner),
    }
    lines = [f"### DNS {mode} for {in_markdown(domain)}", "", f"**{summary_line(report)}**", ""]
    if report.guard.tripped:
        lines += ["> [!CAUTION]", f"> The guard has tripped: {in_markdown(report.guard.reason or '')}", ""]
    lines.append(" · ".join(f"{name}: {value}" for name, value in facts.items()))
    if report.results:
        lines += ["", "Signs: `+` create · `!` update · `-` delete"]
    return "\n".join(lines)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(map(in_markdown, names[:_NAMED])) + more


def _changes(part: Excerpt, *, is_open: bool) -> Iterable[str]:
    return (_section(section, is_open=is_open) for section in by_meeting(part.results))


def _section(section: Section, *, is_open: bool) -> str:
    title = f"meeting {in_markdown(section.meeting)}" if section.meeting else "machines of no known meeting"
    lines = [_coloured(line) for result in section.results for line in change_lines(result, _PEN)]
    return _folded(f"{title}: {counted(len(section.results), 'change')}", _fence("diff", lines), is_open=is_open)


def _coloured(line: str) -> str:
    """Return the line with a sign that GitHub colours: in a fence for ``diff`` it knows ``!``, and not ``~``."""
    return f"  ! {line[4:]}" if line.startswith("  ~ ") else line


def _findings(part: Excerpt) -> Iterable[str]:
    if part.findings:
        lines = findings_lines(part.findings, _PEN)
        yield _folded(
            f"{counted(len(part.findings), 'finding')}: seen, and left alone", _fence("text", lines), is_open=True
        )


def _left_out(part: Excerpt) -> Iterable[str]:
    if part.left_out:
        yield "**Left out, because a comment has no room for it** (the HTML and JSON forms have everything):"
        yield _fence("text", map(_coloured, left_out_lines(part)))


def _foot(report: Report) -> str:
    line = command(report)
    if line is None or len(line) > _LONGEST_COMMAND:
        return f"Digest of the plan: `{report.digest}`"
    return f"To apply exactly this plan:\n\n```sh\n{line}\n```\n\n{COMMAND_NEEDS}"


def _fence(language: str, lines: Iterable[str]) -> str:
    """Return a fenced block without the lines' common indentation of two, so that GitHub colours the signs."""
    content = "\n".join(line[2:] for line in lines)
    ticks = "`" * max(3, 1 + max(map(len, re.findall("`+", content)), default=0))
    return f"{ticks}{language}\n{content}\n{ticks}"


def _folded(title: str, content: str, *, is_open: bool) -> str:
    return f"<details{' open' if is_open else ''}>\n<summary>{title}</summary>\n\n{content}\n\n</details>"
