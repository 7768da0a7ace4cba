"""Restrict a plan to some cells. What it does about their machines is what the whole plan does, and nothing else.

===========================================  =======================================================
a change or a finding                        belongs to a cell if
===========================================  =======================================================
a record, a link                             its machine lives there
the end of a meeting                         all machines on which the end rests live in these cells
a finding about a machine, a name, a cell    it is that cell, or the machine lives there
a finding about a meeting                    one of its machines lives there
anything else, such as the zone              it belongs to none
===========================================  =======================================================

A machine lives where EC2 showed it, else where the mark of its record says. Where neither says it, only a pass for all
cells decides about it.
"""

from collections.abc import Mapping
from dataclasses import replace

from controller.model import Change, EndMeeting, Finding, Plan, World
from controller.names import instance_of_name
from controller.rules.facts import Facts, linked_ids
from controller.rules.meetings import members_of
from controller.settings import Settings


def restrict_to(
    cells: frozenset[str], wanted: Plan, world: World, homes: Mapping[str, str], settings: Settings
) -> Plan:
    """Return the part of the plan that is about the machines of these cells. ``homes`` are the machines' cells.

    Without CELLS there is one place, and everything is about it.
    """
    if not settings.cells:
        return wanted
    facts, here = Facts.of(world, settings), frozenset(machine for machine, cell in homes.items() if cell in cells)
    return replace(
        wanted,
        changes=tuple(change for change in wanted.changes if _machines_of(change) <= here),
        findings=tuple(f for f in wanted.findings if f.key in cells or _subjects(f, facts) & here),
    )


def _machines_of(change: Change) -> frozenset[str | None]:
    """Return the machines that must all live in the cells."""
    return frozenset(change.evidence if isinstance(change, EndMeeting) else (change.instance,))


def _subjects(finding: Finding, facts: Facts) -> frozenset[str]:
    """Return the machines that the finding is about."""
    if meeting := facts.world.meetings.get(finding.key):
        return frozenset(members_of(facts, meeting) | linked_ids(meeting, facts.settings))
    tagged = (machine.id for machine in facts.members.get(finding.key, ()))  # of a meeting without a row
    return frozenset({instance_of_name(finding.key, facts.settings.domain_root) or finding.key, *tagged})
