"""Those who share the clouds with the controller: schedulers, launchers, desktops, users, terminators, EC2 itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from controller.model import Instance
from tests.properties.clouds import Clouds
from tests.properties.state import Row

#: Statuses in which the join function sends a user to a link.
JOINABLE = ("HEALTHY", "IN_PROGRESS")


def schedule(clouds: Clouds, meeting: str) -> None:
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


def warm_up(clouds: Clouds, meeting: str) -> None:
    """The health check inside a machine."""
    write_row(clouds, meeting, {"status": "HEALTHY"})


def join(clouds: Clouds, meeting: str, role: str) -> str | None:
    """A user comes: where the join function sends them, if anywhere."""
    row = clouds.state.rows.get(meeting, {})
    link = row.get(f"{role}_ec2_link")
    if row.get("status") not in JOINABLE or not isinstance(link, str):
        return None
    write_row(clouds, meeting, {"status": "IN_PROGRESS"})
    return link


def terminate(clouds: Clouds, meeting: str) -> None:
    """The terminator, or the safety net: the machines go, and the row says why."""
    for machine in clouds.state.instances.values():
        if machine.meeting == meeting and machine.tagged and machine.state != "terminated":
            set_machine(clouds, replace(machine, state="shutting-down", public_ip=None))
    write_row(clouds, meeting, {"status": "TERMINATED", "termination_reason": "DONE"})


def change(clouds: Clouds, instance: str, how: Callable[[Instance], Instance]) -> None:
    """Something happens to a machine, if EC2 still knows it and it has not ended."""
    machine = clouds.state.instances.get(instance)
    if machine and machine.state not in ("shutting-down", "terminated"):
        set_machine(clouds, how(machine))


def end(clouds: Clouds, instance: str) -> None:
    """By hand, by itself, and further: shutting down, terminated, forgotten."""
    machine = clouds.state.instances.get(instance)
    if machine is None:
        return
    if machine.state == "terminated":
        rest = {i: m for i, m in clouds.state.instances.items() if i != instance}
        clouds.state = replace(clouds.state, instances=rest)
    else:
        state = "terminated" if machine.state == "shutting-down" else "shutting-down"
        set_machine(clouds, replace(machine, state=state, public_ip=None))


def set_machine(clouds: Clouds, machine: Instance) -> None:
    """The machine is so from now on."""
    clouds.state = replace(clouds.state, instances={**clouds.state.instances, machine.id: machine})


def _set_row(clouds: Clouds, meeting: str, row: Row) -> None:
    clouds.state = replace(clouds.state, rows={**clouds.state.rows, meeting: row})
