"""Read the Cloudflare token from Secrets Manager."""

import json
import threading
from typing import TYPE_CHECKING

from controller.aws.call import Call
from controller.errors import CallError, TerminalError
from controller.runtime.budget import Budget
from controller.settings import clean_token

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

SECRET_KEY = "CLOUDFLARE_TOKEN"  # noqa: S105  # the name of the key, not a secret


def where(secret: str) -> str:
    """Return where a person finds the token in this secret."""
    return f"{SECRET_KEY} in the secret {secret}"


class SecretToken:
    """The Cloudflare token of a secret: read once per process, and again once if Cloudflare refuses it."""

    def __init__(self, client: "SecretsManagerClient", secret: str) -> None:
        self.source = where(secret)
        self._client = client
        self._secret = secret
        self._lock = threading.Lock()
        self._token: str | None = None
        self._asked_by: Budget | None = None  # the pass that has read the secret last
        self._renewed_by: Budget | None = None  # the pass that has read it again last

    def token(self, budget: Budget) -> str:
        """Return the token. Raises TerminalError if the secret does not hold one."""
        return self._token or self._renew(budget)

    def renewed(self, refused: str, budget: Budget) -> str | None:
        """Return the token that replaced the refused one, or None. A pass reads the secret again once only."""
        token = self._token if self._renewed_by is budget else self._renew(budget)
        self._renewed_by = budget
        return token if token != refused else None

    def _renew(self, budget: Budget) -> str:
        """Read the secret outside the lock: a read that hangs must neither delay the next pass nor answer for it."""
        with self._lock:
            self._asked_by = budget
        try:
            token = self._read(budget)
        except CallError as error:
            error.source = "the Cloudflare token"
            raise
        with self._lock:
            if self._asked_by is budget:
                self._token = token
        return token

    def _read(self, budget: Budget) -> str:
        call = Call("secretsmanager", "GetSecretValue", f"secret {self._secret}", proof="Name")
        request = self._client.get_secret_value
        text = call(request, budget, lambda answer: answer.get("SecretString"), SecretId=self._secret)
        try:
            content = json.loads((text or "").lstrip("\ufeff"))
        except ValueError:
            content = None
        token = content.get(SECRET_KEY) if isinstance(content, dict) else None
        cleaned = clean_token(token) if isinstance(token, str) else None
        if cleaned is None:
            raise TerminalError(
                f"The secret {self._secret} holds no usable token.",
                f'It must be a JSON object with the Cloudflare API token under "{SECRET_KEY}".',
            )
        return cleaned
