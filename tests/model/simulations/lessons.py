"""Who else moves the world: the scheduler, the launcher, EC2 itself, the health check, users, who ends and who meddles.

Each is a process of its own, and none of them looks at what the controller thinks.
"""

import random
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from controller.model import Instance
from tests.model.simulations.world import Process, World
from tests.support.history import JOINABLE, Deployment, Machine

ROLES = ("teacher", "student")


class Incident(StrEnum):
    """What befalls a lesson."""

    NOTHING = "nothing"
    STOP_AND_START = "a machine is stopped and started: it gets another address"
    REPLACED = "a machine dies in the lesson, and the launcher starts another one"
    KEEPS_ADDRESS = "a machine with an Elastic IP is stopped and started"
    BOTH_STOP = "both machines are stopped, and started again"
    BOTH_DIE = "both machines die, and the meeting is launched anew a minute later"
    SECOND = "the launcher starts a second machine for a role, and the row names either, or none"
    DIES = "a machine dies, and is not replaced"


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson as it will go."""

    meeting: str
    deployment: Deployment
    begins: float  # seconds after the world's beginning
    lasts: float
    incident: Incident
    is_ended: bool  # by the terminator; else the machines shut themselves down, and nobody says so
    launches_late: float = 8.0  # seconds between RunInstances and what the row says of it
    tags_late: float = 0.0  # how often the tags come only some seconds after the launch
    is_forgotten: bool = False  # nobody ends it: it runs for days
    is_reused: bool = False  # the row is of a lesson of the day before, and keeps its time


def hold(world: World, lesson: Lesson) -> Process:
    """Everything about a lesson, from its row to its end."""
    rng, key = world.rng(lesson.meeting), lesson.meeting
    world.owners[key] = lesson.deployment.name
    meets = world.now + timedelta(seconds=lesson.begins)
    row = {"status": "SCHEDULED", "meet_time": meets.isoformat(), "teacher_name": "Grace Hopper"}
    if lesson.is_reused:
        row |= {"status": "TERMINATED", "meet_time": (meets - timedelta(hours=26)).isoformat()}
    world.write_row("scheduler", key, row)
    yield max(0.0, lesson.begins - 300)
    yield from _launch_both(world, lesson, rng)
    yield max(0.0, (meets - world.now).total_seconds())
    for role in ROLES:
        world.spawn(_join(world, key, role), rng.uniform(0, 120))
    yield lesson.lasts * rng.uniform(0.2, 0.6)
    yield rng.choice((0.0, 0.0, world.to_tick(rng, -60, 5)))
    yield from _befall(world, lesson, rng)
    yield lesson.lasts * rng.uniform(0.4, 0.6)
    if lesson.is_forgotten:
        return
    for machine in _alive(world, key):
        world.spawn(end(world, machine.instance.id), rng.uniform(0, 20))
    if lesson.is_ended:
        yield rng.uniform(0, 10)
        world.write_row("terminator", key, {"status": "TERMINATED", "termination_reason": "DONE"})


def _launch_both(world: World, lesson: Lesson, rng: random.Random) -> Process:
    for role in ROLES:
        yield from launch(world, lesson, role, rng)
        yield rng.uniform(1, 40)


def launch(world: World, lesson: Lesson, role: str, rng: random.Random, *, names: bool = True) -> Process:
    """The launcher starts a machine, and a little later the row says so."""
    us = lesson.deployment
    instance = f"i-{rng.getrandbits(68):017x}"
    new = Instance(instance, "pending", None, True, lesson.meeting, role, world.now)
    machine = Machine(new, us.place, us.settings.project_tag[1], us.name, lesson.meeting, role, world.now)
    if rng.random() < lesson.tags_late:
        untagged = replace(machine, instance=replace(new, meeting=None, role=None), project="")
        world.set_machine("ec2", untagged)
        world.spawn(_tag(world, machine), rng.uniform(1, 60))
    else:
        world.set_machine("ec2", machine)
    world.spawn(boot(world, instance), _soon(world, rng))
    yield rng.uniform(0.2, lesson.launches_late)
    row = world.truth.rows.get(lesson.meeting, {})
    is_over = row.get("status") == "TERMINATED" and not lesson.is_reused
    names_it = {f"{role}_ec2_id": instance} if names else {}
    world.write_row("launcher", lesson.meeting, {**names_it, "status": row.get("status") if is_over else "LAUNCHED"})


def _tag(world: World, machine: Machine) -> Process:
    """The launcher's tags arrive."""
    tags = machine.instance
    world.set_instance("launcher", tags.id, meeting=tags.meeting, role=tags.role)
    now = world.truth.machines[tags.id]
    world.set_machine("launcher", replace(now, project=machine.project, changed_at=world.now))
    yield 0.0


