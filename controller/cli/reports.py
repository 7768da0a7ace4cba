"""A report as a command shows it, and the exit code that follows from it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller.cli.codes import Code
from controller.cli.console import err, is_colourful, is_terminal, out, width_of
from controller.errors import WatchdogError
from controller.report import as_list, as_text
from controller.report.forms import FORMS
from controller.report.report import Report
from controller.report.words import summary_line


@dataclass(frozen=True, slots=True)
class Look:
    """Renderers of a report as text: the whole, the rest for a person who has read the plan, and the short form."""

    whole: Callable[..., str]
    ends: Callable[..., str]
    short: Callable[..., str]


PASS = Look(as_text.render, as_text.render_ends, as_text.render_short)
RETIRE = Look(as_list.render, as_list.render_ends, as_list.render_short)


def is_on_screen() -> bool:
    """Return whether a person reads both outputs as they come."""
    return is_terminal(sys.stdout) and is_terminal(sys.stderr)


def preview(planned: Report, look: Look = PASS, *, quiet: bool) -> None:
    """Show a plan to a person who has to decide."""
    err((look.short if quiet else look.whole)(planned, **_manner(sys.stderr)), end="")


def show(report: Report, form: str, *, quiet: bool, look: Look = PASS, read: Report | None = None) -> None:
    """Write the result to standard output; ``read`` is the plan that a person has just read there."""
    if read and not quiet:
        out(look.ends(report, read.findings, **_manner(sys.stdout)), end="")
    else:
        out(_rendered(report, form, look, quiet=quiet, **_manner(sys.stdout)), end="")
    if not quiet:
        _note_unseen(report)


def save(report: Report, form: str, path: Path, *, quiet: bool) -> None:
    """Write the result to a file. Raises WatchdogError where that fails."""
    write(_rendered(report, form, PASS, quiet=quiet), path)
    if not quiet:
        err(f"{summary_line(report)}\nThe report is in {path}.")
        _note_unseen(report)


def write(text: str, path: Path) -> None:
    """Write a report to a file. Raises WatchdogError where that fails."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WatchdogError(
            f"Cannot write the report to {path}: {error.strerror}.", "Free some space, or name another file."
        ) from error


def code_of(report: Report) -> Code:
    """Return the exit code of a pass."""
    if report.guard.tripped:
        return Code.GUARD
    return Code.DONE if report.complete else Code.FAILED


def _note_unseen(report: Report) -> None:
    """Say that no machine was seen: a mistyped id must not look like health."""
    if report.scope and not report.observed[0] and not report.unread:
        err("No machine of this deployment has the given ids: `elephant-dns explain ID` says why.")


def _rendered(report: Report, form: str, look: Look, *, quiet: bool, **manner: Any) -> str:
    if form != "text":
        return FORMS[form](report)
    return (look.short if quiet else look.whole)(report, **manner)


def _manner(stream: Any) -> dict[str, Any]:
    """Return how text looks on this stream."""
    return {"colour": is_colourful(stream), "width": width_of(stream)}
