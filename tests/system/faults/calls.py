"""The calls of a pass, named and counted, and what happens at the n-th of them."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from controller.sandbox.aws_http import operation_of
from controller.sandbox.cloudflare import Exchange, Proceed, Reply, Request
from tests.support.servers import Clouds

LIST, ZONE, BATCH = "list", "zone", "batch"
CLOUDFLARE = (LIST, ZONE, BATCH)
SECRET, DESCRIBE, SCAN, QUERY = "GetSecretValue", "DescribeInstances", "Scan", "Query"
GET, UPDATE = "GetItem", "UpdateItem"
ROWS = (SCAN, QUERY, GET, UPDATE)
AWS = (SECRET, DESCRIBE, *ROWS)
WRITES = (BATCH, UPDATE)


def operation(request: Request) -> str:
    """What a request asks for, in one word."""
    if not request.path.startswith("/zones/"):
        return operation_of(Exchange(request))
    if request.path.endswith("/dns_records"):
        return LIST
    return BATCH if request.path.endswith("/batch") else ZONE


@dataclass(frozen=True, slots=True)
class Call:
    """The n-th call of an operation, counted from 1."""

    operation: str
    number: int = 1

    def __str__(self) -> str:
        return f"{self.operation}-{self.number}"


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a fault plays: one request, the API behind it, and the clouds."""

    request: Request
    proceed: Proceed
    clouds: Clouds
    place: int = 1  # which of the calls that the rule matches, counted from 1

    @property
    def operation(self) -> str:
        """What is asked for."""
        return operation(self.request)


Play = Callable[[Scene], Reply]


@dataclass(frozen=True, slots=True)
class Rule:
    """From the n-th call of an operation on, ``times`` times (None: to the end), this happens."""

    call: Call
    play: Play
    times: int | None = 1

    def fits(self, operation: str, number: int) -> bool:
        """Whether it applies to this call."""
        last = None if self.times is None else self.call.number + self.times
        return operation == self.call.operation and number >= self.call.number and (last is None or number < last)


@dataclass(slots=True)
class Proxy:
    """Stands before both clouds: counts the calls, and lets the first rule that fits play."""

    clouds: Clouds
    rules: tuple[Rule, ...] = ()
    innermost: Play = lambda scene: scene.proceed()
    log: list[Call] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def install(self) -> None:
        """From now on every call goes through here."""
        self.clouds.aws.intercept = self.clouds.cloudflare.intercept = self

    def calm(self) -> None:
        """No rule applies any more."""
        self.rules = ()

    def __call__(self, request: Request, proceed: Proceed) -> Reply:
        """The interceptor."""
        name = operation(request)
        with self._lock:
            self._counts[name] += 1
            call = Call(name, self._counts[name])
            self.log.append(call)
        seen = Scene(request, proceed, self.clouds)
        rule = next((rule for rule in self.rules if rule.fits(name, call.number)), None)
        if rule is None:
            return self.innermost(seen)
        place = call.number - rule.call.number + 1
        return rule.play(Scene(request, lambda: self.innermost(seen), self.clouds, place))


def in_order(calls: Iterable[Call]) -> list[Call]:
    """The calls, sorted: threads run side by side."""
    places = {name: place for place, name in enumerate((*CLOUDFLARE, *AWS))}
    return sorted(set(calls), key=lambda call: (places.get(call.operation, -1), call.number))
