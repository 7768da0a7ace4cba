"""The machines: does EC2 list them, and are they those that the meetings name?"""

from collections.abc import Iterator

from controller.doctor.diagnosis import Check, attempt, failed, passed, skipped, warned
from controller.doctor.look import Look
from controller.errors import CallError

#: Machines that the rows name and one check looks up: one call's worth.
_SAMPLE = 200
_ENDED = ("shutting-down", "terminated")


def machine_checks(look: Look) -> Iterator[Check]:
    """Check EC2's listing, then that the tag fits the meetings."""
    yield attempt("ec2:DescribeInstances", lambda: _listed(look))
    yield _tag(look)


def _listed(look: Look) -> Check:
    id, unread = "ec2:DescribeInstances", look.unread
    if unread:
        return skipped(id, f"not every cell can be read, as cell-role and cell-machines say: {', '.join(unread)}")
    count, tag = len(look.machines()), "=".join(look.settings.project_tag)
    return passed(id, f"Allowed; instances tagged {tag} in {look.region}: {count}.")


def _tag(look: Look) -> Check:
    """Check that PROJECT_TAG marks the machines that live rows name: with a wrong tag a pass sees no machine."""
    try:
        tagged, named = frozenset(machine.id for machine in look.machines()), look.named()
        there = look.fleet.by_id(sorted(named)[:_SAMPLE]) if not named & tagged else []
    except CallError:
        return skipped("project-tag", "machines and rows cannot both be read")
    tag, region = "=".join(look.settings.project_tag), look.region
    if not named:
        unknown = "" if tagged else f" If machines run now, {_where(look)} or PROJECT_TAG is wrong: none has {tag}."
        return passed("project-tag", f"Live meetings name no machine.{unknown}")
    if named & tagged:
        seen = f"Of {len(named)} machines that live meetings name, {len(named & tagged)} have the tag {tag}."
        return passed("project-tag", seen)
    seen = f"Live meetings name {len(named)} machines in table {look.settings.table_name}, and none has the tag {tag}"
    alive = [machine for machine in there if machine.state not in _ENDED]
    if alive:
        seen = f"{seen}: {len(alive)} of them run in {region} without it, such as {alive[0].id}."
        fix = "Correct PROJECT_TAG here and at the function, or tag the machines."
        return failed("project-tag", seen, fix)
    if look.unread:
        return skipped("project-tag", "the machines that live meetings name may be in a cell that cannot be read")
    fix = f"Correct {_where(look)}, AWS_PROFILE or TABLE_NAME, unless all of them have ended."
    return warned("project-tag", f"{seen} or runs in {region}.", fix)


def _where(look: Look) -> str:
    return "CELLS" if look.cells else "AWS_REGION"
