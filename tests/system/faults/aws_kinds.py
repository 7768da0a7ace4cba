"""The ways in which AWS fails, lies, or answers nonsense."""

import json
import re
from collections.abc import Callable
from dataclasses import replace

from controller.sandbox.cloudflare import Reply
from tests.system.faults.calls import AWS, DESCRIBE, QUERY, ROWS, SCAN, SECRET, UPDATE, Play, Scene
from tests.system.faults.kinds import FOR_EVER, SHORT, Kind, answer, broken_wires, lasting

EC2_XML = "<Response><Errors><Error><Code>{code}</Code><Message>{text}</Message></Error></Errors></Response>"
JSON_TYPE = "application/x-amz-json-1.0"


def failure(status: int, code: str, text: str = "Said the test.") -> Play:
    """An error in the words of whatever service is asked."""

    def play(scene: Scene) -> Reply:
        if scene.operation == DESCRIBE:
            return Reply.text(status, EC2_XML.format(code=code, text=text), "text/xml;charset=UTF-8")
        body = json.dumps({"__type": f"com.amazonaws.v20120810#{code}", "message": text})
        return Reply.text(status, body, JSON_TYPE)

    return play


def all_kinds() -> list[Kind]:
    """Every kind at AWS."""
    return [*_throttles(), *_faults(), *_denials(), *_nonsense(), *_listings(), *broken_wires(AWS)]


def _throttles() -> list[Kind]:
    kinds = [
        Kind("ec2-RequestLimitExceeded", (DESCRIBE,), failure(503, "RequestLimitExceeded")),
        Kind("ec2-Throttling", (DESCRIBE,), failure(400, "Throttling")),
        Kind("ec2-EC2ThrottledException", (DESCRIBE,), failure(400, "EC2ThrottledException")),
        Kind("rows-ProvisionedThroughputExceeded", ROWS, failure(400, "ProvisionedThroughputExceededException")),
        Kind("rows-RequestLimitExceeded", ROWS, failure(400, "RequestLimitExceeded")),
        Kind("rows-ThrottlingException", (*ROWS, SECRET), failure(400, "ThrottlingException")),
        Kind("rows-TransactionConflict", (UPDATE,), failure(400, "TransactionConflictException")),
    ]
    return [*kinds, *lasting(kinds)]


def _faults() -> list[Kind]:
    kinds = [
        Kind("500-InternalError", AWS, failure(500, "InternalError")),
        Kind("500-InternalServerError", (*ROWS, SECRET), failure(500, "InternalServerError")),
        Kind("503-Unavailable", AWS, failure(503, "Unavailable")),
        Kind("500-empty", AWS, answer(Reply(500))),
        Kind("502-html", AWS, answer(Reply.html(502, "Bad Gateway"))),
        Kind("503-text", AWS, answer(Reply.text(503, "no healthy upstream"))),
    ]
    applied = [
        Kind("applied-then-500", (UPDATE,), _applied_then(failure(500, "InternalServerError"))),
        Kind("applied-then-html", (UPDATE,), _applied_then(answer(Reply.html(504, "Gateway Time-out")))),
    ]
    return [*kinds, *lasting(kinds), *applied, *lasting(applied)]


def _applied_then(play: Play) -> Play:
    def both(scene: Scene) -> Reply:
        scene.proceed()
        return play(scene)

    return both


def _denials() -> list[Kind]:
    kinds = [
        Kind("ec2-UnauthorizedOperation", (DESCRIBE,), failure(403, "UnauthorizedOperation")),
        Kind("AccessDeniedException", (*ROWS, SECRET), failure(400, "AccessDeniedException")),
        Kind("ExpiredToken", AWS, failure(403, "ExpiredToken")),
        Kind("ec2-RequestExpired", (DESCRIBE,), failure(400, "RequestExpired")),
        Kind("UnrecognizedClient", (*ROWS, SECRET), failure(400, "UnrecognizedClientException")),
        Kind("InvalidClientTokenId", AWS, failure(403, "InvalidClientTokenId")),
        Kind("ResourceNotFound", (*ROWS, SECRET), failure(400, "ResourceNotFoundException")),
        Kind("InvalidInstanceID", (DESCRIBE,), failure(400, "InvalidInstanceID.NotFound")),
        Kind("ValidationException", ROWS, failure(400, "ValidationException")),
        Kind("InvalidParameterValue", (DESCRIBE,), failure(400, "InvalidParameterValue")),
        Kind("SomethingNew", AWS, failure(400, "SomethingNobodyKnowsException")),
    ]
    return [*kinds, *lasting(kinds)]


def _nonsense() -> list[Kind]:
    """A 200 that says nothing."""
    bodies = {
        "html": Reply.html(200, "Welcome to the hotel's network"),
        "empty": Reply(200),
        "null": Reply.text(200, "null", JSON_TYPE),
        "list": Reply.text(200, "[]", JSON_TYPE),
        "text": Reply.text(200, "fine"),
        "cut-json": Reply.text(200, '{"Items": [{"id"', JSON_TYPE),
        "deep": Reply.text(200, "[" * 100_000, JSON_TYPE),
        "other-xml": Reply.text(200, '<?xml version="1.0"?><a><b>c</b></a>', "text/xml"),
    }
    kinds = [Kind(f"200-{name}", AWS, answer(reply)) for name, reply in bodies.items()]
    return [*kinds, *lasting(kinds)]


def _listings() -> list[Kind]:
    """Readings that are not whole, and look as if they were; and one that never ends."""

    def without(pattern: bytes, *, all_of_them: bool) -> Play:
        def play(scene: Scene) -> Reply:
            reply = scene.proceed()
            if b"instance-id" in scene.request.content:
                return reply  # absence from the listing alone proves nothing; asked for by name, EC2 knows
            return replace(reply, content=re.sub(pattern, b"", reply.content, count=0 if all_of_them else 1))

        return play

    item = rb"(?s)<item><reservationId>.*?</instancesSet>.*?</item>(?=<item><reservationId>|</reservationSet>)"
    lies = [
        Kind("machines-none", (DESCRIBE,), without(item, all_of_them=True), lies=True),
        Kind("machines-one-missing", (DESCRIBE,), without(item, all_of_them=False), lies=True),
        Kind("rows-none", (SCAN, QUERY), _rows(lambda rows: []), lies=True),
        Kind("rows-half", (SCAN, QUERY), _rows(lambda rows: rows[: len(rows) // 2]), lies=True),
    ]
    wrong = [
        Kind("rows-without-key", (SCAN, QUERY), _rows(lambda rows: [{"status": {"S": "HEALTHY"}}, *rows])),
        Kind("rows-of-nonsense", (SCAN, QUERY), _rows(lambda rows: ["row", *rows])),
    ]
    slow = [Kind("hung-connection", AWS, lambda scene: Reply.nothing("keep").delayed(FOR_EVER), seconds=SHORT)]
    return [*lies, *lasting(lies), *wrong, *lasting(wrong), *slow]


def _rows(change: Callable[[list[object]], list[object]]) -> Play:
    def play(scene: Scene) -> Reply:
        reply = scene.proceed()
        body = json.loads(reply.content)
        items = change(body["Items"])
        return Reply.text(200, json.dumps({**body, "Items": items, "Count": len(items)}), JSON_TYPE)

    return play
