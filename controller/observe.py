"""Observe the world, in an order that is safe to act on.

Evidence that destroys is younger than what it destroys: the pass reads records and rows first, side by side, then
instances, then instances that were named but not listed. One reading of EC2 can be incomplete, so the pass describes
the instances again before it takes something away for them (``again``). A reading that fails or is cut short fails the
pass: a plan needs the whole world.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from controller.errors import CallError, MismatchError, ObservationError
from controller.model import LIVE_STATUSES, DnsRecord, Finding, Instance, Request, World, Zone
from controller.names import is_under, readable
from controller.ports import Readers
from controller.rules.facts import Facts, InstanceClass, classify, linked_ids, named_ids
from controller.rules.findings import ZONE_NOT_READABLE
from controller.rules.ownership import cell_of
from controller.rules.scope import deserves_reading, is_behind, meetings_of
from controller.runtime.budget import Budget
from controller.runtime.threads import Task, bounded
from controller.settings import Settings

#: While EC2's answers are behind the events: seconds between two looks, and seconds for all looks together.
LOOK_AGAIN_AFTER, LOOK_FOR = 2.0, 20.0
#: Seconds of the pass that are reserved for acting on what such a look shows.
TIME_TO_ACT = 10.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Observer:
    """Reads the world through the readers."""

    readers: Readers
    settings: Settings
    budget: Budget

    def everything(self) -> World:
        """Return the whole world."""
        records = self._begin("Cloudflare", self.readers.records.listing)
        rows = self._begin("DynamoDB", self.readers.table.live)
        listing, meetings = records.result(), {row.id: row for row in rows.result()}
        instances = _by_id(self._read("EC2", self.readers.fleet.tagged))
        zone, findings = self._zone(listing.records, listing.zone)
        world = self._of_read_cells(
            World(
                now=self.budget.clock.now(),
                instances=instances,
                absent=frozenset(),
                records=listing.records,
                meetings=meetings,
                rowless=frozenset(),
                zone=replace(zone, records=listing.zone.records),
                findings=(*listing.findings, *findings),
            )
        )
        listed = self._with_rows(world)
        whole = self._with_lookups(listed)
        return whole if whole is listed else self._with_rows(whole)

    def described(self, ids: frozenset[str], homes: Mapping[str, str] | None = None) -> dict[str, Instance]:
        """Return the instances among these that EC2 knows; ``homes`` are their cells, as far as these are known."""
        fleet, cells = self.readers.fleet, self.readers.cells
        return _by_id(self._read("EC2", lambda: cells.at_home(ids, homes or {}) if cells else fleet.by_id(ids)))

    def scoped(self, scope: frozenset[str], seen: Mapping[str, Instance]) -> World:
        """Return the world around these instances, as described. A stranger's running instance costs no more calls."""
        scope = frozenset(i for i in scope if deserves_reading(seen.get(i)))
        world = World(
            now=self.budget.clock.now(),
            instances={i: machine for i, machine in seen.items() if i in scope},
            absent=frozenset(),  # in a scoped pass absence proves nothing
            records=(),
            meetings={},
            rowless=frozenset(),
            zone=Zone(None),  # not proven to hold DOMAIN_ROOT
            scope=scope,
        )
        return self._with_zone(self._of_read_cells(self._with_surroundings(world))) if scope else world

    def again(self, world: World, instances: frozenset[str], meetings: frozenset[str]) -> World:
        """Return the world with these instances described again, and with all that carry these meetings' tags.

        The listing leaves out a machine that lost the project's tag, and a meeting must not end while it runs.
        """
        return self._with_zone(self._look_up(world, instances, meetings))

    def catching_up(self, ahead: frozenset[str], request: Request) -> Iterator[frozenset[str]]:
        """Yield machines as EC2's answers catch up with their events; at the end yield the remaining ones.

        No later event comes for these machines. Without this wait their users would wait for the schedule.
        """
        looks = int(LOOK_FOR / LOOK_AGAIN_AFTER)
        while ahead and looks and self.budget.remaining() > TIME_TO_ACT and not self.budget.is_stopped:
            self.budget.clock.sleep(LOOK_AGAIN_AFTER)
            looks -= 1
            seen = self.described(ahead, request.homes)
            now = self.budget.clock.now()
            still = frozenset(i for i in ahead if is_behind(seen.get(i), request.heard[i], now))
            if ahead - still:
                yield ahead - still
            ahead = still
        if ahead:
            yield ahead

    def names(self) -> World:
        """Return a world with the records at instances' names alone, for a caller that needs no other evidence."""
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
        """Return a whole world with these looked up as well. ``explain`` needs them, a pass does not."""
        world = self._with_unseen(world, frozenset(instances))
        tags = {machine.meeting for i in instances if (machine := world.instances.get(i)) and machine.meeting}
        unread = frozenset({*meetings, *tags}) - world.meetings.keys()
        rows = self._read("DynamoDB", lambda: self.readers.table.rows(unread))
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
        records = self._begin("Cloudflare", lambda: self.readers.records.listing(world.scope))
        rows = self._begin("DynamoDB", lambda: self.readers.table.rows(meetings))
        siblings = self._begin("EC2", lambda: self.readers.fleet.of_meetings(meetings))
        listing, found = records.result(), {row.id: row for row in rows.result()}
        return replace(
            world,
            instances={**world.instances, **_by_id(siblings.result())},
            records=listing.records,
            zone=listing.zone,
            meetings=found,
            rowless=meetings - found.keys(),
            findings=listing.findings,
        )

    def _with_zone(self, world: World) -> World:
        """Prove the zone if this scoped pass may write records: a machine in scope serves, or there are records."""
        in_scope = (machine for machine in world.instances.values() if machine.id in (world.scope or ()))
        serves = any(classify(machine, self.settings) is InstanceClass.SERVING for machine in in_scope)
        if world.zone.holds_domain or not (serves or world.records):
            return world
        zone, findings = self._zone(world.records, world.zone)
        return replace(world, zone=zone, findings=(*world.findings, *findings))

    def _with_rows(self, world: World) -> World:
        """Add the rows of machines that the first reading left out: history, or not in the index."""
        ids = frozenset(_meetings_to_read(world, self.settings))
        if not ids:
            return world
        found = {row.id: row for row in self._read("DynamoDB", lambda: self.readers.table.rows(ids))}
        return replace(world, meetings={**world.meetings, **found}, rowless=world.rowless | (ids - found.keys()))

    def _with_lookups(self, world: World) -> World:
        """Add the instances that an own record or a live row names, and that the listing left out."""
        facts = Facts.of(world, self.settings)
        named = {instance for instance in facts.records if facts.ours(instance)}
        for row in world.meetings.values():
            if row.status in LIVE_STATUSES:
                named |= linked_ids(row, self.settings) | set(named_ids(row).values())
        return self._with_unseen(world, frozenset(named))

    def _look_up(self, world: World, asked: frozenset[str], meetings: frozenset[str] = frozenset()) -> World:
        carrying = self._begin("EC2", lambda: self.readers.fleet.of_meetings(meetings)) if meetings else None
        homes = homes_of(world, self.settings)
        found = {**(_by_id(carrying.result()) if carrying else {}), **self.described(asked, homes)}
        kept = {i: machine for i, machine in world.instances.items() if i not in asked}
        missing = asked - found.keys() if world.scope is None else frozenset[str]()
        seen = replace(
            world,
            now=self.budget.clock.now(),
            instances={**kept, **found},
            absent=(world.absent - found.keys()) | missing,
        )
        return self._of_read_cells(seen)

    def _of_read_cells(self, world: World) -> World:
        """Return the world without what unread cells showed before, and without absence where they may have it."""
        errors = self.readers.unread()
        if not errors:
            return world
        unread, homes = frozenset(errors), homes_of(world, self.settings)
        return replace(
            world,
            instances={i: machine for i, machine in world.instances.items() if machine.cell not in unread},
            absent=frozenset(i for i in world.absent if homes.get(i) not in (None, *unread)),
            unread=unread,
            findings=(*world.findings, *(_not_read(cell, errors[cell]) for cell in sorted(unread - world.unread))),
        )

    def _zone(self, records: Collection[DnsRecord], known: Zone) -> tuple[Zone, tuple[Finding, ...]]:
        """Return the zone. A record under DOMAIN_ROOT proves that it holds DOMAIN_ROOT; without one, its name does."""
        if records:
            return replace(known, holds_domain=True), ()
        zone = known if known.name else self._read("Cloudflare", self.readers.records.zone)
        if zone.name is None:
            return zone, (ZONE_NOT_READABLE,)
        if not is_under(self.settings.domain_root, zone.name):
            raise MismatchError(
                f"DOMAIN_ROOT {readable(self.settings.domain_root)} is not in zone {readable(zone.name)}.",
                "Correct DOMAIN_ROOT or ZONE_ID. Nothing was planned.",
            )
        return replace(zone, holds_domain=True), ()

    def _begin(self, source: str, read: Callable[[], T]) -> Task[T]:
        return Task(lambda: _named(source, read), self.budget)

    def _read(self, source: str, read: Callable[[], T]) -> T:
        return bounded(lambda: _named(source, read), self.budget)


