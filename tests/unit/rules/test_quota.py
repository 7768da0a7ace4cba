"""A zone that is nearly full: said from what a pass has read, and only where its limit is known."""

from dataclasses import replace

import pytest

from controller.model import Change, Finding, Zone
from controller.rules.plan import plan
from controller.rules.quota import find_nearly_full
from tests.support.build import OTHER, STUDENT, create, delete, machine, settings, update, world


def found(quota: int | None, records: int, *changes: Change, scope: list[str] | None = None) -> list[Finding]:
    zone = Zone("example.com", quota=quota, records=records)
    return list(find_nearly_full(replace(world(scope=scope), zone=zone), changes))


@pytest.mark.parametrize(
    ("quota", "records", "is_found"),
    [(200, 159, False), (200, 160, True), (200, 200, True), (200, 250, True), (1000, 799, False), (3500, 2800, True)],
)
def test_a_zone_at_80_percent_of_its_quota_is_found(quota: int, records: int, is_found: bool) -> None:
    assert [(each.id, each.key) for each in found(quota, records)] == [("zone-nearly-full", "zone")] * is_found


def test_the_finding_names_both_numbers_and_a_way_out() -> None:
    (finding,) = found(3500, 2900)
    assert "at least 2,900 records, and its plan allows 3,500" in finding.message
    assert "larger Cloudflare plan" in finding.hint


@pytest.mark.parametrize("records", [0, 199, 5000])
def test_a_quota_that_is_not_known_is_never_near(records: int) -> None:
    assert found(None, records) == []


def test_a_scoped_pass_does_not_judge_the_zone() -> None:
    assert found(200, 200, scope=[OTHER]) == []


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [([create()], True), ([], False), ([create(), delete()], False), ([update()], False), ([delete()], False)],
)
def test_what_the_pass_changes_counts(changes: list[Change], is_found: bool) -> None:
    assert bool(found(200, 159, *changes)) is is_found


def test_a_plan_counts_its_own_creates() -> None:
    seen = world([machine(), machine(STUDENT, role="student")])
    for quota, ids in ((2, ["zone-nearly-full"]), (3, [])):
        wanted = plan(replace(seen, zone=Zone("example.com", quota=quota, holds_domain=True)), settings())
        assert [finding.id for finding in wanted.findings if finding.key == "zone"] == ids
