"""Do a pass from here and the deployed function want the same? Two that differ undo each other's work."""

from collections.abc import Collection

from controller.doctor.deployed import Deployed
from controller.doctor.diagnosis import Check, SkipError, failed, passed, skipped, warned
from controller.doctor.look import Look
from controller.doctor.sharing import table_in
from controller.errors import SettingsError
from controller.settings import Settings, read_settings

_ID = "function-settings"


def agreement(look: Look, deployed: Deployed) -> Check:
    """Compare the function's settings with those of a pass from here."""
    if deployed.environment is None:
        return warned(_ID, f"Lambda cannot decrypt the environment of {deployed.arn}.", "Allow kms:Decrypt on its key.")
    try:
        theirs = read_settings(deployed.environment)
    except SettingsError as error:
        _, *problems = error.message.splitlines()
        seen = f"{deployed.arn} cannot start: {' '.join(map(str.strip, problems))}"
        return failed(_ID, seen, "Correct the function's environment.")
    try:
        settings = look.settings
    except SkipError as error:
        return skipped(_ID, error.because)
    return _compared(settings, look.owner, theirs, deployed)


def _compared(settings: Settings, owner: str | None, theirs: Settings, deployed: Deployed) -> Check:
    there = theirs.owner_id or f"{deployed.account}/{deployed.region}"
    ours, others = _wanted(settings, owner or there, deployed), _wanted(theirs, there, deployed)
    cells = []
    if settings.cells or theirs.cells:  # then the marks are the cells
        cells = _differing_cells(settings.cells or (ours["OWNER_ID"],), theirs.cells or (others["OWNER_ID"],))
        del ours["OWNER_ID"], others["OWNER_ID"]
    differing = [f"{name} is {ours[name]} here and {others[name]} there" for name in ours if ours[name] != others[name]]
    differing += cells
    if differing:
        fix = "Export what the function has, or correct the function; different on purpose: name yours with --function."
        return failed(_ID, f"A pass from here and {deployed.arn} undo each other: {'; '.join(differing)}.", fix)
    roles = [
        f"{name} is {here or 'not set'} here and {other or 'not set'} there"
        for name, here, other in (
            ("CELL_ROLE", settings.cell_role, theirs.cell_role),
            ("CELL_EXTERNAL_ID", settings.cell_external_id, theirs.cell_external_id),
        )
        if settings.cells and here != other
    ]
    if roles:
        seen = f"{deployed.arn} looks into its cells in another way, which is not checked here: {'; '.join(roles)}."
        return warned(_ID, seen, "Export what the function has, or correct the function.")
    if theirs.api_token:
        seen = f"{deployed.arn} has the token itself in its environment: everybody who may look at it can read it."
        return warned(_ID, seen, "Put it into a secret, and set SECRET_ARN in place of CLOUDFLARE_API_TOKEN.")
    if settings.cells:
        return passed(_ID, f"{deployed.arn} has the same cells and wants what a pass from here wants.")
    if owner is None:
        return skipped(
            _ID, "the account of these credentials is not known, so the owner id is not either; all else agrees"
        )
    return passed(_ID, f"{deployed.arn} has the owner id {there} and wants what a pass from here wants.")


def _differing_cells(here: Collection[str], there: Collection[str]) -> list[str]:
    """Return the cells that only one side has, as pieces of a sentence."""
    sides = (("here", set(here) - set(there)), ("there", set(there) - set(here)))
    return [f"CELLS has {', '.join(sorted(cells))} only {side}" for side, cells in sides if cells]


def _wanted(settings: Settings, owner: str, deployed: Deployed) -> dict[str, str]:
    """Return the settings that decide what the world should be."""
    return {
        "OWNER_ID": owner,
        "DOMAIN_ROOT": settings.domain_root,
        "ZONE_ID": settings.zone_id,
        "TABLE_NAME": table_in(settings.table_name, deployed),
        "PROJECT_TAG": "=".join(settings.project_tag),
        "ROLES": ",".join(sorted(settings.roles)),
        "DCV_PORT": str(settings.dcv_port),
    }
