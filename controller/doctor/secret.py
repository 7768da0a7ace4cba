"""The Cloudflare token's secret: can it be read, and has it the right shape? Nothing of it is ever shown."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller.aws.call import Call
from controller.aws.secret import SECRET_KEY, where
from controller.doctor.diagnosis import Check, failed, fails_as, passed, skipped, warned
from controller.errors import CallError
from controller.runtime.budget import Budget
from controller.settings import Settings, clean_token

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_FIX = f'Store a JSON object with the API token, and nothing around it: {{"{SECRET_KEY}": "…"}}.'


@dataclass(frozen=True, slots=True)
class TokenSource:
    """Where a pass takes its token from. ``client`` None: a token was given, and no secret is asked for."""

    settings: Settings
    client: "SecretsManagerClient | None"

    @property
    def source(self) -> str:
        """Return the name under which a person finds it."""
        return "CLOUDFLARE_API_TOKEN" if self.settings.api_token else where(self.settings.secret_arn or "")

    def token(self, budget: Budget) -> tuple[str | None, Check]:
        """Return the token, or None, and what was seen on the way to it."""
        if self.settings.api_token or self.client is None:
            return self.settings.api_token, skipped("secret", "CLOUDFLARE_API_TOKEN is given and wins over a secret")
        name = self.settings.secret_arn or ""
        call = Call("secretsmanager", "GetSecretValue", f"secret {name}", proof="Name")
        request = self.client.get_secret_value
        try:
            text = call(request, budget, lambda answer: answer.get("SecretString"), SecretId=name)
        except CallError as error:
            return None, fails_as("secret", error)
        return judged(name, text)


def judged(name: str, text: str | None) -> tuple[str | None, Check]:
    """Return the token in the secret's text, or None, and its check."""
    content = _content(text)
    value = content.get(SECRET_KEY) if isinstance(content, dict) else None
    token = clean_token(value) if isinstance(value, str) else None
    if token is None:
        return None, failed("secret", f"Secret {name} {_lack(text, content)}.", _FIX)
    if token != value:
        seen = f"The token in secret {name} has quotes, blanks or a byte-order mark around it; a pass strips them."
        return token, warned("secret", seen, "Other programs may not: store the token alone.")
    return token, passed("secret", f"Secret {name} can be read and holds a token under {SECRET_KEY}.")


def _content(text: str | None) -> Any:
    try:
        return json.loads((text or "").lstrip("\ufeff"))
    except ValueError:
        return None


def _lack(text: str | None, content: Any) -> str:
    """Say what is missing, in words that give nothing of the secret away."""
    if not text:
        return "has no text (it is empty or binary)"
    if not isinstance(content, dict):
        return "is not a JSON object"
    if SECRET_KEY not in content:
        alike = any(key.strip().upper() == SECRET_KEY for key in content)
        return f"has no key {SECRET_KEY}{', only one that is spelled almost so' if alike else ''}"
    if not isinstance(content[SECRET_KEY], str):
        return f"has something under {SECRET_KEY} that is not a string"
    return f"has under {SECRET_KEY} nothing that can be a token: it is empty, or has blanks or line breaks in it"
