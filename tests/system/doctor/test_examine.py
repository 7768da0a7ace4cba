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
    "table",
    "status-index",
    "dynamodb:Scan",
    "dynamodb:GetItem",
    "dynamodb:UpdateItem",
    "table-users",
    "secret",
    "token",
    "token-write",
    "zone",
    "record-quota",
    "other-owners",
    "marks-outside-domain",
    "function",
    "function-settings",
    "state-changes",
    "schedule",
]


def of(diagnosis: Diagnosis, id: str) -> Check:
    """The one check with this id."""
    (found,) = [check for check in diagnosis.checks if check.id == id]
    return found


@pytest.mark.usefixtures("requests_judged")
def test_where_everything_is_in_order_every_check_passes_and_nothing_is_changed(
    clouds: Clouds, deployment: Deployment
) -> None:
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


def test_every_problem_of_the_settings_is_told_and_what_needs_none_is_looked_at(
    clouds: Clouds, deployment: Deployment
) -> None:
    deployment.whole()
    diagnosis = examined(clouds, DOMAIN_ROOT="", ZONE_ID="x", DCV_PORT="80")
    told = [check.seen.split()[0] for check in diagnosis.checks if check.id == "settings"]
    assert told == ["DOMAIN_ROOT", "ZONE_ID", "DCV_PORT"]
    assert by_status(diagnosis, Status.FAIL) == ["settings"] * 3
    fixes = [check.fix for check in diagnosis.checks if check.id == "settings"]
    assert (fixes[:2], fixes[2][:18]) == (["", ""], "Set or correct the"), "told once, for all of them"
    assert by_status(diagnosis, Status.PASS) == ["aws", "function", "state-changes", "schedule"]
    assert by_status(diagnosis, Status.SKIP) == [
        "owner-id",
        "ec2:DescribeInstances",
        "table",
        "table-users",
        "secret",
        "token",
        "zone",
        "function-settings",
    ]


def test_settings_of_aws_that_cannot_be_used_leave_cloudflare_to_be_looked_at(clouds: Clouds) -> None:
    diagnosis = examined(clouds, AWS_PROFILE="nobody", CLOUDFLARE_API_TOKEN=clouds.cloudflare.token)
    assert by_status(diagnosis, Status.FAIL) == ["aws"]
    assert by_status(diagnosis, Status.PASS) == ["settings", "token", "token-write", "zone", "record-quota"]
    assert by_status(diagnosis, Status.SKIP)[-2:] == ["other-owners", "marks-outside-domain"], "nobody knows the owner"
    assert "AWS_PROFILE" in of(diagnosis, "aws").fix


@pytest.mark.parametrize("changes", [{}, {"DOMAIN_ROOT": ""}], ids=["no-token", "no-settings"])
def test_without_aws_and_without_a_token_the_rest_is_skipped(clouds: Clouds, changes: dict[str, str]) -> None:
    diagnosis = examined(clouds, AWS_PROFILE="nobody", **changes)
    skipped = {"owner-id", "ec2:DescribeInstances", "table", "table-users", "function", "secret", "token", "zone"}
    assert set(by_status(diagnosis, Status.SKIP)) == skipped


def test_credentials_that_are_not_accepted_are_told_and_stop_nothing_else(clouds: Clouds) -> None:
    deny(clouds, "GetCallerIdentity")
    diagnosis = examined(clouds)
    assert by_status(diagnosis, Status.FAIL) == ["aws"]
    assert "log in again" in of(diagnosis, "aws").fix
    assert of(diagnosis, "owner-id").status is Status.SKIP


def test_credentials_that_nobody_accepts_are_no_missing_permission(clouds: Clouds) -> None:
    operations = ["DescribeTable", "Scan", "GetItem", "UpdateItem", "GetSecretValue", "GET configuration"]
    instead(clouds, operations, failure(400, "UnrecognizedClientException"))
    diagnosis = examined(clouds)
    assert by_status(diagnosis, Status.WARN) == []
    assert {"table", "dynamodb:UpdateItem", "secret", "function"} <= set(by_status(diagnosis, Status.FAIL))
    assert all("log in again" in check.fix for check in diagnosis.checks if check.status is Status.FAIL)


def test_the_identity_is_that_of_the_caller(clouds: Clouds) -> None:
    told = of(examined(clouds), "aws")
    assert told.status is Status.PASS
    assert "Account 123456789012, region us-west-2, as arn:aws:sts::123456789012:" in told.seen


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
    told = of(examined(clouds, OWNER_ID=owner), "owner-id")
    assert (told.status, seen in told.seen) == (status, True), told.seen
    assert ("123456789012/us-west-2/<name>" in told.fix) is (status is Status.WARN)


def test_an_owner_id_is_held_against_the_region_that_is_looked_at(clouds: Clouds) -> None:
    told = of(examined(clouds, OWNER_ID="123456789012/us-west-2", AWS_REGION="eu-west-1"), "owner-id")
    assert (told.status, "than 123456789012/eu-west-1" in told.seen) == (Status.FAIL, True)


def test_limits_that_no_longer_exist_are_told_with_the_reason(clouds: Clouds) -> None:
    gone = {"MAX_GUARDED_DELETES": "5", "MAX_GUARDED_DELETE_PERCENT": "20"}
    told = [check for check in examined(clouds, **gone).checks if check.id == "settings"]
    assert [(check.status, check.seen.split()[0]) for check in told] == [(Status.FAIL, name) for name in gone]
    assert all("no longer exists" in check.seen for check in told)


def test_a_region_without_machines_says_what_could_be_wrong(clouds: Clouds) -> None:
    told = of(examined(clouds), "ec2:DescribeInstances")
    assert told.status is Status.PASS
    assert "AWS_REGION or PROJECT_TAG is wrong" in told.seen
    clouds.launch()
    assert "Project=Elephant in us-west-2: 1." in of(examined(clouds), "ec2:DescribeInstances").seen


def test_machines_that_may_not_be_listed_name_the_action(clouds: Clouds) -> None:
    deny(clouds, "DescribeInstances")
    told = of(examined(clouds), "ec2:DescribeInstances")
    assert told.status is Status.FAIL
    assert told.fix == "Allow the action ec2:DescribeInstances on *."


def test_a_cloud_that_does_not_answer_is_told_when_the_deadline_comes(clouds: Clouds) -> None:
    clouds.cloudflare.intercept = lambda request, proceed: Reply.nothing("keep").delayed(600)
    assert of(examined(clouds, 3), "token").status is Status.FAIL


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
        for told in (as_text.render(diagnosis), as_json.render(diagnosis), repr(diagnosis)):
            assert wrong not in told
            assert weak not in told
