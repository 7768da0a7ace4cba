"""The probe in a full pass: after the changes, within its time, and never in the way of the pass."""

from threading import Event
from typing import Any

import httpx
import pytest

from controller.model import Mode, Outcome, Request
from controller.probe import ask, full_pass
from controller.report.as_json import as_dict
from controller.report.report import Links, Report
from controller.sandbox.edge import Edge
from controller.telemetry.metrics import as_metrics
from tests.support.build import name
from tests.support.servers import Clouds

SCHEDULED_PLAN = Request(Mode.PLAN, is_scheduled=True)
APPLY = Request(Mode.APPLY)


def run(clouds: Clouds, edge: Edge, request: Request = APPLY, **changes: str) -> Report:
    """One pass that probes."""
    return clouds.controller(PROBE_LINKS="true", **edge.environment(), **changes).run(request, 60)


def found(report: Report) -> list[tuple[str, str]]:
    return [(finding.id, finding.key) for finding in report.findings]


@pytest.mark.parametrize("request_", [APPLY, SCHEDULED_PLAN], ids=["apply", "scheduled-plan"])
def test_full_pass_reports_the_link_that_does_not_work(clouds: Clouds, edge: Edge, request_: Request) -> None:
    clouds.ready("m1")
    machine = clouds.ready("m2", "IN_PROGRESS")
    edge.desktops[str(clouds.address(machine))] = "closed"
    report = run(clouds, edge, request_)
    assert found(report) == [("link-unreachable", "m2")]
    assert "521" in report.findings[0].message
    assert report.links == Links(probed=2, unreachable=1, not_judged=0)
    assert report.converged


def test_links_that_fail_alike_are_one_finding_and_counted_each(clouds: Clouds, edge: Edge) -> None:
    for number in range(3):
        clouds.ready(f"m{number}")
    clouds.cloudflare.settings.ssl = "strict"
    report = run(clouds, edge)
    assert found(report) == [("link-unreachable", "all links")]
    assert report.links == Links(3, 3, 0)


def test_access_is_reported_as_not_judged(clouds: Clouds, edge: Edge) -> None:
    clouds.ready()
    edge.door = "access"
    report = run(clouds, edge)
    assert found(report) == [("link-not-judged", "m1")]
    assert report.links == Links(1, 0, 1)


@pytest.mark.parametrize("request_", [Request(Mode.PLAN), Request(Mode.APPLY, frozenset({"i-0123456789abcdef0"}))])
def test_plan_by_hand_and_pass_for_one_machine_probe_nothing(clouds: Clouds, edge: Edge, request_: Request) -> None:
    clouds.ready()
    assert run(clouds, edge, request_).links is None
    assert edge.requests == []


def test_probe_that_is_off_asks_nobody(clouds: Clouds, edge: Edge) -> None:
    clouds.ready()
    assert clouds.controller(**edge.environment()).run(APPLY, 60).links is None
    assert edge.requests == []


def test_new_record_is_probed_by_a_later_pass(clouds: Clouds, edge: Edge) -> None:
    machine = clouds.launch()
    clouds.aws.rows.edit("m1", status="HEALTHY")
    first = run(clouds, edge)
    assert first.count(Outcome.APPLIED) == 2
    assert (first.links, edge.requests) == (Links(0, 0, 0), [])
    (record,) = clouds.cloudflare.records(name(machine))
    assert run(clouds, edge).links == Links(0, 0, 0), "a record of this moment may not be known everywhere"
    clouds.cloudflare.remove(str(record["id"]))
    clouds.seed(machine, str(clouds.address(machine)))
    assert run(clouds, edge).links == Links(1, 0, 0)


def test_probe_begins_after_the_last_write(clouds: Clouds, edge: Edge) -> None:
    clouds.ready("m1")
    clouds.launch("m2")
    writes = list[int]()

    class Counting(list[Any]):
        def append(self, headers: Any) -> None:
            writes.append(len(clouds.cloudflare.history))
            super().append(headers)

    edge.requests = Counting()
    report = run(clouds, edge)
    assert report.count(Outcome.APPLIED) == 2
    assert writes == [1]
    assert clouds.aws.rows.get("m2")["teacher_ec2_link"]


def test_pass_makes_no_more_calls_with_the_probe_than_without(clouds: Clouds, edge: Edge) -> None:
    clouds.ready()
    assert run(clouds, edge).calls == clouds.controller().run(APPLY, 60).calls


def test_time_of_the_probe_is_limited_and_what_is_left_is_reported(
    clouds: Clouds, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds.ready()
    monkeypatch.setattr(full_pass, "SECONDS", 0.0)
    report = run(clouds, edge)
    assert found(report) == [("link-not-judged", "all links")]
    assert (report.links, report.converged) == (Links(0, 0, 0, 1), True)


def test_pass_survives_a_probe_that_cannot_begin(clouds: Clouds, edge: Edge) -> None:
    clouds.ready()
    report = clouds.controller(PROBE_LINKS="true", PROBE_CA_FILE="missing.pem").run(APPLY, 60)
    assert found(report) == [("link-not-judged", "all links")]
    assert "PROBE_CA_FILE" in report.findings[0].message
    assert (report.links, report.converged) == (None, True)


def test_stopped_pass_probes_nothing(clouds: Clouds, edge: Edge) -> None:
    clouds.ready()
    stop = Event()
    stop.set()
    controller = clouds.controller(PROBE_LINKS="true", **edge.environment())
    assert controller.run(APPLY, 60, stop=stop).links is None
    assert edge.requests == []


def test_report_and_metric_say_how_many_links_do_not_work(clouds: Clouds, edge: Edge) -> None:
    edge.desktops[str(clouds.address(clouds.ready()))] = "filtered"
    report = run(clouds, edge)
    assert as_dict(report)["links"] == {"probed": 1, "unreachable": 1, "not_judged": 0, "not_reached": 0}
    assert as_metrics(report, APPLY, "f")["LinksUnreachable"] == 1


def test_slow_desktop_keeps_no_other_link_from_its_verdict(
    clouds: Clouds, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask.Prober.__init__, "__defaults__", (httpx.Timeout(60, read=0.2),))
    edge.desktops[str(clouds.address(clouds.ready("m1")))] = "slow"
    clouds.ready("m2")
    report = run(clouds, edge)
    assert found(report) == [("link-unreachable", "m1")]
    assert report.links == Links(2, 1, 0)
