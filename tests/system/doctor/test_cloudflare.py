"""The token by really using it, and the zone, under every reading of Cloudflare's documentation."""

import re

import pytest

from controller.doctor.diagnosis import Check, Status
from controller.sandbox.cloudflare import QUIRK_SETS, Permission, Proceed, Quirks, Reply, Request
from tests.support.servers import Clouds, refusal
from tests.system.doctor.deployed import cloudflare

IDS = ["token", "token-write", "zone", "record-quota"]
READ, WRITE, ZONE = Permission.DNS_READ, Permission.DNS_WRITE, Permission.ZONE_READ


def with_token(clouds: Clouds, *permissions: Permission, account_owned: bool = False) -> dict[str, Check]:
    """The checks of a token that may do this."""
    token = clouds.cloudflare.add_token(permissions, account_owned=account_owned)
    return cloudflare(clouds, CLOUDFLARE_API_TOKEN=token)


def statuses(checks: dict[str, Check]) -> list[str]:
    return [str(checks[id].status) for id in IDS]


@pytest.mark.parametrize("quirks", QUIRK_SETS.values(), ids=QUIRK_SETS)
@pytest.mark.parametrize("account_owned", [False, True], ids=["user", "account"])
def test_a_token_that_may_do_everything_passes_and_changes_nothing(
    clouds: Clouds, quirks: Quirks, account_owned: bool
) -> None:
    clouds.reset(quirks=quirks)
    clouds.seed("i-0123456789abcdef0", "192.0.2.1")
    checks = with_token(clouds, WRITE, ZONE, account_owned=account_owned)
    assert statuses(checks) == ["pass"] * 4
    assert checks["token"].seen.endswith("under DOMAIN_ROOT: 1.")
    assert clouds.cloudflare.history == []
    assert not [e for e in clouds.cloudflare.requests if "verify" in e.request.path]


@pytest.mark.parametrize("quirks", QUIRK_SETS.values(), ids=QUIRK_SETS)
def test_a_token_that_may_only_read_fails_at_the_write(clouds: Clouds, quirks: Quirks) -> None:
    clouds.reset(quirks=quirks)
    checks = with_token(clouds, READ, ZONE)
    assert statuses(checks) == ["pass", "fail", "pass", "pass"]
    assert "Zone > DNS > Edit" in checks["token-write"].fix


@pytest.mark.parametrize("quirks", QUIRK_SETS.values(), ids=QUIRK_SETS)
def test_wrong_token_fails_after_one_more_try_of_a_403(clouds: Clouds, quirks: Quirks) -> None:
    clouds.reset(quirks=quirks)
    checks = cloudflare(clouds, CLOUDFLARE_API_TOKEN="cfut_wrong")
    assert statuses(checks) == ["fail", "skip", "skip", "skip"]
    assert len(clouds.cloudflare.requests) == (2 if quirks.wrong_token_on_records.startswith("403") else 1)
    assert "Zone > DNS > Edit" in checks["token"].fix


def test_a_zone_that_is_not_there_fails(clouds: Clouds) -> None:
    checks = cloudflare(clouds, ZONE_ID="0" * 32)
    assert statuses(checks) == ["fail", "skip", "skip", "skip"]


def test_where_the_answer_to_the_write_says_nothing_it_is_not_known(clouds: Clouds) -> None:
    def intercept(request: Request, proceed: Proceed) -> Reply:
        return refusal(400, 9999, "Something new.") if request.method == "DELETE" else proceed()

    clouds.cloudflare.intercept = intercept
    said = cloudflare(clouds)["token-write"]
    assert (said.status, "not known" in said.seen) == (Status.WARN, True)


@pytest.mark.parametrize(("records", "seen"), [(0, "the first record it creates"), (1, "its records prove")])
def test_a_zone_that_may_not_be_read_is_a_warning(clouds: Clouds, records: int, seen: str) -> None:
    for _ in range(records):
        clouds.seed("i-0123456789abcdef0", "192.0.2.1")
    said = with_token(clouds, WRITE)["zone"]
    assert said.status is Status.WARN
    assert seen in said.seen
    assert "Zone > Zone > Read" in said.fix


@pytest.mark.parametrize("root", ["example.org", "notexample.com", "com.example"])
def test_a_domain_that_does_not_lie_in_the_zone_fails(clouds: Clouds, root: str) -> None:
    said = cloudflare(clouds, DOMAIN_ROOT=root)["zone"]
    assert said.status is Status.FAIL
    assert f"DOMAIN_ROOT {root} is not in zone example.com" in said.seen


def test_a_domain_under_the_zone_passes_with_its_plan(clouds: Clouds) -> None:
    said = cloudflare(clouds, DOMAIN_ROOT="meet.example.com")["zone"]
    assert said.status is Status.PASS
    assert "(plan pro, batches of up to 3500 changes)" in said.seen
    clouds.reset(plan="free")
    assert "(plan free, batches of up to 200 changes)" in cloudflare(clouds)["zone"].seen


def test_a_zone_that_is_not_active_is_a_warning(clouds: Clouds) -> None:
    clouds.reset(status="pending")
    said = cloudflare(clouds)["zone"]
    assert (said.status, "is pending: links will not work" in said.seen) == (Status.WARN, True)


def test_a_zone_that_is_paused_is_a_warning(clouds: Clouds) -> None:
    def intercept(request: Request, proceed: Proceed) -> Reply:
        reply = proceed()
        return Reply(reply.status, re.sub(rb'("paused": ?)false', rb"\1true", reply.content), reply.headers)

    clouds.cloudflare.intercept = intercept
    said = cloudflare(clouds)["zone"]
    assert (said.status, "is paused: links will not work" in said.seen) == (Status.WARN, True)


@pytest.mark.parametrize(("used", "status"), [(7, "pass"), (8, "warn"), (9, "warn"), (10, "fail"), (11, "fail")])
def test_a_zone_that_is_nearly_full_is_a_warning_and_a_full_one_fails(clouds: Clouds, used: int, status: str) -> None:
    clouds.reset(quota=10)
    for number in range(used):
        clouds.cloudflare.seed(f"www{number}", "192.0.2.1")
    said = cloudflare(clouds)["record-quota"]
    assert str(said.status) == status
    assert f"The zone has {used} of at most 10 records." in said.seen


def test_a_quota_of_the_whole_account_passes(clouds: Clouds) -> None:
    clouds.reset(quirks=Quirks(account_wide_quota=True))
    said = cloudflare(clouds)["record-quota"]
    assert (said.status, "the account has" in said.seen) == (Status.PASS, True)


def test_nonsense_in_place_of_zone_and_usage_breaks_nothing(clouds: Clouds) -> None:
    def intercept(request: Request, proceed: Proceed) -> Reply:
        is_listing = request.path.endswith("/dns_records") or request.method == "DELETE"
        return proceed() if is_listing else Reply.of(200, {"success": True, "result": ["nonsense"], "errors": []})

    clouds.cloudflare.intercept = intercept
    assert statuses(cloudflare(clouds)) == ["pass", "pass", "warn", "warn"]
