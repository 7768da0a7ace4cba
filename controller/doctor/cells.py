"""Each place of ``CELLS``: may its role be assumed, may its machines be listed, and do its events reach the hub?"""

from collections.abc import Iterator
from functools import partial

from controller.doctor.cell import Cell
from controller.doctor.diagnosis import Check, Part, SkipError, failed, fails_as, passed
from controller.doctor.forwarding import forwarding_checks, hub_checks
from controller.doctor.look import Look
from controller.errors import AuthenticationError, DeadlineError, DeniedError, SettingsError, WatchdogError

_ROLE, _MACHINES = "cell-role", "cell-machines"
_LONGER = "Check the health of that region. Look again, with a longer --deadline."
_OF_CELL = (_ROLE, _MACHINES, "cell-state-changes", "cell-tag-changes")


def cell_parts(look: Look) -> tuple[Part[Look], ...]:
    """Return a part for each cell, and one for the hub; none without CELLS."""
    error, _ = look.problems
    cells = () if error else look.settings.cells
    parts = (Part(_OF_CELL, partial(_checks, name=name), about=f"Cell {name}") for name in cells)
    return (*parts, Part(("cell-forwarding",), hub_checks)) if cells else ()


def _checks(look: Look, name: str) -> Iterator[Check]:
    cell = look.cells.get(name)
    if cell is None:
        return  # the only one, and the place itself
    try:
        if cell.role():
            cell.assume(look.budget)
            yield passed(_ROLE, f"The role {cell.role()} can be assumed.")
    except WatchdogError as error:
        yield _not_assumed(look, cell, error)
        raise SkipError("its role cannot be assumed") from error
    yield _machines(look, cell)
    if name != look.place:
        yield from forwarding_checks(look, cell)


def _not_assumed(look: Look, cell: Cell, error: WatchdogError) -> Check:
    if isinstance(error, DeadlineError):
        return failed(_ROLE, f"STS gave no answer in time for the role {cell.role()}.", _LONGER)
    if isinstance(error, SettingsError) or not isinstance(error, AuthenticationError):
        return fails_as(_ROLE, error)
    external = "the ExternalId that CELL_EXTERNAL_ID has here"
    if not look.settings.cell_external_id:
        external = "an ExternalId, which CELL_EXTERNAL_ID must have here (it is not set)"
    fix = (
        f"Deploy infra/cell.yaml in account {cell.account} with CellRole={look.settings.cell_role}, with {external}, "
        f"and with {look.identity().arn} as HubRoleArn or in PeopleArns (of a session, its role's ARN). {error.hint}"
    )
    return failed(_ROLE, f"The role {cell.role()} cannot be assumed: {error.message}", fix)


def _machines(look: Look, cell: Cell) -> Check:
    error = look.unread.get(cell.name)
    if error is None:
        count, tag = sum(machine.cell == cell.name for machine in look.machines()), "=".join(look.settings.project_tag)
        return passed(_MACHINES, f"Its machines may be listed; tagged {tag}: {count}.")
    if isinstance(error, DeadlineError):
        return failed(_MACHINES, "EC2 gave no answer there in time.", _LONGER)
    if isinstance(error, DeniedError) and cell.role():
        fix = f"{error.hint} The parameter Regions of infra/cell.yaml must cover {cell.region}."
    elif isinstance(error, AuthenticationError) and not isinstance(error, DeniedError):
        fix = f"Enable the region {cell.region} in account {cell.account}, if it is one to opt in to. {error.hint}"
    else:
        fix = error.hint
    return failed(_MACHINES, f"Its machines cannot be listed: {error.message}", fix)
