"""Other hands: launchers, the health check, the terminator, users of the consoles, another deployment, another pass."""

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from controller.errors import RefusedError
from controller.model import DnsRecord, Instance, Value
from tests.model.properties.clouds import Clouds
from tests.model.properties.random_worlds import IDS, MEETINGS, ROUTABLE, Chooser, mark_of
from tests.support import zone
from tests.support.state import Row


class Meddle:
    """One random deed of another hand, decided when it is done; the same seed does the same in the same world."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __repr__(self) -> str:
        return f"Meddle({self.seed})"

    def __call__(self, clouds: Clouds) -> None:
        choose = Chooser(random.Random(self.seed))
        choose.one(DEEDS)(clouds, choose)


def health_check(clouds: Clouds, choose: Chooser) -> None:
    """An instance says that its desktop is warm; also after the fact."""
    _write_row(clouds, choose, {"status": choose.one(("HEALTHY", "IN_PROGRESS"))}, unless="TERMINATED")


def launcher(clouds: Clouds, choose: Chooser) -> None:
    """A machine is started for a role, and the row says so, perhaps a second time."""
    settings = clouds.case.settings
    meeting, role, instance = choose.one(MEETINGS), choose.one(settings.roles), choose.one(IDS)
    if instance in clouds.state.instances:
        return
    launched = clouds.moment().now - timedelta(seconds=choose.rng.randrange(90))
    address = choose.one(ROUTABLE) if choose.chance(0.7) else None
    machine = Instance(instance, "running" if address else "pending", address, True, meeting, role, launched)
    _set_instance(clouds, machine)
    row = {**clouds.state.rows.get(meeting, {}), f"{role}_ec2_id": instance, "status": "LAUNCHED"}
    clouds.state = replace(clouds.state, rows={**clouds.state.rows, meeting: row})


def terminator(clouds: Clouds, choose: Chooser) -> None:
    """A meeting is ended by the one whose job it is."""
    _write_row(clouds, choose, {"status": "TERMINATED", "termination_reason": "DONE"}, unless="TERMINATED")


def machine_changes(clouds: Clouds, choose: Chooser) -> None:
    """A machine starts, stops with its address, starts with another one, ends, or is forgotten by EC2."""
    if not clouds.state.instances:
        return
    machine = choose.one(sorted(clouds.state.instances.values(), key=lambda i: i.id))
    match choose.rng.randrange(4):
        case 0:
            now = clouds.moment().now
            _set_instance(clouds, replace(machine, state="running", public_ip=choose.one(ROUTABLE), launched_at=now))
        case 1:
            _set_instance(clouds, replace(machine, state=choose.one(("stopping", "stopped")), public_ip=None))
        case 2:
            _set_instance(clouds, replace(machine, state=choose.one(("shutting-down", "terminated")), public_ip=None))
        case _:
            rest = {i: m for i, m in clouds.state.instances.items() if i != machine.id}
            clouds.state = replace(clouds.state, instances=rest)


def tag_is_lost(clouds: Clouds, choose: Chooser) -> None:
    """By somebody's tag policy; or it says something else now."""
    for machine in clouds.state.instances.values():
        if choose.chance(0.3):
            role, meeting = choose.one((machine.role, None)), choose.one((machine.meeting, *MEETINGS[:2], "ghost"))
            _set_instance(clouds, replace(machine, tagged=choose.chance(0.5), role=role, meeting=meeting))
            return


def record_is_edited(clouds: Clouds, choose: Chooser) -> None:
    """Somebody at Cloudflare's dashboard: deletes, turns the proxy off, changes the address or the comment."""
    if not clouds.state.records:
        return
    record = choose.one(sorted(clouds.state.records.values(), key=lambda r: r.id))
    records = dict(clouds.state.records)
    if choose.chance(0.4):
        del records[record.id]
    else:
        edited = _edited(choose, record, mark_of(clouds.case.settings))
        _try_to_put(records, replace(edited, modified_on=clouds.moment().now))
    clouds.state = replace(clouds.state, records=records)


def record_is_made(clouds: Clouds, choose: Chooser) -> None:
    """By another deployment, by hand, or by another pass of our own."""
    instance, root = choose.one(IDS), clouds.case.settings.domain_root
    mark = mark_of(clouds.case.settings)
    comment = choose.one((mark, f"{mark}-staging x", ""))
    machine = clouds.state.instances.get(instance)
    content = (machine.public_ip if machine else None) or choose.one(ROUTABLE)
    records, new = dict(clouds.state.records), f"x{clouds.new_id()[1:]}"
    is_fine = zone.is_routable(content)
    now = clouds.moment().now
    _try_to_put(records, DnsRecord(new, f"{instance}.{root}", instance, "A", content, is_fine, comment, now, now))
    clouds.state = replace(clouds.state, records=records)


def link_is_taken(clouds: Clouds, choose: Chooser) -> None:
    """Another function writes or removes a link or an id."""
    role = choose.one(clouds.case.settings.roles)
    name = f"{role}_{choose.one(('ec2_link', 'ec2_id'))}"
    _write_row(clouds, choose, {name: choose.one((None, *IDS, "https://example.org"))})


def row_goes(clouds: Clouds, choose: Chooser) -> None:
    meeting = choose.one(MEETINGS)
    clouds.state = replace(clouds.state, rows={k: row for k, row in clouds.state.rows.items() if k != meeting})


def time_passes(clouds: Clouds, choose: Chooser) -> None:
    clouds.clock.sleep(choose.one((1.0, 30.0, 100.0)))


Deed = Callable[[Clouds, Chooser], None]

#: What neither EC2 nor the project's own functions do.
BY_HAND: tuple[Deed, ...] = (record_is_edited, record_is_made, link_is_taken, row_goes)

DEEDS: tuple[Deed, ...] = (
    health_check, launcher, terminator, machine_changes, machine_changes, tag_is_lost, record_is_edited, record_is_made,
    link_is_taken, row_goes, time_passes, health_check, launcher,
)  # fmt: skip


def _edited(choose: Chooser, record: DnsRecord, mark: str) -> DnsRecord:
    match choose.rng.randrange(3):
        case 0:
            return replace(record, proxied=False)
        case 1:
            return replace(record, comment=choose.one(("", f"{mark}-staging x", f"{mark} x")))
        case _:
            return replace(record, content=choose.one(ROUTABLE)) if record.type == "A" else record


def _try_to_put(records: dict[str, DnsRecord], record: DnsRecord) -> None:
    with suppress(RefusedError):
        zone.put(records, record)


def _set_instance(clouds: Clouds, machine: Instance) -> None:
    clouds.state = replace(clouds.state, instances={**clouds.state.instances, machine.id: machine})


def _write_row(clouds: Clouds, choose: Chooser, values: Mapping[str, Value], *, unless: str = "") -> None:
    if not clouds.state.rows:
        return
    meeting = choose.one(sorted(clouds.state.rows))
    row = clouds.state.rows[meeting]
    if row.get("status") == unless:
        return
    after: Row = {name: value for name, value in {**row, **values}.items() if value is not None}
    clouds.state = replace(clouds.state, rows={**clouds.state.rows, meeting: after})
