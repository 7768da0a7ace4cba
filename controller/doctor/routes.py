"""What starts the function: a rule or a schedule, and the way that its events take."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Route:
    """How events come to the function: at its own ARN or an alias's, straight or through a queue that it reads."""

    function: str
    queue: str | None = None
    open: bool = True
    """Whether the function reads the queue now."""

    @property
    def target(self) -> str:
        """Return the ARN that a rule or a schedule names."""
        return self.queue or self.function

    @property
    def via(self) -> str:
        """Return the way as a piece of a sentence."""
        return f" by queue {self.queue.rpartition(':')[2]}" if self.queue else ""


@dataclass(frozen=True, slots=True)
class Trigger:
    """A rule of the default event bus, where EC2's events arrive, or a schedule of EventBridge Scheduler.

    It has a ``pattern``, a ``schedule``, or both. ``input``, ``path`` and ``template`` say what the target gets in
    place of the event, ``role`` who calls the target where that is not EventBridge itself.
    """

    kind: str
    name: str
    arn: str
    enabled: bool
    route: Route
    pattern: str | None = None
    schedule: str | None = None
    ends: datetime | None = None
    input: str | None = None
    path: str | None = None
    template: str | None = None
    paths: Mapping[str, str] | None = None
    role: str | None = None

    def __str__(self) -> str:
        """Return it as a sentence begins."""
        return f"{self.kind} {self.name}"
