"""The caller that AWS sees, and the place: most surprises are another account or another region."""

from collections.abc import Iterator
from dataclasses import replace

from controller.doctor.diagnosis import Check, attempt, failed, fails_as, passed, skipped, warned
from controller.doctor.look import Identity, Look
from controller.errors import CallError


def aws_check(look: Look) -> Iterator[Check]:
    """Name the caller: what follows is true for these credentials, and for no others."""
    _, problem = look.problems
    if problem:
        yield fails_as("aws", problem)
        return
    yield attempt("aws", lambda: _as(look.identity()))


def _as(who: Identity) -> Check:
    where = f"Account {who.account}, region {who.region}, as {who.arn}."
    return passed("aws", f"{where} What follows is what these credentials may do.")


def owner_check(look: Look) -> Iterator[Check]:
    """Check that the owner id names the place: else the guard holds what rests on absence."""
    settings, place = look.settings, look.place
    if place is None:
        yield skipped("owner-id", "the account of these credentials is not known")
        return
    if settings.cells:
        yield _cells_check(look, place)
        return
    here = replace(settings, owner_id=settings.owner_id or place, place=place)
    if here.names_another_place:
        seen = f"OWNER_ID {here.owner_id} names another place than {place}, which is looked at: every pass stops."
        yield failed("owner-id", seen, "Correct AWS_REGION, AWS_PROFILE or OWNER_ID.")
    elif here.names_its_place:
        yield passed("owner-id", f"The owner id {here.owner_id} names the place that is looked at.")
    else:
        seen = (
            f"OWNER_ID {here.owner_id} does not begin with {place}. It works, but where EC2 shows no machine that one "
            "of this deployment's records names, the guard holds what rests on absence until --force releases it."
        )
        fix = f"For a new deployment take {place}/<name>. To change this one, run elephant-dns retire first."
        yield warned("owner-id", seen, fix)


def _cells_check(look: Look, place: str) -> Check:
    """Check that this is a place from which the cells are looked at: a cell itself, or where the function is."""
    cells = look.settings.cells
    if place in cells:
        return passed("owner-id", f"Each record has its machine's cell as owner; {place} is one of {len(cells)} cells.")
    try:
        arn = look.deployment().function.arn
    except CallError:
        seen = f"{place}, which these credentials and AWS_REGION lead to, is not in CELLS, and has no function that can"
        fix = f"Go to the hub's account and region (AWS_PROFILE, AWS_REGION), or add {place} to CELLS."
        return warned("owner-id", f"{seen} be seen. Each record has its machine's cell as owner.", fix)
    seen = f"Each record has its machine's cell as owner. {place}, where {arn} is, is not in CELLS: machines there"
    return passed("owner-id", f"{seen} are not looked at.")
