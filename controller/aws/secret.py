"""Read the Cloudflare token from Secrets Manager."""

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from controller.aws.call import Call
from controller.errors import CallError, TerminalError
from controller.runtime.budget import Budget
from controller.settings import clean_token

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

#: The keys that may hold the token: both are in use.
KEYS = ("CLOUDFLARE_TOKEN", "CLOUDFLARE_API_TOKEN")
#: A key is shown only if it reads like a name: who has swapped key and value has a token as a key.
_NAME = re.compile(r"(?=.{1,30}$)[A-Za-z]+(?:[_.-][A-Za-z]+)*[0-9]{0,2}")
_MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Held:
    """The token that a secret holds, its key, and its text there, which may have quotes or blanks around it."""

    key: str
    text: str = field(repr=False)
    token: str = field(repr=False)


def held_in(text: str | None) -> Held | str:
    """Return the token in a secret's text; else what is wrong with the text, in words that show no value of it."""
    if not text:
        return "has no text (it is empty or binary)"
    try:
        content = json.loads(text.lstrip("\ufeff"))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        return "is not a JSON object"
    held = [
        Held(key, value, token)
        for key in KEYS
        if isinstance(value := content.get(key), str) and (token := clean_token(value))
    ]
    if len({one.token for one in held}) > 1:
        return f"holds two different tokens, under {' and '.join(KEYS)}: remove the one that is not in use"
    return held[0] if held else _lack(content)


def _lack(content: Mapping[str, Any]) -> str:
    """Say why no key holds a token."""
    there = [key for key in KEYS if key in content]
    if not there:
        return f"has neither the key {KEYS[0]} nor {KEYS[1]}; {_keys(content)}"
    if not any(isinstance(content[key], str) for key in there):
        return f"has something under {there[0]} that is not a string"
    return f"has under {there[0]} nothing that can be a token: it is empty, or has blanks or line breaks in it"


def _keys(content: Mapping[str, Any]) -> str:
    names = sorted(json.dumps(key) for key in content if _NAME.fullmatch(key.strip()))
    if not content:
        return "it has no key at all"
    if not names:
        return "its keys are not shown, because they do not look like names"
    some = ", ".join(names[:_MOST_NAMES])
    more = len(content) - len(names[:_MOST_NAMES])
    return f"its keys are {some}{f' and {more} more' if more else ''}"


def where(secret: str, key: str = KEYS[0]) -> str:
    """Return where a person finds the token in this secret."""
    return f"{key} in the secret {secret}"


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
        held = held_in(text)
        if isinstance(held, str):
            raise TerminalError(
                f"The secret {self._secret} holds no usable token: it {held}.",
                f'It must be a JSON object with the Cloudflare API token under "{KEYS[0]}" or "{KEYS[1]}".',
            )
        self.source = where(self._secret, held.key)
        return held.token
