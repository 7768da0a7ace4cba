"""The envelope around every JSON answer (Cloudflare docs: make-api-calls; schema ``api-response-common``)."""

import json
from collections.abc import Mapping

from controller.sandbox.cloudflare.errors import ApiError, bad_headers, body_error, cause
from controller.sandbox.cloudflare.exchange import JSON, Reply, Request
from controller.sandbox.cloudflare.quirks import Quirks

AUTHENTICATION = frozenset({9103, 9106, 9109})


def success(result: object, quirks: Quirks, info: Mapping[str, int] | None = None) -> Reply:
    """Answer with 200, which Cloudflare sends for every success, a creation included."""
    extra = {"result_info": info} if info else {}
    return Reply.of(200, {"result": result, "success": True, "errors": [], **_messages(quirks), **extra})


def failure(refusal: ApiError, quirks: Quirks) -> Reply:
    """Answer with a refusal. ``result`` is null."""
    if quirks.wrap_validation_errors and 9000 <= refusal.code < 10000 and refusal.code not in AUTHENTICATION:
        refusal = ApiError(refusal.status, (cause(1004),), refusal.errors, refusal.headers)
    body = {"result": None, "success": False, "errors": refusal.to_json(), **_messages(quirks)}
    return Reply.of(refusal.status, body, **refusal.headers)


def body_of(request: Request) -> object:
    """Return the JSON body of a write. Raises 6105 for another content type, 9207 for malformed JSON."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise bad_headers(6105)
    try:
        return json.loads(request.content)
    except ValueError:
        raise body_error() from None


def _messages(quirks: Quirks) -> dict[str, object]:
    return {} if quirks.omit_messages else {"messages": []}
