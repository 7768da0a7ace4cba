"""IPv4 addresses: their one notation, and which of them Cloudflare's proxy can reach."""

import ipaddress
import re

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_CANONICAL = re.compile(rf"({_OCTET})(?:\.{_OCTET}){{3}}", re.ASCII)

#: Documentation prefixes (RFC 5737) are not global, yet Cloudflare proxies to them (its own examples do).
_DOCUMENTATION = tuple(ipaddress.IPv4Network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))

#: First octets of which no address is special (IANA's IPv4 special-purpose registry; 224 and above are multicast or
#: reserved). Nearly every public address begins with one, and asking ``ipaddress`` costs more than a whole plan.
_ORDINARY = frozenset(map(str, range(1, 224))) - {"10", "100", "127", "169", "172", "192", "198", "203"}


def is_canonical(text: str) -> bool:
    """Whether this is an address in dotted decimals without leading zeros."""
    return _CANONICAL.fullmatch(text) is not None


def canonical(text: str) -> str:
    """An address in its one notation, so that == compares addresses; what is none comes back as it is."""
    if is_canonical(text):
        return text
    try:
        return str(ipaddress.IPv4Address(text.strip()))
    except ValueError:
        return text


def is_routable(text: str) -> bool:
    """Whether Cloudflare accepts the address behind its proxy (error 9003 otherwise)."""
    match = _CANONICAL.fullmatch(text)
    return match is not None and (match[1] in _ORDINARY or _is_global(text))


def _is_global(text: str) -> bool:
    ip = ipaddress.IPv4Address(text)
    return (ip.is_global and not ip.is_multicast) or any(ip in net for net in _DOCUMENTATION)
