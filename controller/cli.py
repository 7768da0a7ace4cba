"""The command line, ``elephant-dns``: the same pass as the Lambda function's, for people, cron and CI.

Exit codes: 0 done; 1 an error, a failed or unreached change, a declined question, another digest; 2 only with
``--detailed-exitcode``, changes; 3 the guard tripped; 64 wrong usage or settings; 130 interrupted.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from controller import __version__
from controller.bootstrap import Controller, build
from controller.errors import RequestError, SettingsError, WatchdogError
from controller.events import parse_scope
from controller.log import start_logging
from controller.model import Outcome
from controller.report import as_json, as_text
from controller.report.report import Report
from controller.report.safe import on_one_line
from controller.request import Mode, Request
from controller.settings import read_settings

EXIT_FAILED, EXIT_CHANGES, EXIT_GUARD, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 3, 64, 130
FORMATS = ("text", "json")

F = TypeVar("F", bound=Callable[..., Any])


class _Deadline:
    """The seconds that a command may take in all; what a person takes to answer does not count."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left."""
        return max(0.0, self._end - time.monotonic())

    def confirm(self, question: str) -> bool:
        """Ask, at no cost of time."""
        before = time.monotonic()
        answer = click.confirm(question, err=True)
        self._end += time.monotonic() - before
        return answer


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit with its code."""
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        return int(cli.main(args=arguments, prog_name="elephant-dns", standalone_mode=False) or 0)
    except click.exceptions.Abort:
        click.echo("Interrupted.", err=True)
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except (SettingsError, RequestError) as error:
        _complain(error)
        return EXIT_USAGE
    except WatchdogError as error:
        _complain(error)
        return EXIT_FAILED


def _complain(error: WatchdogError) -> None:
    for line in [*error.message.splitlines(), error.hint]:
        if line:
            click.echo(on_one_line(line), err=True)


def _common(command: F) -> F:
    """Options of every command."""
    options = (
        click.option(
            "--deadline", type=click.IntRange(1, 86_400), default=600, show_default=True, help="Seconds in all."
        ),
        click.option("-v", "--verbose", is_flag=True, help="Log every call to the clouds."),
        click.option("-q", "--quiet", is_flag=True, help="Only the result and errors."),
    )
    for option in options:
        command = option(command)
    return command


def _scoped(command: F) -> F:
    """Options of a pass."""
    options = (
        click.option(
            "--instance", "instances", multiple=True, metavar="ID", help="Only this instance; may be repeated."
        ),
        click.option(
            "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="Of the report."
        ),
    )
    for option in options:
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="elephant-dns %(version)s")
def cli() -> None:
    """Keep the DNS records and join links of classroom machines in step with the machines."""


@cli.command()
@_scoped
@_common
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the report to this file.")
@click.option("--force", is_flag=True, help="Plan as apply --force would.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes, guarded ones included.")
def plan(  # a command's options
    instances: tuple[str, ...],
    form: str,
    output: Path | None,
    detailed_exitcode: bool,
    force: bool,
    deadline: float,
    verbose: bool,
    quiet: bool,
) -> int:
    """Show what would be changed, and why. Reads only; needs read permissions only.

    \b
    Examples:
      elephant-dns plan
      elephant-dns plan --instance i-0123456789abcdef0
      elephant-dns plan --format json --output plan.json --detailed-exitcode
    """
    time_left = _Deadline(deadline)
    controller = _controller(verbose, time_left)
    report = controller.run(Request(Mode.PLAN, _scope(instances), force=force), time_left.left())
    _show(report, form, output, quiet=quiet)
    return EXIT_CHANGES if detailed_exitcode and report.results else 0


@cli.command()
@_scoped
@_common
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Let guarded changes through, this once.")
@click.option("--expect", metavar="DIGEST", help="Refuse when the plan is no longer the one with this digest.")
def apply(  # a command's options
    instances: tuple[str, ...],
    form: str,
    yes: bool,
    force: bool,
    expect: str | None,
    deadline: float,
    verbose: bool,
    quiet: bool,
) -> int:
    """Show the plan, ask, apply it, and show how each change ended.

    \b
    Examples:
      elephant-dns apply
      elephant-dns apply --yes                    (cron)
      elephant-dns apply --yes --expect DIGEST    (the plan that was reviewed, or nothing)
      elephant-dns apply --force                  (once, after the guard has tripped and the plan is right)
    """
    time_left = _Deadline(deadline)
    controller = _controller(verbose, time_left)
    scope = _scope(instances)

    def show(planned: Report) -> None:
        if not quiet:
            click.echo(_text(planned, sys.stderr), err=True)

    if not yes:
        preview = controller.run(Request(Mode.PLAN, scope, force=force, expect=expect), time_left.left())
        show(preview)
        if not preview.count(Outcome.PLANNED):
            return _ended(preview, form, quiet=quiet, is_shown=form == "text")
        if not _confirmed(time_left):
            return EXIT_FAILED
        expect = preview.digest
    report = controller.run(
        Request(Mode.APPLY, scope, force=force, expect=expect),
        time_left.left(),
        on_plan=show if yes else lambda _: None,
    )
    return _ended(report, form, quiet=quiet)


@cli.command()
@click.option(
    "--instances", type=click.IntRange(min=40, max=5000), default=40, show_default=True, help="Size of the fleet."
)
@_common
@click.option("--serve", is_flag=True, help="Keep the servers up, and print the environment to export.")
def sandbox(instances: int, serve: bool, deadline: float, verbose: bool, quiet: bool) -> int:
    """The whole system on this machine: a seeded, drifted fleet; plan, apply, plan again.

    \b
    Examples:
      elephant-dns sandbox
      elephant-dns sandbox --serve
    """
    try:
        from controller.sandbox import demo
    except ImportError as error:
        raise click.ClickException(
            f"The sandbox needs its packages ({error.name}): install the extra 'sandbox'."
        ) from error
    if verbose:
        start_logging("DEBUG", sys.stderr)
    out = (lambda _: None) if quiet else click.echo
    return demo.run(instances, serve, out, seconds=deadline)


def _controller(verbose: bool, time_left: _Deadline) -> Controller:
    settings = read_settings(os.environ)
    if verbose:
        start_logging("DEBUG", sys.stderr)
    return build(settings, seconds=time_left.left())


def _scope(instances: tuple[str, ...]) -> frozenset[str] | None:
    return parse_scope(instances) if instances else None


def _confirmed(time_left: _Deadline) -> bool:
    if not sys.stdin.isatty():
        click.echo("Nobody is here to answer; use --yes to apply without asking.", err=True)
        return False
    return time_left.confirm("Apply these changes?")


def _ended(report: Report, form: str, *, quiet: bool, is_shown: bool = False) -> int:
    if not is_shown:
        _show(report, form, None, quiet=quiet)
    if report.guard.tripped:
        return EXIT_GUARD
    return 0 if report.complete else EXIT_FAILED


def _show(report: Report, form: str, output: Path | None, *, quiet: bool) -> None:
    if form == "json":
        text = as_json.render(report) + "\n"
    elif quiet:
        text = as_text.summary_line(report) + "\n"
    else:
        text = as_text.render(report) if output else _text(report, sys.stdout)
    if not output:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WatchdogError(
            f"The report cannot be written to {output}: {error.strerror}.", "Name another file."
        ) from error


def _text(report: Report, stream: Any) -> str:
    """Text for this stream: colours on a terminal only, and not where NO_COLOR is set (no-color.org)."""
    return as_text.render(report, colour=stream.isatty() and not os.environ.get("NO_COLOR"))
