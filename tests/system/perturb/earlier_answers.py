"""What each question was answered before, and how the world was then: where stale answers come from."""

from collections import defaultdict
from dataclasses import dataclass, field

from controller.sandbox.cloudflare import Reply, Request
from tests.support.state import State
from tests.system.faults.calls import DESCRIBE, LIST, SCAN, Scene

#: Readings that are eventually consistent. A row is read by its key consistently, and a zone's name does not change.
STALE = (LIST, DESCRIBE, SCAN)

Question = tuple[str, bytes]


@dataclass(slots=True)
class Memory:
    """Answers to readings, by question."""

    answers: dict[Question, list[tuple[Reply, State]]] = field(default_factory=lambda: defaultdict(list))

    def keep(self, scene: Scene, reply: Reply) -> None:
        """Remember this answer."""
        if scene.operation in STALE:
            self.answers[_question(scene.request)].append((reply, scene.clouds.state()))

    def before(self, scene: Scene, now: Reply) -> tuple[Reply, State] | None:
        """What the same question was last answered otherwise than now; None where it never was."""
        kept = self.answers.get(_question(scene.request), [])
        return next((each for each in reversed(kept) if each[0].content != now.content), None)


def _question(request: Request) -> Question:
    return request.target, request.content
