"""Check a record's content: its canonical notation, and whether the proxy accepts the address."""

from collections.abc import Mapping, Sequence
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from controller.sandbox.cloudflare.errors import error
from controller.sandbox.cloudflare.records import PROXIABLE_TYPES

# Not reachable from the internet, so not from Cloudflare's edge either. The documentation prefixes (192.0.2.0/24,
# 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32) are accepted: Cloudflare's own examples use them.
NOT_PUBLIC_V4 = [
    IPv4Network(prefix)
    for prefix in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
    )
]
NOT_PUBLIC_V6 = [IPv6Network(prefix) for prefix in ("::/128", "::1/128", "fc00::/7", "fe80::/10", "ff00::/8")]

# Published at cloudflare.com/ips; "Cloudflare IP addresses cannot be an origin" (Cloudflare docs: dns-record-types).
CLOUDFLARE_V4 = [
    IPv4Network(prefix)
    for prefix in (
        *("103.21.244.0/22", "103.22.200.0/22", "103.31.4.0/22", "104.16.0.0/13", "104.24.0.0/14"),
        *("108.162.192.0/18", "131.0.72.0/22", "141.101.64.0/18", "162.158.0.0/15", "172.64.0.0/13"),
        *("173.245.48.0/20", "188.114.96.0/20", "190.93.240.0/20", "197.234.240.0/22", "198.41.128.0/17"),
    )
]

UNREACHABLE: Mapping[str, Sequence[IPv4Network | IPv6Network]] = {
    "A": NOT_PUBLIC_V4 + CLOUDFLARE_V4,
    "AAAA": NOT_PUBLIC_V6,
}


def canonical(kind: str, content: str) -> str:
    """Return the notation that the API stores and returns. Short forms of an address such as ``1.1`` are refused."""
    match kind:
        case "A":
            return _ipv4(content)
        case "AAAA":
            return _ipv6(content)
        case "CNAME" | "MX" | "NS" | "PTR":
            return content.removesuffix(".").lower() or "."
        case _:
            return content


def check_proxiable(kind: str, content: str) -> None:
    """Raise 9041 for a type that cannot be proxied, 9003 for a target that the edge could not reach."""
    if kind not in PROXIABLE_TYPES:
        raise error(9041)
    if kind in UNREACHABLE and _is_within(ip_address(content), UNREACHABLE[kind]):
        raise error(9003, content=content)


def _is_within(address: IPv4Address | IPv6Address, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in networks)


def _ipv4(content: str) -> str:
    try:
        return str(IPv4Address(content))
    except AddressValueError:
        raise error(9005) from None


def _ipv6(content: str) -> str:
    try:
        return str(IPv6Address(content))
    except AddressValueError:
        raise error(9006) from None
