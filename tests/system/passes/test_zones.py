"""Passes in zones that are full, lag behind, cannot be read, or do not hold the domain."""

from datetime import timedelta

import pytest

from controller.errors import MismatchError
from controller.model import Mode, Request
from controller.sandbox.cloudflare import Permission, Proceed, Quirks, Reply
from controller.sandbox.cloudflare import Request as Sent
from tests.support.build import MARK, name
from tests.support.servers import Clouds, outcomes, refusal
from tests.system.passes.test_passes import NEW, calls_to

pytestmark = pytest.mark.usefixtures("requests_judged")


def test_a_domain_outside_the_zone_stops_the_pass_before_it_plans(clouds: Clouds) -> None:
    clouds.launch()
    with pytest.raises(MismatchError, match=r"badexample\.com"):
        clouds.apply(DOMAIN_ROOT="badexample.com")
    assert clouds.cloudflare.history == []


def test_a_zone_that_fills_up_is_found_without_another_call(clouds: Clouds) -> None:
    clouds.reset(plan="free")
    controller = clouds.controller()
    plan = Request(Mode.PLAN)
    assert controller.run(plan, 60).findings == (), "an empty zone is read for its name"
    for number in range(160):
        clouds.cloudflare.seed(f"i-{number:08x}", "192.0.2.1", comment="somebody")
    clouds.cloudflare.requests.clear()
    report = controller.run(plan, 60)
    (finding,) = [each for each in report.findings if each.key == "zone"]
    assert (finding.id, "at least 160 records" in finding.message) == ("zone-nearly-full", True)
    assert len(clouds.cloudflare.requests) == 1
    scoped = controller.run(Request(Mode.PLAN, frozenset({"i-00000001"})), 60)
    assert "zone-nearly-full" not in {each.id for each in scoped.findings}
    alone = clouds.plan()
    assert "zone-nearly-full" not in {each.id for each in alone.findings}, "a new process has not read the plan"


def test_where_the_zone_cannot_be_read_the_first_create_goes_alone(clouds: Clouds) -> None:
    token = clouds.cloudflare.add_token([Permission.DNS_WRITE])
    machines = [clouds.launch(f"m{number}") for number in range(3)]
    report = clouds.apply(CLOUDFLARE_API_TOKEN=token)
    assert report.converged
    assert [finding.id for finding in report.findings] == ["zone-not-readable"]
    sizes = [len(x.request.json["posts"]) for x in clouds.cloudflare.requests if x.request.method == "POST"]  # type: ignore[index]  # a batch is an object
    assert sizes == [1, 2]
    assert clouds.records().keys() == {name(machine) for machine in machines}


def test_record_at_a_wrong_name_is_deleted_by_id_and_stops_the_pass(clouds: Clouds) -> None:
    token = clouds.cloudflare.add_token([Permission.DNS_WRITE])
    clouds.launch(), clouds.launch("m2")
    report = clouds.apply(CLOUDFLARE_API_TOKEN=token, DOMAIN_ROOT="other.org")
    assert not report.complete
    assert [write.operation for write in clouds.cloudflare.history] == ["create", "delete"]
    assert clouds.records() == {}
    assert any("DOMAIN_ROOT" in (result.error or "") for result in report.results)


def test_record_at_a_wrong_name_is_found_after_a_lost_answer(clouds: Clouds) -> None:
    token = clouds.cloudflare.add_token([Permission.DNS_WRITE])
    clouds.launch()
    seen: list[str] = []

    def lose(request: Sent, proceed: Proceed) -> Reply:
        reply = proceed()
        if request.method == "POST" and not seen:
            seen.append(request.path)
            return reply.lost()
        return reply

    clouds.cloudflare.intercept = lose
    assert not clouds.apply(CLOUDFLARE_API_TOKEN=token, DOMAIN_ROOT="other.org").complete
    assert clouds.records() == {}


@pytest.mark.parametrize("may_read", [True, False])
def test_machine_starting_during_a_pass_waits_for_a_proven_zone(clouds: Clouds, may_read: bool) -> None:
    """Stopped when it is first described, running when it is described again: until then no zone was asked for."""
    rights = [Permission.DNS_WRITE, *([Permission.ZONE_READ] if may_read else [])]
    machine = clouds.launch(state="stopped")
    clouds.aws.rows.edit("m1", teacher_ec2_link=f"https://{machine}.other.org:8443")

    def start_meanwhile(request: Sent, proceed: Proceed) -> Reply:
        clouds.aws.machines.set_state(machine, "running")
        clouds.aws.machines.set_address(machine, "192.0.2.1")
        return proceed()

    clouds.cloudflare.intercept = start_meanwhile
    changes = {"CLOUDFLARE_API_TOKEN": clouds.cloudflare.add_token(rights), "DOMAIN_ROOT": "other.org"}
    if may_read:
        with pytest.raises(MismatchError):
            clouds.controller(**changes).run(Request(Mode.APPLY, frozenset({machine})), 30)
        assert clouds.cloudflare.history == []
    else:
        assert not clouds.controller(**changes).run(Request(Mode.APPLY, frozenset({machine})), 30).complete
        assert clouds.records() == {}, "it landed under the zone's own name, and was taken away"


