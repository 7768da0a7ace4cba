"""Whatever answers behind a link: the link has a verdict that fits, and the link beside it has its own."""

import socketserver
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import strategies as st

from controller.probe import ask
from controller.probe.verdict import Cause, Kind, Link, Verdict
from controller.runtime.budget import Budget, SystemClock
from controller.sandbox.cloudflare.transport import LOOPBACK
from controller.sandbox.edge.tls import Authority
from controller.settings import Settings
from tests.support.build import OTHER, TEACHER, name, settings
from tests.support.edge import PATIENCE
from tests.system.fuzz.effort import EFFORT, Note, try_all

CALM = b"HTTP/1.1 200 OK\r\nserver: cloudflare\r\ncontent-length: 0\r\n\r\n"
NAMES = ["server", "cf-ray", "cf-error-type", "cf-mitigated", "location", "content-length", "transfer-encoding", "x"]
VALUES = ["cloudflare", "challenge", "521", "1020", "99999999999", "-1", "chunked", "//[", "https://x/\x1b[2J", "\xff"]


@dataclass(frozen=True)
class Odd:
    """An answer of HTTP, or what is none."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def sent(self) -> bytes:
        """The bytes of it."""
        lines = [f"HTTP/1.1 {self.status} x", *(f"{key}: {value}" for key, value in self.headers), "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.body


ANSWERS = st.builds(
    Odd,
    st.sampled_from(["200", "302", "403", "503", "520", "521", "526", "530", "599", "000", "20", "abc"]),
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=5).map(tuple),
    st.binary(max_size=80) | st.sampled_from([b"error code: 522", b"error code: 1" * 9_000]),
)


class Desktop:
    """Sends one of two answers, by the name that is asked for, whatever it is asked."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.settings: Settings = settings(**environment)
        self.answer = b""


@contextmanager
def running(folder: Path) -> Iterator[Desktop]:
    authority = Authority()
    context = authority.context("example.com", "*.example.com")
    trusted = folder / "authority.pem"
    trusted.write_bytes(authority.certificate)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), context.wrap_socket(self.request, server_side=True) as encrypted:
                asked = encrypted.recv(65_536)
                encrypted.sendall(CALM if OTHER.encode() in asked else desktop.answer)
                with suppress(ssl.SSLError):
                    encrypted.unwrap()

    with socketserver.ThreadingTCPServer((LOOPBACK, 0), Handler) as server:
        server.daemon_threads = True
        to = f"{LOOPBACK}:{server.server_address[1]}"
        desktop = Desktop({"PROBE_CONNECT_TO": to, "PROBE_CA_FILE": str(trusted)})
        Thread(target=server.serve_forever, daemon=True).start()
        yield desktop
        server.shutdown()


def judged(desktop: Desktop) -> list[Verdict | None]:
    links = [Link(name(machine), 8443, machine) for machine in (TEACHER, OTHER)]
    return ask.probe(links, desktop.settings, Budget(SystemClock(), PATIENCE))


@EFFORT
def test_any_bytes_of_a_desktop_have_a_verdict(
    effort: int, tmp_path: Path, record_property: Note, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine takes what it takes; how long a link may take is another test's.
    monkeypatch.setattr(ask, "SECONDS", PATIENCE)
    monkeypatch.setattr(ask, "Prober", partial(ask.Prober, timeout=PATIENCE))
    with running(tmp_path) as desktop:

        def holds(answer: Odd | bytes) -> None:
            desktop.answer = answer if isinstance(answer, bytes) else answer.sent()
            odd, calm = judged(desktop)
            assert calm
            assert calm.cause is Cause.WORKS
            assert odd
            assert f"{odd.because} {odd.remedy}".isprintable()
            if isinstance(answer, bytes):
                assert odd.cause is Cause.EDGE_FAILED
            elif odd.kind is Kind.WORKS:
                assert answer.status.isdecimal()
                assert answer.status not in {"520", "521", "526", "530"}
                assert {"cloudflare", "cf-ray"} & {text for header in answer.headers for text in header}

        no_http = st.binary(max_size=60).filter(lambda sent: not sent.startswith(b"HTTP"))
        try_all(holds, ANSWERS | no_http, 30 * effort, record_property)
