"""Turn an error of AWS into one of the controller's classes, with the remedy that AWS's own text names.

==========================================  =======================================================
error                                       class
==========================================  =======================================================
throttling of any service                   throttled
5xx, no connection, a broken answer         transient: every call may be sent twice, since reads
                                            change nothing and writes are conditional
``ConditionalCheckFailedException``         condition
no access                                   denied, with the missing action and its resource
signed at a wrong time                      terminal if the clock is wrong; else transient, once
credentials: load, refresh, judged          authentication
no such table, secret or function           not found, which is terminal
anything else                               refused
==========================================  =======================================================
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from controller.errors import (
    AuthenticationError,
    CallError,
    ConditionError,
    DeniedError,
    NotFoundError,
    RefusedError,
    TerminalError,
    ThrottledError,
    TransientError,
)

_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_TRANSIENT = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InvalidInstanceID.NotFound",
        "ReplicatedWriteConflictException",
        "RequestTimeout",
        "Unavailable",
    }
)
_NO_ACCESS = frozenset({"AccessDenied", "AccessDeniedException", "KMSAccessDeniedException", "UnauthorizedOperation"})
#: A key that exists and may be used, but not now: disabled, or waiting for its deletion.
_KEY_UNUSABLE = frozenset({"DecryptionFailure", "KMSDisabledException", "KMSInvalidStateException"})
_NOT_FOUND = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "ResourceNotFoundException"})
#: What a wrong clock brings, beside other causes: the time of the answer shows which it is. EC2 says AuthFailure.
_MAYBE_CLOCK = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "RequestExpired",
        "RequestInTheFuture",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)
_BAD_CREDENTIALS = frozenset(
    {
        *_MAYBE_CLOCK,
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "OptInRequired",
        "UnrecognizedClientException",
    }
)
#: The time in the signature, and nothing else, is what these complain of.
_WRONG_TIME = frozenset({"RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"})
_WRONG_TIME_TEXT = re.compile(r"signature (?:has )?expired|signature not yet current", re.IGNORECASE)
#: AWS takes a signature for five minutes. The answer needs some of that time to come back.
_SKEW = timedelta(minutes=4)

#: "… is not authorized to perform: dynamodb:Scan on resource: arn:… because no … policy allows …".
_DENIED = re.compile(
    r"not authorized to perform:? (?P<action>[a-z0-9-]+:[A-Za-z0-9]+)(?: on resource: (?P<resource>\S+))?"
)
_EXPLICIT = re.compile(r"with an explicit deny in an? (?P<policy>[^:.,]+? policy|permissions boundary)", re.IGNORECASE)
_NOT_ALLOWED = re.compile(r"because no (?P<policy>.+? policy|permissions boundary) allows")
_KMS = re.compile(r"\bKMS\b|kms:|customer master key")
_MFA = re.compile(r"MultiFactorAuthentication", re.IGNORECASE)

#: The policy of the caller's own role or user. Any other has an owner to ask.
_OWN_POLICY = "identity-based policy"
_WHO_OWNS = {
    "service control policy": "the organisation's administrator",
    "resource control policy": "the organisation's administrator",
    "permissions boundary": "the administrator of the role's permissions boundary",
    "session policy": "the administrator of the role's session",
    "vpc endpoint policy": "the owner of the VPC endpoint",
    "resource-based policy": "the owner of the resource",
}
#: What else must allow an action, by its service.
_ALSO = {
    "kms": " The key's own policy must allow it, too.",
    "sts": " The role's trust policy must name the caller, too.",
}
#: Operations that botocore calls by itself to get credentials, and their services.
_FOR_CREDENTIALS = {
    "AssumeRole": "sts",
    "AssumeRoleWithSAML": "sts",
    "AssumeRoleWithWebIdentity": "sts",
    "CreateOAuth2Token": "signin",
    "CreateToken": "sso-oidc",
    "GetRoleCredentials": "sso",
}
#: From here on, the text about a wrong signature repeats the request with its headers.
_REPEATED = re.compile(r"The Canonical String for this request|\bAuthorization=|\(Hashed with SHA-256")
#: Characters of AWS's text in a message. An encoded authorization message has thousands.
_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """The call that AWS refused: its service, its action, the resource in words, and when the answer came.

    ``attempts`` counts the requests so far; ``before`` has the codes of the refusals of earlier ones.
    """

    service: str
    action: str
    resource: str
    at: datetime
    attempts: int
    before: frozenset[str]

    def __str__(self) -> str:
        return f"{self.service}:{self.action} on {self.resource}"


def _clean(text: str) -> str:
    """Return AWS's text on one line. About a wrong signature it repeats the request, session token included: cut."""
    return " ".join(_REPEATED.split(text, maxsplit=1)[0].split())


def refusal(error: ClientError, asked: Asked) -> CallError:
    """Return the controller's error for an answer of AWS that is an error."""
    detail: Mapping[str, Any] = error.response.get("Error", {})
    code, text = str(detail.get("Code", "")), _clean(str(detail.get("Message", "")))
    message = f"{asked}: {code} {text[:_SHOWN]}".rstrip()
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "ConditionalCheckFailedException":
        return ConditionError(message, retried=asked.attempts > 1)
    if code in _THROTTLED:
        return ThrottledError(message, "AWS throttles this account or table; the next pass carries on.")
    if code in _MAYBE_CLOCK and (late := _late(code, text, error, asked, message)):
        return late
    if error.operation_name in _FOR_CREDENTIALS and status < 500:  # HTTP's server errors
        return _about_credentials(error.operation_name, code, text, asked)
    if lasting := _lasting(code, text, asked, message):
        return lasting
    if status >= 500 or code in _TRANSIENT:
        return TransientError(message, "AWS has a passing fault; the next pass carries on.")
    return RefusedError(message, f"Look the code up in the documentation of {asked.service}:{asked.action}.", (code,))


