"""The report as one HTML file that stands alone: it fetches nothing, runs nothing, and its parts fold by themselves."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import UTC
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import groupby

from controller.model import Finding, Result
from controller.report.report import Report
from controller.report.safe import in_html
from controller.report.sections import Section, by_meeting, is_long
from controller.report.words import (
    COMMAND_NEEDS,
    LEGEND,
    NOTHING,
    Difference,
    actions,
    cells_seen,
    command,
    counted,
    differences,
    ending_of,
    endings,
    findings_counted,
    readable,
    seen,
    sign_of,
    summary_line,
    thing_of,
    title_of,
    words_of,
)


def render(report: Report) -> str:
    """Return the whole report; a long one is folded, because a browser lays out only what is open."""
    report = readable(report)
    parts = [
        _start(report),
        "<main>",
        *_guard(report),
        *_numbers(report),
        *_changes(report),
        *_findings(report),
        "</main>",
        *_foot(report),
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


@cache
def _style() -> str:
    return files("controller.report").joinpath("report.css").read_text(encoding="utf-8")


def _start(report: Report) -> str:
    """Return head and heading."""
    mode, domain, where = title_of(report)
    title = f"DNS {mode} for {in_html(domain)}"
    return f"""{page_start(title)}
<header>
<h1>{title}</h1>
<p class="sentence">{_sentence(report)}</p>
{_list(_facts(report, where), "facts")}
</header>"""


def page_start(title: str) -> str:
    """Return a page to the start of its body. The policy allows only this style sheet, whatever follows.

    ``title`` is HTML.
    """
    digest = b64encode(sha256(_style().encode()).digest()).decode()
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-{digest}'; \
base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{_style()}</style>
</head>
<body>"""


def _sentence(report: Report) -> str:
    """Return the summary; its number of findings leads to them."""
    sentence, found = in_html(summary_line(report)), findings_counted(report)
    if not readable(report).findings:
        return sentence
    before, _, after = sentence.rpartition(found)
    return f'{before}<a href="#findings">{found}</a>{after}'


def _facts(report: Report, where: str) -> Iterator[tuple[str, str]]:
    target = report.target
    yield "scope", where
    yield "seen", seen(report)
    if cells := cells_seen(report):
        yield "cells", cells
    yield "table", target.table
    yield "zone", target.zone
    yield "owner", target.owner
    yield "started", report.started_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _list(pairs: Iterable[tuple[str, str]], kind: str) -> str:
    items = (f"<div><dt>{name}</dt><dd>{_text(value)}</dd></div>" for name, value in pairs)
    return f'<dl class="{kind}">{"".join(items)}</dl>'


def _guard(report: Report) -> Iterator[str]:
    if report.guard.tripped:
        yield '<section class="guard" aria-labelledby="guard">'
        yield f'<h2 id="guard">The guard has tripped</h2>\n<p>{_text(report.guard.reason or "")}</p>\n</section>'


def _numbers(report: Report) -> Iterator[str]:
    if report.results:
        yield '<section aria-labelledby="numbers">\n<h2 id="numbers">In numbers</h2>\n<div class="tables">'
        kinds = [(words_of(action), number) for action, number in actions(report.results)]
        yield _table("Changes by kind", "change", kinds)
        if ends := endings(report):
            yield _table("Changes by outcome", "outcome", [(str(end), number) for end, number in ends])
        yield "</div>\n</section>"


def _table(caption: str, head: str, rows: Iterable[tuple[str, int]]) -> str:
    cells = "".join(f'<tr><th scope="row">{name}</th><td>{number:,}</td></tr>' for name, number in rows)
    return (
        f'<table><caption>{caption}</caption><thead><tr><th scope="col">{head}</th><th scope="col">number</th></tr>'
        f"</thead><tbody>{cells}</tbody></table>"
    )


def _changes(report: Report) -> Iterator[str]:
    if report.results:
        yield '<section aria-labelledby="changes">\n<h2 id="changes">Changes</h2>'
        yield _legend()
        for section in by_meeting(report.results):
            yield _section(section, is_open=not is_long(report))
        yield "</section>"


