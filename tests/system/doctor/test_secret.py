"""The secret: readable or not, and each way in which its shape is wrong."""

import json

import pytest

from controller.cloudflare.api import GivenToken
from controller.doctor.diagnosis import Check, Status
from controller.doctor.examine import PARTS
from controller.doctor.secret import judged
from controller.sandbox.aws import SECRET
from tests.support.servers import Clouds
from tests.system.doctor.deployed import cloudflare, deny

TOKEN = "cfut_" + "0123456789" * 4
REST = {id for part in PARTS if "token" in part.ids for id in part.ids} - {"secret"}


def said_of(text: str | None) -> Check:
    token, said = judged(SECRET, text)
    assert (token is None) == (said.status is Status.FAIL)
    assert TOKEN not in f"{said.seen} {said.fix}"
    return said


def test_a_secret_of_the_right_shape_passes() -> None:
    given, _ = judged(SECRET, json.dumps({"CLOUDFLARE_TOKEN": TOKEN, "other": 1}))
    assert given == GivenToken(TOKEN, f"CLOUDFLARE_TOKEN in the secret {SECRET}")
    assert said_of(json.dumps({"CLOUDFLARE_TOKEN": TOKEN})).status is Status.PASS


@pytest.mark.parametrize("other", [{}, {"CLOUDFLARE_TOKEN": TOKEN}, {"CLOUDFLARE_TOKEN": ""}])
def test_either_key_may_hold_the_token(other: dict[str, str]) -> None:
    given, said = judged(SECRET, json.dumps({"CLOUDFLARE_API_TOKEN": TOKEN, **other}))
    assert (given and given.value, said.status) == (TOKEN, Status.PASS)


def test_two_different_tokens_fail_and_both_keys_are_named() -> None:
    said = said_of(json.dumps({"CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLARE_TOKEN": f"{TOKEN}x"}))
    assert "two different tokens, under CLOUDFLARE_TOKEN and CLOUDFLARE_API_TOKEN" in said.seen


@pytest.mark.parametrize(
    ("keys", "seen"),
    [
        (["cloudflare_token", "api-token2"], 'its keys are "api-token2", "cloudflare_token".'),
        (["CLOUDFLARE_TOKEN "], 'its keys are "CLOUDFLARE_TOKEN ".'),
        ([TOKEN, "zone"], 'its keys are "zone" and 1 more.'),
        ([TOKEN, TOKEN[5:], "s3cret", "a\nb", "x" * 31], "its keys are not shown"),
        ([letter * 3 for letter in "abcdefg"], 'its keys are "aaa", "bbb", "ccc", "ddd", "eee" and 2 more.'),
    ],
)
def test_keys_of_a_secret_are_shown_if_they_look_like_names(keys: list[str], seen: str) -> None:
    assert seen in said_of(json.dumps(dict.fromkeys(keys, TOKEN))).seen


@pytest.mark.parametrize("token", [f" {TOKEN}", f"{TOKEN}\n", f'"{TOKEN}"', f"\ufeff{TOKEN}"])
def test_what_a_pass_strips_is_a_warning(token: str) -> None:
    text = json.dumps({"CLOUDFLARE_TOKEN": token})
    given, _ = judged(SECRET, text)
    assert given == GivenToken(TOKEN, f"CLOUDFLARE_TOKEN in the secret {SECRET}")
    assert said_of(text).status is Status.WARN


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (None, "has no text"),
        ("", "has no text"),
        (TOKEN, "is not a JSON object"),
        (json.dumps(TOKEN), "is not a JSON object"),
        (json.dumps([TOKEN]), "is not a JSON object"),
        ("{" + TOKEN, "is not a JSON object"),
        ("{}", "has neither the key CLOUDFLARE_TOKEN nor CLOUDFLARE_API_TOKEN; it has no key at all."),
        (json.dumps({TOKEN: ""}), "has neither the key CLOUDFLARE_TOKEN nor CLOUDFLARE_API_TOKEN; its keys"),
        (json.dumps({"CLOUDFLARE_TOKEN": 7}), "that is not a string"),
        (json.dumps({"CLOUDFLARE_TOKEN": ""}), "nothing that can be a token"),
        (json.dumps({"CLOUDFLARE_TOKEN": f"{TOKEN} {TOKEN}"}), "nothing that can be a token"),
    ],
)
def test_every_other_shape_fails_and_says_which(text: str | None, seen: str) -> None:
    said = said_of(text)
    assert said.status is Status.FAIL
    assert seen in said.seen
    assert '{"CLOUDFLARE_TOKEN": "…"}' in said.fix


def test_a_denied_secret_fails_and_skips_the_token(clouds: Clouds) -> None:
    deny(clouds, "GetSecretValue")
    checks = cloudflare(clouds)
    assert checks["secret"].status is Status.FAIL
    assert checks["secret"].fix == f"Allow the action secretsmanager:GetSecretValue on secret {SECRET}."
    assert {id for id, check in checks.items() if check.status is Status.SKIP} == REST


def test_a_secret_that_is_not_there_fails(clouds: Clouds) -> None:
    said = cloudflare(clouds, SECRET_ARN="prod/another")["secret"]
    assert said.status is Status.FAIL
    assert "secret prod/another does not exist in this account and region" in said.fix


def test_a_token_that_is_given_wins_and_no_secret_is_read(clouds: Clouds) -> None:
    checks = cloudflare(clouds, CLOUDFLARE_API_TOKEN=clouds.cloudflare.token)
    assert checks["secret"].status is Status.SKIP
    assert checks["token"].status is Status.PASS
    assert "GetSecretValue" not in clouds.aws.operations()
