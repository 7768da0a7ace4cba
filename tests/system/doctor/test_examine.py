"""The doctor as a whole: everything in order, everything broken at once, and nothing changed by looking."""

import json

import pytest

from controller.doctor import as_json, as_text
from controller.doctor.diagnosis import Check, Diagnosis, Status
from controller.sandbox.cloudflare import Permission, Reply
from tests.support.servers import Clouds
from tests.system.doctor.deployed import Deployment, by_status, deny, examined, instead
from tests.system.faults.aws_kinds import failure

EVERYTHING = [
    "settings",
    "aws",
    "owner-id",
    "ec2:DescribeInstances",
    "project-tag",
    "table",
    "status-index",
    "dynamodb:Scan",
    "dynamodb:GetItem",
    "dynamodb:UpdateItem",
    "secret",
    "token",
    "token-write",
    "zone",
    "record-quota",
    "edge-certificate",
    "delegation",
    "ssl-mode",
    "websockets",
    "dns-only",
    "other-owners",
    "marks-outside-domain",
    "shared-machines",
    "links",
    "function",
    "function-code",
    "function-timeout",
    "function-settings",
    "function-concurrency",
    "table-users",
    "stack-names",
    "state-changes",
    "tag-changes",
    "schedule",
    "trigger-permission",
]
#: Checks that need the settings; how rows are read depends on them.
OF_SETTINGS = [id for id in EVERYTHING[2:24] if id != "dynamodb:Scan"] + ["function-settings", "table-users"]


def of(diagnosis: Diagnosis, id: str) -> Check:
    """The one check with this id."""
    (found,) = [check for check in diagnosis.checks if check.id == id]
    return found


@pytest.mark.usefixtures("requests_judged")
def test_a_right_deployment_passes_and_is_not_changed(clouds: Clouds, deployment: Deployment) -> None:
    deployment.whole()
    clouds.seed(clouds.launch(), "192.0.2.1")
    records, rows = clouds.cloudflare.records(), clouds.aws.rows.all()
    diagnosis = examined(clouds)
    assert by_status(diagnosis, Status.PASS) == EVERYTHING
    assert len(diagnosis.checks) == len(EVERYTHING)
    assert diagnosis.healthy
    assert (clouds.cloudflare.records(), clouds.aws.rows.all()) == (records, rows)
    assert clouds.cloudflare.history == []


def test_the_people_in_a_row_are_not_read(clouds: Clouds) -> None:
    clouds.aws.rows.put("m1", status="HEALTHY", teacher_name="A. Person")
    examined(clouds)
    answers = b"".join(exchange.reply.content for exchange in clouds.aws.requests if exchange.reply)
    assert b"m1" in answers
    assert b"Person" not in answers


def test_broken_settings_fail_and_skip_what_needs_them(clouds: Clouds, deployment: Deployment) -> None:
    deployment.whole()
    diagnosis = examined(clouds, DOMAIN_ROOT="", ZONE_ID="x", DCV_PORT="80")
    said = [check.seen.split()[0] for check in diagnosis.checks if check.id == "settings"]
    assert said == ["DOMAIN_ROOT", "ZONE_ID", "DCV_PORT"]
    assert by_status(diagnosis, Status.FAIL) == ["settings"] * 3
    fixes = [check.fix for check in diagnosis.checks if check.id == "settings"]
    assert (fixes[:2], fixes[2][:18]) == (["", ""], "Set or correct the"), "said once, for all of them"
    assert by_status(diagnosis, Status.SKIP) == OF_SETTINGS
    assert set(by_status(diagnosis, Status.PASS)) == set(EVERYTHING) - {"settings", "dynamodb:Scan", *OF_SETTINGS}


def test_cloudflare_is_checked_without_aws(clouds: Clouds) -> None:
    diagnosis = examined(clouds, AWS_PROFILE="nobody", CLOUDFLARE_API_TOKEN=clouds.cloudflare.token)
    assert by_status(diagnosis, Status.FAIL) == ["aws"]
    first = EVERYTHING.index("token")
    assert by_status(diagnosis, Status.PASS) == ["settings", *EVERYTHING[first : EVERYTHING.index("other-owners")]]
    assert {"other-owners", "marks-outside-domain"} <= set(by_status(diagnosis, Status.SKIP)), "nobody knows the owner"
    assert "AWS_PROFILE" in of(diagnosis, "aws").fix


@pytest.mark.parametrize("changes", [{}, {"DOMAIN_ROOT": ""}], ids=["no-token", "no-settings"])
def test_without_aws_and_without_a_token_the_rest_is_skipped(clouds: Clouds, changes: dict[str, str]) -> None:
    diagnosis = examined(clouds, AWS_PROFILE="nobody", **changes)
    assert set(by_status(diagnosis, Status.SKIP)) == set(EVERYTHING) - {"settings", "aws", "dynamodb:Scan"}


