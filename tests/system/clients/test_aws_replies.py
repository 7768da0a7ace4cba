"""What AWS's errors mean: denials by the action that they name, clocks, keys, and listings that do not end."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from controller.aws.dynamodb import DynamoTable, DynamoWriter
from controller.aws.ec2 import Ec2Fleet
from controller.aws.secret import SecretToken
from controller.bootstrap import Controller, build
from controller.errors import (
    AuthenticationError,
    CallError,
    DeniedError,
    MismatchError,
    RefusedError,
    TerminalError,
    TransientError,
)
from controller.model import RowWrite
from controller.runtime.budget import Budget
from controller.sandbox.cloudflare import Proceed, Reply, Request
from controller.settings import read_settings
from tests.support.clock import FastClock
from tests.support.servers import Clouds
from tests.system.faults.aws_kinds import JSON_TYPE, failure
from tests.system.faults.calls import DESCRIBE, GET, SCAN, SECRET, UPDATE, Scene, operation

ROLE = "User: arn:aws:sts::123456789012:assumed-role/watchdog/x is not authorized to perform: "
TABLE = "arn:aws:dynamodb:us-west-2:123456789012:table/elephant-meetings"
KEY = "arn:aws:kms:us-west-2:123456789012:key/0a1b"

Play = Callable[[Scene], Reply]


@pytest.fixture(scope="module")
def controller(running_clouds: Clouds) -> Iterator[Controller]:
    """One for all tests: to make the clients takes longer than to ask."""
    with running_clouds.exported() as environment:
        controller = build(read_settings(environment), account=running_clouds.aws.account)
    yield controller
    controller.close()


def answered(clouds: Clouds, plays: dict[str, Play]) -> list[str]:
    """Answer these operations so; returns the list that collects the operations asked for."""
    asked: list[str] = []

    def answer(request: Request, proceed: Proceed) -> Reply:
        name = operation(request)
        asked.append(name)
        return plays[name](Scene(request, proceed, clouds)) if name in plays else proceed()

    clouds.aws.intercept = answer
    return asked


def scan(controller: Controller) -> object:
    return DynamoTable(controller.dynamodb, controller.settings, Budget(FastClock(), 600)).live()


def get(controller: Controller) -> object:
    return DynamoTable(controller.dynamodb, controller.settings, Budget(FastClock(), 600)).rows(["m1"])


def update(controller: Controller) -> object:
    write = RowWrite((), sets=(("status", "x"),))
    DynamoWriter(controller.dynamodb, controller.settings, Budget(FastClock(), 600)).write("m1", write)
    return None


def describe(controller: Controller) -> object:
    return Ec2Fleet(controller.ec2, controller.settings, Budget(FastClock(), 600)).tagged()


def secret(controller: Controller) -> object:
    client: Any = next(each for each in controller.clients if hasattr(each, "get_secret_value"))
    return SecretToken(client, controller.settings.secret_arn or "").token(Budget(FastClock(), 600))


ASK: dict[str, Callable[[Controller], object]] = {
    SCAN: scan, GET: get, UPDATE: update, DESCRIBE: describe, SECRET: secret
}  # fmt: skip


def refused(clouds: Clouds, controller: Controller, name: str, play: Play) -> CallError:
    """The error of this operation, answered so."""
    answered(clouds, {name: play})
    with pytest.raises(CallError) as caught:
        ASK[name](controller)
    return caught.value


DENIALS = {
    "the called action": (SCAN, f"{ROLE}dynamodb:Scan on resource: {TABLE} because no identity-based policy allows "
        "the dynamodb:Scan action", f"Allow the action dynamodb:Scan on {TABLE}."),
    "no text at all": (SCAN, "", "Allow the action dynamodb:Scan on table elephant-meetings."),
    "the table's key": (SCAN, f"{ROLE}kms:Decrypt on resource: {KEY} because no identity-based policy allows the "
        "kms:Decrypt action", f"Allow the action kms:Decrypt on {KEY}. The key's own policy must allow it, too."),
    "the table's key without a name": (GET, "KMS key access denied",
        "Allow the action kms:Decrypt on the KMS key that encrypts table elephant-meetings. The key's own policy must "
        "allow it, too."),
    "the secret's key": (SECRET, "Access to KMS is not allowed",
        "Allow the action kms:Decrypt on the KMS key that encrypts secret prod/elephant/cloudflare. The key's own "
        "policy must allow it, too."),
    "the secret's key by its own policy": (SECRET, f"{ROLE}kms:Decrypt on resource: {KEY} because no resource-based "
        "policy allows the kms:Decrypt action",
        f"Ask the owner of the resource to allow the action kms:Decrypt on {KEY} in the resource-based policy."),
    "the organisation": (SCAN, f"{ROLE}dynamodb:Scan on resource: {TABLE} with an explicit deny in a service control "
        "policy: arn:aws:organizations::210987654321:policy/o-1/service_control_policy/p-1",
        f"Ask the organisation's administrator to remove the explicit deny of dynamodb:Scan on {TABLE} from the "
        "service control policy: no allow outweighs it."),
    "an explicit deny of its own": (UPDATE, f"{ROLE}dynamodb:UpdateItem on resource: {TABLE} with an explicit deny in "
        "an identity-based policy", f"Ask the account's administrator to remove the explicit deny of "
        f"dynamodb:UpdateItem on {TABLE} from the identity-based policy: no allow outweighs it."),
    "a permissions boundary": (GET, f"{ROLE}dynamodb:GetItem on resource: {TABLE} because no permissions boundary "
        "allows the dynamodb:GetItem action", "Ask the administrator of the role's permissions boundary to allow "
        f"the action dynamodb:GetItem on {TABLE} in the permissions boundary."),
    "a VPC endpoint": (SCAN, f"{ROLE}dynamodb:Scan on resource: {TABLE} because no VPC endpoint policy allows the "
        "dynamodb:Scan action", f"Ask the owner of the VPC endpoint to allow the action dynamodb:Scan on {TABLE} in "
        "the vpc endpoint policy."),
    "EC2, which names no resource": (DESCRIBE, f"You are not authorized to perform this operation. {ROLE}"
        "ec2:DescribeInstances because no identity-based policy allows the ec2:DescribeInstances action. Encoded "
        "authorization failure message: " + "x" * 3000, "Allow the action ec2:DescribeInstances on *."),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text", "hint"), DENIALS.values(), ids=DENIALS)
def test_denial_names_action_and_resource_of_awss_text(
    clouds: Clouds, controller: Controller, name: str, text: str, hint: str
) -> None:
    code = "UnauthorizedOperation" if name == DESCRIBE else "AccessDeniedException"
    error = refused(clouds, controller, name, failure(400, code, text))
    assert (type(error), error.hint) == (DeniedError, hint)
    assert len(error.message) < 700, "an encoded message has thousands of characters"


def test_action_far_behind_in_a_long_text_is_named(clouds: Clouds, controller: Controller) -> None:
    text = f"User: arn:aws:sts::123456789012:assumed-role/{'x' * 600} is not authorized to perform: kms:Decrypt"
    assert "kms:Decrypt" in refused(clouds, controller, SCAN, failure(400, "AccessDeniedException", text)).hint


@pytest.mark.parametrize(
    ("code", "text", "hint"),
    [
        ("DecryptionFailure", "Secrets Manager can't decrypt the protected secret text", "Enable the KMS key"),
        ("InvalidRequestException", "You can't perform this operation: the secret was marked for deletion.",
         "Restore the secret prod/elephant/cloudflare"),
        ("KMSInvalidStateException", "arn:… is pending deletion.", "Enable the KMS key"),
    ],
)  # fmt: skip
def test_unusable_secret_is_terminal_and_says_what_to_do(
    clouds: Clouds, controller: Controller, code: str, text: str, hint: str
) -> None:
    error = refused(clouds, controller, SECRET, failure(400, code, text))
    assert isinstance(error, TerminalError)
    assert error.hint.startswith(hint)


PROFILE = """
[profile lesson]
role_arn = arn:aws:iam::210987654321:role/reader
source_profile = base
[profile base]
aws_access_key_id = sandbox
aws_secret_access_key = sandbox
[profile identity]
role_arn = arn:aws:iam::210987654321:role/reader
web_identity_token_file = {token}
"""
ASSUME = "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: sts:AssumeRole on resource: {}"
READER = "arn:aws:iam::210987654321:role/reader"


def sts_error(code: str, text: str) -> Play:
    xml = (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{text}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    )
    return lambda scene: Reply.text(403, xml, "text/xml")


@pytest.mark.parametrize(
    ("profile", "code", "text", "kind", "hint"),
    [
        ("lesson", "AccessDenied", ASSUME.format(READER), DeniedError,
         f"Allow the action sts:AssumeRole on {READER}. The role's trust policy must name the caller, too."),
        ("lesson", "AccessDenied", ASSUME.format(READER) + " with an explicit deny in a service control policy",
         DeniedError, "Ask the organisation's administrator to remove the explicit deny of sts:AssumeRole"),
        ("lesson", "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ",
         AuthenticationError, "Wait for the next MFA code"),
        ("lesson", "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
         AuthenticationError, "Log in again, or correct the role"),
        ("identity", "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", DeniedError,
         "Allow the action sts:AssumeRoleWithWebIdentity on the role of the profile."),
        ("identity", "ExpiredTokenException", "Token expired", AuthenticationError, "Log in again"),
    ],
)  # fmt: skip
def test_refused_role_is_named_not_the_call_that_needed_it(
    clouds: Clouds, tmp_path: Path, profile: str, code: str, text: str, kind: type[CallError], hint: str
) -> None:
    (tmp_path / "token").write_text("token")
    (tmp_path / "config").write_text(PROFILE.format(token=tmp_path / "token"))
    answered(clouds, dict.fromkeys(("AssumeRole", "AssumeRoleWithWebIdentity"), sts_error(code, text)))
    changes = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_PROFILE": profile}
    with (
        clouds.exported(**changes, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="") as environment,
        pytest.raises(CallError) as caught,
    ):
        build(read_settings(environment))
    assert type(caught.value) is kind
    assert caught.value.hint.startswith(hint)
    assert "cannot get AWS credentials: sts:AssumeRole" in caught.value.message


def dated(play: Play, ahead: timedelta | None) -> Play:
    """Return the answer with the time of a clock so far ahead; None: with an unreadable time."""

    def later(scene: Scene) -> Reply:
        reply = play(scene)
        date = "soon" if ahead is None else format_datetime(datetime.now(UTC) + ahead, usegmt=True)
        return Reply(reply.status, reply.content, {**reply.headers, "date": date})

    return later


EXPIRED = "Signature expired: 20260131T120000Z is now earlier than 20260131T121000Z (20260131T121500Z - 5 min.)"


@pytest.mark.parametrize(
    ("name", "code", "text", "ahead", "said"),
    [
        (SCAN, "InvalidSignatureException", EXPIRED, timedelta(minutes=17), "17 minutes behind AWS's"),
        (SCAN, "InvalidSignatureException", "Signature not yet current: …", timedelta(hours=-3), "3.0 hours ahead of"),
        (DESCRIBE, "RequestExpired", "Request has expired.", timedelta(days=400), "400 days behind AWS's"),
        (DESCRIBE, "AuthFailure", "AWS was not able to validate the provided access credentials",
         timedelta(minutes=-8), "8 minutes ahead of AWS's"),
        (SECRET, "RequestTimeTooSkewed", "The difference is too large.", timedelta(hours=1), "60 minutes behind"),
        (SCAN, "IncompleteSignatureException", "Date in Credential scope …", timedelta(days=-3), "3 days ahead of"),
    ],
)  # fmt: skip
def test_wrong_clock_is_named_with_how_much_it_is_off(
    clouds: Clouds, controller: Controller, name: str, code: str, text: str, ahead: timedelta, said: str
) -> None:
    asked = answered(clouds, {name: dated(failure(400, code, text), ahead)})
    with pytest.raises(TerminalError) as caught:
        ASK[name](controller)
    assert said in caught.value.message
    assert caught.value.hint.startswith("Set the clock")
    assert asked.count(name) == 1, "no retry sets a clock"


@pytest.mark.parametrize("name", [SCAN, UPDATE, SECRET])
def test_one_late_signature_after_a_freeze_is_sent_again(clouds: Clouds, controller: Controller, name: str) -> None:
    clouds.aws.rows.put("m1", status="LAUNCHED")
    late = [failure(403, "InvalidSignatureException", EXPIRED)]
    asked = answered(clouds, {name: lambda scene: late.pop()(scene) if late else scene.proceed()})
    ASK[name](controller)
    assert asked.count(name) == 2


@pytest.mark.parametrize(
    ("name", "code", "kind", "hint", "ahead"),
    [
        (SCAN, "InvalidSignatureException", TerminalError, "Check this machine's clock", timedelta()),
        (SCAN, "InvalidSignatureException", TerminalError, "Check this machine's clock", None),
        (DESCRIBE, "RequestExpired", AuthenticationError, "The AWS credentials are not accepted", timedelta()),
    ],
)
def test_second_late_signature_is_not_sent_again(
    clouds: Clouds,
    controller: Controller,
    name: str,
    code: str,
    kind: type[CallError],
    hint: str,
    ahead: timedelta | None,
) -> None:
    asked = answered(clouds, {name: dated(failure(403, code, EXPIRED), ahead)})
    with pytest.raises(CallError) as caught:
        ASK[name](controller)
    assert type(caught.value) is kind
    assert caught.value.hint.startswith(hint)
    assert asked.count(name) == 2


@pytest.mark.parametrize(
    ("code", "text", "hint"),
    [
        ("InvalidSignatureException", "The request signature we calculated does not match", "Check AWS_SECRET_ACCESS_"),
        ("InvalidSignatureException", "Credential should be scoped to a valid region.", "Check AWS_REGION"),
        ("IncompleteSignatureException", "'x' not a valid key=value pair in Authorization", "Check AWS_ACCESS_KEY_ID"),
        ("ExpiredTokenException", "The security token included in the request is expired", "The AWS credentials are"),
    ],
)
def test_refused_signature_with_right_clock_names_another_cause(
    clouds: Clouds, controller: Controller, code: str, text: str, hint: str
) -> None:
    error = refused(clouds, controller, SCAN, failure(400, code, text))
    assert isinstance(error, AuthenticationError)
    assert error.hint.startswith(hint)
    assert "clock" not in str(error)


CANONICAL = (
    "The request signature we calculated does not match the signature you provided. Consult the documentation.\n\n"
    "The Canonical String for this request should have been\n'POST\n/\n\nx-amz-security-token:IQoJb3JpZ2luX2VjE\n'"
)


def test_session_token_in_a_refused_request_is_not_repeated(clouds: Clouds, controller: Controller) -> None:
    error = refused(clouds, controller, SCAN, failure(400, "InvalidSignatureException", CANONICAL))
    assert error.message.endswith("the signature you provided. Consult the documentation.")


def test_text_of_an_error_stays_on_one_line(clouds: Clouds, controller: Controller) -> None:
    error = refused(clouds, controller, SCAN, failure(400, "SomethingNewException", "odd\nNothing was planned."))
    assert error.message.endswith("odd Nothing was planned.")


def ec2_page(token: str) -> Reply:
    body = f"<reservationSet/><nextToken>{token}</nextToken>"
    xml = f'<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">{body}</DescribeInstancesResponse>'
    return Reply.text(200, xml, "text/xml;charset=UTF-8")


def row_page(key: str) -> Reply:
    page = {"Items": [], "Count": 0, "LastEvaluatedKey": {"id": {"S": key}}, "ConsumedCapacity": {"TableName": "x"}}
    return Reply.text(200, json.dumps(page), JSON_TYPE)


@pytest.mark.parametrize(("name", "page"), [(DESCRIBE, ec2_page), (SCAN, row_page)])
@pytest.mark.parametrize(("tokens", "calls"), [("aa", 2), ("aba", 3), ("abcb", 4)])
def test_repeated_page_token_fails_at_once(
    clouds: Clouds, controller: Controller, name: str, page: Callable[[str], Reply], tokens: str, calls: int
) -> None:
    waiting = iter(tokens)
    asked = answered(clouds, {name: lambda scene: page(next(waiting))})
    with pytest.raises(TransientError, match=f"repeats a page token on page {calls}"):
        ASK[name](controller)
    assert asked.count(name) == calls


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The provided key element does not match the schema", MismatchError),
        ("One of the required keys was not given a value", MismatchError),
        ("The number of conditions on the keys is invalid", MismatchError),
        ("One or more parameter values were invalid: Type mismatch for key id expected: N actual: S", MismatchError),
        ("Invalid ProjectionExpression: Expression size has exceeded the maximum allowed size", RefusedError),
        ("1 validation error detected: Value at 'tableName' failed to satisfy constraint", RefusedError),
        ("One or more parameter values were invalid: unsupported read", RefusedError),
    ],
)
def test_validation_error_is_about_the_key_only_if_it_says_so(
    clouds: Clouds, controller: Controller, text: str, kind: type[Exception]
) -> None:
    answered(clouds, {GET: failure(400, "ValidationException", text)})
    with pytest.raises(kind) as caught:
        get(controller)
    assert type(caught.value) is kind
    assert ("TABLE_NAME" in str(caught.value)) is (kind is MismatchError)
