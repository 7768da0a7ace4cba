"""The ways in which Cloudflare fails, lies, or is moved by another hand."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from controller.sandbox.cloudflare import Reply
from tests.support.servers import refusal
from tests.system.faults.calls import BATCH, CLOUDFLARE, LIST, ZONE, Scene
from tests.system.faults.kinds import Kind, answer, broken_wires, lasting

REFUSED = (400, 404, 405, 408, 409, 413, 415, 422)
FAILED = (500, 502, 503, 504, 520, 522, 524, 530)


def all_kinds() -> list[Kind]:
    """Every kind at Cloudflare."""
    return [
        *_statuses(),
        *_throttles(),
        *_authentication(),
        *_nonsense(),
        *_refusals(),
        *_listings(),
        *_answers_to_batches(),
        *broken_wires(CLOUDFLARE),
    ]


def _statuses() -> list[Kind]:
    """Each status with each kind of body. The edge answers HTML and text, the API JSON, and a proxy nothing."""
    kinds = []
    for status in (*REFUSED, *FAILED):
        bodies = {
            "json": refusal(status, 9999, "Something is wrong."),
            "html": Reply.html(status, f"{status} of the edge"),
            "text": Reply.text(status, f"error code: {status}"),
            "empty": Reply(status),
        }
        for form, reply in bodies.items():
            kinds.append(Kind(f"{status}-{form}", CLOUDFLARE, answer(reply), family=str(status)))
    chosen = [kind for kind in kinds if kind.name in ("404-json", "400-html", "500-json", "502-html", "524-empty")]
    redirect = Reply.text(302, "", location="https://elsewhere.example.org/")
    applied = [Kind(f"applied-then-{status}", (BATCH,), _instead(Reply.html(status, "broken"))) for status in FAILED]
    return [*kinds, *lasting(chosen), *applied, *lasting(applied[:2]), Kind("redirect", CLOUDFLARE, answer(redirect))]


def _instead(reply: Reply) -> Callable[[Scene], Reply]:
    """Let the API act, and answer this."""

    def play(scene: Scene) -> Reply:
        scene.proceed()
        return reply

    return play


def _throttles() -> list[Kind]:
    busy = {"success": False, "result": None, "errors": [{"code": 971, "message": "Please wait"}]}

    def at_a_date(scene: Scene) -> Reply:
        return Reply.of(429, busy, retry_after=format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True))

    def nearly_spent(scene: Scene) -> Reply:
        reply = scene.proceed()
        return replace(reply, headers={**reply.headers, "ratelimit": '"default";r=3;t=120'})

    kinds = [
        Kind("429-seconds", CLOUDFLARE, answer(Reply.of(429, busy, retry_after="2"))),
        Kind("429-date", CLOUDFLARE, at_a_date),
        Kind("429-bare", CLOUDFLARE, answer(Reply.of(429, busy))),
        Kind("429-five-minutes", CLOUDFLARE, answer(Reply.of(429, busy, retry_after="300"))),
        Kind("429-longer-than-the-pass", CLOUDFLARE, answer(Reply.of(429, busy, retry_after="300")), seconds=200),
        Kind("429-odd-wait", CLOUDFLARE, answer(Reply.of(429, busy, retry_after="Sun, 99 Nov 9999999999 08:00 GMT"))),
        Kind("429-edge-text", CLOUDFLARE, answer(Reply.text(429, "error code: 1015", retry_after="1"))),
        Kind("429-edge-html", CLOUDFLARE, answer(Reply.html(429, "You are being rate limited"))),
        Kind("429-empty", CLOUDFLARE, answer(Reply(429))),
    ]
    headers = [
        Kind("little-left", CLOUDFLARE, nearly_spent),
        Kind("little-left-for-a-short-pass", CLOUDFLARE, nearly_spent, seconds=100),
    ]
    return [*kinds, *lasting(kinds), *headers, *lasting(headers)]


def _authentication() -> list[Kind]:
    chain = {"code": 6003, "message": "Invalid request headers", "error_chain": [{"code": 6111, "message": "Invalid"}]}
    kinds = [
        Kind("400-malformed-token", CLOUDFLARE, answer(Reply.of(400, {"success": False, "errors": [chain]}))),
        Kind("400-authentication", CLOUDFLARE, answer(refusal(400, 9106, "Authentication failed"))),
        Kind("401-token", CLOUDFLARE, answer(refusal(401, 1000, "Invalid API Token"))),
        Kind("403-permission", CLOUDFLARE, answer(refusal(403, 10000, "Authentication error"))),
        Kind("403-zone", CLOUDFLARE, answer(refusal(403, 9109, "Unauthorized to access requested resource"))),
        Kind("403-html", CLOUDFLARE, answer(Reply.html(403, "Attention Required!"))),
        Kind("401-empty", CLOUDFLARE, answer(Reply(401))),
        Kind("404-no-such-zone", CLOUDFLARE, answer(refusal(404, 7003, "Could not route to /zones/x"))),
        Kind("400-no-such-zone", CLOUDFLARE, answer(refusal(400, 7003, "Could not route to /zones/x"))),
    ]
    return [*kinds, *lasting(kinds)]


def _nonsense() -> list[Kind]:
    """Answers that are none, and answers that tell what they were not asked for."""
    failed: dict[str, object] = {"success": False, "result": None, "errors": []}

    def echo(scene: Scene) -> Reply:
        return Reply.text(502, f"bad request: {scene.request.headers.get('authorization')}")

    def echo_in_json(scene: Scene) -> Reply:
        return refusal(500, 9999, "x" * 130 + f" authorization={scene.request.headers.get('authorization')}")

    kinds = [
        Kind("200-unsuccessful", CLOUDFLARE, answer(Reply.of(200, failed))),
        Kind("200-unsuccessful-with-code", CLOUDFLARE, answer(refusal(200, 1000, "Nothing good"))),
        Kind("200-html", CLOUDFLARE, answer(Reply.html(200, "Welcome to the hotel's network"))),
        Kind("200-empty", CLOUDFLARE, answer(Reply(200))),
        Kind("200-null", CLOUDFLARE, answer(Reply.of(200, None))),
        Kind("200-list", CLOUDFLARE, answer(Reply.of(200, []))),
        Kind("200-no-json", CLOUDFLARE, answer(Reply.text(200, '{"success": true, "result', "application/json"))),
        Kind("200-no-text", CLOUDFLARE, answer(Reply(200, b"\xff\xfe\x00\xd8"))),
        Kind("200-deep", CLOUDFLARE, answer(Reply.text(200, "[" * 100_000, "application/json"))),
        Kind("200-null-result", CLOUDFLARE, answer(Reply.of(200, {"success": True, "result": None}))),
        Kind("200-text-result", CLOUDFLARE, answer(Reply.of(200, {"success": True, "result": "done"}))),
        Kind("200-odd-budget", CLOUDFLARE, _with_header("ratelimit", f'"default";r={"9" * 5000};t={"9" * 400}')),
        Kind("502-echo-of-the-token", CLOUDFLARE, echo),
        Kind("500-echo-of-the-token", CLOUDFLARE, echo_in_json),
    ]
    return [*kinds, *lasting(kinds)]


def _with_header(name: str, value: str) -> Callable[[Scene], Reply]:
    def play(scene: Scene) -> Reply:
        reply = scene.proceed()
        return replace(reply, headers={**reply.headers, name: value})

    return play


def _refusals() -> list[Kind]:
    """What the API refuses a write with; here for no reason that anybody could see."""
    codes = {81044: 404, 81045: 400, 81053: 400, 81054: 400, 81056: 400, 81057: 400, 81058: 400, 9003: 400, 9207: 400}
    kinds = [Kind(f"refused-{code}", (BATCH,), answer(refusal(codes[code], code, "No."))) for code in codes]
    wrapped = {"code": 1004, "message": "DNS Validation Error", "error_chain": [{"code": 81058, "message": "Twice"}]}
    kinds.append(Kind("refused-1004-81058", (BATCH,), answer(Reply.of(400, {"success": False, "errors": [wrapped]}))))
    return [*kinds, *lasting(kinds)]


def _listings() -> list[Kind]:
    """Listings that are wrong: such that show it, and such that do not."""

    def page(change: Callable[[list[Any]], list[Any]], *, honest: bool = True, **info: Any) -> Callable[[Scene], Reply]:
        def play(scene: Scene) -> Reply:
            reply = scene.proceed()
            body = json.loads(reply.content)
            result = change(body["result"])
            counts = {"count": len(result), "total_count": len(result)} if honest else {}
            changed = {**body, "result": result, "result_info": {**body["result_info"], **counts, **info}}
            return replace(reply, content=json.dumps(changed).encode())

        return play

    def half(records: list[Any]) -> list[Any]:
        return records[: len(records) // 2]

    def older(records: list[Any]) -> list[Any]:
        return [{**record, "content": "198.51.100.250"} for record in records]

    broken = [
        Kind("list-cut", (LIST,), page(half, honest=False)),
        Kind("list-uncounted", (LIST,), page(lambda records: records, count=None)),
        Kind("list-unsized", (LIST,), page(lambda records: records, per_page="many")),
        Kind("list-of-nonsense", (LIST,), page(lambda records: [*records, {"id": 5}])),
        Kind("list-of-text", (LIST,), page(lambda records: ["record", *records])),
        Kind("list-of-nothing", (LIST,), page(lambda records: [None, *records])),
    ]
    lies = [
        Kind("list-half", (LIST,), page(half), lies=True),
        Kind("list-other-half", (LIST,), page(lambda records: records[len(records) // 2 :]), lies=True),
        # A listing that hides a foreign record lets the pass create one beside it.
        Kind("list-empty", (LIST,), page(lambda records: []), moves_world=True, lies=True),
        Kind("list-of-old-addresses", (LIST,), page(older), moves_world=True, lies=True),
        Kind("list-repeated", (LIST,), page(lambda records: [*records, *records]), lies=True),
    ]
    zone = Kind("another-zone", (ZONE,), answer(Reply.of(200, {"success": True, "result": {"name": "other.org"}})))
    return [*broken, *lasting(broken), *lies, *lasting(lies), zone]


def _answers_to_batches() -> list[Kind]:
    """Writes that were done and are reported otherwise; writes that were not done and are reported as done."""

    def told(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Scene], Reply]:
        def play(scene: Scene) -> Reply:
            reply = scene.proceed()
            body = json.loads(reply.content)
            if not body["success"]:
                return reply
            lists = {kind: [change(record) for record in some or ()] for kind, some in body["result"].items()}
            return Reply.of(200, {**body, "result": lists})

        return play

    empty = Reply.of(200, {"success": True, "result": {"patches": [], "posts": None}, "errors": []})
    kinds = [
        Kind("says-another-address", (BATCH,), told(lambda record: {**record, "content": "198.51.100.251"})),
        Kind("says-unproxied", (BATCH,), told(lambda record: {**record, "proxied": False})),
        Kind("says-without-mark", (BATCH,), told(lambda record: {**record, "comment": None})),
        Kind("says-cname", (BATCH,), told(lambda record: {**record, "type": "CNAME"})),
        Kind("says-without-id", (BATCH,), told(lambda record: {**record, "id": None})),
        Kind("says-nonsense", (BATCH,), told(lambda record: {})),
        Kind("done-and-not-said", (BATCH,), _instead(empty)),
        Kind("said-and-not-done", (BATCH,), answer(empty)),
    ]
    return [*kinds, *lasting(kinds)]
