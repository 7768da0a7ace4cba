"""Desktops on loopback: one web server for each state that a desktop can be in, whatever address it has.

========  ========================================================  ======================
kind      what stands at its port                                   the edge then answers
========  ========================================================  ======================
up        TLS with a certificate that nobody knows, as DCV has it   its answer; strict 526
trusted   TLS with a certificate of the zone's authority            its answer
plain     HTTP without TLS                                          525
silent    TLS, and the connection ends without an answer            520
slow      TLS, and no answer for a long time                        nothing for a long time
closed    nobody                                                    521
filtered  a security group drops every packet                       522
unrouted  no network leads there                                    523
stuck     it takes the request and does nothing for 100 seconds     524
========  ========================================================  ======================
"""

import socket
import ssl
from collections.abc import Mapping
from contextlib import ExitStack
from threading import Event, Lock
from typing import Literal

from controller.sandbox.cloudflare.exchange import Reply
from controller.sandbox.cloudflare.transport import LOOPBACK, Transport
from controller.sandbox.edge.tls import Authority

Kind = Literal["up", "trusted", "plain", "silent", "slow", "closed", "filtered", "unrouted", "stuck"]

#: Seconds; a stopping sandbox ends the wait.
FOREVER = 3600.0
_PAGE = Reply.html(200, "Desktop", server="dcv")
_REPLIES: Mapping[str, Reply] = {"silent": Reply.nothing(), "slow": _PAGE.delayed(FOREVER)}


class Desktops:
    """The servers, started when they are asked for."""

    def __init__(self, authority: Authority, zone: str) -> None:
        self._known = authority.context(zone, f"*.{zone}")
        self._unknown = Authority().context("desktop.invalid")
        self._ports: dict[Kind, int] = {}
        self._running = ExitStack()
        self._over = Event()
        self._lock = Lock()

    def context(self, kind: Kind) -> ssl.SSLContext:
        """Return the TLS settings of such a desktop."""
        return self._known if kind == "trusted" else self._unknown

    def port(self, kind: Kind) -> int:
        """Return the port at which such a desktop can be found."""
        with self._lock:
            if kind not in self._ports:
                self._ports[kind] = self._unused() if kind == "closed" else self._started(kind).port
            return self._ports[kind]

    def close(self) -> None:
        """Stop all of them."""
        self._over.set()
        self._running.close()

    def _unused(self) -> int:
        """Return a port that is taken, so that nobody else gets it, and at which nobody listens."""
        taken = self._running.enter_context(socket.socket())
        taken.bind((LOOPBACK, 0))
        return int(taken.getsockname()[1])

    def _started(self, kind: Kind) -> Transport:
        reply = _REPLIES.get(kind, _PAGE)

        def respond(*_: object) -> tuple[Reply, Event]:
            return reply, self._over

        server = Transport(respond, None if kind == "plain" else self.context(kind))
        self._running.callback(server.close)
        return server
