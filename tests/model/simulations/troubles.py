"""Other hands that do strange things, gradually: tag policies, renamings, odd rows, records at our names."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from controller.errors import RefusedError
from controller.model import DnsRecord, Instance
from tests.model.simulations.lessons import ROLES
from tests.model.simulations.world import Process, World
from tests.support import zone
from tests.support.history import Deployment, Machine

#: Something that goes on in a world, with chance of its own.
Meddler = Callable[[World, random.Random], Process]

FOREIGN = "elephant-dns:somebody/else x"


def tag_policy(world: World, rng: random.Random) -> Process:
    """Take the project's tag away from one machine after the other."""
    yield rng.uniform(1800, 5000)
    while True:
        if tagged := [m for m in _alive(world) if m.project]:
            machine = rng.choice(tagged)
            world.set_machine("tag policy", replace(machine, project="", changed_at=world.now))
        yield rng.uniform(20, 400)


def renamings(world: World, rng: random.Random) -> Process:
    """Give machines another MeetingID: mostly one without a row, now and then another meeting's; or another role."""
    yield rng.uniform(2400, 4500)
    for _ in range(3):
        for machine in _alive(world):
            if rng.random() < 0.7:
                others = [key for key in world.owners if key != machine.meeting]
                meeting = rng.choice(others) if others and rng.random() < 0.2 else f"renamed-{machine.meeting}"
                changes = {"role": "observer"} if rng.random() < 0.1 else {"meeting": meeting}
                world.set_instance("somebody", machine.instance.id, **changes)
        yield rng.uniform(1200, 3000)


def odd_rows(world: World, rng: random.Random) -> Process:
    """Fill the table with rows of somebody else's status that name old machines, and with history."""
    rows = dict(world.truth.rows)
    for number in range(250):
        status = rng.choice(("COMPLETED", "COMPLETED", "CANCELLED", "TERMINATED", "", "healthy"))
        ids = {f"{role}_ec2_id": f"i-{rng.getrandbits(68):017x}" for role in ROLES}
        rows[f"old-{number}"] = {**ids, "status": status, "meet_time": "2026-01-29T11:00:00Z"}
    world.change("somebody", replace(world.truth, rows=rows))
    yield 0.0


def wrong_ids(world: World, rng: random.Random) -> Process:
    """Let live rows name machines of another meeting, mostly ended ones, and mostly soon after their launch."""
    while True:
        yield rng.uniform(60, 400)
        over = [m for m in world.truth.machines.values() if m.is_over and m.deployment == "ours"]
        live = [key for key, row in world.truth.rows.items() if row.get("status") in ("LAUNCHED", "HEALTHY")]
        if over and live:
            key, machine = rng.choice(sorted(live)), rng.choice(over)
            roles = ROLES if rng.random() < 0.5 else (rng.choice(ROLES),)
            if machine.meeting != key:
                world.write_row("somebody", key, {f"{role}_ec2_id": machine.instance.id for role in roles})


def records_at_our_names(deployment: Deployment) -> Meddler:
    """Make records at our machines' names, without a mark or with another's, to the machine or anywhere; take links."""

    def meddle(world: World, rng: random.Random) -> Process:
        while True:
            yield rng.uniform(10, 300)
            mine = [m for m in _alive(world) if m.deployment == deployment.name]
            new = [m for m in mine if not m.is_warm]
            if mine:
                machine = rng.choice(new or mine)
                own = machine.instance.public_ip
                for content in rng.choice(((own,), (own,), ("198.51.100.7",), ("198.51.100.7", "198.51.100.8"))):
                    _put(world, deployment, machine, content, rng.choice(("", "created by hand", FOREIGN)))
                if rng.random() < 0.2:
                    world.write_row("somebody", machine.meeting, {f"{machine.role}_ec2_link": None})

    return meddle


def machines_elsewhere(place: str) -> Meddler:
    """Start some machines with the project's tag in another place, that no row knows."""

    def start(world: World, rng: random.Random) -> Process:
        for number in range(3):
            instance = Instance(
                f"i-{rng.getrandbits(68):017x}", "running", f"198.51.100.{20 + number}", True, f"demo-{number}",
                "teacher", world.now - timedelta(hours=1),
            )  # fmt: skip
            world.set_machine(
                "somebody",
                Machine(instance, place, "Elephant", "demo", f"demo-{number}", "teacher", world.now, is_warm=True),
            )
        yield 0.0

    return start


def _put(world: World, deployment: Deployment, machine: Machine, content: str | None, comment: str) -> None:
    if content is None:
        return
    instance = machine.instance.id
    name = f"{instance}.{deployment.root}"
    record = DnsRecord(f"x{world.new_number()}", name, instance, "A", content, True, comment, world.now, world.now)
    records = dict(world.truth.zones[deployment.root])
    with suppress(RefusedError):  # what Cloudflare would not have
        zone.put(records, record)
        world.write_records("somebody", deployment.root, records)


def _alive(world: World) -> list[Machine]:
    return [machine for machine in world.truth.machines.values() if machine.is_alive]
