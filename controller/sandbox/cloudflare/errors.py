"""The API's errors and their texts.

Cloudflare publishes no list of its codes. Users quoted the texts below from live answers in public issues; a code
without a published text is marked. The code that refuses raises :class:`ApiError`, and one place turns it into an
envelope.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

CATALOGUE: Mapping[int, tuple[int, str]] = {
    971: (429, "Please wait and consider throttling your request speed"),
    1000: (401, "Invalid API Token"),
    1004: (400, "DNS Validation Error"),
    6003: (400, "Invalid request headers"),
    6105: (400, "Invalid Content-Type header, valid values are application/json,multipart/form-data"),
    6111: (400, "Invalid format for Authorization header"),
    7000: (404, "No route for that URI"),
    7003: (404, "Could not route to {path}, perhaps your object identifier is invalid?"),
    9000: (400, "DNS name is invalid."),
    9003: (400, "Target {content} is not allowed for a proxied record."),
    9005: (400, "Content for A record must be a valid IPv4 address."),
    9006: (400, "Content for AAAA record must be a valid IPv6 address."),
    9021: (400, "Invalid TTL. Must be between {minimum} and {maximum} seconds, or 1 for automatic."),
    9041: (400, "This DNS record cannot be proxied."),
    9103: (403, "Unknown X-Auth-Key or X-Auth-Email"),
    9106: (400, "Missing X-Auth-Key, X-Auth-Email or Authorization headers"),
    9109: (403, "Invalid access token"),
    9207: (400, "Request body is invalid."),
    9300: (400, "DNS record has {count} tags, exceeding the quota of {quota}."),
    9313: (400, "DNS record comment exceeds the maximum length of {limit} characters."),
    10000: (403, "Authentication error"),
    81044: (404, "Record does not exist."),
    81045: (400, "Record quota exceeded."),
    81053: (400, "An A, AAAA, or CNAME record with that host already exists. For more details, refer to <{docs}>."),
    81054: (400, "A CNAME record with that host already exists. For more details, refer to <{docs}>."),
    81056: (400, "NS records with that host already exist. For more details, refer to <{docs}>."),
    81057: (400, "The record already exists."),
    81058: (400, "An identical record already exists."),
    83011: (400, "The combined content of records with the same name and type exceeds {limit} characters."),
}

DOCS = "https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/"


@dataclass(frozen=True, slots=True)
class Cause:
    """One entry in ``errors`` or in an ``error_chain``."""

    code: int
    message: str

    def to_json(self) -> dict[str, object]:
        """Return the entry as the envelope shows it."""
        return {"code": self.code, "message": self.message}


@dataclass(eq=False)
class ApiError(Exception):
    """A refusal: the HTTP status, the errors of the envelope, and the chain below the first of them."""

    status: int
    errors: tuple[Cause, ...]
    chain: tuple[Cause, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> int:
        """Return the first code."""
        return self.errors[0].code

    def to_json(self) -> list[dict[str, object]]:
        """Return the ``errors`` of the envelope."""
        first, *rest = (cause.to_json() for cause in self.errors)
        if self.chain:
            first["error_chain"] = [cause.to_json() for cause in self.chain]
        return [first, *rest]


def cause(code: int, text: str | None = None, **words: object) -> Cause:
    """Return the catalogue's text for ``code``, or ``text`` if the texts vary."""
    return Cause(code, CATALOGUE[code][1].format(docs=DOCS, **words) if text is None else text)


def error(code: int, text: str | None = None, *, status: int | None = None, **words: object) -> ApiError:
    """Return a refusal with one error, with the catalogue's status unless another is given."""
    return ApiError(status or CATALOGUE[code][0], (cause(code, text, **words),))


def bad_headers(reason: int) -> ApiError:
    """Return 6003, which says that a header is wrong. Its chain says which one."""
    return ApiError(400, (cause(6003),), (cause(reason),))


def no_route(path: str, status: int) -> ApiError:
    """Return 7003 followed by 7000, the answer to a malformed identifier."""
    return ApiError(status, (cause(7003, path=path), cause(7000)))


def body_error(text: str | None = None) -> ApiError:
    """Return 9207, the error for every malformed body. The text says what is wrong."""
    return error(9207, text)
