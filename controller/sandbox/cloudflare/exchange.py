"""One request and what became of it: values that the transport, the API, the log and a fault have in common."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from controller.sandbox.cloudflare.query import Query

PREFIX = "/client/v4"
JSON = "application/json"

Ending = Literal["keep", "close", "reset"]
Part = Literal["head", "body"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrived. ``path`` is without the base URL's prefix; header names are in lower case."""

    number: int
    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes
    connection: int
    at: datetime
    monotonic: float

    @property
    def path(self) -> str:
        """Without prefix and query."""
        return self.target.partition("?")[0].removeprefix(PREFIX)

    @property
    def query(self) -> Query:
        """The parameters after the question mark."""
        return Query.parse(self.target.partition("?")[2])

    @property
    def json(self) -> object:
        """The parsed body; None where there is none, or none that can be parsed."""
        return _parsed(self.content)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer travels. The default is to send it whole, at once, and to keep the connection open."""

    delay: float = 0.0
    """Seconds of silence before the first byte."""
    limit: int | None = None
    """Send only so many bytes of the body, although Content-Length tells of all; -1 sends not even the head."""
    pause: float = 0.0
    """Seconds between single bytes of the slow part."""
    slow: Part = "body"
    """Where the dribbling starts: with the first byte of the head, or of the body."""
    ending: Ending = "keep"
    """What becomes of the connection then; ``reset`` sends RST instead of FIN."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. The methods give the same answer, delivered badly; they can be combined."""

    status: int
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery = Delivery()

    @classmethod
    def of(cls, status: int, payload: object, **headers: str) -> "Reply":
        """A JSON answer. In header names given as keywords, ``_`` stands for ``-``."""
        text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        return cls.text(status, text, JSON, **headers)

    @classmethod
    def text(cls, status: int, text: str, content_type: str = "text/plain; charset=UTF-8", **headers: str) -> "Reply":
        """An answer that is no JSON."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, text.encode(), {"content-type": content_type, **named})

    @classmethod
    def html(cls, status: int, title: str, **headers: str) -> "Reply":
        """What the edge answers in place of the API."""
        page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><h1>{title}</h1></body>\r\n</html>\r\n"
        return cls.text(status, page, "text/html", **headers)

    @classmethod
    def nothing(cls, ending: Ending = "close") -> "Reply":
        """No answer at all. With ``keep`` the client waits until it gives up."""
        return cls(0, delivery=Delivery(limit=-1, ending=ending))

    @property
    def json(self) -> object:
        """The parsed body, if it is JSON."""
        return _parsed(self.content)

    @property
    def sent(self) -> bool:
        """Whether at least the status reaches the client."""
        return self.delivery.limit != -1

    def lost(self, ending: Ending = "close") -> "Reply":
        """Not a byte of it arrives."""
        return self._delivered(limit=-1, ending=ending)

    def cut(self, limit: int, ending: Ending = "close") -> "Reply":
        """Only ``limit`` bytes of the body arrive."""
        return self._delivered(limit=limit, ending=ending)

    def delayed(self, seconds: float) -> "Reply":
        """It arrives after so much silence."""
        return self._delivered(delay=seconds)

    def dribbled(self, pause: float, slow: Part = "body") -> "Reply":
        """It arrives byte by byte."""
        return self._delivered(pause=pause, slow=slow)

    def then(self, ending: Ending) -> "Reply":
        """It arrives, and then the connection ends without a ``Connection: close`` to announce it."""
        return self._delivered(ending=ending)

    def _delivered(self, **changes: Any) -> "Reply":
        return replace(self, delivery=replace(self.delivery, **changes))


Proceed = Callable[[], Reply]
Interceptor = Callable[[Request, Proceed], Reply]
"""Stands between the transport and the API. Calling ``proceed`` lets the API act, once, and gives its answer; what
the interceptor returns is what travels. So it can answer in place of the API, change the zone before or after, and
lose, alter or spoil the answer.
"""


@dataclass(slots=True)
class Exchange:
    """One line of the server's log. It is there from the moment the request has arrived."""

    request: Request
    answer: Reply | None = None
    """What the API answered; None while, or if, the request never got to it."""
    reply: Reply | None = None
    """What was put on the wire; None while nothing was."""

    @property
    def number(self) -> int:
        """Counts from 1, in the order of arrival."""
        return self.request.number

    @property
    def method(self) -> str:
        """The request's method."""
        return self.request.method

    @property
    def path(self) -> str:
        """The request's path, without the prefix of the base URL."""
        return self.request.path

    @property
    def query(self) -> Query:
        """The request's parameters."""
        return self.request.query

    @property
    def json(self) -> object:
        """The request's body."""
        return self.request.json

    @property
    def connection(self) -> int:
        """Which connection it came on; equal numbers are a connection used again."""
        return self.request.connection

    @property
    def status(self) -> int | None:
        """The status that the client was sent, if it was still there to read it."""
        return self.reply.status if self.reply and self.reply.sent else None


def _parsed(content: bytes) -> object:
    try:
        return json.loads(content)
    except ValueError:
        return None
