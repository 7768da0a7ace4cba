"""What stands between a right record and a working link at Cloudflare, where the token may look at it.

A pass needs none of this, so nothing here fails where the token may not look: the check then says where a person looks.

================  ==========================================================  =====================================
check             reads (Cloudflare API reference)                            a token needs, beside DNS
================  ==========================================================  =====================================
edge-certificate  ``ssl/certificate_packs``, ``acm/total_tls``                Zone > SSL and Certificates > Read
delegation        the zone's NS records                                       nothing
ssl-mode          ``settings/ssl``, ``settings/ssl_automatic_mode``           Zone > Zone Settings > Read
websockets        ``settings/websockets``                                     Zone > Zone Settings > Read
dns-only          ``dns_settings`` of the zone (nothing) and of the account   Account > Account DNS Settings > Read
================  ==========================================================  =====================================
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from controller.cloudflare.records import PAGE_SIZE
from controller.cloudflare.reply import Answer
from controller.doctor.diagnosis import Check, Status, failed, fails_as, passed, skipped, warned
from controller.doctor.listing import listed
from controller.doctor.zone import ZoneLook
from controller.errors import AuthenticationError, CallError, DeadlineError, TransientError
from controller.names import is_under, punycode, readable
from controller.settings import Settings

_CERTIFICATE, _DELEGATION = "edge-certificate", "delegation"
_MODE, _WEBSOCKETS, _DNS_ONLY = "ssl-mode", "websockets", "dns-only"
#: The most that Cloudflare lists on one page.
PACKS_PER_PAGE = 50
#: Flexible speaks HTTP to the origin behind this port alone, and is Full behind others (Cloudflare docs: Flexible).
FLEXIBLE_PORT = 443


def settings_checks(zone: ZoneLook) -> Iterator[Check]:
    """Check certificate, delegation, SSL mode, WebSockets and DNS-only."""
    look, wildcard = _SettingsLook(zone), f"*.{readable(zone.settings.domain_root)}"
    edge = f"Look at SSL/TLS > Edge Certificates: an active certificate must have the host {wildcard}."
    yield _if_readable(_CERTIFICATE, look.certificate, "Zone > SSL and Certificates > Read", edge)
    records = "Look at DNS > Records: there must be no NS record at DOMAIN_ROOT, or between it and the zone's name."
    yield _if_readable(_DELEGATION, look.delegation, "Zone > DNS > Read", records)
    overview = f"Look at SSL/TLS > Overview. {look.advice}"
    yield _if_readable(_MODE, look.ssl_mode, "Zone > Zone Settings > Read", overview)
    network = "Look at Network > WebSockets: it must be on."
    yield _if_readable(_WEBSOCKETS, look.websockets, "Zone > Zone Settings > Read", network)
    account = "Look at the account's DNS settings: enforce_dns_only must be off (Cloudflare docs: Enforce DNS-only)."
    permissions = "Account > Account DNS Settings > Read, or Zone > Zone > Read to know the account"
    yield _if_readable(_DNS_ONLY, look.dns_only, permissions, account)


def _if_readable(id: str, look: Callable[[], Check], permission: str, where: str) -> Check:
    """Return the check, or where a person looks if the token may not, or Cloudflare does not answer as documented."""
    try:
        return look()
    except AuthenticationError:
        return Check(id, Status.SKIP, f"Not checked: the token has no {permission}.", where)
    except DeadlineError as error:
        return fails_as(id, error)
    except CallError as error:
        return warned(id, f"It cannot be looked at: {error.message}", where)


@dataclass(frozen=True, slots=True)
class _SettingsLook:
    """Each method returns its check. Raises AuthenticationError where the token may not look, or another CallError."""

    zone: ZoneLook

    @property
    def settings(self) -> Settings:
        """Return the settings of a pass."""
        return self.zone.settings

    @property
    def advice(self) -> str:
        """Return which SSL mode to set."""
        wildcard = f"*.{readable(self.settings.domain_root)}"
        return (
            f"Set Full (strict), with a certificate of Cloudflare's Origin CA for {wildcard} on the desktops. "
            "With a self-signed one set Full."
        )

    def certificate(self) -> Check:
        """Check that the edge has a certificate for machines' names."""
        root, zone = self.settings.domain_root, self.zone.name
        wildcard = f"*.{root}"
        if zone is not None and not is_under(root, zone):
            return skipped(_CERTIFICATE, "DOMAIN_ROOT is not in the zone")
        if self.zone.kind == "partial":
            return self._one_each("With a CNAME setup")
        try:
            packs = [_Pack.of(raw) for raw in self._packs()]
        except AuthenticationError:
            if zone is None:
                raise
            return self._by_depth(zone)
        covering = [pack for pack in packs if wildcard in pack.active]
        if covering:
            return passed(_CERTIFICATE, f"A certificate at the edge ({covering[0].type}) covers *.{readable(root)}.")
        if self._read_if_there("acm/total_tls").get("enabled") is True:
            return self._one_each("With Total TLS")
        waiting = sorted({pack.status for pack in packs if wildcard in pack.hosts})
        other = f" One is not active: {', '.join(waiting)}." if waiting else ""
        return self._uncovered(zone, f"No active certificate at the edge covers *.{readable(root)}.{other}")

    def _one_each(self, why: str) -> Check:
        seen = f"{why} Cloudflare orders a certificate for each proxied name: a new machine's link waits for its own."
        return passed(_CERTIFICATE, seen)

    def _by_depth(self, zone: str) -> Check:
        """Judge by the names alone: Universal SSL covers the zone's name and one label below it."""
        root = self.settings.domain_root
        if root == zone:
            seen = (
                f"Universal SSL covers *.{readable(zone)}, unless somebody turned it off. The token may not look: it "
                "has no Zone > SSL and Certificates > Read."
            )
            return passed(_CERTIFICATE, seen)
        seen = (
            f"Whether a certificate covers *.{readable(root)} is not known: the token has no Zone > SSL and "
            "Certificates > Read."
        )
        return self._uncovered(zone, seen)

    def _uncovered(self, zone: str | None, seen: str) -> Check:
        root = readable(self.settings.domain_root)
        if self.settings.domain_root == zone:
            fix = "Turn on Universal SSL (SSL/TLS > Edge Certificates), or wait until its certificate is active."
            return warned(_CERTIFICATE, f"{seen} Browsers refuse the links.", fix)
        name = f" {readable(zone)}" if zone else ""
        depth = (
            f"Universal SSL covers the zone's name{name} and one label below it: without another certificate browsers "
            "show ERR_SSL_VERSION_OR_CIPHER_MISMATCH."
        )
        ways = (
            f"Set DOMAIN_ROOT to the zone's name{name}, order an advanced certificate for *.{root}, turn on Total TLS, "
            f"or make {root} a zone of its own."
        )
        return warned(_CERTIFICATE, f"{seen} {depth}", ways)

    def _packs(self) -> Iterator[dict[str, Any]]:
        params = [("status", "all"), ("per_page", str(PACKS_PER_PAGE))]
        return self._listed("ssl/certificate_packs", params)

    def delegation(self) -> Check:
        """Check that no NS record takes DOMAIN_ROOT away from the zone. One at the zone's own name does not."""
        root, zone = self.settings.domain_root, self.zone.name
        if zone is not None and not is_under(root, zone):
            return skipped(_DELEGATION, "DOMAIN_ROOT is not in the zone")
        params = [("type", "NS"), ("per_page", str(PAGE_SIZE)), ("order", "name")]
        records = [raw for raw in self._listed("dns_records", params) if raw.get("type") == "NS"]
        names = {punycode(str(raw.get("name")), registered=True) for raw in records}
        above = sorted(name for name in names if is_under(root, name) and name != zone)
        if not above:
            return passed(_DELEGATION, f"No NS record delegates {readable(root)} to other name servers.")
        seen = (
            f"An NS record at {', '.join(map(readable, above))} delegates DOMAIN_ROOT to other name servers: "
            "Cloudflare keeps the records beneath it and never answers them."
        )
        fix = "Delete the NS record. If the subdomain is a zone of its own, set ZONE_ID to that zone."
        if zone is None:
            return warned(_DELEGATION, f"{seen} (Not so if this is the zone's own name.)", fix)
        return failed(_DELEGATION, seen, fix)

    def ssl_mode(self) -> Check:
        """Check how Cloudflare speaks to the desktops."""
        wildcard, port = f"*.{readable(self.settings.domain_root)}", self.settings.dcv_port
        match self._read("settings/ssl").get("value"):
            case "strict" | "origin_pull":
                seen = (
                    f"The SSL mode is Full (strict): the desktops need a certificate for {wildcard} from Cloudflare's "
                    "Origin CA or a public authority. Links to one with a self-signed certificate fail with 526."
                )
                return passed(_MODE, seen)
            case "full" if self._read_if_there("settings/ssl_automatic_mode").get("value") == "auto":
                seen = (
                    "The SSL mode is Full and Automatic SSL/TLS is on: Cloudflare may change it to Full (strict), and "
                    "links to desktops with a self-signed certificate then fail with 526."
                )
                return warned(_MODE, seen, f"Turn Automatic SSL/TLS off (SSL/TLS > Overview). {self.advice}")
            case "full":
                seen = "The SSL mode is Full: Cloudflare accepts any certificate of a desktop, also a stranger's."
                return passed(_MODE, seen)
            case "flexible" if port == FLEXIBLE_PORT:
                seen = (
                    "The SSL mode is Flexible: Cloudflare speaks HTTP to the desktops, which expect TLS, so links to "
                    f"port {port} fail."
                )
            case "flexible":
                seen = (
                    f"The SSL mode is Flexible, which is for port {FLEXIBLE_PORT} only. Cloudflare documents that it "
                    f"treats port {port} as Full; where it does not, links fail."
                )
            case "off":
                seen = "The SSL mode is Off: Cloudflare redirects HTTPS to HTTP, so links fail."
            case other:
                seen = f"The SSL mode {str(other)[:40]!r} is not known here."
        return warned(_MODE, seen, self.advice)

    def websockets(self) -> Check:
        """Check that WebSockets pass the proxy: DCV's stream is one."""
        value = self._read("settings/websockets").get("value")
        if value == "on":
            return passed(_WEBSOCKETS, "WebSockets are on.")
        seen = "WebSockets are off" if value == "off" else f"The setting of WebSockets is {str(value)[:40]!r}"
        return warned(
            _WEBSOCKETS, f"{seen}: a desktop connects and stays black.", "Turn them on (Network > WebSockets)."
        )

    def dns_only(self) -> Check:
        """Check that proxied records are proxied: neither the zone nor its account is switched to DNS-only."""
        if self._read("dns_settings").get("zone_mode") == "dns_only":
            seen = "The zone's mode is DNS-only: names lead to the desktops' own addresses, past the proxy."
            return warned(_DNS_ONLY, seen, "Set the zone_mode to standard in the zone's DNS settings.")
        account = self.zone.account
        if account is None:
            raise AuthenticationError("The zone's account is not known.")
        if self._read_any(f"/accounts/{account}/dns_settings").get("enforce_dns_only") is True:
            seen = (
                "The account enforces DNS-only: the names of all its zones lead to the desktops' own addresses, past "
                "the proxy, and show the desktops' certificates."
            )
            fix = "Set enforce_dns_only to false in the account's DNS settings (Cloudflare docs: Enforce DNS-only)."
            return warned(_DNS_ONLY, seen, fix)
        return passed(_DNS_ONLY, "Neither the zone nor its account is switched to DNS-only.")

    def _read(self, path: str) -> Mapping[str, Any]:
        return self._read_any(f"/zones/{self.settings.zone_id}/{path}")

    def _read_if_there(self, path: str) -> Mapping[str, Any]:
        """Return the result; an empty one where there is none for this zone or this token."""
        try:
            return self._read(path)
        except CallError:
            return {}

    def _read_any(self, path: str) -> Mapping[str, Any]:
        """Return the result. Raises TransientError if it is not an object."""
        result = self.zone.api.read(path, (), self.zone.budget).result
        if not isinstance(result, dict):
            raise TransientError(f"Cloudflare's answer to GET {path} is not an object.", "Look again.")
        return result

    def _listed(self, path: str, params: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
        whole = f"/zones/{self.settings.zone_id}/{path}"
        return listed(self.zone.api, whole, params, self.zone.budget, _check)


@dataclass(frozen=True, slots=True)
class _Pack:
    """A certificate pack: its hosts, and those that an active certificate of it covers now."""

    type: str
    status: str
    hosts: frozenset[str]
    active: frozenset[str]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "_Pack":
        """Read a pack. While one is renewed, its older certificate stays active."""
        inner = raw.get("certificates")
        parts = [raw, *(each for each in (inner if isinstance(inner, list) else ()) if isinstance(each, dict))]
        active = [part for part in parts if part.get("status") == "active"]
        return cls(str(raw.get("type")), str(raw.get("status")), _hosts(parts), _hosts(active))


def _hosts(parts: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    lists = [part["hosts"] for part in parts if isinstance(part.get("hosts"), list)]
    return frozenset(punycode(str(host), registered=True) for hosts in lists for host in hosts)


def _check(answer: Answer) -> None:
    """Raise TransientError if the answer is not a list of items with an id."""
    if not isinstance(answer.result, list) or not all(map(_has_id, answer.result)):
        raise TransientError("Cloudflare's listing holds something without an id.", "Look again.")


def _has_id(raw: Any) -> bool:
    return isinstance(raw, dict) and isinstance(raw.get("id"), str)
