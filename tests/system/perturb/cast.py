"""Those who share the clouds with the controller, and do the same in every run."""

from dataclasses import dataclass, field

from tests.support.servers import Clouds
from tests.system.faults.scenarios import PEOPLE, machine_id

#: Statuses in which the join function sends a user to a link.
JOINABLE = ("HEALTHY", "IN_PROGRESS")


@dataclass(slots=True)
class People:
    """Scheduler, launcher, health check, users, terminator, others in the zone, and EC2."""

    clouds: Clouds
    _waiting: list[tuple[str, str]] = field(default_factory=list)  # users at a page that keeps polling

    def schedule(self, *meetings: str) -> None:
        """Lessons are planned."""
        for meeting in meetings:
            self.clouds.aws.rows.put(meeting, status="SCHEDULED", meet_time="2026-01-31T12:05:00Z", **PEOPLE)

    def launch(self, number: int, meeting: str, role: str, *, address: str | None = "") -> None:
        """A machine for a role, and its id in the row; its address may come later."""
        address = f"192.0.2.{number}" if address == "" else address
        self.clouds.aws.machines.launch(meeting, role, id=machine_id(number), address=address)
        self.clouds.aws.rows.edit(meeting, status="LAUNCHED", **{f"{role}_ec2_id": machine_id(number)})

    def get_address(self, number: int, address: str | None) -> None:
        """It has its address at last."""
        self.clouds.aws.machines.set_address(machine_id(number), address)

    def stop(self, number: int) -> None:
        """It stops, and loses its address."""
        self.clouds.aws.machines.stop(machine_id(number))

    def start(self, number: int) -> None:
        """It starts again, and has no address yet."""
        self.clouds.aws.machines.start(machine_id(number))
        self.get_address(number, None)

    def begin_again(self, number: int) -> None:
        """It stops and starts before anybody looks, and is still starting; its address is an Elastic IP address."""
        self.clouds.aws.machines.set_state(machine_id(number), "pending")

    def run_again(self, number: int) -> None:
        """It has started."""
        self.clouds.aws.machines.set_state(machine_id(number), "running")

    def lose_sight_of(self, number: int) -> None:
        """EC2 lags behind: it does not know the machine, which is there all the same."""
        self.clouds.aws.machines.purge(machine_id(number))

    def see_again(self, number: int, meeting: str, role: str) -> None:
        """EC2 knows it again."""
        self.clouds.aws.machines.launch(meeting, role, id=machine_id(number), address=f"192.0.2.{number}")

    def write_record(self, number: int, comment: str | None) -> None:
        """Somebody else writes a record at a machine's name: another deployment, or a hand."""
        self.clouds.seed(machine_id(number), f"198.51.100.{number}", comment=comment, proxied=False)

    def end(self, number: int) -> None:
        """It shuts itself down."""
        self.clouds.aws.machines.terminate(machine_id(number))

    def warm_up(self, meeting: str) -> None:
        """The health check inside the machines."""
        self.clouds.aws.rows.edit(meeting, status="HEALTHY")

    def join(self, meeting: str, *roles: str) -> None:
        """Users come."""
        self._waiting += [(meeting, role) for role in roles]

    def poll(self) -> None:
        """Each user who waits is let in, or waits on."""
        waiting, self._waiting = self._waiting, []
        for meeting, role in waiting:
            row = self.clouds.aws.rows.get(meeting)
            if row["status"] in JOINABLE and f"{role}_ec2_link" in row:
                self.clouds.aws.rows.edit(meeting, status="IN_PROGRESS")
            else:
                self._waiting.append((meeting, role))

    def terminate(self, meeting: str, *numbers: int) -> None:
        """The terminator."""
        for number in numbers:
            self.end(number)
        self.clouds.aws.rows.edit(meeting, status="TERMINATED", termination_reason="TIME_OVER")
