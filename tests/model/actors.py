"""The cast of the model: launchers, desktops, users, the terminator, EC2, users of the consoles, other deployments.

First what each of them does to a meeting or a machine; then acts for a test that chooses; then deeds chosen at random.
The simulations have a cast of their own, because there a deed takes time (``lessons.py``), and so has the workload on
servers, because there a deed is a request (``cast.py``).
"""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from controller.errors import RefusedError
from controller.model import DnsRecord, Instance
from tests.model.properties.clouds import Clouds
from tests.model.properties.random_worlds import IDS, MEETINGS, ROUTABLE, Chooser, mark_of
from tests.support import zone
from tests.support.history import JOINABLE
from tests.support.state import Row


def schedule(clouds: Clouds, meeting: str, _: str) -> None:
    """A meeting is planned. Only this creates its row."""
    if meeting not in clouds.state.rows:
        _set_row(clouds, meeting, {"status": "SCHEDULED", "meet_time": "2026-01-31T12:05:00Z"})


def launch(clouds: Clouds, instance: str, meeting: str, role: str) -> None:
    """A machine for a role; the launcher writes its id, and LAUNCHED whatever was there."""
    launched = clouds.moment().now - timedelta(seconds=1)
    set_machine(clouds, Instance(instance, "pending", None, True, meeting, role, launched))
    if meeting in clouds.state.rows:
        write_row(clouds, meeting, {f"{role}_ec2_id": instance, "status": "LAUNCHED"})


def write_row(clouds: Clouds, meeting: str, values: Row) -> None:
    """An update by another function, which leaves a row that is history alone."""
    row = clouds.state.rows.get(meeting)
    if row is not None and row.get("status") != "TERMINATED":
        _set_row(clouds, meeting, {**row, **values})


def warm_up(clouds: Clouds, meeting: str, _: str) -> None:
    """The health check inside a machine."""
    write_row(clouds, meeting, {"status": "HEALTHY"})


def join(clouds: Clouds, meeting: str, role: str) -> None:
    """A user comes, and is sent to the link, or waits."""
    row = clouds.state.rows.get(meeting, {})
    if row.get("status") in JOINABLE and f"{role}_ec2_link" in row:
        write_row(clouds, meeting, {"status": "IN_PROGRESS"})


def terminate(clouds: Clouds, meeting: str, _: str) -> None:
    """The terminator, or the safety net: the machines go, and the row says why."""
    for machine in clouds.state.instances.values():
        if machine.meeting == meeting and machine.tagged and machine.state != "terminated":
            set_machine(clouds, replace(machine, state="shutting-down", public_ip=None))
    write_row(clouds, meeting, {"status": "TERMINATED", "termination_reason": "DONE"})


def run(clouds: Clouds, machine: Instance, address: str | None) -> None:
    """It starts, or starts again elsewhere, which renews its launch time; the address may come late."""
    launched = machine.launched_at if machine.state == "pending" else clouds.moment().now
    set_machine(clouds, replace(machine, state="running", public_ip=address, launched_at=launched))


def stop(clouds: Clouds, machine: Instance, address: str | None) -> None:
    """It stops, and has lost its address by the time it has stopped."""
    set_machine(clouds, replace(machine, state="stopping" if address else "stopped", public_ip=None))


def end(clouds: Clouds, machine: Instance, _: str | None) -> None:
    """By hand or by itself."""
    set_machine(clouds, replace(machine, state="shutting-down", public_ip=None))


def retag(clouds: Clouds, machine: Instance, _: str | None) -> None:
    """It loses its tag, or gets it back."""
    set_machine(clouds, replace(machine, tagged=not machine.tagged))


def retag_another(clouds: Clouds, machine: Instance, _: str | None) -> None:
    """Its tags say another meeting, or the other role."""
    role = "student" if machine.role == "teacher" else "teacher"
    is_odd = int(machine.id[-1], 16) % 2
    set_machine(clouds, replace(machine, meeting="ghost") if is_odd else replace(machine, role=role))


def fade(clouds: Clouds, machine: Instance) -> None:
    """What has ended is terminated, and then forgotten."""
    if machine.state == "shutting-down":
        set_machine(clouds, replace(machine, state="terminated"))
    else:
        forget(clouds, machine)


