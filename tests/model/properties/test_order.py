"""The order of doing: and how much one failure stops."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.errors import (
    AuthenticationError,
    CallError,
    DeadlineError,
    TerminalError,
    ThrottledError,
    TransientError,
)
from controller.model import Action, Change, Outcome, RecordChange, RowChange, RowWrite
from tests.model.properties.clouds import Clouds
from tests.model.properties.faults import RECORD_FAULTS, ROW_FAULTS, Calls, Fault, Script
from tests.model.properties.passes import Ran, applied, run
from tests.model.properties.profiles import COSTLY, PROMISE
from tests.model.properties.random_worlds import cases
from tests.model.properties.test_regressions import ONE, TWO, machine, record, world
from tests.support.build import link
from tests.support.journal import Refused, Write
from tests.support.spec import owners
from tests.support.spec import sight as spec
from tests.support.state import Case, Zone

KINDS = [Action.DELETE_RECORD, Action.UPDATE_RECORD, Action.CREATE_RECORD]


def record_writes(ran: Ran) -> list[RecordChange]:
    return [w for e in ran.journal if isinstance(e, Write) and not e.key for w in _wanted(e)]


def _wanted(event: Write) -> list[RecordChange]:
    assert not isinstance(event.wanted, RowWrite)
    return list(event.wanted)


@PROMISE
@given(cases())
def test_deletes_then_updates_then_creates_oldest_machine_first(case: Case) -> None:
    writes = record_writes(applied(case, force=True))
    assert [w.action for w in writes] == sorted([w.action for w in writes], key=KINDS.index)
    created = [case.state.instances[w.name.partition(".")[0]] for w in writes if w.action is Action.CREATE_RECORD]
    launched = [machine.launched_at for machine in created if machine.launched_at]
    assert launched == sorted(launched)


@PROMISE
@given(cases(), st.integers(0, 1 << 30))
def test_links_and_ends_follow_the_records_of_their_machines(case: Case, seed: int) -> None:
    ran = run(Clouds(case), force=True, seed=seed)
    moved: set[str | None] = set()
    still = [r.change.instance for r in ran.results if isinstance(r.change, RecordChange)]
    for event in ran.journal:
        if isinstance(event, Write) and not event.key:
            moved |= {write.name.partition(".")[0] for write in _wanted(event)}
        elif isinstance(event, Write):
            for change in _of_row(ran, event):
                needed = {change.instance} if change.action is Action.WRITE_LINK else set(change.evidence)
                assert moved.issuperset(needed.intersection(still))


def _of_row(ran: Ran, event: Write) -> list[Change]:
    """The changes that this write to a row has done: its end, or links."""
    changes = [r.change for r in ran.results if isinstance(r.change, RowChange) and r.change.meeting == event.key]
    if _kind(event)[0]:
        return [change for change in changes if change.action is Action.TERMINATE_MEETING]
    written = {name for name, _ in _row_write(event).sets}
    return [c for c in changes if c.action is Action.WRITE_LINK and f"{c.role}_ec2_link" in written]


def _kind(event: Write) -> tuple[bool, bool]:
    """Whether it ends a meeting, and whether it writes a link."""
    sets = _row_write(event).sets
    return ("status", "TERMINATED") in sets, any(name.endswith("_ec2_link") for name, _ in sets)


@PROMISE
@given(cases())
def test_writes_without_need_of_cloudflare_survive_failed_batches(case: Case) -> None:
    calm = applied(case, force=True)
    moving = {r.change.instance for r in calm.results if isinstance(r.change, RecordChange)}
    never = RECORD_FAULTS.index(Fault(DeadlineError))
    ran = run(Clouds(case), force=True, script=Script(record_writes=Calls(dict.fromkeys(range(50), never))))
    for result in ran.results:
        change = result.change
        machines = set(change.evidence) if change.action is Action.TERMINATE_MEETING else {change.instance}
        is_free = isinstance(change, RowChange) and (change.action is Action.CLEAR_LINK or moving.isdisjoint(machines))
        assert not is_free or result.outcome is Outcome.APPLIED, result


@PROMISE
@given(cases())
def test_a_meetings_end_is_one_write_and_each_link_is_written_once(case: Case) -> None:
    ran = applied(case, force=True)
    writes = [event for event in ran.journal if isinstance(event, Write) and event.key]
    ends = [event.key for event in writes if _kind(event)[0]]
    assert sorted(ends) == sorted(r.change.key for r in ran.results if r.change.action is Action.TERMINATE_MEETING)
    links = [(e.key, n) for e in writes for n, _ in _row_write(e).sets if n.endswith("_ec2_link")]
    assert len(links) == len(set(links))


def _row_write(event: Write) -> RowWrite:
    assert isinstance(event.wanted, RowWrite)
    return event.wanted


@COSTLY
@given(cases())
def test_one_refused_record_stops_only_what_depends_on_it(case: Case) -> None:
    calm = applied(case, force=True)
    for name in {r.change.key for r in calm.results if isinstance(r.change, RecordChange)}:
        for result in applied(case, force=True, script=Script(poison=name)).results:
            if result.change.key == name:
                assert result.outcome is Outcome.FAILED
            elif result.change.action is Action.WRITE_LINK and name.startswith(f"{result.change.instance}."):
                assert result.outcome is Outcome.NOT_REACHED
            else:
                assert result.outcome is Outcome.APPLIED


@PROMISE
@given(cases())
def test_quota_error_on_a_single_create_stops_further_creates(case: Case) -> None:
    room = sum(w.action is Action.DELETE_RECORD for w in record_writes(applied(case, force=True)))
    full = Case(case.state, case.settings, Zone(quota=len(case.state.records) - room))
    clouds = Clouds(full)
    ran = run(clouds, force=True)
    tried_alone = False
    for event in ran.journal:
        if isinstance(event, Refused):
            creates = [w for w in event.wanted if w.action is Action.CREATE_RECORD]
            assert not (tried_alone and creates)
            tried_alone |= len(event.wanted) == 1 and 81045 in event.codes
    for result in ran.results:
        is_create = result.change.action is Action.CREATE_RECORD
        assert (result.outcome is Outcome.FAILED) == is_create, result
        assert not is_create or "delete records that nobody needs" in str(result.error)


@pytest.mark.parametrize("count", [4, 40, 640])
def test_a_domain_that_refuses_every_create_costs_a_handful_of_calls(count: int) -> None:
    ids = [f"i-{number:08x}" for number in range(count)]
    case = world([machine(i, f"203.0.{100 + n // 250}.{n % 250 + 1}") for n, i in enumerate(ids)], [])
    ran = applied(case, script=Script(refused=89018))
    assert ran.calls.count("records.write") <= 3 + 2 * 8
    assert {(r.outcome, r.error) for r in ran.results} == {(Outcome.FAILED, ran.results[0].error)}


def test_mixed_refusals_stop_no_other_create() -> None:
    ids = [f"i-{number:08x}" for number in range(12)]
    case = world([machine(i, f"203.0.113.{n + 1}") for n, i in enumerate(ids)], [])
    ran = applied(case, script=Script(refused=89018, refused_names=frozenset(f"{i}.example.com" for i in ids[2:])))
    assert len(ran.ended(Outcome.APPLIED)) == 2


@PROMISE
@given(cases())
def test_a_records_delete_never_waits_for_a_row(case: Case) -> None:
    calm = applied(case, force=True)
    failing = dict.fromkeys(range(50), ROW_FAULTS.index(Fault(TerminalError)))
    ran = run(Clouds(case), force=True, script=Script(row_writes=Calls(failing)))
    assert _contents(ran) == _contents(calm)
    sight = spec.Sight.of(ran.state, case.settings)
    gone = [r for r in sight.records if spec.class_of(sight, r.instance) == spec.GONE]
    assert not [r for r in gone if owners.is_ours(r, case.settings)]


def _contents(ran: Ran) -> list[tuple[str, str, bool]]:
    return sorted((r.name, r.content, r.proxied) for r in ran.state.records.values())


def test_dead_link_is_removed_although_the_new_one_fails() -> None:
    row = {"status": "HEALTHY", "teacher_ec2_id": TWO, "teacher_ec2_link": link(ONE)}
    case = world([machine(ONE, None, state="terminated"), machine(TWO, "203.0.113.2")], [], m=row)
    ran = applied(case, script=Script(poison=f"{TWO}.example.com"))
    assert "teacher_ec2_link" not in ran.state.rows["m"]
    assert [r.outcome for r in ran.results if r.change.action is Action.WRITE_LINK] == [Outcome.NOT_REACHED]


@pytest.mark.parametrize("error", [ThrottledError, TransientError, TerminalError, AuthenticationError, DeadlineError])
def test_throttled_or_hopeless_batch_causes_no_more_calls(error: type[CallError]) -> None:
    machines = [machine(ONE, "203.0.113.1"), machine(TWO, "203.0.113.2")]
    case = world([*machines, machine("i-00000003", None, state="terminated")], [record("a", "i-00000003", "192.0.2.1")])
    ran = applied(case, script=Script(writes=Calls({0: RECORD_FAULTS.index(Fault(error))})))
    assert ran.calls.count("records.write") == 1
    assert {r.outcome for r in ran.results} <= {Outcome.FAILED, Outcome.NOT_REACHED}
    assert ran.state == case.state


@pytest.mark.parametrize(("is_readable", "limit", "batches"), [(False, 200, 3), (True, 200, 3), (True, 3500, 1)])
def test_many_changes_go_in_batches_of_what_the_zone_takes(is_readable: bool, limit: int, batches: int) -> None:
    ids = [f"i-{number:08x}" for number in range(450)]
    machines = [machine(i, f"203.0.{100 + n // 250}.{n % 250 + 1}") for n, i in enumerate(ids)]
    zone = Zone(is_readable=is_readable, batch_limit=limit)
    ran = applied(replace(world([*machines], [record("a", ids[0], "203.0.113.250")]), zone=zone))
    assert ran.calls.count("records.write") == batches
    assert len(ran.ended(Outcome.APPLIED)) == 450
