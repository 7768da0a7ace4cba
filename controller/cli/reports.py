"""A report as a command shows it, and the exit code that it comes to."""

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
    """How reports read as text: whole, to somebody who has read the plan, and in one sentence."""

    whole: Callable[..., str]
    ends: Callable[..., str]
    sentence: Callable[[Report], str]


PASS = Look(as_text.render, as_text.render_ends, summary_line)
RETIRE = Look(as_list.render, as_list.render_ends, as_list.sentence)


def is_on_screen() -> bool:
    """Whether a person reads both outputs as they come."""
    return is_terminal(sys.stdout) and is_terminal(sys.stderr)


def preview(planned: Report, look: Look = PASS, *, quiet: bool) -> None:
    """A plan, for a person to think about."""
    if quiet:
        err(look.sentence(planned))
    else:
        err(look.whole(planned, **_manner(sys.stderr)), end="")


def show(report: Report, form: str, *, quiet: bool, look: Look = PASS, read: Report | None = None) -> None:
    """The result of a command, on standard output; ``read`` is the plan that somebody has just read there."""
    if read and not quiet:
        out(look.ends(report, read.findings, **_manner(sys.stdout)), end="")
    else:
        out(_rendered(report, form, look, quiet=quiet, **_manner(sys.stdout)), end="")
    if not quiet:
        _note_unseen(report)


def save(report: Report, form: str, path: Path, *, quiet: bool) -> None:
    """The result of a command, in a file."""
    try:
        path.write_text(_rendered(report, form, PASS, quiet=quiet), encoding="utf-8")
    except OSError as error:
        raise WatchdogError(
            f"The report cannot be written to {path}: {error.strerror}.", "Name another file."
        ) from error
    if not quiet:
        err(f"{summary_line(report)}\nThe report is in {path}.")
        _note_unseen(report)


def code_of(report: Report) -> Code:
    """How a pass has ended."""
    if report.guard.tripped:
        return Code.GUARD
    return Code.DONE if report.complete else Code.FAILED


def _note_unseen(report: Report) -> None:
    """An id that was mistyped must not look like health."""
    if report.scope and not report.observed[0]:
        err("No machine of this deployment was seen under the ids given; `elephant-dns explain ID` says why.")


def _rendered(report: Report, form: str, look: Look, *, quiet: bool, **manner: Any) -> str:
    if form != "text":
        return FORMS[form](report)
    return look.sentence(report) + "\n" if quiet else look.whole(report, **manner)


def _manner(stream: Any) -> dict[str, Any]:
    """How text looks there."""
    return {"colour": is_colourful(stream), "width": width_of(stream)}
