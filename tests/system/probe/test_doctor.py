"""The doctor's check of the links, on a fleet behind the sandbox's edge."""

from controller.doctor.diagnosis import Check, Status
from controller.doctor.examine import examine
from controller.runtime.budget import Budget, SystemClock
from controller.sandbox.edge import Edge
from tests.support.edge import PATIENCE
from tests.support.servers import Clouds


def checked(clouds: Clouds, edge: Edge) -> Check:
    """Return the one check, as a whole examination has it."""
    with clouds.exported(**edge.environment()) as environment:
        diagnosis = examine(environment, "ElephantDNSWatchdog", Budget(SystemClock(), PATIENCE))
    (check,) = [check for check in diagnosis.checks if check.id == "links"]
    return check


def test_links_that_work_pass(clouds: Clouds, edge: Edge) -> None:
    for number in range(5):
        clouds.ready(f"m{number}")
    check = checked(clouds, edge)
    assert (check.status, check.seen) == (Status.PASS, "Of 3 links that were probed 3 lead to a desktop.")
    assert len(edge.requests) == 3


def test_link_that_does_not_work_is_a_warning_with_cause_and_remedy(clouds: Clouds, edge: Edge) -> None:
    clouds.ready("m1", "DNS_WRITTEN")
    clouds.cloudflare.settings.ssl = "strict"
    check = checked(clouds, edge)
    assert check.status is Status.WARN
    assert "(526)" in check.seen
    assert "Origin CA" in check.fix


def test_fleet_without_a_record_in_place_has_nothing_to_probe(clouds: Clouds, edge: Edge) -> None:
    clouds.launch()
    check = checked(clouds, edge)
    assert (check.status, check.seen.split(":")[0]) == (Status.PASS, "Nothing to probe")
    assert edge.requests == []


def test_records_that_cannot_be_read_are_said_elsewhere(clouds: Clouds, edge: Edge) -> None:
    clouds.ready()
    clouds.cloudflare.revoke_token()
    assert checked(clouds, edge).status is Status.SKIP
