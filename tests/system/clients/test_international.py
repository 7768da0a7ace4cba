"""Zones with an international name: the zones API has them in Unicode, the records API in Punycode."""

from collections.abc import Iterator

import pytest

from controller.cloudflare.records import CloudflareRecords
from controller.errors import MismatchError
from controller.explain import instance_named, why_unknown
from controller.runtime.budget import Budget, SystemClock
from controller.sandbox.cloudflare import CloudflareServer, Reply
from tests.support.build import settings
from tests.support.servers import Clouds
from tests.system.doctor.deployed import cloudflare

#: The zone's name at Cloudflare, and what DNS and the records API have.
ZONES = {
    "bücher.example": "xn--bcher-kva.example",
    "straße.example": "xn--strae-oqa.example",  # IDNA 2003 has strasse.example, which is somebody else's
    "bücher.рф": "xn--bcher-kva.xn--p1ai",
}


@pytest.fixture(params=ZONES)
def abroad(request: pytest.FixtureRequest, clouds: Clouds) -> Iterator[Clouds]:
    with CloudflareServer(request.param, plan="pro") as server:
        clouds.aws.make_secret(server.token)
        abroad = Clouds(clouds.aws, server)
        yield abroad
        abroad.close()


def punycode(clouds: Clouds) -> str:
    return ZONES[clouds.cloudflare.zone_name]


def test_international_zone_without_records_gets_its_first(abroad: Clouds) -> None:
    root = punycode(abroad)
    machine = abroad.launch()
    report = abroad.apply(DOMAIN_ROOT=root)
    assert (report.converged, report.findings) == (True, ())
    assert abroad.records() == {f"{machine}.{root}": [abroad.address(machine)]}
    assert abroad.aws.rows.get("m1")["teacher_ec2_link"] == f"https://{machine}.{root}:8443"
    assert abroad.apply(DOMAIN_ROOT=root).results == ()


def test_international_zone_is_found_by_a_unicode_domain_root(abroad: Clouds) -> None:
    shown = abroad.cloudflare.zone_name
    machine = abroad.launch()
    report = abroad.apply(DOMAIN_ROOT=f"Räume.{shown.upper() if 'ß' not in shown else shown}")
    assert report.converged
    assert report.target.domain_root == f"xn--rume-loa.{punycode(abroad)}"
    assert list(abroad.records()) == [f"{machine}.xn--rume-loa.{punycode(abroad)}"]


def test_registered_name_outside_idna_2008_is_found(clouds: Clouds) -> None:
    body = {"success": True, "result": {"id": "1", "name": "i❤.example"}}
    clouds.cloudflare.intercept = lambda request, proceed: Reply.of(200, body)
    controller = clouds.controller(DOMAIN_ROOT="a.xn--i-7iq.example")
    budget = Budget(SystemClock(), 60)
    zone = CloudflareRecords(controller.api, controller.settings, budget, controller.zone).zone()
    assert zone.name == "xn--i-7iq.example"
    assert controller.zone.zone is zone, "it fits, so it is kept"


def test_doctor_accepts_an_international_zone(abroad: Clouds) -> None:
    root = punycode(abroad)
    check = cloudflare(abroad, DOMAIN_ROOT=root)["zone"]
    assert str(check.status) == "pass"
    assert root in check.seen


def test_doctor_says_what_a_unicode_domain_root_becomes(clouds: Clouds) -> None:
    with CloudflareServer("bücher.example") as server:
        clouds.aws.make_secret(server.token)
        check = cloudflare(Clouds(clouds.aws, server), DOMAIN_ROOT="klasse.bücher.example")["zone"]
    assert "klasse.xn--bcher-kva.example (klasse.bücher.example) lies in the zone xn--bcher-kva.example" in check.seen


@pytest.mark.parametrize("root", ["bucher.example", "xn--bcher-kvb.example", "badbücher.example"])
def test_similar_domain_is_still_another_domain(clouds: Clouds, root: str) -> None:
    clouds.launch()
    with CloudflareServer("bücher.example") as server:
        clouds.aws.make_secret(server.token)
        abroad = Clouds(clouds.aws, server)
        with pytest.raises(MismatchError, match=r"zone xn--bcher-kva.example \(bücher.example\)"):
            abroad.apply(DOMAIN_ROOT=root)
        assert server.history == []
        abroad.close()


def test_pasted_link_in_unicode_is_explained() -> None:
    using = settings(DOMAIN_ROOT="bücher.example")
    machine = "i-0123456789abcdef0"
    assert instance_named(f"https://{machine}.bücher.example:8443/", using) == machine
    assert instance_named(f"https://{machine}.xn--bcher-kva.example:8443/", using) == machine
    assert "xn--bcher-kva.example" in why_unknown(f"{machine}.andere.example", using)
