"""Those who share the clouds with the controller: schedulers, launchers, desktops, users, terminators, EC2 itself."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from controller.model import Instance
from tests.model.properties.clouds import Clouds
from tests.support.state import Row

#: Statuses in which the join function sends a user to a link.
JOINABLE = ("HEALTHY", "IN_PROGRESS")


def schedule(clouds: Clouds, meeting: str, _: str) -> None:
    """A meeting is planned; its row is made only here."""
    if meeting not in clouds.state.rows:
        _set_row(clouds, meeting, {"status": "SCHEDULED", "meet_time": "2026-01-31T12:05:00Z"})


def launch(clouds: Clouds, instance: str, meeting: str, role: str) -> None:
    """A machine for a role; the launcher writes its id, and LAUNCHED whatever was there."""
    launched = clouds.moment().now - timedelta(seconds=1)
    set_machine(clouds, Instance(instance, "pending", None, True, meeting, role, launched))
    if meeting in clouds.state.rows:
        write_row(clouds, meeting, {f"{role}_ec2_id": instance, "status": "LAUNCHED"})


def write_row(clouds: Clouds, meeting: str, values: Row) -> None:
    """An update by another function; a row that is history is left alone."""
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