def test_refused_credentials_fail_and_stop_nothing_else(clouds: Clouds) -> None:
    deny(clouds, "GetCallerIdentity")
    diagnosis = examined(clouds)
    assert by_status(diagnosis, Status.FAIL) == ["aws"]
    assert "log in again" in of(diagnosis, "aws").fix
    assert of(diagnosis, "owner-id").status is Status.SKIP


def test_refused_credentials_are_not_a_missing_permission(clouds: Clouds) -> None:
    operations = ["DescribeTable", "Scan", "GetItem", "UpdateItem", "GetSecretValue", "GET configuration"]
    instead(clouds, operations, failure(400, "UnrecognizedClientException"))
    diagnosis = examined(clouds)
    assert by_status(diagnosis, Status.WARN) == []
    assert {"table", "dynamodb:UpdateItem", "secret", "function"} <= set(by_status(diagnosis, Status.FAIL))
    assert all("log in again" in check.fix for check in diagnosis.checks if check.status is Status.FAIL)


def test_the_identity_is_that_of_the_caller(clouds: Clouds) -> None:
    said = of(examined(clouds), "aws")
    assert said.status is Status.PASS
    assert "Account 123456789012, region us-west-2, as arn:aws:sts::123456789012:" in said.seen


@pytest.mark.parametrize(
    ("owner", "status", "seen"),
    [
        ("", Status.PASS, "names the place"),
        ("123456789012/us-west-2", Status.PASS, "names the place"),
        ("123456789012/us-west-2/staging", Status.PASS, "names the place"),
        ("staging", Status.WARN, "does not begin with 123456789012/us-west-2"),
        ("123456789012/staging", Status.WARN, "does not begin with"),
        ("123456789012/us-west-22", Status.FAIL, "names another place"),
        ("123456789012/eu-west-1", Status.FAIL, "names another place"),
        ("210987654321/us-west-2/staging", Status.FAIL, "names another place"),
    ],
)
def test_an_owner_id_names_this_place_or_none_but_no_other(
    clouds: Clouds, owner: str, status: Status, seen: str
) -> None:
    said = of(examined(clouds, OWNER_ID=owner), "owner-id")
    assert (said.status, seen in said.seen) == (status, True), said.seen
    assert ("123456789012/us-west-2/<name>" in said.fix) is (status is Status.WARN)


def test_an_owner_id_is_held_against_the_region_that_is_looked_at(clouds: Clouds) -> None:
    said = of(examined(clouds, OWNER_ID="123456789012/us-west-2", AWS_REGION="eu-west-1"), "owner-id")
    assert (said.status, "than 123456789012/eu-west-1" in said.seen) == (Status.FAIL, True)


def test_removed_limits_fail_with_the_reason(clouds: Clouds) -> None:
    gone = {"MAX_GUARDED_DELETES": "5", "MAX_GUARDED_DELETE_PERCENT": "20"}
    said = [check for check in examined(clouds, **gone).checks if check.id == "settings"]
    assert [(check.status, check.seen.split()[0]) for check in said] == [(Status.FAIL, name) for name in gone]
    assert all("no longer exists" in check.seen for check in said)


def test_machines_that_may_not_be_listed_name_the_action(clouds: Clouds) -> None:
    deny(clouds, "DescribeInstances")
    said = of(examined(clouds), "ec2:DescribeInstances")
    assert said.status is Status.FAIL
    assert said.fix == "Allow the action ec2:DescribeInstances on *."


def test_a_cloud_that_does_not_answer_fails_at_the_deadline(clouds: Clouds) -> None:
    clouds.cloudflare.intercept = lambda request, proceed: Reply.nothing("keep").delayed(600)
    given = {"CLOUDFLARE_API_TOKEN": clouds.cloudflare.token}  # so that the secret is not waited for
    assert of(examined(clouds, 3, **given), "token").status is Status.FAIL


def test_nonsense_from_one_source_stops_nothing_else(clouds: Clouds) -> None:
    instead(clouds, ["DescribeTable"], lambda scene: Reply.text(200, '{"Table": {}}', "application/x-amz-json-1.0"))
    diagnosis = examined(clouds)
    assert by_status(diagnosis, Status.FAIL) == ["table"]
    assert "dynamodb:Scan" in by_status(diagnosis, Status.PASS)


def test_no_secret_is_shown_whatever_is_wrong(clouds: Clouds, deployment: Deployment) -> None:
    wrong = "cfut_" + "wrong" * 8
    deployment.function(CLOUDFLARE_API_TOKEN=wrong, DCV_PORT="80")
    clouds.aws.write_secret(json.dumps({"CLOUDFLARE_TOKEN": f"{wrong} {wrong}", wrong: wrong}))
    weak = clouds.cloudflare.add_token({Permission.DNS_READ})
    for changes in ({}, {"CLOUDFLARE_API_TOKEN": weak}, {"CLOUDFLARE_API_TOKEN": wrong}):
        diagnosis = examined(clouds, **changes)
        assert not diagnosis.healthy
        for said in (as_text.render(diagnosis), as_json.render(diagnosis), repr(diagnosis)):
            assert wrong not in said
            assert weak not in said
