"""The seeded fleet has every kind of drift, and one pass brings each of them to the end that it names."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from controller.model import Mode, Request
from controller.report.report import Report
from controller.sandbox.drifts import DRIFTS, Drift
from controller.sandbox.edge import Edge
from controller.sandbox.fleet import Fleet, Played, seed
from tests.benchmarks.calls import calls
from tests.support.servers import Clouds

#: Every kind of drift that the project promises to fix, or to report.
KINDS = {
    "missed-launch",
    "missed-termination",
    "purged",
    "address-changed",
    "stopped",
    "duplicates",
    "adopted",
    "orphan",
    "foreign",
    "hand-edited",
    "healthy-before-dns",
    "launched-again",
    "dead-link",
    "one-role-gone",
    "all-gone",
    "outlived",
    "rowless",
    "untagged",
    "unclaimed",
    "unknown-status",
    "wrong-types",
    "private-address",
    "cname",
    "astray",
    "two-serving",
    "aaaa",
    "no-address",
    "not-seen",
    "replaced",
    "forgotten",
    "late",
    "moved",
    "restarted",
    "unmarked-beside",
    "foreign-elsewhere",
    "elsewhere",
    "orphaned",
    "unreachable",
    "overdue",
    "not-launched",
    "role-missing",
    "never-healthy",
}
READS = {"DescribeInstances", "Scan", "GetItem", "GetSecretValue"}


@dataclass(frozen=True, slots=True)
class Story:
    """One fleet, planned, applied and planned again, and what the servers said in between."""

    fleet: Fleet
    planned: Report
    reads_of_the_plan: set[str]
    writes_of_the_plan: int
    before: dict[str, list[str]]
    applied: Report
    after: dict[str, list[str]]
    elsewhere: list[str]
    again: Report

    def played(self, drift: Drift) -> Played:
        """The drift as it took place."""
        return next(played for played in self.fleet.drifts if played.drift is drift)


@pytest.fixture(scope="module")
def story(running_clouds: Clouds) -> Iterator[Story]:
    clouds = running_clouds
    clouds.reset()
    fleet = seed(clouds.aws, clouds.cloudflare)
    with Edge(clouds.cloudflare) as edge:
        edge.desktops = fleet.desktops()
        yield _said(clouds, fleet, edge)
    clouds.close()


def _said(clouds: Clouds, fleet: Fleet, edge: Edge) -> Story:
    controller = clouds.controller(PROBE_LINKS="true", **edge.environment())
    planned = controller.run(Request(Mode.PLAN), 60)
    reads, writes = set(clouds.aws.operations()), len(clouds.cloudflare.history)
    before = differences(fleet)
    applied = controller.run(Request(Mode.APPLY), 60)
    after, elsewhere = differences(fleet), [*fleet.differences(fleet.healthy), *fleet.touched()]
    again = controller.run(Request(Mode.PLAN), 60)
    return Story(fleet, planned, reads, writes, before, applied, after, elsewhere, again)


def differences(fleet: Fleet) -> dict[str, list[str]]:
    return {played.drift.name: fleet.differences(played.end) for played in fleet.drifts}


def by_name(drift: Drift) -> str:
    return drift.name


def found(report: Report) -> set[tuple[str, str]]:
    return {(finding.id, finding.key) for finding in report.findings}


def test_every_kind_of_drift_is_there_and_explained() -> None:
    assert {drift.name for drift in DRIFTS} == KINDS
    assert len(DRIFTS) == len(KINDS)
    assert all(drift.story and drift.ending for drift in DRIFTS)


def test_the_plan_writes_nothing(story: Story) -> None:
    assert story.reads_of_the_plan <= READS
    assert story.writes_of_the_plan == 0


@pytest.mark.parametrize("drift", DRIFTS, ids=by_name)
def test_every_drift_shows_before_anything_is_done(story: Story, drift: Drift) -> None:
    end = story.played(drift).end
    assert story.before[drift.name] or end.findings or end.probed
    assert end.findings <= found(story.planned)


@pytest.mark.parametrize("drift", DRIFTS, ids=by_name)
def test_one_pass_brings_every_drift_to_its_end(story: Story, drift: Drift) -> None:
    assert story.after[drift.name] == []
    assert story.played(drift).end.findings <= found(story.again)


def test_probe_finds_what_only_a_probe_can_find_and_nothing_else(story: Story) -> None:
    wanted = {finding for played in story.fleet.drifts for finding in played.end.probed}
    assert found(story.applied) - found(story.planned) == wanted
    assert story.applied.links
    assert story.applied.links.probed > len(wanted)


def test_the_pass_ends_well_without_the_guard(story: Story) -> None:
    assert story.applied.converged
    assert not story.applied.guard.tripped


def test_nothing_else_is_touched(story: Story) -> None:
    assert story.elsewhere == []


def test_second_plan_has_no_change_and_exactly_the_seeded_findings(story: Story) -> None:
    assert story.again.results == ()
    assert found(story.again) == {finding for played in story.fleet.drifts for finding in played.end.findings}


def test_what_is_wrong_is_said(clouds: Clouds) -> None:
    fleet = seed(clouds.aws, clouds.cloudflare)
    record = next(r for r in clouds.cloudflare.records() if r["name"] in fleet.healthy.records)
    clouds.cloudflare.edit(str(record["id"]), content="192.0.2.99")
    meeting = next(iter(fleet.healthy.rows))
    clouds.aws.rows.edit(meeting, status="HEALTHY")
    clouds.aws.rows.put("phantom")
    clouds.cloudflare.remove(str(fleet.bystanders[0]["id"]))
    clouds.cloudflare.seed("new", "192.0.2.98")
    told = fleet.differences(fleet.healthy)
    assert [text.split(" ")[0] for text in told] == [record["name"], "row"]
    assert fleet.touched() == [
        "example.com is not as it was",
        "new.example.com was not there",
        "row phantom was not there",
    ]


def world(clouds: Clouds, number: int) -> tuple[Any, Any, Any]:
    clouds.reset()
    seed(clouds.aws, clouds.cloudflare, number=number, now=datetime(2026, 1, 31, 12, tzinfo=UTC))
    stamps = {"id", "created_on", "modified_on", "comment_modified_on"}
    zone = [{key: value for key, value in r.items() if key not in stamps} for r in clouds.cloudflare.records()]
    return clouds.aws.machines.all(), clouds.aws.rows.all(), zone


def test_the_same_number_seeds_the_same_fleet(clouds: Clouds) -> None:
    first = world(clouds, 1)
    assert world(clouds, 1) == first
    assert world(clouds, 2)[0].keys().isdisjoint(first[0])


@pytest.mark.parametrize("instances", [44, 47, 100])
def test_the_rest_of_the_fleet_is_healthy(clouds: Clouds, instances: int) -> None:
    fleet = seed(clouds.aws, clouds.cloudflare, instances)
    assert len(clouds.aws.machines.all()) == instances
    assert fleet.differences(fleet.healthy) == []


def test_a_fleet_is_never_smaller_than_its_drifts(clouds: Clouds) -> None:
    fleet = seed(clouds.aws, clouds.cloudflare, 0)
    assert {played.drift.name for played in fleet.drifts} == KINDS


def test_seeding_grows_with_the_number_of_machines(clouds: Clouds) -> None:
    small = calls(lambda: seed(clouds.aws, clouds.cloudflare, 100))
    clouds.reset()
    large = calls(lambda: seed(clouds.aws, clouds.cloudflare, 400))
    assert len(clouds.aws.machines.all()) == 400
    assert large <= 4 * small