def _soon(world: World, rng: random.Random) -> float:
    """Seconds that a start takes; often it ends just when a scheduled pass begins."""
    seconds = world.to_tick(rng, -12, 3)
    return seconds if 3 < seconds < 70 else rng.uniform(4, 40)


def boot(world: World, instance: str) -> Process:
    """The machine comes up, perhaps without its address for a moment; its desktop is warm minutes later."""
    rng = world.rng("boot", instance, world.now)
    if not _is_in(world, instance, "pending"):
        return
    if rng.random() < 0.3:
        world.set_instance("ec2", instance, state="running")
        yield rng.uniform(0.5, 20)
    if not _is_in(world, instance, "pending", "running"):
        return
    address = world.truth.address(instance) or world.new_address(rng, instance)
    up = world.set_instance("ec2", instance, state="running", public_ip=address)
    yield rng.uniform(20, 200)
    machine = world.truth.machines[instance]
    if machine.is_up and machine.instance.launched_at == up.instance.launched_at:
        world.set_machine("desktop", replace(machine, is_warm=True))
        if world.truth.rows.get(machine.meeting, {}).get("status") not in ("TERMINATED", "IN_PROGRESS", None):
            world.write_row("health check", machine.meeting, {"status": "HEALTHY"})


def _join(world: World, meeting: str, role: str) -> Process:
    """A user polls the join function, which takes the status and the link for granted."""
    for _ in range(100):
        row = world.truth.rows.get(meeting, {})
        if row.get("status") == "HEALTHY" and row.get(f"{role}_ec2_link"):
            world.write_row("join", meeting, {"status": "IN_PROGRESS"})
        if row.get("status") in (*JOINABLE[1:], "TERMINATED"):
            return
        yield 20.0


def _befall(world: World, lesson: Lesson, rng: random.Random) -> Process:
    alive = _alive(world, lesson.meeting)
    if not alive or lesson.incident is Incident.NOTHING:
        return
    machine = alive[rng.randrange(len(alive))]
    match lesson.incident:
        case Incident.STOP_AND_START | Incident.KEEPS_ADDRESS:
            keeps = lesson.incident is Incident.KEEPS_ADDRESS
            yield from stop_and_start(world, machine.instance.id, rng, keeps_address=keeps)
        case Incident.BOTH_STOP:
            for each in alive:
                world.spawn(stop_and_start(world, each.instance.id, rng), rng.uniform(0, 5))
        case Incident.DIES:
            yield from end(world, machine.instance.id)
        case Incident.REPLACED:
            world.spawn(end(world, machine.instance.id))
            yield rng.uniform(5, 240)
            yield from launch(world, lesson, machine.role, rng)
        case Incident.BOTH_DIE:
            yield world.to_tick(rng, 30, 100)  # no scheduled pass comes in between, which might end the meeting
            for each in _alive(world, lesson.meeting):
                world.spawn(end(world, each.instance.id), rng.uniform(0, 5))
            yield rng.uniform(40, 80)
            yield from _launch_both(world, lesson, rng)
        case Incident.SECOND:
            names = rng.choice((True, False, False))
            if not names and rng.random() < 0.5:
                world.write_row("somebody", lesson.meeting, {f"{machine.role}_ec2_id": None})
            yield from launch(world, lesson, machine.role, rng, names=names)


def stop_and_start(world: World, instance: str, rng: random.Random, *, keeps_address: bool = False) -> Process:
    """By hand: the address is given back, and the machine comes up again with another one, launched anew."""
    if not _is_in(world, instance, "running"):
        return
    _give_back(world, instance, "stopping", keeps_address=keeps_address)
    yield rng.uniform(10, 40)
    world.set_instance("ec2", instance, state="stopped")
    yield rng.choice((5.0, 30.0, 200.0, 700.0, world.to_tick(rng, -40, -5)))
    world.set_instance("ec2", instance, state="pending", launched_at=world.now)
    world.spawn(boot(world, instance), _soon(world, rng))


def end(world: World, instance: str) -> Process:
    """The machine shuts down, and has ended half a minute later."""
    if world.truth.machines[instance].is_over:
        return
    _give_back(world, instance, "shutting-down")
    yield world.rng("end", instance).uniform(5, 60)
    world.set_instance("ec2", instance, state="terminated")


def _give_back(world: World, instance: str, state: str, *, keeps_address: bool = False) -> None:
    cold = replace(world.truth.machines[instance], is_warm=False)
    world.set_machine("desktop", cold)
    if keeps_address:
        world.set_instance("ec2", instance, state=state)
    else:
        world.release(instance)
        world.set_instance("ec2", instance, state=state, public_ip=None)


def _is_in(world: World, instance: str, *states: str) -> bool:
    return world.truth.machines[instance].instance.state in states


def _alive(world: World, meeting: str) -> list[Machine]:
    return [m for m in world.truth.machines.values() if m.meeting == meeting and not m.is_over]
