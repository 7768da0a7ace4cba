"""What breaks links at Cloudflare: each setting right, wrong, strange and not readable."""

from collections.abc import Callable
from typing import Any

import pytest

from controller.doctor.as_text import render
from controller.doctor.diagnosis import Check, Diagnosis, Status
from controller.sandbox.cloudflare import QUIRK_SETS, Pack, Permission, Proceed, Quirks, Reply, Request, Settings
from tests.support.servers import Clouds, refusal
from tests.system.doctor.deployed import cloudflare

CHECKS = ["edge-certificate", "delegation", "ssl-mode", "websockets", "dns-only"]
DEEP = {"DOMAIN_ROOT": "classroom.example.com"}
DNS, ZONE = Permission.DNS_WRITE, Permission.ZONE_READ
SETTINGS, SSL, ACCOUNT = Permission.ZONE_SETTINGS_READ, Permission.SSL_READ, Permission.ACCOUNT_DNS_READ


def with_token(clouds: Clouds, *permissions: Permission, **changes: str) -> dict[str, Check]:
    """The checks of a token that may do this."""
    return cloudflare(clouds, CLOUDFLARE_API_TOKEN=clouds.cloudflare.add_token(permissions), **changes)


def said_of(id: str, clouds: Clouds, settings: Callable[[Settings], Any], **changes: str) -> Check:
    """What a check says of a zone that is set so."""
    settings(clouds.cloudflare.settings)
    return cloudflare(clouds, **changes)[id]


def answering(clouds: Clouds, ending: str, answer: Callable[[Request, Proceed], Reply]) -> None:
    """Answer requests to this path so."""

    def intercept(request: Request, proceed: Proceed) -> Reply:
        return answer(request, proceed) if request.path.endswith(ending) else proceed()

    clouds.cloudflare.intercept = intercept


# Certificate


@pytest.mark.parametrize("root", ["example.com", "classroom.example.com"])
def test_a_certificate_that_covers_the_names_passes(clouds: Clouds, root: str) -> None:
    clouds.cloudflare.settings.packs.append(Pack((f"*.{root}",)))
    clouds.cloudflare.settings.universal_ssl = False
    said = cloudflare(clouds, DOMAIN_ROOT=root)["edge-certificate"]
    assert (said.status, said.seen) == (Status.PASS, f"A certificate at the edge (advanced) covers *.{root}.")


def test_the_universal_certificate_covers_names_at_the_zone(clouds: Clouds) -> None:
    said = cloudflare(clouds)["edge-certificate"]
    assert (said.status, "(universal) covers *.example.com" in said.seen) == (Status.PASS, True)


def test_a_domain_deeper_than_the_zone_has_no_certificate(clouds: Clouds) -> None:
    said = cloudflare(clouds, **DEEP)["edge-certificate"]
    assert said.status is Status.WARN
    assert "No active certificate at the edge covers *.classroom.example.com" in said.seen
    assert "ERR_SSL_VERSION_OR_CIPHER_MISMATCH" in said.seen
    for way in ("zone's name example.com", "advanced certificate", "Total TLS", "a zone of its own"):
        assert way in said.fix


@pytest.mark.parametrize(
    "hosts",
    [
        ("example.com", "*.example.com"),
        ("classroom.example.com",),
        ("*.room.classroom.example.com",),
        ("*.aclassroom.example.com",),
        (),
    ],
)
def test_a_certificate_for_other_names_covers_nothing(clouds: Clouds, hosts: tuple[str, ...]) -> None:
    said = said_of("edge-certificate", clouds, lambda settings: settings.packs.append(Pack(hosts)), **DEEP)
    assert said.status is Status.WARN


@pytest.mark.parametrize("status", ["pending_validation", "pending_issuance", "validation_timed_out", "expired"])
def test_a_certificate_that_is_not_active_covers_nothing(clouds: Clouds, status: str) -> None:
    pack = Pack(("*.classroom.example.com",), status=status)
    said = said_of("edge-certificate", clouds, lambda settings: settings.packs.append(pack), **DEEP)
    assert (said.status, f"One is not active: {status}." in said.seen) == (Status.WARN, True)


