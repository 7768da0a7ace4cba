"""Messy worlds: every kind of change, in as few machines as that takes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from controller.sandbox.cloudflare import Permission, Reply
from tests.support.build import link
from tests.support.servers import Clouds, long_ago
from tests.system.faults.calls import BATCH, UPDATE, Call, Rule, Scene
from tests.system.faults.kinds import answer
from tests.system.faults.witness import row_of

#: In every row, and never in anything that we say.
PEOPLE = {"teacher_name": "Ada Confidential", "student_name": "Bob Confidential", "jitsi_url": "https://Confidential/"}
WRONG = "198.51.100.9"


def machine_id(number: int) -> str:
    """Return the id of the machine with this number. It is the same in every run."""
    return f"i-{number:017x}"


@dataclass(slots=True)
class Seeder:
    """Puts a messy fleet into empty clouds."""

    clouds: Clouds

    def machine(self, number: int, meeting: str, role: str = "teacher", **how: Any) -> str:
        """A machine with its own address, named by its row."""
        how = {"id": machine_id(number), "address": f"192.0.2.{number}", "age": None, **how}
        if how.get("state", "running") in ("terminated", "stopped"):
            how["address"] = None
        return self.clouds.launch(meeting, role, **how)

    def record(self, number: int, content: str | None = None, **fields: Any) -> None:
        """The machine's record, right unless said otherwise."""
        self.clouds.seed(machine_id(number), content or f"192.0.2.{number}", **fields)

    def row(self, meeting: str, **attributes: Any) -> None:
        """What else is in the row."""
        self.clouds.aws.rows.edit(meeting, **PEOPLE, **attributes)


def messy(clouds: Clouds) -> None:
    """Creates, updates, adoptions, deletes, links (two in one row), removals, ends (one on absence), and bystanders."""
    put = Seeder(clouds)
    _starts(put)
    _drifts(put)
    _ends(put)
    clouds.cloudflare.seed("www", "192.0.2.200")
    clouds.cloudflare.seed("i-0123-old", "192.0.2.201", comment="elephant-dns:123456789012/us-west-2")
    clouds.aws.machines.launch(tags={"Name": "database"}, id=machine_id(250), address="192.0.2.250")


def _starts(put: Seeder) -> None:
    put.machine(1, "new"), put.machine(2, "new", "student")
    put.row("new")
    put.machine(3, "early")
    put.record(3)
    put.row("early", teacher_ec2_link=link(machine_id(3)))
    put.machine(4, "replaced", state="terminated"), put.machine(5, "replaced")
    put.record(4)
    put.row("replaced", status="IN_PROGRESS", teacher_ec2_link=link(machine_id(4)))
    put.clouds.aws.machines.launch("nobody", "teacher", id=machine_id(6), address="192.0.2.6", launched_at=long_ago())
    put.machine(7, "starting", address=None)
    put.row("starting")


def _drifts(put: Seeder) -> None:
    for number, meeting in ((11, "moved"), (12, "adopted"), (13, "doubled"), (14, "foreign")):
        put.machine(number, meeting)
        put.row(meeting, status="HEALTHY", teacher_ec2_link=link(machine_id(number)))
    put.record(11, WRONG)
    put.record(12, comment=None, proxied=False)
    put.record(13)
    put.record(13, WRONG)
    put.record(14, comment="elephant-dns:somebody/else")
    put.machine(16, "elsewhere")
    put.record(16, WRONG, comment="elephant-dns:somebody/else")
    put.row("elsewhere", status="HEALTHY")
    put.machine(15, "history")
    put.row("history", status="TERMINATED", termination_reason="TIME_OVER", teacher_ec2_id=...)


def _ends(put: Seeder) -> None:
    put.machine(21, "half"), put.machine(22, "half", "student", state="stopped")
    put.machine(23, "over", state="terminated"), put.machine(24, "over", "student", state="terminated")
    put.machine(25, "absent"), put.machine(26, "absent", "student")
    put.machine(27, "untagged")
    put.machine(28, "late"), put.machine(29, "late", "student", state="terminated")
    for number in range(21, 30):
        put.record(number)
    for meeting, teacher, student in (("half", 21, 22), ("over", 23, 24), ("absent", 25, 26), ("late", 28, 28)):
        links = {"teacher_ec2_link": link(machine_id(teacher)), "student_ec2_link": link(machine_id(student))}
        put.row(meeting, status="IN_PROGRESS", **links)
    put.row("untagged", status="HEALTHY", teacher_ec2_link=link(machine_id(27)))
    put.row("late", meet_time="2020-01-31T12:00:00Z", student_ec2_link=...)
    put.clouds.aws.machines.purge(machine_id(25), machine_id(28))
    put.clouds.aws.machines.set_tags(machine_id(27), {"Name": "x"})


def fresh(clouds: Clouds) -> None:
    """Two lessons that begin, and an empty zone."""
    put = Seeder(clouds)
    put.machine(1, "new"), put.machine(2, "new", "student"), put.machine(3, "newer")
    put.row("new")
    put.row("newer")


def blind(clouds: Clouds) -> None:
    """The same with a token that may not read the zone."""
    fresh(clouds)
    clouds.aws.make_secret(clouds.cloudflare.add_token([Permission.DNS_WRITE], value="cfut_blind"))


def indexed(clouds: Clouds) -> None:
    """The messy fleet in a table with an index."""
    clouds.aws.make_table("indexed", index="by-status")
    messy(clouds)


def _moved_on(scene: Scene) -> Reply:
    row = str(row_of(scene.request))
    if scene.clouds.aws.rows.get(row).get("status") == "LAUNCHED":
        scene.clouds.aws.rows.edit(row, status="HEALTHY")
    return scene.proceed()


@dataclass(frozen=True, slots=True)
class Scenario:
    """A world, which pass goes over it, and what always happens there."""

    name: str
    fill: Callable[[Clouds], None]
    scope: frozenset[str] | None = None
    always: tuple[Rule, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self.name


SCOPE = frozenset(machine_id(number) for number in (1, 2, 4, 6, 11, 12, 15, 22, 23, 24, 25, 250))
FULL = Scenario("full", messy)
SCOPED = Scenario("scoped", messy, SCOPE)
FRESH = Scenario("fresh", fresh, frozenset({machine_id(1)}))
BLIND = Scenario("blind", blind)
INDEXED = Scenario("indexed", indexed, environment=(("TABLE_NAME", "indexed"), ("STATUS_INDEX", "by-status")))
#: The batch's answer is lost before anything is done, and rows move on: the second looks of a pass can fail as well.
CONTENDED = Scenario(
    "contended",
    messy,
    always=(Rule(Call(BATCH), answer(Reply.nothing())), Rule(Call(UPDATE), _moved_on, times=None)),
)
SCENARIOS = {scenario.name: scenario for scenario in (FULL, SCOPED, FRESH, BLIND, INDEXED, CONTENDED)}
