"""Options that several commands share."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from controller.cli.session import Session

Command = Callable[..., int]


def common(command: Command) -> Command:
    """Options of every command, which it gets as a Session."""

    @wraps(command)
    def run(*, deadline: int, verbose: bool, quiet: bool, **rest: Any) -> int:
        return command(Session(deadline, verbose=verbose, quiet=quiet), **rest)

    return _with_options(
        run,
        click.option(
            "--deadline", type=click.IntRange(1, 86_400), default=600, show_default=True, help="Seconds in all."
        ),
        click.option("-v", "--verbose", is_flag=True, help="Show every call to the clouds."),
        click.option("-q", "--quiet", is_flag=True, help="Only the result and errors."),
    )


def formatted(*forms: str) -> Callable[[Command], Command]:
    """The form of a report: one of these."""
    return click.option(
        "--format", "form", type=click.Choice(forms), default="text", show_default=True, help="The report's form."
    )


def scoped(command: Command) -> Command:
    """What a pass looks at."""
    return _with_options(
        command,
        click.option(
            "--instance", "instances", multiple=True, metavar="ID", help="Only this instance; may be repeated."
        ),
    )


def _with_options(command: Command, *options: Callable[[Command], Command]) -> Command:
    for option in options:
        command = option(command)
    return command
