"""The official SDK as a client, with strict validation of what it is answered."""

import cloudflare
import pytest
from cloudflare import Cloudflare

from controller.sandbox.cloudflare import QUIRK_SETS, CloudflareServer

pytestmark = pytest.mark.usefixtures("judged")


def test_listing_by_page_until_a_page_is_empty(server: CloudflareServer, sdk: Cloudflare) -> None:
    for number in range(7):
        server.seed(f"n{number}", "192.0.2.1", comment="mine")
    server.seed("text", "some text", type="TXT", proxied=False)
    found = list(sdk.dns.records.list(zone_id=server.zone_id, type="A", per_page=3, order="name"))
    assert [record.name for record in found] == [f"n{number}.example.com" for number in range(7)]
    # Its pager asks for pages until one is empty.
    assert [exchange.query.get("page") for exchange in server.requests] == ["", "2", "3", "4"]


def test_filters_arrive_as_the_sdk_writes_them(server: CloudflareServer, sdk: Cloudflare) -> None:
    server.seed("i-1", "192.0.2.1", comment="mine")
    server.seed("other", "192.0.2.1")
    found = sdk.dns.records.list(
        zone_id=server.zone_id, name={"startswith": "I-"}, comment={"present": ""}, match="all", proxied=True
    )
    assert [record.name for record in found.result] == ["i-1.example.com"]


def test_create_read_edit_update_delete(server: CloudflareServer, sdk: Cloudflare) -> None:
    zone = server.zone_id
    made = sdk.dns.records.create(
        zone_id=zone, type="A", name="www", content="192.0.2.1", ttl=120, proxied=True, comment="mine"
    )
    assert made
    assert (made.name, made.ttl, made.proxied, made.comment) == ("www.example.com", 1, True, "mine")
    assert sdk.dns.records.get(made.id, zone_id=zone) == made
    edited = sdk.dns.records.edit(made.id, zone_id=zone, type="A", name="www", content="192.0.2.2", ttl=1)
    assert edited
    assert (edited.content, edited.proxied, edited.comment) == ("192.0.2.2", True, "mine")
    updated = sdk.dns.records.update(made.id, zone_id=zone, type="A", name="www", content="192.0.2.3", ttl=300)
    assert updated
    assert (updated.content, updated.proxied, updated.comment, updated.ttl) == ("192.0.2.3", False, None, 300)
    deleted = sdk.dns.records.delete(made.id, zone_id=zone)
    assert deleted
    assert deleted.id == made.id
    assert server.records() == []


def test_batch(server: CloudflareServer, sdk: Cloudflare) -> None:
    gone, patched, put = (server.seed(name, "192.0.2.1") for name in ("gone", "patched", "put"))
    done = sdk.dns.records.batch(
        zone_id=server.zone_id,
        deletes=[{"id": gone}],
        patches=[{"id": patched, "type": "A", "name": "patched", "content": "192.0.2.2", "ttl": 1}],
        puts=[{"id": put, "type": "A", "name": "put", "content": "192.0.2.3", "ttl": 60}],
        posts=[{"type": "A", "name": "new", "content": "192.0.2.4", "ttl": 1, "proxied": True}],
    )
    assert done
    lists = (done.deletes, done.patches, done.puts, done.posts)
    assert [[(record.name, record.content) for record in records or []] for records in lists] == [
        [("gone.example.com", "192.0.2.1")],
        [("patched.example.com", "192.0.2.2")],
        [("put.example.com", "192.0.2.3")],
        [("new.example.com", "192.0.2.4")],
    ]


@pytest.mark.parametrize("name", QUIRK_SETS)
def test_a_batch_and_a_listing_are_valid_under_every_reading(
    server: CloudflareServer, sdk: Cloudflare, name: str
) -> None:
    server.reset(quirks=QUIRK_SETS[name])
    assert sdk.dns.records.batch(
        zone_id=server.zone_id, posts=[{"type": "A", "name": "new", "content": "192.0.2.4", "ttl": 1}]
    )
    assert sdk.dns.records.list(zone_id=server.zone_id).result is not None


def test_zone_usage_and_token(server: CloudflareServer, sdk: Cloudflare) -> None:
    zone = sdk.zones.get(zone_id=server.zone_id)
    assert zone
    assert (zone.name, zone.status, zone.plan.legacy_id) == ("example.com", "active", "pro")
    assert [found.id for found in sdk.zones.list(name="example.com").result] == [server.zone_id]
    usage = sdk.dns.usage.zone.get(zone_id=server.zone_id)
    assert usage
    assert (usage.record_quota, usage.record_usage) == (3500, 0)
    token = sdk.user.tokens.verify()
    assert token
    assert token.status == "active"
    assert "example.com" in sdk.dns.records.export(zone_id=server.zone_id)


def test_refusals_are_the_errors_that_the_sdk_knows(server: CloudflareServer, sdk: Cloudflare) -> None:
    with pytest.raises(cloudflare.NotFoundError) as missing:
        sdk.dns.records.get("0" * 32, zone_id=server.zone_id)
    assert [error.code for error in missing.value.errors] == [81044]
    with pytest.raises(cloudflare.BadRequestError) as bad:
        sdk.dns.records.create(zone_id=server.zone_id, type="A", name="a", content="10.0.0.1", ttl=1, proxied=True)
    assert [error.code for error in bad.value.errors] == [9003]
    server.revoke_token()
    with pytest.raises(cloudflare.PermissionDeniedError) as denied:
        sdk.dns.records.list(zone_id=server.zone_id)
    assert [error.code for error in denied.value.errors] == [10000]
    server.budget.left = 0
    with pytest.raises(cloudflare.RateLimitError):
        sdk.zones.get(zone_id=server.zone_id)
