"""What a kind of fault is, and the answers that many of them share."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from controller.sandbox.cloudflare import Reply
from tests.support.spec.in_truth import Excuse
from tests.system.faults.calls import DESCRIBE, LIST, Play, Scene

#: Seconds that a pass gets; where something hangs it is real time.
PLENTY, SHORT = 600.0, 1.0
#: Seconds of silence: longer than any pass, and ended by the servers' reset.
FOR_EVER = 60.0


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to fail, at certain operations."""

    name: str
    at: tuple[str, ...]
    play: Play
    times: int | None = 1
    seconds: float = PLENTY
    moves_world: bool = False  # another hand changes the world, so that its end is another one
    overtakes: bool = False  # another hand is at a record just before us, and Cloudflare has no conditional write
    lies: bool = False  # a reading is wrong and looks right, so that a link may rest on what is not there
    family: str = ""  # what it is one form of: another body, or again and again

    def __str__(self) -> str:
        return self.name

    @property
    def excuse(self) -> Excuse:
        """What a pass that met it could not know."""
        is_blind = self.lies and (LIST in self.at or (DESCRIBE in self.at and self.times is None))
        return Excuse(self.lies, is_blind, self.overtakes)

    @property
    def whole_family(self) -> tuple[tuple[str, ...], str]:
        """The same for all forms of it."""
        return self.at, self.family or self.name


def lasting(kinds: Iterable[Kind]) -> list[Kind]:
    """The same kinds, from the call on to the end of the pass."""
    return [replace(k, name=f"{k.name}-for-good", times=None, family=k.family or k.name) for k in kinds]


def answer(reply: Reply) -> Play:
    """This, in place of the API."""
    return lambda scene: reply


def after(spoil: Play) -> Play:
    """Let the API act, then spoil its answer; ``spoil`` gets a scene with that answer as its ``proceed``."""

    def play(scene: Scene) -> Reply:
        reply = scene.proceed()
        return spoil(replace(scene, proceed=lambda: reply))

    return play


def lost(scene: Scene) -> Reply:
    """The connection closes without an answer."""
    return scene.proceed().lost()


def lost_by_reset(scene: Scene) -> Reply:
    """The connection is reset without an answer."""
    return scene.proceed().lost("reset")


def hung(scene: Scene) -> Reply:
    """No answer for as long as anybody waits."""
    return scene.proceed().delayed(FOR_EVER)


def late(scene: Scene) -> Reply:
    """The answer takes its time."""
    return scene.proceed().delayed(0.1)


def cut_in_half(scene: Scene) -> Reply:
    """Half of the body arrives, and then the connection closes."""
    reply = scene.proceed()
    return reply.cut(len(reply.content) // 2)


def head_only(scene: Scene) -> Reply:
    """The head arrives, and then the connection is reset."""
    return scene.proceed().cut(0, "reset")


def shortened(scene: Scene) -> Reply:
    """A body that is whole by its length, and lacks its end."""
    reply = scene.proceed()
    return replace(reply, content=reply.content[:-9])


def dribbled_head(scene: Scene) -> Reply:
    """Byte by byte, and never whole."""
    return scene.proceed().dribbled(0.05, "head")


def dribbled_body(scene: Scene) -> Reply:
    """The head at once, the body byte by byte, and never whole."""
    reply = scene.proceed()
    return replace(reply, content=reply.content + b" " * 10_000).dribbled(0.05)


def closed_afterwards(scene: Scene) -> Reply:
    """A good answer on a connection that closes unannounced."""
    return scene.proceed().then("close")


def reset_afterwards(scene: Scene) -> Reply:
    """A good answer on a connection that is reset."""
    return scene.proceed().then("reset")


def broken_wires(operations: tuple[str, ...]) -> list[Kind]:
    """What can happen to any connection."""
    silent = answer(Reply.nothing())
    kinds = [
        Kind("closed-before", operations, silent),
        Kind("reset-before", operations, answer(Reply.nothing("reset"))),
        Kind("lost-after", operations, lost),
        Kind("reset-after", operations, lost_by_reset),
        Kind("cut-in-half", operations, cut_in_half),
        Kind("head-only", operations, head_only),
        Kind("shortened", operations, shortened),
    ]
    harmless = [
        Kind("late", operations, late),
        Kind("closed-afterwards", operations, closed_afterwards),
        Kind("reset-afterwards", operations, reset_afterwards),
    ]
    slow = [
        Kind("hung-before", operations, answer(Reply.of(200, {}).delayed(FOR_EVER)), seconds=SHORT),
        Kind("hung-after", operations, hung, seconds=SHORT),
        Kind("dribbled-head", operations, dribbled_head, seconds=SHORT),
        Kind("dribbled-body", operations, dribbled_body, seconds=SHORT),
    ]
    return [*kinds, *lasting(kinds), *harmless, *slow]
