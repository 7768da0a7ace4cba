"""The settings of a zone and its account: the official SDK reads them, and each needs its permission."""

import pytest
from cloudflare import Cloudflare

from controller.sandbox.cloudflare import CloudflareServer, Pack, Permission
from tests.sandbox.conftest import Raw

pytestmark = pytest.mark.usefixtures("judged")
PATHS = ["settings/ssl", "settings/websockets", "settings/ssl_automatic_mode", "ssl/certificate_packs", "acm/total_tls"]


def test_settings_are_as_the_sdk_types_them(server: CloudflareServer, sdk: Cloudflare) -> None:
    server.settings.ssl, server.settings.websockets = "strict", False
    values = {
        id: getattr(sdk.zones.settings.get(id, zone_id=server.zone_id), "value", None) for id in ("ssl", "websockets")
    }
    assert values == {"ssl": "strict", "websockets": "off"}


def test_certificate_packs_are_as_the_sdk_types_them(server: CloudflareServer, sdk: Cloudflare) -> None:
    pending = Pack(("*.room.example.com",), status="pending_validation")
    server.settings.packs += [Pack(("example.com", "*.lab.example.com")), pending]
    found = list(sdk.ssl.certificate_packs.list(zone_id=server.zone_id))
    assert [(pack.type, pack.hosts, pack.status) for pack in found] == [
        ("universal", ["example.com", "*.example.com"], "active"),
        ("advanced", ["example.com", "*.lab.example.com"], "active"),
    ]
    every = list(sdk.ssl.certificate_packs.list(zone_id=server.zone_id, status="all"))
    assert [pack.status for pack in every] == ["active", "active", "pending_validation"]
    server.settings.universal_ssl = False
    assert len(list(sdk.ssl.certificate_packs.list(zone_id=server.zone_id))) == 1


def test_total_tls_and_dns_settings_are_as_the_sdk_types_them(server: CloudflareServer, sdk: Cloudflare) -> None:
    server.settings.total_tls = server.settings.enforce_dns_only = True
    server.settings.zone_mode = "dns_only"
    total = sdk.acm.total_tls.get(zone_id=server.zone_id)
    zone = sdk.dns.settings.zone.get(zone_id=server.zone_id)
    account = sdk.dns.settings.account.get(account_id=server.account_id)
    assert total
    assert zone
    assert account
    assert (total.enabled, zone.zone_mode, account.enforce_dns_only) == (True, "dns_only", True)


def test_a_zone_that_is_paused_or_partial_says_so(server: CloudflareServer, sdk: Cloudflare) -> None:
    server.settings.paused, server.settings.type = True, "partial"
    zone = sdk.zones.get(zone_id=server.zone_id)
    assert zone
    assert (zone.paused, zone.type) == (True, "partial")


def test_a_reset_restores_the_settings(raw: Raw) -> None:
    raw.server.settings.ssl = "off"
    raw.server.reset()
    assert raw.result("GET", f"/zones/{raw.server.zone_id}/settings/ssl")["value"] == "full"


@pytest.mark.parametrize("path", PATHS)
def test_each_route_needs_its_permission(raw: Raw, path: str) -> None:
    needed = Permission.ZONE_SETTINGS_READ if path.startswith("settings") else Permission.SSL_READ
    whole = f"/zones/{raw.server.zone_id}/{path}"
    raw.result("GET", whole, token=raw.server.add_token([needed]))
    others = raw.server.add_token(set(Permission) - {needed})
    assert raw.refusal("GET", whole, token=others) == (403, 9109 if path.startswith("settings") else 10000)


def test_dns_settings_need_dns_read_or_the_accounts_permission(raw: Raw) -> None:
    zone, account = (
        f"/{kind}/dns_settings" for kind in (f"zones/{raw.server.zone_id}", f"accounts/{raw.server.account_id}")
    )
    dns, of_account = (raw.server.add_token([each]) for each in (Permission.DNS_READ, Permission.ACCOUNT_DNS_READ))
    raw.result("GET", zone, token=dns)
    raw.result("GET", account, token=of_account)
    assert raw.refusal("GET", zone, token=of_account) == (403, 10000)
    assert raw.refusal("GET", account, token=dns) == (403, 10000)


def test_another_zones_settings_are_refused(raw: Raw) -> None:
    for path in PATHS:
        assert raw.refusal("GET", f"/zones/{'0' * 32}/{path}") == (403, 9109)
