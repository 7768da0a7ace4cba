"""Names: only instance ids directly under the domain are ours to look at."""

import pytest

from controller.names import instance_of_link, instance_of_name, is_instance_id, is_under, link_to, record_name
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


def test_a_domain_is_under_a_zone_only_at_a_label_boundary() -> None:
    assert is_under("example.com", "example.com")
    assert is_under("a.example.com", "example.com")
    assert not is_under("badexample.com", "example.com")
    assert not is_under("com", "example.com")
