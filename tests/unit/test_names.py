"""Names: only instance ids directly under the domain are ours to look at."""

import pytest

from controller.names import (
    instance_of_link,
    instance_of_name,
    is_instance_id,
    is_under,
    link_to,
    punycode,
    readable,
    record_name,
)
from tests.support.build import TEACHER


@pytest.mark.parametrize("name", [f"{TEACHER}.example.com", f"{TEACHER}.EXAMPLE.com", "i-0a1b2c3d.example.com"])
def test_names_of_instances(name: str) -> None:
    assert instance_of_name(name, "example.com") == name.lower().partition(".")[0]


@pytest.mark.parametrize(
    "name",
    [
        "example.com",
        "www.example.com",
        f"x.{TEACHER}.example.com",
        f"{TEACHER}.sub.example.com",
        f"{TEACHER}.notexample.com",
        f"{TEACHER}example.com",
        f"_acme-challenge.{TEACHER}.example.com",
        "i-0a1b2c3.example.com",
        "i-0a1b2c3g.example.com",
        f"{TEACHER}0.example.com",
        f"{TEACHER}\n.example.com",
        "",
    ],
)
def test_names_that_are_none_of_our_business(name: str) -> None:
    assert instance_of_name(name, "example.com") is None


def test_links_and_names_lead_back_to_their_instance() -> None:
    assert instance_of_name(record_name(TEACHER, "a.example.com"), "a.example.com") == TEACHER
    assert instance_of_link(link_to(TEACHER, "example.com", 443), "example.com", 443) == TEACHER


@pytest.mark.parametrize("port", [443, 2053])
def test_a_link_with_another_port_has_another_shape(port: int) -> None:
    assert instance_of_link(link_to(TEACHER, "example.com", port), "example.com", 8443) is None


@pytest.mark.parametrize(
    "value", [None, 5, "", "i-", "I-0a1b2c3d", "i-0a1b2c3d ", "i-0A1B2C3D", "i-0a1b2c3d4", ["i-0a1b2c3d"]]
)
def test_what_is_no_instance_id(value: object) -> None:
    assert not is_instance_id(value)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Example.COM", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("bücher\u3002example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("_under_score.bücher.example", "_under_score.xn--bcher-kva.example"),
        ("*.bücher.example", "*.xn--bcher-kva.example"),
    ],
)
def test_punycode_is_how_dns_has_a_name(name: str, written: str) -> None:
    assert punycode(name) == punycode(name, registered=True) == written


@pytest.mark.parametrize("name", ["i❤.example", f"{'ü' * 60}.example", "\u200d.bücher.example"])
def test_name_outside_idna_2008_is_refused_unless_registered(name: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        punycode(name)
    assert punycode(name, registered=True).isascii()


@pytest.mark.parametrize(
    ("domain", "shown"),
    [
        ("example.com", "example.com"),
        ("a.xn--bcher-kva.example", "a.xn--bcher-kva.example (a.bücher.example)"),
        ("xn--i-7iq.example", "xn--i-7iq.example"),
        ("xn--.example", "xn--.example"),
    ],
)
def test_punycode_is_shown_as_people_write_it(domain: str, shown: str) -> None:
    assert readable(domain) == shown


def test_a_domain_is_under_a_zone_only_at_a_label_boundary() -> None:
    assert is_under("example.com", "example.com")
    assert is_under("a.example.com", "example.com")
    assert not is_under("badexample.com", "example.com")
    assert not is_under("com", "example.com")
