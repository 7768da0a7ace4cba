"""OctoDNS as a second client: it plans and applies against the server until nothing is left to do."""

from collections.abc import Iterator
from typing import Any

import pytest
from octodns.record import Record  # type: ignore[import-untyped]  # it brings no types
from octodns.zone import Zone  # type: ignore[import-untyped]  # it brings no types
from octodns_cloudflare import CloudflareProvider  # type: ignore[import-untyped]  # it brings no types

from controller.sandbox.cloudflare import CloudflareServer

pytestmark = pytest.mark.usefixtures("judged")

PROXIED = {"cloudflare": {"proxied": True}}


@pytest.fixture
def provider(server: CloudflareServer) -> Iterator[CloudflareProvider]:
    """Page rules are another API. Records come in small pages, so that more than one is read."""
    made = CloudflareProvider(
        "sandbox", token=server.token, api_url=server.base_url, pagerules=False, records_per_page=2, retry_count=0
    )
    with made._sess:
        yield made


def zone_of(records: dict[str, dict[str, Any]]) -> Zone:
    zone = Zone("example.com.", [])
    for name, data in records.items():
        zone.add_record(Record.new(zone, name, data))
    return zone


def sync(provider: CloudflareProvider, desired: Zone) -> int:
    """Plan and apply; how many changes there were."""
    plan = provider.plan(desired)
    return provider.apply(plan) if plan else 0


WANTED = {
    "www": {"type": "A", "ttl": 300, "values": ["192.0.2.1", "192.0.2.2"], "octodns": PROXIED},
    "six": {"type": "AAAA", "ttl": 300, "value": "2001:db8::1"},
    "alias": {"type": "CNAME", "ttl": 300, "value": "www.example.com."},
    "": {"type": "MX", "ttl": 300, "values": [{"preference": 10, "exchange": "mail.example.com."}]},
    "note": {"type": "TXT", "ttl": 300, "value": "some text"},
    "_sip._tcp": {
        "type": "SRV",
        "ttl": 300,
        "values": [{"priority": 1, "weight": 2, "port": 5060, "target": "www.example.com."}],
    },
    "sub": {"type": "NS", "ttl": 300, "values": ["ns1.example.net.", "ns2.example.net."]},
}


def test_it_creates_and_then_has_nothing_to_do(server: CloudflareServer, provider: CloudflareProvider) -> None:
    assert sync(provider, zone_of(WANTED)) == len(WANTED)
    assert len(server.records()) == 9
    assert {record["proxied"] for record in server.records() if record["type"] == "A"} == {True}
    assert provider.plan(zone_of(WANTED)) is None


def test_it_updates_deletes_and_converges(server: CloudflareServer, provider: CloudflareProvider) -> None:
    sync(provider, zone_of(WANTED))
    other = {
        "www": {"type": "A", "ttl": 300, "value": "192.0.2.3"},
        "six": {"type": "AAAA", "ttl": 600, "value": "2001:db8::1"},
        "alias": {"type": "A", "ttl": 300, "value": "192.0.2.4"},
        "new": {"type": "A", "ttl": 300, "value": "192.0.2.5", "octodns": {"cloudflare": {"comment": "mine"}}},
        **{name: WANTED[name] for name in ("", "note", "_sip._tcp")},
    }
    assert sync(provider, zone_of(other)) > 0
    assert provider.plan(zone_of(other)) is None
    addresses = {record["name"]: record["content"] for record in server.records() if record["type"] == "A"}
    assert addresses == {
        "www.example.com": "192.0.2.3",
        "alias.example.com": "192.0.2.4",
        "new.example.com": "192.0.2.5",
    }
    assert {write.operation for write in server.history} == {"create", "update", "delete"}


def test_it_sees_what_was_changed_by_hand(server: CloudflareServer, provider: CloudflareProvider) -> None:
    sync(provider, zone_of(WANTED))
    record = next(record for record in server.records() if record["type"] == "AAAA")
    server.edit(str(record["id"]), content="2001:db8::bad")
    assert sync(provider, zone_of(WANTED)) == 1
    assert provider.plan(zone_of(WANTED)) is None
