"""Facts → verdict, for facts that no edge on loopback shows; ``tests/system/probe`` has the others."""

from dataclasses import replace
from string import Formatter
from typing import Any

import pytest

from controller.probe.verdict import _TEXTS, Answer, Cause, Kind, Link, Seen, Stage, judge
from tests.support.build import ADDRESS, TEACHER, name

LINK = Link(name(TEACHER), 8443, TEACHER, "m1", "teacher", ADDRESS)
CLOUDFLARE = Answer(200, from_cloudflare=True)


def seen(**fields: Any) -> Seen:
    """An answer of the desktop, by way of Cloudflare, with these facts changed."""
    answer = replace(CLOUDFLARE, **fields)
    return Seen(Stage.ANSWER, addresses=("104.16.0.1",), answer=answer)


@pytest.mark.parametrize("status", [101, 200, 302, 401, 404, 500, 503])
def test_any_answer_of_the_desktop_works(status: int) -> None:
    verdict = judge(LINK, seen(status=status))
    assert (verdict.kind, verdict.remedy) == (Kind.WORKS, "")
    assert f"status {status}" in verdict.because


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ({"status": 530, "error": None}, Cause.ORIGIN_NAME),
        ({"status": 530, "error": 1033}, Cause.ORIGIN_NAME),  # a tunnel
        ({"status": 403, "error": 1020, "challenged": True}, Cause.CHALLENGE),
        ({"status": 403, "error": 1015}, Cause.BLOCKED),
        ({"status": 503, "error": 1105}, Cause.EDGE_FAILED),
        ({"status": 302, "location": "team.cloudflareaccess.com/cdn-cgi/access/login/x"}, Cause.ACCESS),
        ({"status": 302, "location": f"{name(TEACHER)}/cdn-cgi/access/login"}, Cause.ACCESS),
        ({"status": 302, "location": "team.cloudflareaccess.com/login"}, Cause.ACCESS),
        ({"status": 301, "location": f"{name(TEACHER)}/", "to_http": True}, Cause.HTTPS_OFF),
        ({"status": 301, "location": "desk.example.net/", "to_http": True}, Cause.WORKS),
        ({"status": 302, "location": "notcloudflareaccess.com/"}, Cause.WORKS),
        ({"status": 302, "location": f"{name(TEACHER)}/login"}, Cause.WORKS),
    ],
)
def test_answer_of_the_edge_gives_its_cause(facts: dict[str, object], cause: Cause) -> None:
    assert judge(LINK, seen(**facts)).cause is cause


@pytest.mark.parametrize("stage", [Stage.CONNECT, Stage.TLS, Stage.ANSWER])
def test_machine_s_own_address_is_not_proxied_whatever_it_answers(stage: Stage) -> None:
    verdict = judge(LINK, Seen(stage, "timed out", addresses=(ADDRESS,)))
    assert (verdict.kind, verdict.cause) == (Kind.BROKEN, Cause.NOT_PROXIED)
    assert ADDRESS in verdict.because


def test_unknown_address_of_the_machine_matches_no_answer_of_dns() -> None:
    assert judge(replace(LINK, address=None), replace(seen(), addresses=())).cause is Cause.WORKS


@pytest.mark.parametrize(
    ("facts", "kind", "cause"),
    [
        (Seen(Stage.CONNECT, "the time is up"), Kind.UNKNOWN, Cause.NO_WAY_OUT),
        (Seen(Stage.TLS, "the time is up"), Kind.UNKNOWN, Cause.NO_TRUST),
        (Seen(Stage.TLS, "unrecognized name", refused=True), Kind.BROKEN, Cause.NO_CERTIFICATE),
        (Seen(Stage.ANSWER, "the time is up"), Kind.BROKEN, Cause.NO_ANSWER),
        (Seen(Stage.ANSWER, "Connection reset by peer", refused=True), Kind.UNKNOWN, Cause.EDGE_FAILED),
        (Seen(Stage.NAME, "the time is up"), Kind.UNKNOWN, Cause.NO_RESOLVER),
        (Seen(Stage.NAME, "NXDOMAIN", refused=True), Kind.BROKEN, Cause.NO_NAME),
    ],
)
def test_stage_at_which_a_look_ended_decides(facts: Seen, kind: Kind, cause: Cause) -> None:
    verdict = judge(LINK, facts)
    assert (verdict.kind, verdict.cause) == (kind, cause)


@pytest.mark.parametrize(
    ("distrust", "from_cloudflare", "kind", "cause"),
    [
        ("", False, Kind.UNKNOWN, Cause.NOT_PROXIED),  # a browser gets to the desktop
        ("self-signed certificate", False, Kind.BROKEN, Cause.NOT_PROXIED),
        ("self-signed certificate", True, Kind.BROKEN, Cause.NO_CERTIFICATE),
    ],
)
def test_certificate_decides_whether_a_browser_gets_there(
    distrust: str, from_cloudflare: bool, kind: Kind, cause: Cause
) -> None:
    verdict = judge(LINK, replace(seen(from_cloudflare=from_cloudflare), distrust=distrust))
    assert (verdict.kind, verdict.cause) == (kind, cause)
    assert distrust in verdict.because


@pytest.mark.parametrize(
    ("facts", "because"),
    [
        (seen(status=403, error=1020), f"A rule at Cloudflare refuses the probe of {LINK.name} (error 1020)"),
        (seen(status=503, error=1105), f"Cloudflare did not handle the request for {LINK.name}: error 1105"),
        (seen(from_cloudflare=False), f"{LINK.name} does not lead to Cloudflare: another server answers"),
        (
            Seen(Stage.CONNECT, "timed out", addresses=("104.16.0.1", "104.16.0.2")),
            "Cannot connect to Cloudflare at 104.16.0.1, 104.16.0.2 port 8443 from here: timed out",
        ),
        (
            Seen(Stage.CONNECT, "timed out"),
            "Cannot connect to Cloudflare at its address port 8443 from here: timed out",
        ),
        (replace(seen(), distrust="expired"), f"Cloudflare has no certificate for {LINK.name}: expired"),
        (Seen(Stage.TLS, refused=True), f"Cloudflare has no certificate for {LINK.name}"),
    ],
)
def test_verdict_names_what_was_seen(facts: Seen, because: str) -> None:
    assert judge(LINK, facts).because == because


def test_remedy_names_the_port_and_the_domain() -> None:
    assert "listen on port 8443;" in judge(LINK, seen(status=521)).remedy
    assert "skip it for *.example.com." in judge(LINK, seen(status=403, error=1020)).remedy
    assert judge(LINK, seen(status=521)).kind is Kind.BROKEN


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_text_and_all_but_one_a_remedy(cause: Cause) -> None:
    because, remedy = _TEXTS[cause]
    assert because
    assert not because.endswith(".")
    assert bool(remedy) is (cause is not Cause.WORKS)
    fields = {field for text in (because, remedy) for _, field, *_ in Formatter().parse(text) if field}
    assert fields <= {"name", "port", "domain", "where", "problem", "status", "code", "distrust", "elsewhere"}