def test_a_certificate_that_is_renewed_still_covers(clouds: Clouds) -> None:
    """The pack waits, and its older certificate is in use."""
    hosts = ["*.classroom.example.com"]
    old = {"id": "c", "hosts": hosts, "status": "active"}
    pack = {"id": "p", "type": "advanced", "status": "pending_deployment", "hosts": hosts, "certificates": [old]}
    info = {"page": 1, "per_page": 50, "count": 1, "total_count": 1}
    body = {"success": True, "errors": [], "result": [pack], "result_info": info}
    answering(clouds, "/certificate_packs", lambda *_: Reply.of(200, body))
    assert cloudflare(clouds, **DEEP)["edge-certificate"].status is Status.PASS


def test_a_certificate_on_a_later_page_counts(clouds: Clouds) -> None:
    clouds.cloudflare.settings.packs += [Pack((f"n{number}.example.com",)) for number in range(60)]
    clouds.cloudflare.settings.packs.append(Pack(("*.classroom.example.com",)))
    assert cloudflare(clouds, **DEEP)["edge-certificate"].status is Status.PASS


def test_total_tls_covers_each_name_after_a_while(clouds: Clouds) -> None:
    said = said_of("edge-certificate", clouds, lambda settings: setattr(settings, "total_tls", True), **DEEP)
    assert (said.status, "With Total TLS" in said.seen) == (Status.PASS, True)


def test_a_zone_without_universal_certificate_is_a_warning(clouds: Clouds) -> None:
    said = said_of("edge-certificate", clouds, lambda settings: setattr(settings, "universal_ssl", False))
    assert (said.status, "Turn on Universal SSL" in said.fix) == (Status.WARN, True)


def test_a_hidden_certificate_is_judged_by_the_names(clouds: Clouds) -> None:
    at_zone = with_token(clouds, DNS, ZONE)["edge-certificate"]
    assert (at_zone.status, "unless somebody turned it off" in at_zone.seen) == (Status.PASS, True)
    deeper = with_token(clouds, DNS, ZONE, **DEEP)["edge-certificate"]
    assert (deeper.status, "is not known" in deeper.seen, "Total TLS" in deeper.fix) == (Status.WARN, True, True)


def test_a_domain_outside_the_zone_is_judged_by_the_zone_alone(clouds: Clouds) -> None:
    checks = cloudflare(clouds, DOMAIN_ROOT="example.org")
    assert [str(checks[id].status) for id in ("zone", *CHECKS[:2])] == ["fail", "skip", "skip"]


# Delegation


@pytest.mark.parametrize("at", ["classroom.example.com", "b.classroom.example.com"])
def test_an_ns_record_at_or_above_the_domain_fails(clouds: Clouds, at: str) -> None:
    clouds.cloudflare.seed(at, "ns.example.net", type="NS", proxied=False)
    said = cloudflare(clouds, DOMAIN_ROOT="b.classroom.example.com")["delegation"]
    assert said.status is Status.FAIL
    assert f"An NS record at {at} delegates" in said.seen
    assert "never answers them" in said.seen


@pytest.mark.parametrize(
    ("at", "type"),
    [
        ("example.com", "NS"),  # the zone's own
        ("i-0123456789abcdef0.classroom.example.com", "NS"),  # one machine's, a finding of the pass
        ("aclassroom.example.com", "NS"),
        ("lab.example.com", "NS"),
        ("classroom.example.com", "TXT"),
    ],
)
def test_another_record_delegates_no_domain(clouds: Clouds, at: str, type: str) -> None:
    clouds.cloudflare.seed(at, "ns.example.net", type=type, proxied=False)
    assert cloudflare(clouds, **DEEP)["delegation"].status is Status.PASS


def test_an_ns_record_is_a_warning_where_the_zone_is_not_known(clouds: Clouds) -> None:
    clouds.cloudflare.seed("example.com", "ns.example.net", type="NS", proxied=False)
    said = with_token(clouds, DNS)["delegation"]
    assert (said.status, "zone's own name" in said.seen) == (Status.WARN, True)


