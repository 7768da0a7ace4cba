"""``sandbox``: the demo."""

import os
import sys

import click

from controller.cli.console import is_colourful, out, width_of
from controller.cli.options import common
from controller.cli.session import Session
from controller.errors import WatchdogError


@click.command(short_help="Try it all on this machine, with a drifted fleet.")
@click.option(
    "--instances", type=click.IntRange(min=44, max=5000), default=48, show_default=True, help="Size of the fleet."
)
@click.option(
    "--cells",
    type=click.IntRange(min=1, max=5),
    default=1,
    show_default=True,
    help="Places with machines: regions and accounts.",
)
@click.option("--serve", is_flag=True, help="Keep the servers up, and print the environment to export.")
@click.option("--first-version", is_flag=True, help="With --serve: a function that was created by hand, to move from.")
@common
def sandbox(session: Session, instances: int, cells: int, serve: bool, first_version: bool) -> int:
    """Run the whole system on this machine: a seeded, drifted fleet; plan, apply, plan again.

    \b
    Examples:
      elephant-dns sandbox
      elephant-dns sandbox --instances 1000
      elephant-dns sandbox --cells 2
      elephant-dns sandbox --serve
      elephant-dns sandbox --serve --first-version
    """
    if first_version and not serve:
        raise click.UsageError("--first-version tells no story by itself: add --serve, and try the commands on it.")
    if first_version and cells > 1:
        raise click.UsageError("--first-version has one cell: the first version knew one region. Drop --cells.")
    from controller.sandbox.surroundings import forget

    forget(os.environ)  # before anything of AWS is imported: moto asks for the profile then
    try:
        from controller.sandbox import demo
        from controller.sandbox.stage import Stage
    except ImportError as error:
        raise WatchdogError(
            f"The sandbox needs its packages ({error.name}).",
            "Run `make sandbox` in the repository, or pip install '.[sandbox]' there.",
        ) from error
    width = max(width_of(sys.stdout), 60)  # names and texts stand side by side
    stage = Stage(out, width, is_colourful(sys.stdout), session.quiet)
    if first_version:
        from controller.sandbox import first_version as by_hand

        return by_hand.run(stage)
    return demo.run(stage, instances, cells=cells, serve=serve, seconds=session.left())
