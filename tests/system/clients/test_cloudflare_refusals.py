"""What Cloudflare, its edge or a proxy refuses: the cause, the advice, and how often it is asked again."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from controller.cloudflare.api import GivenToken
from controller.cloudflare.reply import Reply as Answer
from controller.errors import AmbiguousError, AuthenticationError, RefusedError, TerminalError
from controller.runtime.budget import Budget
from controller.sandbox.cloudflare import Proceed, Quirks, Reply
from controller.sandbox.cloudflare import Request as Sent
from tests.support.build import create, name
from tests.support.clock import FastClock
from tests.support.servers import Clouds, refusal
from tests.system.clients.test_cloudflare import reader, writer


def test_wrong_zone_id_is_terminal_and_named(clouds: Clouds) -> None:
    with pytest.raises(AuthenticationError, match="ZONE_ID"):
        reader(clouds, ZONE_ID="f" * 32).listing()


@pytest.mark.parametrize(
    "reading", ["403 10000", "401 10000", "400 9106"], ids=["forbidden", "unauthorized", "bad-request"]
)
def test_wrong_token_is_reported_and_never_printed(clouds: Clouds, reading: Any) -> None:
    clouds.reset(quirks=Quirks(wrong_token_on_records=reading))
    with pytest.raises(AuthenticationError) as caught:
        reader(clouds, CLOUDFLARE_API_TOKEN="cfut_wrong").listing()
    assert "Zone > DNS > Edit" in str(caught.value)
    assert "look at CLOUDFLARE_API_TOKEN and at ZONE_ID." in str(caught.value)
    assert "cfut_wrong" not in str(caught.value)
    assert len(clouds.cloudflare.requests) == (2 if reading.startswith("403") else 1)


def test_a_redirect_is_not_followed_with_a_token(clouds: Clouds) -> None:
    clouds.cloudflare.intercept = lambda request, proceed: Reply.text(302, "", location="http://192.0.2.1/")
    with pytest.raises(TerminalError, match="302"):
        reader(clouds).listing()


def test_refusal_shows_code_and_message_in_plain_characters(clouds: Clouds) -> None:
    clouds.cloudflare.intercept = lambda request, proceed: refusal(400, 9999, "odd\x1b[2J\nthing")
    with pytest.raises(RefusedError, match=r"9999 odd \[2J thing"):
        reader(clouds).listing()


@pytest.mark.parametrize("key", ["CLOUDFLARE_TOKEN", "CLOUDFLARE_API_TOKEN"])
def test_refused_token_of_the_secret_is_named_by_its_key(clouds: Clouds, key: str) -> None:
    clouds.aws.write_secret(json.dumps({key: "cfut_wrong"}))
    with pytest.raises(
        AuthenticationError, match=f"look at {key} in the secret prod/elephant/cloudflare and at ZONE_ID"
    ):
        reader(clouds).listing()


@pytest.mark.parametrize("charset", ["utf-16", "undefined", "idna", "rot13", "hex", "no-such"])
def test_an_error_page_may_name_any_charset(clouds: Clouds, charset: str) -> None:
    page = "<h1>Bad gateway</h1>"
    clouds.cloudflare.intercept = lambda request, proceed: Reply.text(502, page, f"text/html; charset={charset}")
    with pytest.raises(AmbiguousError, match=r"502 .*Bad gateway"):
        writer(clouds).write([create()])


def test_the_token_is_in_no_repr() -> None:
    reply = Answer("GET", "/", httpx.Response(200), Budget(FastClock(), 1), "s3cret", "TOKEN")
    assert "s3cret" not in f"{reply!r} {GivenToken('s3cret')!r}"


EDGE = Reply.html(403, "Attention Required! | Cloudflare", cf_ray="8f00-LAX")
CHALLENGE = Reply.html(403, "Just a moment...", cf_mitigated="challenge")
FIREWALL = Reply.html(403, "Blocked by policy 7")
ADDRESS = refusal(403, 9109, "Cannot use the access token from location: 192.0.2.9")
ENDING = refusal(403, 1038, "You cannot use this API for domains with a .cf, .ga, .gq, .ml, or .tk TLD.")
OLD_ENDING = Reply.of(403, {"error": "You cannot use this API for domains with a .cf, .ga, .gq, .ml, or .tk TLD."})
MALFORMED = {"code": 6003, "message": "Invalid request headers", "error_chain": [{"code": 6111, "message": "Invalid"}]}
FORBIDDEN = refusal(403, 10000, "Authentication error")
ADVICE = {
    "edge": (EDGE, "Cloudflare's edge, not its API, answered 403", "call from another address"),
    "challenge": (CHALLENGE, "Cloudflare's edge, not its API, answered 403", "whatever the token"),
    "firewall": (FIREWALL, "A proxy or firewall, not Cloudflare's API, answered 403", "The token is not the cause"),
    "empty": (Reply(403), "A proxy or firewall, not Cloudflare's API, answered 403", "check HTTPS_PROXY"),
    "json of a proxy": (Reply.of(403, {"message": "Forbidden"}), "A proxy or firewall, not", "check HTTPS_PROXY"),
    "portal": (Reply.html(401, "Log in to the network"), "A proxy or firewall, not Cloudflare's API, answered 401", ""),
    "address": (ADDRESS, "9109 Cannot use the access token from location: 192.0.2.9", "client IP address filtering"),
    "ending": (ENDING, "1038 You cannot use this API", "Take a domain with another ending"),
    "older ending": (OLD_ENDING, "You cannot use this API", "Take a domain with another ending"),
    "permission": (FORBIDDEN, "10000 Authentication error", "Zone > DNS > Edit"),
    "unknown": (refusal(403, 12345, "Something new."), "12345 Something new.", "documentation may explain the code"),
    "malformed": (Reply.of(400, {"success": False, "errors": [MALFORMED]}), "6111", "no quotes, no spaces"),
}


@pytest.mark.parametrize(("reply", "message", "hint"), ADVICE.values(), ids=ADVICE)
def test_refusal_has_its_own_cause_and_advice(clouds: Clouds, reply: Reply, message: str, hint: str) -> None:
    records = reader(clouds)
    clouds.cloudflare.intercept = lambda request, proceed: reply
    with pytest.raises(TerminalError) as caught:
        records.listing()
    assert message in caught.value.message
    assert hint in caught.value.hint
    is_about_token = isinstance(caught.value, AuthenticationError)
    assert is_about_token is not caught.value.hint.endswith(("cf-ray.", "not the cause.", "this one."))
    assert "<" not in caught.value.message, "tags of a page explain nothing"
    assert len(clouds.cloudflare.requests) == (2 if reply.status == 403 else 1)
    assert len([o for o in clouds.aws.operations() if o == "GetSecretValue"]) == (2 if is_about_token else 1)


@pytest.mark.parametrize("reply", [FORBIDDEN, EDGE, ADDRESS], ids=["permission", "edge", "address"])
def test_passing_403_costs_one_more_try(clouds: Clouds, reply: Reply) -> None:
    machine = clouds.launch()
    refused = list[str]()

    def once_for_each(request: Sent, proceed: Proceed) -> Reply:
        if f"{request.method} {request.path}" in refused:
            return proceed()
        refused.append(f"{request.method} {request.path}")
        return reply

    clouds.cloudflare.intercept = once_for_each
    report = clouds.apply()
    assert (report.converged, report.findings) == (True, ())
    assert clouds.records() == {name(machine): [clouds.address(machine)]}
    assert clouds.aws.operations().count("GetSecretValue") == 1
    assert len(refused) == 3, "the listing, the zone and the batch"


def test_403_at_the_end_of_the_pass_is_not_tried_again(clouds: Clouds) -> None:
    clouds.cloudflare.intercept = lambda request, proceed: FORBIDDEN
    clock = FastClock()
    records = replace(reader(clouds), budget=Budget(clock, 600))
    records.api._tokens.token(records.budget)
    clock.sleep(599.8)
    with pytest.raises(AuthenticationError):
        records.api.read("/zones", (), records.budget, renew=False)
    assert len(clouds.cloudflare.requests) == 1
