"""One call to AWS: counted, cut to the pass's time, retried by class, and its error put into our words.

==========================================  =======================================================
error                                       class
==========================================  =======================================================
throttling of any service                   throttled
5xx, no connection, a broken answer         transient: every call of ours may be sent twice, since
                                            reads change nothing and writes are conditional
``ConditionalCheckFailedException``         condition
no access                                   denied, with the missing action
credentials, read or judged                 authentication
no such table, secret or function           not found, which is terminal
anything else                               refused
==========================================  =======================================================
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # botocore's, which is no HTTPClientError and not Python's
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

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
from controller.runtime import retry
from controller.runtime.budget import Budget

T = TypeVar("T")

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
_NO_ACCESS = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_BAD_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)


#: What reading an answer raises that has not the form of one.
_NONSENSE = (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Call:
    """One kind of call: who is asked, which IAM action it needs, about what, and what a real answer always has.

    botocore makes an empty answer of a body that it cannot read, and an empty answer must never pass for an empty
    world or for a write that was done.
    """

    service: str
    action: str
    resource: str
    proof: str
    writes: bool = False

    def __call__(self, request: Callable[..., Any], budget: Budget, read: Callable[[Any], T], **arguments: Any) -> T:
        """What ``read`` makes of the answer. Raises a CallError."""
        attempts = 0

        def attempt() -> T:
            nonlocal attempts
            budget.timeout(0)  # raises when there is no time left for another request
            if self.writes:
                budget.admit_write()
            attempts += 1
            try:
                with budget.calling(self.service, f"{self.action} {self.resource}") as answered:
                    answer = _answer(request, arguments, answered)
                _ = answer[self.proof]
                return read(answer)
            except (ClientError, BotoCoreError, ResponseParserError) as error:
                raise self._classified(error, attempts) from error
            except _NONSENSE as error:
                raise self._unusable(error) from error
            except OSError as error:
                raise self._unreadable(error) from error

        return retry.call(attempt, budget)

    def _classified(self, error: Exception, attempts: int) -> CallError:
        what = f"{self.service}:{self.action} on {self.resource}"
        if isinstance(error, ClientError):
            return self._refusal(error, what, attempts)
        if isinstance(error, (ConnectionError, HTTPClientError, ResponseParserError)):
            return self._unusable(error)
        if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
            return AuthenticationError(f"{what}: AWS credentials are missing.", "Set AWS_PROFILE, or log in.")
        if isinstance(error, (CredentialRetrievalError, SSOError, TokenRetrievalError)):
            return AuthenticationError(
                f"{what}: the AWS credentials cannot be had: {error}",
                "Log in again (aws sso login), or check AWS_PROFILE.",
            )
        return TerminalError(f"{what} cannot be called: {error}", "Check the AWS settings (region, profile, endpoint).")

    def _unreadable(self, error: OSError) -> CallError:
        """What names a file comes from reading credentials; botocore wraps what the network does."""
        if error.filename is None:
            return self._unusable(error)
        return AuthenticationError(
            f"{self.service}:{self.action} on {self.resource}: the AWS credentials cannot be read: {error}.",
            "Check AWS_WEB_IDENTITY_TOKEN_FILE and AWS_PROFILE, or log in again.",
        )

    def _unusable(self, error: Exception) -> TransientError:
        what = f"{self.service}:{self.action} on {self.resource}"
        return TransientError(
            f"{what} got no usable answer ({type(error).__name__}).",
            "Check the network, the region and AWS_ENDPOINT_URL.",
        )

    def _refusal(self, error: ClientError, what: str, attempts: int) -> CallError:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        text = str(error.response.get("Error", {}).get("Message", ""))[:300]
        told = f"{what}: {code} {text}".rstrip()
        if code == "ConditionalCheckFailedException":
            return ConditionError(told, retried=attempts > 1)
        if code in _THROTTLED:
            return ThrottledError(told, "AWS throttles this account or table; the next pass carries on.")
        if code in _NO_ACCESS:
            return DeniedError(told, f"Allow the action {self.service}:{self.action} on {self.resource}.")
        if code in _BAD_CREDENTIALS:
            return AuthenticationError(
                told, "The AWS credentials are not accepted; check AWS_PROFILE, or log in again."
            )
        if code == "ResourceNotFoundException":
            empty = ", or holds no value yet" if self.action == "GetSecretValue" else ""
            missing = f"{self.resource} does not exist in this account and region{empty}"
            return NotFoundError(told, f"{missing}; check its name and AWS_REGION.")
        if status >= 500 or code in _TRANSIENT:  # HTTP's server errors
            return TransientError(told, "AWS has a passing fault; the next pass carries on.")
        return RefusedError(told, f"Look the code up in the documentation of {self.service}:{self.action}.", (code,))


def _answer(request: Callable[..., Any], arguments: dict[str, Any], answered: Callable[[int | str], None]) -> Any:
    """The answer; its status, or the code of its error, is told on the way."""
    try:
        answer = request(**arguments)
    except ClientError as error:
        answered(str(error.response.get("Error", {}).get("Code", "")))
        raise
    answered(200)
    return answer