def _named(source: str, read: Callable[[], T]) -> T:
    """Return what was read. Raises ObservationError, which names the source."""
    try:
        return read()
    except CallError as error:
        raise ObservationError(
            f"Cannot read {error.source or source}, so nothing was planned: {error.message}", error.hint
        ) from error


def homes_of(world: World, settings: Settings) -> dict[str, str]:
    """Return by instance the cell that it lives in: where it was seen, else what all marks of our records there say."""
    if not settings.cells:
        return {}
    marked, torn = dict[str, str](), set[str]()
    for record in world.records:
        if (cell := cell_of(record, settings)) and marked.setdefault(record.instance, cell) != cell:
            torn.add(record.instance)
    for instance in torn:
        del marked[instance]
    return marked | {i: machine.cell for i, machine in world.instances.items() if machine.cell}


def _not_read(cell: str, error: CallError) -> Finding:
    """Return the finding about a cell that could not be read."""
    return Finding(
        "cell-not-read",
        cell,
        f"Cannot read the cell {cell}: {error.message} Nothing of its own was changed, no meeting was ended, and "
        "nothing was concluded from the absence of a machine that may live there.",
        f"{error.hint} elephant-dns doctor checks each cell.".lstrip(),
    )


def _by_id(instances: Iterable[Instance]) -> dict[str, Instance]:
    return {machine.id: machine for machine in instances}


def _meetings_to_read(world: World, settings: Settings) -> Iterable[str]:
    """Yield the meetings to read: of live machines, and with an index also of machines that are gone."""
    facts, known = Facts.of(world, settings), world.meetings.keys() | world.rowless
    for meeting, machines in facts.members.items():
        is_needed = settings.status_index is not None or any(facts.is_alive(machine.id) for machine in machines)
        if is_needed and meeting.strip() and meeting not in known:
            yield meeting
