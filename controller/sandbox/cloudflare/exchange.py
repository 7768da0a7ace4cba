"""One request and its answer: values that the transport, the API, the log and a fault share."""

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
        """Return the path without prefix and query."""
        return self.target.partition("?")[0].removeprefix(PREFIX)

    @property
    def query(self) -> Query:
        """Return the parameters after the question mark."""
        return Query.parse(self.target.partition("?")[2])

    @property
    def json(self) -> object:
        """Return the parsed body, or None if there is none or it cannot be parsed."""
        return _parsed(self.content)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer is sent. The default is whole, at once, and with the connection kept open."""

    delay: float = 0.0
    """Seconds of silence before the first byte."""
    limit: int | None = None
    """Send only this number of bytes of the body, although Content-Length counts all. -1 sends not even the head."""
    pause: float = 0.0
    """Seconds between single bytes of the slow part."""
    slow: Part = "body"
    """Where the dribbling starts: with the first byte of the head, or of the body."""
    ending: Ending = "keep"
    """What happens to the connection then; ``reset`` sends RST instead of FIN."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. The methods return the same answer with a fault in its delivery. They can be combined."""

    status: int
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery = Delivery()

    @classmethod
    def of(cls, status: int, payload: object, **headers: str) -> "Reply":
        """Return a JSON answer. In header names given as keywords, ``_`` stands for ``-``."""
        text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        return cls.text(status, text, JSON, **headers)

    @classmethod
    def text(cls, status: int, text: str, content_type: str = "text/plain; charset=UTF-8", **headers: str) -> "Reply":
        """Return an answer that is not JSON."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, text.encode(), {"content-type": content_type, **named})

    @classmethod
    def html(cls, status: int, title: str, **headers: str) -> "Reply":
        """Return an HTML answer, as Cloudflare's edge sends in place of the API's."""
        page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><h1>{title}</h1></body>\r\n</html>\r\n"
        return cls.text(status, page, "text/html", **headers)

    @classmethod
    def nothing(cls, ending: Ending = "close") -> "Reply":
        """Return no answer at all. With ``keep`` the client waits until it gives up."""
        return cls(0, delivery=Delivery(limit=-1, ending=ending))

    @property
    def json(self) -> object:
        """Return the parsed body, if it is JSON."""
        return _parsed(self.content)

    @property
    def sent(self) -> bool:
        """Return whether at least the status reaches the client."""
        return self.delivery.limit != -1

    def lost(self, ending: Ending = "close") -> "Reply":
        """Lose the whole answer."""
        return self._delivered(limit=-1, ending=ending)

    def cut(self, limit: int, ending: Ending = "close") -> "Reply":
        """Cut the body after ``limit`` bytes."""
        return self._delivered(limit=limit, ending=ending)

    def delayed(self, seconds: float) -> "Reply":
        """Send the answer after this number of seconds."""
        return self._delivered(delay=seconds)

    def dribbled(self, pause: float, slow: Part = "body") -> "Reply":
        """Send the answer byte by byte."""
        return self._delivered(pause=pause, slow=slow)

    def then(self, ending: Ending) -> "Reply":
        """Send the answer, then end the connection without announcing it by ``Connection: close``."""
        return self._delivered(ending=ending)

    def _delivered(self, **changes: Any) -> "Reply":
        return replace(self, delivery=replace(self.delivery, **changes))


Proceed = Callable[[], Reply]
Interceptor = Callable[[Request, Proceed], Reply]
"""Called between the transport and the API. ``proceed`` lets the API act, once, and returns its answer. The server
sends what the interceptor returns. So it can answer in place of the API, change the zone before or after, and lose or
alter the answer.
"""


@dataclass(slots=True)
class Exchange:
    """One line of the server's log, written when the request arrives."""

    request: Request
    answer: Reply | None = None
    """The API's answer; None if the request has not reached the API, or never does."""
    reply: Reply | None = None
    """What was sent; None as long as nothing was."""

    @property
    def number(self) -> int:
        """Return the request's number: they count from 1, in the order of arrival."""
        return self.request.number

    @property
    def method(self) -> str:
        """Return the request's method."""
        return self.request.method

    @property
    def path(self) -> str:
        """Return the request's path, without the prefix of the base URL."""
        return self.request.path

    @property
    def query(self) -> Query:
        """Return the request's parameters."""
        return self.request.query

    @property
    def json(self) -> object:
        """Return the request's body."""
        return self.request.json

    @property
    def connection(self) -> int:
        """Return the number of the connection. Equal numbers are one connection, used again."""
        return self.request.connection

    @property
    def status(self) -> int | None:
        """Return the status that was sent to the client, if any."""
        return self.reply.status if self.reply and self.reply.sent else None


def _parsed(content: bytes) -> object:
    try:
        return json.loads(content)
    except ValueError:
        return None
