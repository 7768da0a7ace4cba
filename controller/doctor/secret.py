"""The Cloudflare token's secret: can it be read, and has it the right shape? Nothing of it is ever shown."""

from typing import TYPE_CHECKING

from controller.aws.call import Call
from controller.aws.secret import KEYS, held_in, where
from controller.cloudflare.api import GivenToken
from controller.doctor.diagnosis import Check, failed, fails_as, passed, skipped, warned
from controller.errors import CallError
from controller.runtime.budget import Budget
from controller.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_FIX = f'Store a JSON object with the API token, and nothing around it: {{"{KEYS[0]}": "…"}}.'


def token_of(
    settings: Settings, client: "SecretsManagerClient | None", budget: Budget
) -> tuple[GivenToken | None, Check]:
    """Return the token of a pass from here, or None, and what was seen on the way to it.

    ``client`` None: a token was given, and no secret is asked for.
    """
    if settings.api_token or client is None:
        given = GivenToken(settings.api_token) if settings.api_token else None
        return given, skipped("secret", "CLOUDFLARE_API_TOKEN is given and wins over a secret")
    name = settings.secret_arn or ""
    call = Call("secretsmanager", "GetSecretValue", f"secret {name}", proof="Name")
    try:
        text = call(client.get_secret_value, budget, lambda answer: answer.get("SecretString"), SecretId=name)
    except CallError as error:
        return None, fails_as("secret", error)
    return judged(name, text)


def judged(name: str, text: str | None) -> tuple[GivenToken | None, Check]:
    """Return the token in the secret's text, or None, and its check."""
    held = held_in(text)
    if isinstance(held, str):
        return None, failed("secret", f"Secret {name} {held}.", _FIX)
    given = GivenToken(held.token, where(name, held.key))
    if held.token != held.text:
        seen = f"The token in secret {name} has quotes, blanks or a byte-order mark around it; a pass strips them."
        return given, warned("secret", seen, "Other programs may not: store the token alone.")
    return given, passed("secret", f"Secret {name} can be read and holds a token under {held.key}.")