@pytest.mark.parametrize("adopt", ["false", "true"])
def test_what_only_looks_like_a_stray_is_never_deleted(clouds: Clouds, adopt: str) -> None:
    """example.co is a typing error, and the beginning of example.com."""
    token = clouds.cloudflare.add_token([Permission.DNS_WRITE])
    machine = clouds.launch(address="192.0.2.1")
    clouds.seed(machine, "192.0.2.1", comment=f"{MARK} teacher of m1" if adopt == "false" else None)
    lost: list[int] = []

    def lose(request: Sent, proceed: Proceed) -> Reply:
        if request.method == "POST" and len(lost) < 2:
            lost.append(request.number)
            return Reply.text(502, "error code: 502")
        return proceed()

    clouds.cloudflare.intercept = lose
    report = clouds.apply(CLOUDFLARE_API_TOKEN=token, DOMAIN_ROOT="example.co", ADOPT_UNMARKED=adopt)
    assert not report.complete
    assert clouds.records() == {name(machine): ["192.0.2.1"]}


def test_from_event_to_link_without_zone_read_the_secret_is_read_once(clouds: Clouds) -> None:
    clouds.aws.make_secret(clouds.cloudflare.add_token([Permission.DNS_WRITE]))
    controller = clouds.controller()
    for number in range(2):
        machine = clouds.launch(f"m{number}", age=NEW)
        clouds.cloudflare.requests.clear()
        assert controller.run(Request(Mode.APPLY, frozenset({machine})), 30).converged
    assert clouds.aws.operations().count("GetSecretValue") == 1
    assert calls_to(clouds) == ["GET dns_records", "POST batch"], "what may not be read is remembered"


def test_unreadable_zone_costs_large_batches_and_nothing_else(clouds: Clouds) -> None:
    for number in range(150):
        clouds.seed(clouds.launch(f"m{number}", state="stopped"), "192.0.2.1")
        clouds.launch(f"m{number}", "student")

    def hide_the_zone(request: Sent, proceed: Proceed) -> Reply:
        return proceed() if "dns_records" in request.path else refusal(404, 1, "Not here.")

    clouds.cloudflare.intercept = hide_the_zone
    assert clouds.apply().converged
    assert len(clouds.records()) == 150


def test_quota_is_filled_oldest_first_and_the_rest_gets_a_remedy(clouds: Clouds) -> None:
    clouds.reset(quota=5)
    machines = [clouds.launch(f"m{number}", age=timedelta(minutes=number)) for number in range(9)]
    report = clouds.apply()
    assert clouds.records().keys() == {name(machine) for machine in machines[4:]}
    failed = [result for result in report.results if result.outcome == "failed"]
    assert len(failed) == 4
    assert all("larger Cloudflare plan" in (result.error or "") for result in failed)
    assert report.summary()["not-reached"] == 4, "their links"


def test_records_outside_the_pattern_are_never_touched(clouds: Clouds) -> None:
    for other in ("www", "@", "i-am-a-host", "i-0123456789abcdef", "x.i-0123456789abcdef0", "i-0123456789abcdef0.sub"):
        clouds.cloudflare.seed(other, "192.0.2.1", comment=MARK)
    assert not clouds.apply(force=True, ADOPT_UNMARKED="true").results
    assert len(clouds.cloudflare.records()) == 6


@pytest.mark.parametrize("late", [1, 2, 3])
def test_after_a_lost_answer_a_listing_may_lag_behind(clouds: Clouds, late: int) -> None:
    def lose_the_first(request: Sent, proceed: Proceed) -> Reply:
        reply = proceed()
        if request.method == "POST":
            clouds.cloudflare.intercept = None
            return Reply.text(502, "Bad gateway")
        return reply

    clouds.reset(quirks=Quirks(stale_listings=late))
    gone, fresh = clouds.launch("m1", state="terminated"), clouds.launch("m2")
    clouds.seed(gone, "192.0.2.9")
    clouds.cloudflare.intercept = lose_the_first
    report = clouds.apply()
    assert report.complete, outcomes(report)
    assert clouds.records() == {name(fresh): [clouds.address(fresh)]}