def _legend() -> str:
    signs = (f'<span class="{_SIGN_NAMES[sign]}"><b>{sign}</b> {words}</span>' for sign, words in LEGEND)
    return f'<p class="legend">{" ".join(signs)}</p>'


def _section(section: Section, *, is_open: bool) -> str:
    title = f"meeting {_code(section.meeting)}" if section.meeting else "machines of no known meeting"
    items = "\n".join(map(_change, section.results))
    return _folded(title, counted(len(section.results), "change"), items, is_open=is_open)


def _folded(title: str, note: str, items: str, *, is_open: bool, rest: str = "") -> str:
    return (
        f"<details{' open' if is_open else ''}>\n<summary><h3>{title}</h3> <span>{note}</span></summary>\n"
        f"<ul>\n{items}\n</ul>\n{rest}</details>"
    )


def _change(result: Result) -> str:
    change, end = result.change, ending_of(result)
    sign = sign_of(change)
    parts = [
        f'<li class="{_SIGN_NAMES[sign]}"><p class="what"><b aria-hidden="true">{sign}</b> {words_of(change.action)}',
        f" {_code(thing_of(change))}" if thing_of(change) else "",
        f' <strong class="end {end}">{end}</strong>' if end else "",
        "</p>",
        f"<dl>{''.join(map(_difference, differences(change)))}</dl>",
        f"<p>{_text(change.reason)}</p>",
        f'<p class="error">{_text(result.error)}</p>' if result.error else "",
        "</li>",
    ]
    return "".join(parts)


_SIGN_NAMES = {"+": "created", "~": "updated", "-": "deleted", "!": "found"}


def _difference(difference: Difference) -> str:
    sides = [_side("del", difference.old), _side("ins", difference.new)]
    return f"<div><dt>{in_html(difference.name)}</dt><dd>{' → '.join(filter(None, sides))}</dd></div>"


def _side(element: str, value: str | None) -> str:
    if value is None or value == NOTHING:
        return value or ""
    return f"<{element}>{_text(value)}</{element}>"


def _findings(report: Report) -> Iterator[str]:
    if report.findings:
        yield '<section aria-labelledby="findings">\n<h2 id="findings">Findings</h2>'
        yield "<p>Seen, and left alone.</p>"
        alike = groupby(sorted(report.findings, key=_id), key=_id)
        for name, found in alike:
            yield _kind(name, tuple(found), report)
        yield "</section>"


def _kind(name: str, found: tuple[Finding, ...], report: Report) -> str:
    """Return the findings of one kind, with the hint once where all share it."""
    hints = {finding.hint for finding in found}
    items = "\n".join(_finding(finding, has_hint=len(hints) > 1) for finding in found)
    rest = "" if len(hints) > 1 else f'<p class="hint">→ {_text(*hints)}</p>\n'
    number = len(found) - (name in report.unlisted) + report.unlisted.get(name, 0)
    return _folded(_code(name), counted(number, "finding"), items, is_open=not is_long(report), rest=rest)


def _id(finding: Finding) -> str:
    return finding.id


def _finding(finding: Finding, *, has_hint: bool) -> str:
    hint = f"<p>→ {_text(finding.hint)}</p>" if has_hint else ""
    return (
        f'<li class="found"><p class="what"><b aria-hidden="true">!</b> {_code(finding.key)}</p>'
        f"<p>{_text(finding.message)}</p>{hint}</li>"
    )


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>"


_ID = re.compile(r"\bi-[0-9a-f]{8,17}\b")


def _text(text: str) -> str:
    """Return text in which a narrow screen breaks lines before or after an instance id, and not within it."""
    return _ID.sub(r"<wbr><span>\g<0></span><wbr>", in_html(text))


def _foot(report: Report) -> Iterator[str]:
    yield "<footer>"
    if line := command(report):
        yield f"<p>To apply exactly this plan:</p>\n<pre>{in_html(line)}</pre>\n<p>{COMMAND_NEEDS}</p>"
    else:
        yield f"<p>Digest of the plan: {_code(report.digest)}</p>"
    calls = ", ".join(f"{service} {number:,}" for service, number in report.calls.items() if number)
    yield f"<p>It took {report.duration_ms / 1000:.1f} seconds and these calls: {calls or 'none'}.</p>"
    yield "</footer>"
