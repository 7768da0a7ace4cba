"""Time at the servers: each answer takes as long as a real cloud's would, and every request leaves its span.

The server's own time is inside the latency, so that a slow emulator is not measured as long as it needs less.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from controller.sandbox.aws_http import operation_of
from controller.sandbox.cloudflare import Exchange, Interceptor, Proceed, Reply, Request


@dataclass(frozen=True, slots=True)
class Span:
    """One request, from its arrival until its answer was ready; seconds of one clock."""

    service: str
    what: str
    start: float
    end: float


class Stopwatch:
    """The spans of all servers that it stands before."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def before(self, service: str, latency: float) -> Interceptor:
        """An interceptor that answers ``latency`` seconds after the request, or as soon as the server can."""

        def intercept(request: Request, proceed: Proceed) -> Reply:
            reply = proceed()
            time.sleep(max(0.0, request.monotonic + latency - time.monotonic()))
            what = operation_of(Exchange(request)) or f"{request.method} {request.path.rpartition('/')[2]}"
            self.spans.append(Span(service, what, request.monotonic, time.monotonic()))
            return reply

        return intercept

    def taken(self) -> list[Span]:
        """The spans since this was last asked."""
        spans, self.spans = self.spans, []
        return sorted(spans, key=lambda span: span.start)


def waiting(spans: Iterable[Span]) -> float:
    """Seconds in which at least one request was under way."""
    total, until = 0.0, 0.0
    for span in sorted(spans, key=lambda span: span.start):
        total += max(0.0, span.end - max(span.start, until))
        until = max(until, span.end)
    return total


def round_trips(spans: Iterable[Span]) -> int:
    """Return the length of the longest row of requests in which each came after the answer to the one before."""
    count, until = 0, 0.0
    for span in sorted(spans, key=lambda span: span.end):
        if span.start >= until:
            count, until = count + 1, span.end
    return count
