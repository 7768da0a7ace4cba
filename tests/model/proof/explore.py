"""What is asked of a small world, by real passes over the model clouds, each step judged by the specification.

Of every world, and of every state in which a pass that was cut short can leave it, be it cut again and again:

* every write of a full pass is allowed;
* the pass ends with the world right, and the next one plans nothing (in a few worlds the next but one).

Of every world besides: a pass for one machine, or for those that its family names, plans what the full pass plans for
them, its writes are allowed, and wherever it is cut short the above holds; and where something rests on absence, so
does the pass without force where the owner id does not name the place, which holds that and nothing else.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import product

from controller.model import Action, DeleteRecord, DnsRecord, Outcome, RecordChange, RowWrite, UpdateRecord
from tests.model.properties.clouds import Clouds
from tests.model.properties.passes import Ran, run_in_turns
from tests.model.properties.schedule import unlike_the_full_pass
from tests.support.journal import Write
from tests.support.spec.allowed import misdeeds
from tests.support.spec.guarded import is_held, rests_on
from tests.support.spec.right import takes_two_passes, wrongs
from tests.support.spec.sight import Sight
from tests.support.state import Case, State

Scope = Collection[str] | None
Records = dict[str, DnsRecord]


@dataclass(slots=True)
class Explorer:
    """Remembers where it has been, so that no state is explored twice."""

    counts: Counter[str] = field(default_factory=Counter)
    _wrong: list[str] = field(default_factory=list)
    _quiet: dict[Hashable, bool] = field(default_factory=dict)

    def explore(self, case: Case, scopes: Iterable[Collection[str]] = ()) -> list[str]:
        """Everything that is wrong with what the controller does in this world, as sentences.

        ``scopes`` are those of passes for several machines, or for one that no machine and no record tells of.
        """
        self._wrong = []
        self.counts["small worlds"] += 1
        full = self._settle(case).results
        sight = Sight.of(case.state, case.settings)
        if any(rests_on(result, sight) for result in full):
            self._pass(replace(case, settings=replace(case.settings, place=None)), None, force=False)
        machines = sorted({*case.state.instances, *(r.instance for r in case.state.records.values())})
        for scope in (*([machine] for machine in machines), *scopes):
            scoped = self._pass(case, scope, force=True)
            self._wrong += unlike_the_full_pass(case, scope, full, scoped.results)
        return self._wrong

    def _settle(self, case: Case) -> Ran:
        """A full pass, and what must be true after it and after the next."""
        key = _key(case)
        self._quiet[key] = False  # while it is being explored
        ran = self._pass(case, None, force=True)
        self._quiet[key] = is_quiet = not ran.results
        if is_quiet:
            self._wrong += wrongs(case.state, case.settings)
        elif not self._is_quiet(replace(case, state=ran.state)) and not takes_two_passes(case.state, case.settings):
            self._wrong.append(f"the next pass has something left to do, or to undo: {ran.state}")
        return ran

    def _is_quiet(self, case: Case) -> bool:
        """Whether a full pass leaves this state as it is. Unless it was explored before, it is now."""
        key = _key(case)
        if key not in self._quiet:
            self._settle(case)
        return self._quiet[key]

    def _pass(self, case: Case, scope: Scope, *, force: bool) -> Ran:
        """One pass, and every state in which it might have been cut short."""
        ran = run_in_turns(Clouds(case), scope, force=force)
        self.counts["passes over small worlds"] += 1
        self._wrong += misdeeds(ran.journal, case.settings, scope, force=force)
        undone = [r for r in ran.results if r.outcome is not Outcome.APPLIED]
        sight = Sight.of(case.state, case.settings)
        self._wrong += [f"{r.change.key}: {r.outcome} {r.error}" for r in undone if force or not is_held(r, sight)]
        for state in cut_short(case.state, ran):
            self.counts["steps of these passes"] += 1
            self._is_quiet(replace(case, state=state))
        return ran


def cut_short(start: State, ran: Ran) -> Iterator[State]:
    """Every state that the pass went through, or might have: what a row needs nothing from Cloudflare for runs beside.

    These are removals, links to machines with records in place before, and ends of machines without any to delete.
    """
    writes = [event for event in ran.journal if isinstance(event, Write)]
    moving = {str(r.change.instance) for r in ran.results if isinstance(r.change, RecordChange)}
    zones, tables = [dict(start.records)], [start.rows]
    for event in writes:
        if not event.key:
            zones += _one_by_one(event)
        elif moving.isdisjoint(_needed_by(event, ran)):
            tables.append(event.after.rows)
    for records, rows in list(product(zones, tables))[1:]:
        yield replace(start, records=records, rows=rows)
    yield from (event.after for event in writes if event.key)


def _needed_by(event: Write, ran: Ran) -> set[str]:
    """Return the machines with records that this write to a row waits for."""
    assert isinstance(event.wanted, RowWrite)
    changes = [r.change for r in ran.results if r.change.key == event.key and event.wanted.sets]
    links = {str(c.instance) for c in changes if c.action is Action.WRITE_LINK}
    return links.union(*(c.evidence for c in changes if c.action is Action.TERMINATE_MEETING))


def _one_by_one(batch: Write) -> Iterator[Records]:
    """The zone after each write of a batch, which might have been sent in as many batches."""
    records = dict(batch.before.records)
    made = {record.name: record for key, record in batch.after.records.items() if key not in records}
    assert not isinstance(batch.wanted, RowWrite)
    for write in batch.wanted:
        match write:
            case DeleteRecord():
                del records[write.id]
            case UpdateRecord():
                records[write.id] = batch.after.records[write.id]
            case _:
                records[made[write.name].id] = made[write.name]
        yield dict(records)


def _key(case: Case) -> Hashable:
    state = case.state
    rows = frozenset((key, frozenset(row.items())) for key, row in state.rows.items())
    return case.settings, frozenset(state.instances.values()), frozenset(state.records.values()), rows
