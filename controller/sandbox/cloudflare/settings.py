"""What a zone and its account are set to, beside the records.

Cloudflare API reference: Zone Settings, Certificate Packs, Total TLS, DNS Settings.

===================================  ===============================================================
route                                accepted permissions, any of them (each also in its Write form)
===================================  ===============================================================
``/zones/ID/settings/NAME``          Zone Settings Read
``/zones/ID/ssl/certificate_packs``  SSL and Certificates Read
``/zones/ID/acm/total_tls``          SSL and Certificates Read
``/zones/ID/dns_settings``           DNS Read, Zone DNS Settings Read
``/accounts/ID/dns_settings``        Account DNS Settings Read
===================================  ===============================================================

How a token without the permission is refused is not published. Settings answer as the zone itself does, the others as
the records do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from controller.sandbox.cloudflare.envelope import success
from controller.sandbox.cloudflare.exchange import Reply, Request
from controller.sandbox.cloudflare.listing import page_info
from controller.sandbox.cloudflare.naming import punycode
from controller.sandbox.cloudflare.tokens import Permission
from controller.sandbox.cloudflare.zone import Zone, identifier

SslMode = Literal["off", "flexible", "full", "strict", "origin_pull"]
ZoneType = Literal["full", "partial", "secondary", "internal"]
ZoneMode = Literal["standard", "cdn_only", "dns_only"]
PackType = Literal["universal", "advanced", "total_tls", "sni_custom", "mh_custom", "legacy_custom"]

PACKS_PER_PAGE, MOST_PACKS_PER_PAGE = 20, 50


@dataclass(frozen=True, slots=True)
class Pack:
    """A certificate pack at the edge. Its certificates share its hosts and its status."""

    hosts: tuple[str, ...]
    type: PackType = "advanced"
    status: str = "active"


@dataclass(slots=True)
class Settings:
    """The settings of a new zone; a test changes them in place. A reset of the server restores them."""

    type: ZoneType = "full"
    paused: bool = False
    ssl: SslMode = "full"
    automatic_ssl: bool = False
    websockets: bool = True
    universal_ssl: bool = True
    """A pack for the zone's name and one label below it."""
    packs: list[Pack] = field(default_factory=list)
    """Packs besides the universal one."""
    total_tls: bool = False
    zone_mode: ZoneMode = "standard"
    enforce_dns_only: bool = False
    """The account's switch: proxied records of all its zones answer with their own addresses."""

    def every_pack(self, zone: str) -> list[Pack]:
        """Return the packs of the zone with this name, the universal one first."""
        universal = [Pack((zone, f"*.{zone}"), "universal")] if self.universal_ssl else []
        return [*universal, *self.packs]

    @property
    def bypasses_proxy(self) -> bool:
        """Return whether names lead past the proxy, whatever their records say."""
        return self.paused or self.enforce_dns_only or self.zone_mode == "dns_only"


@dataclass(frozen=True, slots=True)
class Call:
    """One authorised request."""

    request: Request
    zone: Zone
    settings: Settings

    def done(self, result: object, info: Mapping[str, int] | None = None) -> Reply:
        """Answer a call that succeeded."""
        return success(result, self.zone.quirks, info)


def _setting(read: Callable[[Settings], str]) -> Callable[[Call], Reply]:
    def answer(call: Call) -> Reply:
        name = call.request.path.rpartition("/")[2]
        shown = {"id": name, "value": read(call.settings), "editable": True}
        return call.done(shown)

    return answer


def _packs(call: Call) -> Reply:
    """Return one page of the packs: the active ones, or with ``status=all`` every one."""
    zone, query = call.zone, call.request.query
    is_all = query.get("status") == "all"
    found = [pack for pack in call.settings.every_pack(zone.name) if is_all or pack.status == "active"]
    page = query.number("page", 1, 1)
    size = min(query.number("per_page", PACKS_PER_PAGE, 1), MOST_PACKS_PER_PAGE)
    shown = found[(page - 1) * size : page * size]
    return call.done([_pack(pack, zone) for pack in shown], page_info(page, size, len(shown), len(found)))


def _pack(pack: Pack, zone: Zone) -> dict[str, object]:
    id, hosts = identifier(zone.id, pack), [punycode(host) for host in pack.hosts]
    return {
        "id": id,
        "type": pack.type,
        "hosts": hosts,
        "primary_certificate": identifier(id),
        "status": pack.status,
        "certificates": [{"id": identifier(id), "hosts": hosts, "status": pack.status}],
        "certificate_authority": "google",
        "validation_method": "txt",
        "validity_days": 90,
    }


def _total_tls(call: Call) -> Reply:
    return call.done({"enabled": call.settings.total_tls, "certificate_authority": "google", "validity_period": 90})


def _zone_dns(call: Call) -> Reply:
    return call.done({**_DNS, "ns_ttl": 86400, "zone_mode": call.settings.zone_mode})


def account_dns(call: Call) -> Reply:
    """Return the account's DNS settings; those for new zones are Cloudflare's."""
    defaults = {**_DNS, "ns_ttl": 86400, "zone_mode": "standard"}
    return call.done({"zone_defaults": defaults, "enforce_dns_only": call.settings.enforce_dns_only})


_DNS: Mapping[str, object] = {
    "flatten_all_cnames": False,
    "foundation_dns": False,
    "internal_dns": {"reference_zone_id": None},
    "multi_provider": False,
    "nameservers": {"type": "cloudflare.standard"},
    "secondary_overrides": False,
    "soa": {"expire": 604800, "min_ttl": 1800, "mname": None, "refresh": 10000, "retry": 2400, "ttl": 3600},
}

Route = tuple[Permission, Callable[[Call], Reply]]
_READ_SETTINGS, _READ_SSL = Permission.ZONE_SETTINGS_READ, Permission.SSL_READ
#: By the path below the zone.
ROUTES: Mapping[Sequence[str], Route] = {
    ("settings", "ssl"): (_READ_SETTINGS, _setting(lambda settings: settings.ssl)),
    ("settings", "ssl_automatic_mode"): (
        _READ_SETTINGS,
        _setting(lambda settings: "auto" if settings.automatic_ssl else "custom"),
    ),
    ("settings", "websockets"): (_READ_SETTINGS, _setting(lambda settings: "on" if settings.websockets else "off")),
    ("ssl", "certificate_packs"): (_READ_SSL, _packs),
    ("acm", "total_tls"): (_READ_SSL, _total_tls),
    ("dns_settings",): (Permission.DNS_READ, _zone_dns),
}
