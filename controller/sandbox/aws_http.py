"""Serve moto behind the sandbox's own HTTP: with kept-alive connections, a log, and room for faults.

werkzeug's own server closes every connection and waits after each answer, which is too slow to measure round trips.
"""

import re
from collections.abc import Callable, Mapping
from threading import RLock
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from controller.sandbox.cloudflare.exchange import Exchange, Reply, Request
from controller.sandbox.cloudflare.transport import LOOPBACK

Answer = Callable[[Request], Reply]

#: moto's state is global to the process and not safe for threads, and a conditional write must be atomic.
MOTO_LOCK = RLock()


def moto_application() -> Answer:
    """Return moto as a function from request to reply. It recognises the service itself."""
    app = DomainDispatcherApplication(create_backend_app)

    def answer(request: Request) -> Reply:
        path, _, query = request.target.partition("?")
        builder = EnvironBuilder(
            path=path,
            query_string=query,
            method=request.method,
            headers=Headers(list(request.headers.items())),
            data=request.content,
            base_url=f"http://{request.headers.get('host', LOOPBACK)}",
        )
        with MOTO_LOCK:
            body, status, headers = run_wsgi_app(app, builder.get_environ(), buffered=True)
            content = b"".join(body)
        return Reply(int(status[:3]), content, {"server": "moto", **_kept(headers)})

    return answer


def operation_of(exchange: Exchange) -> str:
    """Return the API operation that a request names, such as ``DescribeInstances`` or ``UpdateItem``."""
    target = exchange.request.headers.get("x-amz-target", "")
    if target:
        return re.split(r"[.#]", target)[-1]
    return parse_qs(exchange.request.content.decode("latin-1")).get("Action", [""])[0]


def _kept(headers: Headers) -> Mapping[str, str]:
    """Return the headers to pass on. The transport sets the length itself."""
    return {name.lower(): value for name, value in headers.items() if name.lower() != "content-length"}