def _lasting(code: str, text: str, asked: Asked, message: str) -> TerminalError | None:
    """Return the error that only a person can end, if it is one."""
    what = asked.resource
    if code in _NO_ACCESS:
        return DeniedError(message, _remedy(text, f"{asked.service}:{asked.action}", what))
    if code in _BAD_CREDENTIALS:
        return AuthenticationError(message, _remedy_for_signature(code, text))
    if code in _KEY_UNUSABLE:
        return TerminalError(message, f"Enable the KMS key that encrypts {what}, and allow kms:Decrypt on it.")
    if "marked for deletion" in text:
        return TerminalError(message, f"Restore the {what}, or correct its name.")
    if code in _NOT_FOUND:
        empty = ", or holds no value yet" if asked.action == "GetSecretValue" else ""
        return NotFoundError(
            message, f"{what} does not exist in this account and region{empty}; check its name and AWS_REGION."
        )
    return None


def _late(code: str, text: str, error: ClientError, asked: Asked, message: str) -> CallError | None:
    """Return the error of a request that AWS judges to be signed at a wrong time; None if the time is not the cause.

    A process that Lambda froze between signing and sending is late once, with a right clock.
    """
    skew = _skew(error, asked.at)
    if skew is not None and abs(skew) >= _SKEW:
        behind = "behind" if skew < timedelta() else "ahead of"
        return TerminalError(
            f"{message} The clock of this machine is {_in_words(abs(skew))} {behind} AWS's.",
            "Set the clock (NTP); AWS refuses requests that are signed five minutes off.",
        )
    if code not in _WRONG_TIME and not _WRONG_TIME_TEXT.search(text):
        return None
    if not asked.before & _MAYBE_CLOCK:
        return TransientError(message, "The request reached AWS too late after its signing; the next pass carries on.")
    if code == "RequestExpired":
        return None  # EC2 says the same of temporary credentials that have expired
    clock = "The clock is right" if skew is not None else "The answer does not say AWS's time"
    return TerminalError(
        f"{message} {clock}.", "Check this machine's clock, and what delays its requests (a proxy, a paused machine)."
    )


def _skew(error: ClientError, now: datetime) -> timedelta | None:
    """Return how far this machine's clock is ahead of AWS's; None if the answer has no readable time."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        there = parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):
        return None
    return now - (there if there.tzinfo else there.replace(tzinfo=UTC))


def _in_words(skew: timedelta) -> str:
    minutes = round(skew.total_seconds() / 60)
    hours, days = minutes / 60, minutes / 1440
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{hours:.1f} hours" if hours < 48 else f"{days:.0f} days"


def _about_credentials(operation: str, code: str, text: str, asked: Asked) -> AuthenticationError:
    """Return the error of a call for credentials, which botocore sends before the call that needs them."""
    call = f"{_FOR_CREDENTIALS[operation]}:{operation}"
    message = f"{asked}: cannot get AWS credentials: {call}: {code} {text[:_SHOWN]}".rstrip()
    if _MFA.search(text):
        return AuthenticationError(message, "Wait for the next MFA code, and enter that one: each is accepted once.")
    if code in _NO_ACCESS or code == "ForbiddenException":
        return DeniedError(message, _remedy(text, call, "the role of the profile"))
    return AuthenticationError(message, "Log in again, or correct the role and source of the profile in AWS_PROFILE.")


def _remedy(text: str, action: str, resource: str) -> str:
    """Return what to do about a denial: the action and the resource that the text names, else those of the call."""
    named = _DENIED.search(text)
    if named:
        action, resource = named["action"], (named["resource"] or resource).rstrip(".,;")
    elif _KMS.search(text):
        action, resource = "kms:Decrypt", f"the KMS key that encrypts {resource}"
    if deny := _EXPLICIT.search(text):
        policy = deny["policy"].lower()
        who = _WHO_OWNS.get(policy, "the account's administrator")
        return (
            f"Ask {who} to remove the explicit deny of {action} on {resource} from the {policy}: no allow outweighs it."
        )
    allowed = _NOT_ALLOWED.search(text)
    policy = allowed["policy"].lower() if allowed else _OWN_POLICY
    if policy != _OWN_POLICY:
        who = _WHO_OWNS.get(policy, "the account's administrator")
        return f"Ask {who} to allow the action {action} on {resource} in the {policy}."
    return f"Allow the action {action} on {resource}.{_ALSO.get(action.partition(':')[0], '')}"


def _remedy_for_signature(code: str, text: str) -> str:
    if "scoped to" in text:
        return "Check AWS_REGION and AWS_ENDPOINT_URL: the endpoint is that of another region or service."
    if code.startswith("IncompleteSignature"):
        return "Check AWS_ACCESS_KEY_ID for blanks and line breaks, and proxies for headers that they remove."
    if code in ("InvalidSignatureException", "SignatureDoesNotMatch"):
        return "Check AWS_SECRET_ACCESS_KEY: it does not belong to AWS_ACCESS_KEY_ID, or a proxy changes requests."
    return "The AWS credentials are not accepted; check AWS_PROFILE, or log in again."
