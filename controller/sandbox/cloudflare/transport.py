"""HTTP/1.1 on loopback: read requests, and deliver answers with the faults that their :class:`Delivery` asks for."""

import os
import socket
import ssl
import struct
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from socketserver import TCPServer
from threading import Event, Lock, Thread
from typing import Any

from controller.sandbox.cloudflare.exchange import Reply

LOOPBACK = "127.0.0.1"
# Closing a socket with a linger time of zero sends RST.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Responder = Callable[[str, str, Mapping[str, str], bytes, int], tuple[Reply, Event]]
"""Answers a request given as method, target, lower-case headers, body and number of the connection. The event ends
every wait in the delivery of the answer.
"""


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive over many requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Transport"

    def setup(self) -> None:
        """Number the connection."""
        super().setup()
        self.number = self.server.connected(self.connection)

    def finish(self) -> None:
        """Forget the connection."""
        super().finish()
        self.server.disconnected(self.connection)

    def handle(self) -> None:
        """Print no traceback: clients go away or distrust the certificate, and this server breaks connections."""
        try:
            super().handle()
        except (ConnectionError, ssl.SSLError):
            self.close_connection = True

    def serve(self) -> None:
        """Read one request, get its answer, and deliver that."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not length.isdecimal():
            self._refuse_length(headers)
            return
        content = self.rfile.read(int(length))
        self._deliver(*self.server.respond(self.command, self.path, headers, content, self.number))

    # http.server looks up these names.
    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the server keeps a list of exchanges."""

    def _refuse_length(self, headers: dict[str, str]) -> None:
        """Refuse two lengths (Cloudflare docs: API deprecations), and chunks, which the sandbox cannot read."""
        known = "content-length" in headers
        reply = Reply.html(400, "400 Bad Request") if known else Reply.html(411, "411 Length Required")
        self._deliver(reply.then("close"), Event())

    def _deliver(self, reply: Reply, cancelled: Event) -> None:
        delivery = reply.delivery
        if delivery.delay and cancelled.wait(delivery.delay):
            self._end("reset")
            return
        head, body = _head(reply), reply.content[: delivery.limit]
        if not reply.sent:
            head = body = b""
        if delivery.pause:
            self._dribble(head, body, reply, cancelled)
        else:
            self.wfile.write(head + body)
        self._end(delivery.ending)

    def _dribble(self, head: bytes, body: bytes, reply: Reply, cancelled: Event) -> None:
        at_once, slowly = (b"", head + body) if reply.delivery.slow == "head" else (head, body)
        self.wfile.write(at_once)
        for byte in slowly:
            if cancelled.wait(reply.delivery.pause):
                raise ConnectionAbortedError
            self.wfile.write(bytes([byte]))

    def _end(self, ending: str) -> None:
        if ending == "keep":
            return
        self.close_connection = True
        if ending == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            # The usual way to close begins with shutdown, which would send FIN first.
            os.close(self.connection.detach())


class Transport(ThreadingHTTPServer):
    """The listening socket and its threads."""

    request_queue_size = 128
    daemon_threads = True

    def __init__(self, respond: Responder, tls: ssl.SSLContext | None = None) -> None:
        self.respond = respond
        self._open: set[socket.socket] = set()
        self._numbers = count(1)
        self._lock = Lock()
        super().__init__((LOOPBACK, 0), Handler)
        if tls:  # a silent client must not keep others from connecting, so the handshake is the connection's own
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = Thread(target=self.serve_forever, args=(0.01,), name="sandbox-cloudflare", daemon=True)
        self._thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  # socketserver's own signature
        """Say on one line which request has no answer, and why; its connection ends."""
        error = sys.exc_info()[1]
        frame = traceback.extract_tb(error.__traceback__)[-1] if error else None
        at = f"{Path(frame.filename).name}:{frame.lineno}" if frame else "?"
        client = ":".join(map(str, client_address))
        sys.stderr.write(f"No answer to a request from {client}: {repr(error)[:200]!a} at {at}\n")

    @property
    def port(self) -> int:
        """Return the port that the system assigned."""
        return self.server_address[1]

    def server_bind(self) -> None:
        """Bind without looking up the host's name, which can take seconds without a name server."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.port

    def connected(self, connection: socket.socket) -> int:
        """Number a new connection."""
        with self._lock:
            self._open.add(connection)
            return next(self._numbers)

    def disconnected(self, connection: socket.socket) -> None:
        """Forget a connection that ended."""
        with self._lock:
            self._open.discard(connection)

    def close(self) -> None:
        """Stop listening and end every connection, idle ones included."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            _hang_up(connection)


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):  # it may be gone already
        connection.shutdown(socket.SHUT_RDWR)


def _head(reply: Reply) -> bytes:
    """Return status line and headers. Content-Length counts the whole body, also if a part of it is sent."""
    headers = {
        "date": formatdate(usegmt=True),
        "server": "cloudflare",
        "content-length": str(len(reply.content)),
        **reply.headers,
    }
    lines = "".join(f"{name.title()}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {reply.status} {_phrase(reply.status)}\r\n{lines}\r\n".encode("latin-1")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"  # the edge's own 520 to 530 have no name in the standard
