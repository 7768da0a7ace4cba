"""Addresses: what Cloudflare's proxy can reach, and one notation for each."""

import ipaddress

import pytest

from controller.names import _ORDINARY, _is_global, canonical, is_routable

#: IANA's IPv4 special-purpose address registry, and multicast and reserved space behind it.
SPECIAL = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
]  # fmt: skip


def test_an_ordinary_first_octet_has_no_special_address() -> None:
    ordinary = [ipaddress.IPv4Network(f"{first}.0.0.0/8") for first in _ORDINARY]
    assert not [net for net in ordinary for special in SPECIAL if net.overlaps(ipaddress.IPv4Network(special))]


@pytest.mark.parametrize("first", range(256))
def test_the_short_way_says_what_the_long_way_says(first: int) -> None:
    for rest in ("0.0.0", "0.0.1", "1.2.3", "64.0.1", "100.100.100", "254.1.1", "255.255.255"):
        assert is_routable(f"{first}.{rest}") == _is_global(f"{first}.{rest}")


@pytest.mark.parametrize("address", ["192.0.2.1", "198.51.100.1", "203.0.113.9", "54.1.2.3", "3.3.3.3"])
def test_public_addresses_and_those_of_documentation_can_be_reached(address: str) -> None:
    assert is_routable(address)


@pytest.mark.parametrize(
    "address", ["", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "0.0.0.0", "224.0.0.1",
                "255.255.255.255", "54.1.2", "54.1.2.256", "54.1.2.03", "54.1.2.3\n", " 54.1.2.3", "٥٤.1.2.3", "::1"]
)  # fmt: skip
def test_private_addresses_and_nonsense_cannot(address: str) -> None:
    assert not is_routable(address)


@pytest.mark.parametrize(("text", "address"), [("192.0.2.1", "192.0.2.1"), (" 192.0.2.1 ", "192.0.2.1"), ("x", "x")])
def test_an_address_has_one_notation(text: str, address: str) -> None:
    assert canonical(text) == address
