"""Both clouds on loopback, as slow as real ones, with what an event needs."""

from types import TracebackType
from typing import Any, Self

from controller.sandbox.aws import AwsServer
from controller.sandbox.cloudflare import CloudflareServer
from tests.benchmarks.stopwatch import Stopwatch
from tests.support.build import link, name
from tests.support.encrypted import Encrypted
from tests.support.events import state_change
from tests.support.servers import Clouds


class Servers:
    """The servers, and the environment of a function that uses them."""

    def __init__(self) -> None:
        self.clouds = Clouds(AwsServer(), CloudflareServer("example.com", plan="pro"))

    def __enter__(self) -> Self:
        self.clouds.aws.start()
        self.clouds.cloudflare.start()
        self._encrypted = Encrypted(self.clouds.aws, self.clouds.cloudflare)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._encrypted.close()
        self.clouds.close()
        self.clouds.cloudflare.stop()
        self.clouds.aws.stop()

    def reset(self, cloudflare: float = 0.0, aws: float = 0.0) -> Stopwatch:
        """Empty clouds with these latencies in seconds; what is returned tells the requests."""
        watch = Stopwatch()
        self.clouds.reset()
        self.clouds.cloudflare.intercept = watch.before("cloudflare", cloudflare)
        self.clouds.aws.intercept = watch.before("aws", aws)
        return watch

    def environment(self) -> dict[str, str]:
        """Return the environment of a function."""
        return {**self.clouds.environment(), **self._encrypted.environment()}

    def launch(self, meeting: str, role: str = "teacher") -> str:
        """A machine that has just started, and its meeting's row."""
        return self.clouds.launch(meeting, role)

    @staticmethod
    def started(machine: str) -> dict[str, Any]:
        """The event of its start."""
        return state_change(machine)

    def check_linked(self, meeting: str, machine: str, role: str = "teacher") -> None:
        """Raises RuntimeError where a quick answer did not do its work."""
        row, address = self.clouds.aws.rows.get(meeting), self.clouds.address(machine)
        if row.get(f"{role}_ec2_link") != link(machine) or self.clouds.records().get(name(machine)) != [address]:
            raise RuntimeError(f"The machine {machine} of {meeting} has no record or no link: {row}.")
