"""The token in the secret, and AWS's own credentials: read, refused, rotated, and never shown."""

from collections.abc import Callable
from pathlib import Path

import pytest

from controller.aws.call import Call
from controller.aws.secret import SecretToken
from controller.bootstrap import build
from controller.errors import AuthenticationError, ObservationError, TerminalError, TransientError
from controller.model import Mode, Request
from controller.runtime.budget import Budget
from controller.sandbox.cloudflare import Proceed, Reply
from controller.sandbox.cloudflare import Request as Sent
from controller.settings import read_settings
from tests.support.clock import FastClock
from tests.support.servers import Clouds
from tests.system.clients.test_aws import budget


def token(clouds: Clouds) -> str:
    clouds.aws.requests.clear()
    client = clouds.aws.client("secretsmanager")
    try:
        return SecretToken(client, "prod/elephant/cloudflare").token(budget())
    finally:
        client.close()


def secret(value: str) -> dict[str, str]:
    return {"Name": "a secret", "SecretString": f'{{"CLOUDFLARE_TOKEN": "{value}"}}'}


class OvertakenSecrets:
    """While the first reading still waits for its answer, a later pass reads the secret that was written since."""

    def __init__(self) -> None:
        self.tokens = SecretToken(self, "a secret")  # type: ignore[arg-type]  # all that is called of the client
        self.readings = 0

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803  # as boto3 calls it
        self.readings += 1
        if self.readings > 1:
            return secret("new")
        assert self.tokens.token(budget()) == "new"
        return secret("old")


def test_late_token_does_not_replace_a_newer_one() -> None:
    secrets = OvertakenSecrets()
    assert secrets.tokens.token(budget()) == "old", "it is what this pass read"
    assert secrets.tokens.token(budget()) == "new"
    assert secrets.readings == 2


@pytest.mark.parametrize(
    "text",
    [
        '{"CLOUDFLARE_TOKEN": "abc"}',
        '{"CLOUDFLARE_API_TOKEN": "abc"}',
        '\ufeff{"CLOUDFLARE_TOKEN": " \\"abc\\"\\n"}',
    ],
)
def test_token_is_read_and_cleaned(clouds: Clouds, text: str) -> None:
    clouds.aws.write_secret(text)
    assert token(clouds) == "abc"


@pytest.mark.parametrize(
    "text",
    [
        "abc-s3cret",
        '{"TOKEN": "s3cret"}',
        '["s3cret"]',
        '{"CLOUDFLARE_TOKEN": 5}',
        '{"CLOUDFLARE_TOKEN": "s3 cret"}',
        '{"CLOUDFLARE_TOKEN": "s3cret", "CLOUDFLARE_API_TOKEN": "s3cond"}',
        '""',
    ],
)
def test_secret_of_another_shape_is_reported_without_its_text(clouds: Clouds, text: str) -> None:
    clouds.aws.write_secret(text)
    with pytest.raises(TerminalError) as caught:
        token(clouds)
    assert "CLOUDFLARE_TOKEN" in str(caught.value)
    assert "s3" not in str(caught.value)


def test_missing_secret_is_named(clouds: Clouds) -> None:
    with pytest.raises(ObservationError, match=r"^Cannot read the Cloudflare token, so .*prod/elephant/nowhere"):
        clouds.plan(SECRET_ARN="prod/elephant/nowhere")


def test_missing_credentials_are_reported(clouds: Clouds, monkeypatch: pytest.MonkeyPatch) -> None:
    with clouds.exported() as environment:
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(key)
        with pytest.raises(AuthenticationError, match="credentials"):
            build(read_settings(environment))


PROFILES = """
[profile sso]
sso_session = of-a-test
sso_account_id = 123456789012
sso_role_name = reader
[sso-session of-a-test]
sso_region = us-west-2
sso_start_url = https://sso.example.com/start
[profile older-sso]
sso_start_url = https://sso.example.com/start
sso_region = us-west-2
sso_account_id = 123456789012
sso_role_name = reader
[profile web]
role_arn = arn:aws:iam::123456789012:role/reader
web_identity_token_file = /nowhere/token
"""


@pytest.mark.parametrize(("profile", "said"), [("sso", "oken"), ("older-sso", "SSO"), ("web", "'/nowhere/token'")])
def test_unreadable_credentials_are_reported(clouds: Clouds, tmp_path: Path, profile: str, said: str) -> None:
    (tmp_path / "config").write_text(PROFILES)
    changes = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_PROFILE": profile}
    changes |= {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    with (
        clouds.exported(**changes) as environment,
        pytest.raises(
            AuthenticationError,
            match=f"(credentials cannot be read|cannot get AWS credentials): .*{said}.* [Ll]og in again",
        ),
    ):
        build(read_settings(environment))


def raising(error: OSError) -> Callable[[], None]:
    def request() -> None:
        raise error

    return request


@pytest.mark.parametrize("error", [ConnectionResetError(104, "reset"), TimeoutError(), OSError("odd")])
def test_network_error_is_not_blamed_on_credentials(error: OSError) -> None:
    call = Call("ec2", "DescribeInstances", "*", proof="Reservations")
    with pytest.raises(TransientError, match="no usable answer"):
        call(raising(error), Budget(FastClock(), 600), lambda answer: answer)


def test_rotated_token_is_read_again_once(clouds: Clouds) -> None:
    clouds.launch()
    controller = clouds.controller()
    assert controller.run(Request(Mode.APPLY), 30).converged
    clouds.aws.make_secret(clouds.cloudflare.rotate_token())
    clouds.aws.requests.clear()
    assert controller.run(Request(Mode.PLAN), 30).converged
    assert clouds.aws.operations().count("GetSecretValue") == 1


def test_token_rotated_during_the_first_pass_is_read_again(clouds: Clouds) -> None:
    def rotate(request: Sent, proceed: Proceed) -> Reply:
        if request.method == "POST":
            clouds.cloudflare.intercept = None
            clouds.aws.make_secret(clouds.cloudflare.rotate_token())
        return proceed()

    clouds.launch()
    clouds.cloudflare.intercept = rotate
    assert clouds.apply().complete
