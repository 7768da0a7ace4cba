"""Records that no pass from here looks after: other owners' marks in the zone, and ours outside DOMAIN_ROOT."""

import pytest

from controller.doctor.diagnosis import Check, Status
from controller.doctor.marks import SHOWN
from controller.sandbox.cloudflare import QUIRK_SETS, Proceed, Quirks, Reply, Request
from tests.support.build import MARK, OWNER
from tests.support.servers import Clouds
from tests.system.doctor.deployed import cloudflare, deny

OTHERS, OUTSIDE, SHARED = "other-owners", "marks-outside-domain", "shared-machines"
MACHINES = [f"i-{number:017x}" for number in range(4)]


def others(clouds: Clouds) -> Check:
    return cloudflare(clouds)[OTHERS]


def outside(clouds: Clouds) -> Check:
    return cloudflare(clouds)[OUTSIDE]


def test_a_zone_with_our_own_records_alone_passes_both(clouds: Clouds) -> None:
    clouds.seed(MACHINES[0], "192.0.2.1")
    clouds.seed(MACHINES[1], "192.0.2.2", comment=f"{MARK} teacher of m1")
    clouds.cloudflare.seed("www.example.com", "192.0.2.3", comment="about elephant-dns: see the wiki")
    clouds.cloudflare.seed("ftp.example.com", "192.0.2.4")
    assert (others(clouds).status, outside(clouds).status) == (Status.PASS, Status.PASS)
    assert OWNER in others(clouds).seen


@pytest.mark.parametrize("quirks", QUIRK_SETS.values(), ids=QUIRK_SETS)
def test_records_with_other_marks_are_counted_by_owner(clouds: Clouds, quirks: Quirks) -> None:
    clouds.reset(quirks=quirks)
    clouds.seed(MACHINES[0], "192.0.2.1")
    clouds.seed(MACHINES[1], "192.0.2.2", comment=f"elephant-dns:{OWNER}2 teacher of m1")
    clouds.seed(MACHINES[2], "192.0.2.3", comment="elephant-dns:old-name")
    clouds.cloudflare.seed(f"{MACHINES[3]}.old.example.com", "192.0.2.4", comment="elephant-dns:old-name")
    said = others(clouds)
    assert said.status is Status.WARN
    assert f"other owners' marks: old-name 2, {OWNER}2 1." in said.seen
    assert "retire" in said.fix
    assert clouds.cloudflare.history == []


def test_many_owners_are_not_all_listed(clouds: Clouds) -> None:
    for number in range(SHOWN + 3):
        clouds.cloudflare.seed(f"x{number}.example.com", "192.0.2.1", comment=f"elephant-dns:owner-{number:02}")
    said = others(clouds)
    assert (said.seen.count("owner-"), said.seen.endswith(", and 3 more.")) == (SHOWN, True)


def test_own_records_outside_the_domain_warn_and_say_where(clouds: Clouds) -> None:
    clouds.seed(MACHINES[0], "192.0.2.1")
    for machine in MACHINES[1:3]:
        clouds.cloudflare.seed(f"{machine}.old.example.com", "192.0.2.2", comment=f"{MARK} teacher of m1")
    clouds.cloudflare.seed("www.example.com", "192.0.2.3", comment=MARK)
    said = outside(clouds)
    assert said.status is Status.WARN
    assert "under example.com: under old.example.com 2, www.example.com 1." in said.seen
    assert "retire with the old one" in said.fix
    assert others(clouds).status is Status.PASS


@pytest.mark.parametrize("size", [1, 3, 4])
def test_every_page_is_read(clouds: Clouds, size: int) -> None:
    clouds.reset(quirks=Quirks(per_page_cap=size))
    for machine in MACHINES:
        clouds.seed(machine, "192.0.2.2", comment="elephant-dns:other")
    assert "other 4." in others(clouds).seen


def test_an_owner_that_nobody_knows_is_compared_with_nobody(clouds: Clouds) -> None:
    clouds.seed(MACHINES[0], "192.0.2.2", comment="elephant-dns:other")
    deny(clouds, "GetCallerIdentity")
    checks = cloudflare(clouds)
    assert (checks[OTHERS].status, checks[OUTSIDE].status) == (Status.SKIP, Status.SKIP)
    assert checks["zone"].status is Status.PASS


def test_a_listing_that_is_none_fails_and_stops_nothing_else(clouds: Clouds) -> None:
    def nonsense(request: Request, proceed: Proceed) -> Reply:
        body = {"success": True, "result": ["nonsense"], "errors": []}
        return Reply.of(200, body) if "comment.startswith" in request.target else proceed()

    clouds.cloudflare.intercept = nonsense
    checks = cloudflare(clouds)
    assert (checks[OTHERS].status, checks[OUTSIDE].status) == (Status.FAIL, Status.SKIP)
    assert checks["record-quota"].status is Status.PASS


def shared(clouds: Clouds, **changes: str) -> Check:
    return cloudflare(clouds, **changes)[SHARED]


def test_a_record_of_another_owner_at_a_meetings_machine_fails(clouds: Clouds) -> None:
    machine = clouds.launch()
    clouds.seed(machine, "192.0.2.2", comment="elephant-dns:other")
    clouds.seed(MACHINES[1], "192.0.2.3", comment="elephant-dns:third")
    said = shared(clouds)
    assert said.status is Status.FAIL
    assert f"here name: other 1, such as {machine}.example.com." in said.seen
    assert "a table of its own in place of elephant-meetings" in said.fix
    assert "run elephant-dns retire with the old OWNER_ID" in said.fix


def test_a_former_owner_id_of_this_deployment_fails(clouds: Clouds) -> None:
    clouds.seed(clouds.launch(), "192.0.2.2")
    said = shared(clouds, OWNER_ID="123456789012/us-west-2/new")
    assert (said.status, f"{OWNER} 1" in said.seen) == (Status.FAIL, True)


@pytest.mark.parametrize("status", ["TERMINATED", "PENDING", None])
def test_a_meeting_that_is_not_live_shares_no_machine(clouds: Clouds, status: str | None) -> None:
    row = {"teacher_ec2_id": MACHINES[0], **({"status": status} if status else {})}
    clouds.aws.rows.put("m1", **row)
    clouds.seed(MACHINES[0], "192.0.2.2", comment="elephant-dns:other")
    assert shared(clouds).status is Status.PASS


def test_a_record_without_a_mark_at_a_meetings_machine_passes(clouds: Clouds) -> None:
    clouds.seed(clouds.launch(), "192.0.2.2", comment=None)
    assert shared(clouds).status is Status.PASS


def test_rows_that_cannot_be_read_skip_the_shared_machines(clouds: Clouds) -> None:
    clouds.seed(MACHINES[0], "192.0.2.2", comment="elephant-dns:other")
    deny(clouds, "Scan")
    assert shared(clouds).status is Status.SKIP