# SSL mode


@pytest.mark.parametrize(
    ("mode", "port", "status", "seen"),
    [
        ("strict", "8443", "pass", "from Cloudflare's Origin CA"),
        ("origin_pull", "8443", "pass", "from Cloudflare's Origin CA"),
        ("full", "8443", "pass", "accepts any certificate"),
        ("flexible", "8443", "warn", "treats port 8443 as Full"),
        ("flexible", "443", "warn", "which expect TLS, so links to port 443 fail"),
        ("off", "8443", "warn", "redirects HTTPS to HTTP"),
        ("quantum", "8443", "warn", "'quantum' is not known"),
    ],
)
def test_the_ssl_mode_says_what_desktops_need(clouds: Clouds, mode: str, port: str, status: str, seen: str) -> None:
    said = said_of("ssl-mode", clouds, lambda settings: setattr(settings, "ssl", mode), DCV_PORT=port)
    assert (str(said.status), seen in said.seen) == (status, True), said.seen
    assert ("Set Full (strict)" in said.fix) is (status == "warn")


@pytest.mark.parametrize(("mode", "status"), [("full", "warn"), ("strict", "pass")])
def test_automatic_ssl_is_a_warning_where_it_can_turn_strict(clouds: Clouds, mode: str, status: str) -> None:
    clouds.cloudflare.settings.automatic_ssl = True
    said = said_of("ssl-mode", clouds, lambda settings: setattr(settings, "ssl", mode))
    assert (str(said.status), "Automatic" in said.seen) == (status, status == "warn")


def test_automatic_ssl_that_is_not_known_changes_nothing(clouds: Clouds) -> None:
    answering(clouds, "/ssl_automatic_mode", lambda *_: refusal(400, 1003, "Undefined zone setting."))
    assert cloudflare(clouds)["ssl-mode"].status is Status.PASS


# WebSockets


@pytest.mark.parametrize(("on", "status"), [(True, Status.PASS), (False, Status.WARN)])
def test_websockets_must_be_on(clouds: Clouds, on: bool, status: Status) -> None:
    said = said_of("websockets", clouds, lambda settings: setattr(settings, "websockets", on))
    assert (said.status, "Network > WebSockets" in said.fix) == (status, not on)


def test_an_unknown_setting_of_websockets_is_a_warning(clouds: Clouds) -> None:
    answering(clouds, "/websockets", lambda *_: Reply.of(200, {"success": True, "errors": [], "result": {}}))
    said = cloudflare(clouds)["websockets"]
    assert (said.status, "is 'None'" in said.seen) == (Status.WARN, True)


# DNS-only


@pytest.mark.parametrize(
    ("field", "value", "status", "seen"),
    [
        ("enforce_dns_only", True, Status.WARN, "The account enforces DNS-only"),
        ("zone_mode", "dns_only", Status.WARN, "The zone's mode is DNS-only"),
        ("zone_mode", "cdn_only", Status.PASS, "Neither"),
        ("enforce_dns_only", False, Status.PASS, "Neither"),
    ],
)
def test_dns_only_is_a_warning(clouds: Clouds, field: str, value: object, status: Status, seen: str) -> None:
    said = said_of("dns-only", clouds, lambda settings: setattr(settings, field, value))
    assert (said.status, seen in said.seen) == (status, True)


def test_the_zones_mode_is_seen_without_the_accounts(clouds: Clouds) -> None:
    clouds.cloudflare.settings.zone_mode = "dns_only"
    assert with_token(clouds, DNS)["dns-only"].status is Status.WARN


# The zone's own state


@pytest.mark.parametrize("kind", ["partial", "secondary", "internal"])
def test_a_zone_without_full_setup_is_a_warning(clouds: Clouds, kind: str) -> None:
    said = said_of("zone", clouds, lambda settings: setattr(settings, "type", kind))
    assert (said.status, f"type is {kind}" in said.seen) == (Status.WARN, True)


def test_a_partial_zone_has_a_certificate_for_each_name(clouds: Clouds) -> None:
    clouds.cloudflare.settings.type = "partial"
    said = with_token(clouds, DNS, ZONE, **DEEP)["edge-certificate"]
    assert (said.status, "CNAME setup" in said.seen) == (Status.PASS, True)


