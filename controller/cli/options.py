"""Options that several commands share."""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from controller.cli import logs
from controller.cli.session import Session

Command = Callable[..., int]
Option = Callable[[Callable[..., Any]], Callable[..., Any]]

#: The forms of a report, and the suffixes of files that hold them.
FORMS = ("text", "json", "markdown", "html")
SUFFIXES = {
    ".txt": "text",
    ".text": "text",
    ".json": "json",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
}


def everywhere(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command the options that stand before or after its name."""
    return _with_options(
        command,
        click.option(
            "--log-format", type=click.Choice(logs.FORMS), default="text", show_default=True, help="The log's form."
        ),
        click.option(
            "--deadline", type=click.IntRange(1, 86_400), default=600, show_default=True, help="Seconds in all."
        ),
        click.option("-v", "--verbose", is_flag=True, help="Show every call to the clouds."),
        click.option("-q", "--quiet", is_flag=True, help="Only the result in short, and what failed."),
    )


def common(command: Command) -> Command:
    """Give the command its Session, from the options of every command."""

    @wraps(command)
    def run(*, deadline: int, verbose: bool, quiet: bool, log_format: str, **rest: Any) -> int:
        return command(Session(deadline, verbose=verbose, quiet=quiet, log_format=log_format), **rest)

    return everywhere(run)


def formatted(*forms: str) -> Option:
    """Give the command ``form``, the form of its report: one of these."""
    return click.option(
        "--format", "form", type=click.Choice(forms), default="text", show_default=True, help="The report's form."
    )


def written(*forms: str) -> Callable[[Command], Command]:
    """Give the command ``form`` and ``output``, the file for its report, or None for standard output.

    The file's suffix names the form where ``--format`` does not. Whether the file can be there is checked before the
    command begins: nobody waits for a pass, only to lose its report.
    """

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(*, form: str | None, output: Path | None, **rest: Any) -> int:
            file = None if output is None or str(output) == "-" else output
            if file is not None:
                form = _form_in(file, form, forms)
                _check_place(file)
            return command(form=form or "text", output=file, **rest)

        return _with_options(
            run,
            click.option(
                "--output",
                metavar="FILE",
                type=click.Path(dir_okay=False, writable=True, readable=False, allow_dash=True, path_type=Path),
                help="Write the report to this file; its suffix names the form. '-' is standard output.",
            ),
            click.option(
                "--format",
                "form",
                type=click.Choice(forms),
                help="The report's form.  [default: the suffix of --output, else text]",
            ),
        )

    return decorate


def _form_in(file: Path, form: str | None, forms: tuple[str, ...]) -> str | None:
    """Return the form of a report in this file. Raises UsageError where name and ``--format`` do not agree."""
    named = SUFFIXES.get(file.suffix.lower())
    shown = repr(str(file))
    if named and named not in forms:
        raise click.UsageError(f"Invalid --output {shown}: this report has no form {named}, only {', '.join(forms)}.")
    if form and named and form != named:
        raise click.UsageError(
            f"--format {form} contradicts --output {shown}, a name for {named}: drop --format, or rename the file."
        )
    return form or named


def _check_place(file: Path) -> None:
    """Raise UsageError where a file of this name cannot be."""
    shown, folder = repr(str(file)), file.parent
    if not file.name:
        raise click.UsageError(f"Invalid --output {shown}: expected the name of a file, or - for standard output.")
    if not folder.is_dir():
        raise click.UsageError(
            f"Cannot write {shown}: there is no folder {str(folder)!r}. Create it, or name another file."
        )
    if not file.exists() and not os.access(folder, os.W_OK | os.X_OK):
        raise click.UsageError(f"Cannot write {shown}: the folder {str(folder)!r} is not writable. Name another file.")


def scoped(command: Command) -> Command:
    """Give the command ``instances`` and ``cells``, the scope of its pass."""
    return _with_options(
        command,
        click.option(
            "--instance", "instances", multiple=True, metavar="ID", help="Only this instance; may be repeated."
        ),
        click.option(
            "--cell",
            "cells",
            multiple=True,
            metavar="ACCOUNT/REGION",
            help="Only the machines of this one of CELLS; may be repeated.",
        ),
    )


def _with_options(command: Callable[..., Any], *options: Option) -> Callable[..., Any]:
    for option in options:
        command = option(command)
    return command