def forget(clouds: Clouds, machine: Instance) -> None:
    """EC2 does not know it any more."""
    rest = {i: m for i, m in clouds.state.instances.items() if i != machine.id}
    clouds.state = replace(clouds.state, instances=rest)


#: What may happen to a meeting (and a role), and to a machine that has not ended.
OF_A_MEETING = (schedule, warm_up, warm_up, warm_up, join, join, join, terminate)
OF_A_MACHINE = (run, run, run, run, stop, end, retag, retag_another)


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody does something to a meeting; between two calls of a pass as well."""

    deed: Callable[[Clouds, str, str], None]
    meeting: str
    role: str

    def __call__(self, clouds: Clouds) -> None:
        self.deed(clouds, self.meeting, self.role)


def change(clouds: Clouds, instance: str, how: Callable[[Clouds, Instance, str | None], None], to: str | None) -> None:
    """Something happens to a machine, if EC2 still knows it."""
    machine = clouds.state.instances.get(instance)
    if machine and machine.state in ("shutting-down", "terminated"):
        fade(clouds, machine)
    elif machine:
        how(clouds, machine, to)


def set_machine(clouds: Clouds, machine: Instance) -> None:
    """The machine is so from now on."""
    clouds.state = replace(clouds.state, instances={**clouds.state.instances, machine.id: machine})


def _set_row(clouds: Clouds, meeting: str, row: Row) -> None:
    clouds.state = replace(clouds.state, rows={**clouds.state.rows, meeting: row})


# Deeds at random


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
    status = choose.one(("HEALTHY", "IN_PROGRESS"))
    if clouds.state.rows:
        write_row(clouds, choose.one(sorted(clouds.state.rows)), {"status": status})


def launcher(clouds: Clouds, choose: Chooser) -> None:
    """A machine is started for a role, and the row says so, perhaps a second time."""
    settings = clouds.case.settings
    meeting, role, instance = choose.one(MEETINGS), choose.one(settings.roles), choose.one(IDS)
    if instance in clouds.state.instances:
        return
    launched = clouds.moment().now - timedelta(seconds=choose.rng.randrange(90))
    address = choose.one(ROUTABLE) if choose.chance(0.7) else None
    machine = Instance(instance, "running" if address else "pending", address, True, meeting, role, launched)
    set_machine(clouds, machine)
    row = {**clouds.state.rows.get(meeting, {}), f"{role}_ec2_id": instance, "status": "LAUNCHED"}
    _set_row(clouds, meeting, row)


def terminator(clouds: Clouds, choose: Chooser) -> None:
    """A meeting is ended by the function for it."""
    if clouds.state.rows:
        write_row(clouds, choose.one(sorted(clouds.state.rows)), {"status": "TERMINATED", "termination_reason": "DONE"})


def machine_changes(clouds: Clouds, choose: Chooser) -> None:
    """A machine starts, stops with its address, starts with another one, ends, or is forgotten by EC2."""
    if not clouds.state.instances:
        return
    machine = choose.one(sorted(clouds.state.instances.values(), key=lambda i: i.id))
    match choose.rng.randrange(4):
        case 0:
            now = clouds.moment().now
            set_machine(clouds, replace(machine, state="running", public_ip=choose.one(ROUTABLE), launched_at=now))
        case 1:
            set_machine(clouds, replace(machine, state=choose.one(("stopping", "stopped")), public_ip=None))
        case 2:
            set_machine(clouds, replace(machine, state=choose.one(("shutting-down", "terminated")), public_ip=None))
        case _:
            forget(clouds, machine)


def tag_is_lost(clouds: Clouds, choose: Chooser) -> None:
    """By somebody's tag policy; or it says something else now."""
    for machine in clouds.state.instances.values():
        if choose.chance(0.3):
            role, meeting = choose.one((machine.role, None)), choose.one((machine.meeting, *MEETINGS[:2], "ghost"))
            set_machine(clouds, replace(machine, tagged=choose.chance(0.5), role=role, meeting=meeting))
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
    value = choose.one((None, *IDS, "https://example.org"))
    if clouds.state.rows:
        meeting = choose.one(sorted(clouds.state.rows))
        row = {**clouds.state.rows[meeting], name: value}
        _set_row(clouds, meeting, {attribute: value for attribute, value in row.items() if value is not None})


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
