"""The Cloudflare token's secret: can it be read, and has it the right shape? Nothing of it is ever shown."""

from controller.aws.call import Call
from controller.aws.secret import KEYS, held_in, where
from controller.cloudflare.api import GivenToken
from controller.doctor.diagnosis import Check, failed, fails_as, passed, skipped, warned
from controller.doctor.look import Look
from controller.errors import CallError

_FIX = f'Store a JSON object with the API token, and nothing around it: {{"{KEYS[0]}": "…"}}.'


def token_of(look: Look) -> tuple[GivenToken | None, Check]:
    """Return the token of a pass from here, or None, and what was seen on the way to it. Raises SkipError."""
    if given := look.settings.api_token:
        return GivenToken(given), skipped("secret", "CLOUDFLARE_API_TOKEN is given and wins over a secret")
    name, request = look.settings.secret_arn or "", look.aws.secrets.get_secret_value
    call = Call("secretsmanager", "GetSecretValue", f"secret {name}", proof="Name")
    try:
        text = call(request, look.budget, lambda answer: answer.get("SecretString"), SecretId=name)
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
