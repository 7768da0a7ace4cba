"""Convert an instance id to a record name or a link, and back. Check and normalise IPv4 addresses."""

import ipaddress
import re
from functools import cache
from typing import TypeGuard

INSTANCE_ID = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_CANONICAL = re.compile(rf"({_OCTET})(?:\.{_OCTET}){{3}}", re.ASCII)

#: Documentation prefixes (RFC 5737) are not global, yet Cloudflare proxies to them (its own examples do).
_DOCUMENTATION = tuple(ipaddress.IPv4Network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))

#: First octets without special addresses (IANA's IPv4 special-purpose registry; 224 and above are multicast or
#: reserved). Nearly every public address begins with one, and asking ``ipaddress`` costs more than a whole plan.
_ORDINARY = frozenset(map(str, range(1, 224))) - {"10", "100", "127", "169", "172", "192", "198", "203"}


def is_instance_id(value: object) -> TypeGuard[str]:
    """Return whether this is an instance id: ``i-`` and 8 or 17 lower-case hex digits (EC2's two forms)."""
    return isinstance(value, str) and INSTANCE_ID.fullmatch(value) is not None


def record_name(instance: str, domain_root: str) -> str:
    """Return the name of the instance's record."""
    return f"{instance}.{domain_root}"


def instance_of_name(name: str, domain_root: str) -> str | None:
    """Return the instance id in a record name, or None if this is not the name of an instance."""
    label, dot, rest = name.lower().partition(".")
    return label if dot and rest == domain_root and is_instance_id(label) else None


def link_to(instance: str, domain_root: str, port: int) -> str:
    """Return the link by which users join the instance."""
    return f"https://{instance}.{domain_root}:{port}"


def instance_of_link(link: object, domain_root: str, port: int) -> str | None:
    """Return the instance id in a link of the form that ``link_to`` returns; None for another form or no link."""
    if not isinstance(link, str):
        return None
    match = _link_form(domain_root, port).fullmatch(link.lower())
    return match[1] if match else None


@cache
def _link_form(domain_root: str, port: int) -> re.Pattern[str]:
    return re.compile(rf"https://({INSTANCE_ID.pattern})\.{re.escape(domain_root)}:{port}")


def punycode(name: str, *, registered: bool = False) -> str:
    """Return a domain name as DNS has it: in lower case, international labels in Punycode (UTS 46, then IDNA 2008).

    Raises ValueError for a name that IDNA 2008 does not allow. A ``registered`` name may be older than these rules or
    outside them (an emoji): it is encoded as it is.
    """
    if name.isascii():
        return name.lower()
    import idna  # httpx brings it; few need its large tables

    try:
        mapped = idna.uts46_remap(name, std3_rules=False)
    except idna.IDNAError:
        if not registered:
            raise
        mapped = name.lower()
    return ".".join(label if label.isascii() else _a_label(label, registered) for label in mapped.split("."))


def _a_label(label: str, registered: bool) -> str:
    import idna

    try:
        return idna.alabel(label).decode()
    except idna.IDNAError:
        if not registered:
            raise
        return f"xn--{label.encode('punycode').decode()}"


def readable(domain: str) -> str:
    """Return a domain name for a message: one in Punycode also as people write it."""
    if "xn--" not in domain:
        return domain
    import idna

    try:
        return f"{domain} ({idna.decode(domain)})"
    except idna.IDNAError:
        return domain


def is_under(domain: str, zone: str) -> bool:
    """Return whether the domain equals the zone's name or is a name under it, at a label boundary."""
    return domain == zone or domain.endswith(f".{zone}")


def is_canonical(text: str) -> bool:
    """Return whether this is an address in dotted decimals without leading zeros."""
    return _CANONICAL.fullmatch(text) is not None


def canonical(text: str) -> str:
    """Return an address in its one notation, so that == compares addresses. Other text comes back unchanged."""
    if is_canonical(text):
        return text
    try:
        return str(ipaddress.IPv4Address(text.strip()))
    except ValueError:
        return text


def is_routable(text: str) -> bool:
    """Return whether Cloudflare accepts the address behind its proxy (error 9003 otherwise)."""
    match = _CANONICAL.fullmatch(text)
    return match is not None and (match[1] in _ORDINARY or _is_global(text))


def _is_global(text: str) -> bool:
    ip = ipaddress.IPv4Address(text)
    return (ip.is_global and not ip.is_multicast) or any(ip in net for net in _DOCUMENTATION)