# What the token may not read


@pytest.mark.parametrize("quirks", QUIRK_SETS.values(), ids=QUIRK_SETS)
def test_what_the_token_may_not_read_is_skipped_with_a_place_to_look(clouds: Clouds, quirks: Quirks) -> None:
    clouds.reset(quirks=quirks)
    checks = with_token(clouds, DNS)
    assert [str(checks[id].status) for id in CHECKS] == ["skip", "pass", "skip", "skip", "skip"]
    places = ["Edge Certificates", "", "Overview", "Network > WebSockets", "Enforce DNS-only"]
    for id, place in zip(CHECKS, places, strict=True):
        assert place in checks[id].fix
    assert checks["other-owners"].status is Status.PASS, "the rest is looked at"


@pytest.mark.parametrize(
    ("permissions", "statuses"),
    [
        ((DNS, ZONE), "pass pass skip skip skip"),
        ((DNS, ZONE, SETTINGS), "pass pass pass pass skip"),
        ((DNS, ZONE, SSL), "pass pass skip skip skip"),
        ((DNS, ZONE, ACCOUNT), "pass pass skip skip pass"),
        ((DNS, SETTINGS, SSL, ACCOUNT), "pass pass pass pass skip"),
        ((DNS, ZONE, SETTINGS, SSL, ACCOUNT), "pass pass pass pass pass"),
    ],
)
def test_each_permission_opens_its_checks(clouds: Clouds, permissions: tuple[Permission, ...], statuses: str) -> None:
    checks = with_token(clouds, *permissions)
    assert " ".join(str(checks[id].status) for id in CHECKS) == statuses


def test_each_skipped_check_shows_its_own_place_to_look(clouds: Clouds) -> None:
    checks = with_token(clouds, DNS, ZONE)
    text = render(Diagnosis(tuple(checks[id] for id in CHECKS)), width=1000)
    assert ("SSL/TLS > Overview" in text, "Network > WebSockets" in text) == (True, True)


@pytest.mark.parametrize("status", [404, 400, 500])
@pytest.mark.parametrize("ending", ["/certificate_packs", "/settings/ssl", "/websockets", "/dns_settings"])
def test_a_refusal_of_another_kind_is_a_warning(clouds: Clouds, ending: str, status: int) -> None:
    answering(clouds, ending, lambda *_: refusal(status, 7777, "Something new."))
    checks = cloudflare(clouds)
    wrong = [checks[id] for id in CHECKS if checks[id].status is not Status.PASS]
    assert [check.status for check in wrong] == [Status.WARN]
    assert "cannot be looked at" in wrong[0].seen


@pytest.mark.parametrize("result", [None, "nonsense", [], ["nonsense"], [{}], {}])
def test_nonsense_never_fails(clouds: Clouds, result: object) -> None:
    body = {"success": True, "errors": [], "result": result}

    def intercept(request: Request, proceed: Proceed) -> Reply:
        is_setting = any(part in request.path for part in ("settings", "/ssl/", "/acm/"))
        return Reply.of(200, body) if is_setting else proceed()

    clouds.cloudflare.intercept = intercept
    checks = cloudflare(clouds)
    assert Status.FAIL not in {checks[id].status for id in CHECKS}
    assert checks["ssl-mode"].status is Status.WARN


# International domains


def test_an_international_domain_is_matched_as_dns_has_it(clouds: Clouds) -> None:
    """The edge, the zone and the records may each have it in Unicode or in Punycode."""
    clouds.cloudflare.settings.packs.append(Pack(("*.schüler.example.com",)))
    clouds.cloudflare.seed("xn--schler-5ya.example.com", "ns.example.net", type="NS", proxied=False)
    checks = cloudflare(clouds, DOMAIN_ROOT="schüler.example.com")
    assert checks["edge-certificate"].status is Status.PASS
    assert checks["delegation"].status is Status.FAIL
    assert "schüler.example.com" in checks["delegation"].seen
