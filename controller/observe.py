"""Observation: one look at the world, in the order that makes it safe to act on.

Evidence that destroys is read after what it destroys: records and rows first, side by side, then instances, then
those that were named but not listed. Whatever fails or is cut short makes the pass fail: a plan is never made from
half a world.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from controller.budget import Budget
from controller.errors import CallError, MisfitError, ObservationError
from controller.model import TERMINATED, DnsRecord, Finding, Instance, World, Zone
from controller.names import is_under
from controller.parallel import Pending, bounded
from controller.ports import Readers
from controller.rules.facts import Class, Facts, classify, linked_ids, named_ids
from controller.rules.findings import ZONE_NOT_READABLE
from controller.rules.scope import deserves_reading, meetings_of, missing
from controller.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Observer:
    """Looks at the world through the readers."""

    readers: Readers
    settings: Settings
    budget: Budget

    def everything(self) -> World:
        """The whole world."""
        records = self._begin("Cloudflare", self.readers.records.listing)
        rows = self._begin("DynamoDB", self.readers.table.live)
        listing, meetings = records.result(), {row.id: row for row in rows.result()}
        listed = self._read("EC2", self.readers.fleet.tagged)
        zone, findings = self._zone(listing.records)
        world = World(
            now=self.budget.clock.now(),
            instances=_by_id(listed),
            absent=frozenset(),
            records=listing.records,
            meetings=meetings,
            rowless=frozenset(),
            zone=zone,
            listed=len(listed),
            findings=(*listing.findings, *findings),
        )
        return self._with_lookups(self._with_rows(world))

    def scoped(self, scope: frozenset[str]) -> World:
        """What these instances touch. A stranger's running instance costs one call to EC2 and nothing more."""
        seen = _by_id(self._instances(scope))
        scope = frozenset(i for i in scope if deserves_reading(seen.get(i)))
        world = World(
            now=self.budget.clock.now(),
            instances={i: machine for i, machine in seen.items() if i in scope},
            absent=scope - seen.keys(),
            records=(),
            meetings={},
            rowless=frozenset(),
            zone=Zone(None),  # not proven to hold DOMAIN_ROOT
            scope=scope,
            named=scope,
        )
        return self._with_zone(self._with_lacking(self._with_surroundings(world))) if scope else world

    def confirm(self, world: World, instances: Collection[str]) -> World:
        """The same world with these instances described once more: the evidence by which a scoped pass destroys."""
        return self._with_zone(self._with_lacking(self._look_up(world, frozenset(instances))))

    def names(self) -> World:
        """The records at instances' names alone, for what needs no other evidence."""
        listing = self._read("Cloudflare", self.readers.records.listing)
        return World(
            now=self.budget.clock.now(),
            instances={},
            absent=frozenset(),
            records=listing.records,
            meetings={},
            rowless=frozenset(),
            zone=Zone(None, holds_domain=bool(listing.records)),
            findings=listing.findings,
        )

    def including(self, world: World, instances: Collection[str], meetings: Collection[str]) -> World:
        """A whole world with these looked up as well, for who asks about them: no pass has to read them."""
        world = self._with_unseen(world, frozenset(instances))
        tags = {machine.meeting for i in instances if (machine := world.instances.get(i)) and machine.meeting}
        unread = frozenset({*meetings, *tags}) - world.meetings.keys()
        rows = self._read("DynamoDB", lambda: self.readers.table.rows(unread)) if unread else []
        named = {i for row in rows for i in (*named_ids(row).values(), *linked_ids(row, self.settings))}
        return self._with_unseen(
            replace(world, meetings={**world.meetings, **{r.id: r for r in rows}}), frozenset(named)
        )

    def _with_unseen(self, world: World, asked: frozenset[str]) -> World:
        unseen = asked - world.instances.keys() - world.absent
        return self._look_up(world, unseen) if unseen else world

    def _with_surroundings(self, world: World) -> World:
        """Add the records, rows and siblings of the instances in scope."""
        meetings = meetings_of(world)
        records = self._begin("Cloudflare", lambda: self.readers.records.listing(world.named))
        rows = self._begin("DynamoDB", lambda: self.readers.table.rows(meetings) if meetings else [])
        siblings = self._begin("EC2", lambda: self.readers.fleet.of_meetings(meetings) if meetings else [])
        listing, found = records.result(), {row.id: row for row in rows.result()}
        return replace(
            world,
            instances={**world.instances, **_by_id(siblings.result())},
            records=listing.records,
            meetings=found,
            rowless=meetings - found.keys(),
            findings=listing.findings,
        )

    def _with_zone(self, world: World) -> World:
        """Prove the zone where this pass may write records: a machine in scope serves, or records are there already."""
        in_scope = (machine for machine in world.instances.values() if machine.id in (world.scope or ()))
        serves = any(classify(machine, self.settings) is Class.SERVING for machine in in_scope)
        if world.zone.holds_domain or not (serves or world.records):
            return world
        zone, findings = self._zone(world.records)
        return replace(world, zone=zone, findings=(*world.findings, *findings))

    def _with_lacking(self, world: World) -> World:
        """Add what a decision needs and the world does not say; the ordinary start of a machine needs nothing."""
        while lacking := missing(world, self.settings):
            read, asked = (self._with_names, lacking.names) if lacking.names else (self._look_up, lacking.instances)
            world = read(world, asked)
        return world

    def _with_names(self, world: World, names: frozenset[str]) -> World:
        listing = self._read("Cloudflare", lambda: self.readers.records.listing(names))
        return replace(
            world,
            records=(*world.records, *listing.records),
            named=world.named | names,
            findings=(*world.findings, *listing.findings),
        )

    def _with_rows(self, world: World) -> World:
        """Add the rows of machines that the first reading did not bring: history, or out of the index's sight."""
        ids = frozenset(_meetings_to_read(world, self.settings))
        if not ids:
            return world
        found = {row.id: row for row in self._read("DynamoDB", lambda: self.readers.table.rows(ids))}
        return replace(world, meetings={**world.meetings, **found}, rowless=ids - found.keys())

    def _with_lookups(self, world: World) -> World:
        """Add the instances that a record of ours or a row names and that the listing did not bring."""
        facts = Facts.of(world, self.settings)
        named = {instance for instance in facts.records if facts.ours(instance)}
        for row in world.meetings.values():
            if row.status != TERMINATED:
                named |= linked_ids(row, self.settings) | set(named_ids(row).values())
        return self._with_unseen(world, frozenset(named))

    def _look_up(self, world: World, asked: frozenset[str]) -> World:
        found = _by_id(self._instances(asked))
        kept = {i: machine for i, machine in world.instances.items() if i not in asked}
        return replace(
            world,
            now=self.budget.clock.now(),
            instances={**kept, **found},
            absent=(world.absent - asked) | (asked - found.keys()),
        )

    def _instances(self, ids: frozenset[str]) -> list[Instance]:
        return self._read("EC2", lambda: self.readers.fleet.by_id(ids))

    def _zone(self, records: Collection[DnsRecord]) -> tuple[Zone, tuple[Finding, ...]]:
        """The zone. A record under DOMAIN_ROOT proves that it holds DOMAIN_ROOT; without one the zone is asked."""
        if records:
            return Zone(None, holds_domain=True), ()
        zone = self._read("Cloudflare", self.readers.records.zone)
        if zone.name is None:
            return zone, (ZONE_NOT_READABLE,)
        if not is_under(self.settings.domain_root, zone.name):
            raise MisfitError(
                f"DOMAIN_ROOT {self.settings.domain_root} does not lie in the zone {zone.name} of ZONE_ID.",
                "Correct DOMAIN_ROOT or ZONE_ID; nothing was planned.",
            )
        return replace(zone, holds_domain=True), ()

    def _begin(self, source: str, read: Callable[[], T]) -> Pending[T]:
        return Pending(lambda: _named(source, read), self.budget)

    def _read(self, source: str, read: Callable[[], T]) -> T:
        return bounded(lambda: _named(source, read), self.budget)


def _named(source: str, read: Callable[[], T]) -> T:
    """What was read, or an error that names the source."""
    try:
        return read()
    except CallError as error:
        raise ObservationError(
            f"{error.source or source} could not be read, so nothing was planned: {error.message}", error.hint
        ) from error


def _by_id(instances: Iterable[Instance]) -> dict[str, Instance]:
    return {machine.id: machine for machine in instances}


def _meetings_to_read(world: World, settings: Settings) -> Iterable[str]:
    """The meetings of machines that the first reading did not bring; behind an index also those of machines gone."""
    facts = Facts.of(world, settings)
    for meeting, machines in facts.members.items():
        is_needed = settings.status_index is not None or any(facts.is_alive(machine.id) for machine in machines)
        if is_needed and meeting.strip() and meeting not in world.meetings:
            yield meeting
