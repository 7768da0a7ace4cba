"""The command line, ``elephant-dns``: the same pass as the Lambda function's, for people, cron and CI.

The modules here load click and little else. What takes long to load (clients of the clouds, the sandbox) is imported
by the functions that need it, so that ``--help`` and the shell's completion answer at once.
"""

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

from controller import __version__
from controller.cli import env_file
from controller.cli.codes import Code
from controller.cli.console import complain, err, refuse
from controller.cli.doctor import doctor
from controller.cli.explain import command as explain
from controller.cli.options import everywhere
from controller.cli.passes import apply, plan
from controller.cli.retire import retire
from controller.cli.sandbox import sandbox
from controller.cli.status import status
from controller.errors import RequestError, SettingsError, WatchdogError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="elephant-dns %(version)s")
@click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    callback=env_file.load,
    expose_value=False,
    is_eager=True,
    help="Take settings from this file, a NAME=value a line.",
)
@everywhere
@click.pass_context
def cli(context: click.Context, /, **given: Any) -> None:
    """Keep the DNS records and join links of classroom machines in step with the machines.

    \b
    Examples:
      elephant-dns status         who can join, meeting by meeting
      elephant-dns plan           what would be changed, and why
      elephant-dns apply          do it, after a question
      elephant-dns COMMAND -h     more of each command

    These options, except --env-file, may also stand after the command.

    \b
    Exit codes: 0 done; 1 an error, or a change that failed or was not reached;
    2 changes, or somebody cannot join (only with --detailed-exitcode);
    3 the guard tripped (apply);
    64 wrong usage or settings; 130 interrupted; 143 ended by SIGTERM.
    """
    # Each command has the same options. What was given before its name is their default there.
    context.default_map = dict.fromkeys(cli.commands, given)


for command in (plan, apply, status, explain, doctor, retire, sandbox):
    cli.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit with its code."""
    if isinstance(sys.stdout, TextIOWrapper):  # a terminal without, say, arrows gets their escapes
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        return int(cli.main(args=arguments, prog_name="elephant-dns", standalone_mode=False) or Code.DONE)
    except click.exceptions.Abort:
        err("Interrupted.")
        return Code.INTERRUPTED
    except click.ClickException as error:
        refuse(error)
        return Code.USAGE
    except (SettingsError, RequestError) as error:
        complain(error)
        return Code.USAGE
    except WatchdogError as error:
        complain(error)
        return Code.FAILED
