"""One call to AWS: counted, cut to the pass's time, and retried by class. ``reply`` says what an error means."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # botocore's, which is not an HTTPClientError and not Python's
    CredentialRetrievalError,
    HTTPClientError,
    LoginError,
    NoCredentialsError,
    PartialCredentialsError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from controller.aws.reply import Asked, refusal
from controller.errors import AuthenticationError, CallError, TerminalError, TransientError
from controller.runtime import retry
from controller.runtime.budget import Budget

T = TypeVar("T")

#: What reading an answer raises that has not the form of one.
_NONSENSE = (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Call:
    """One kind of call: its service, the IAM action that it needs, on what, and what a real answer always has.

    botocore makes an empty answer of a body that it cannot read, and an empty answer must never pass for an empty
    world or for a write that was done.
    """

    service: str
    action: str
    resource: str
    proof: str
    writes: bool = False

    def __call__(self, request: Callable[..., Any], budget: Budget, read: Callable[[Any], T], **arguments: Any) -> T:
        """Return what ``read`` makes of the answer. Raises a CallError."""
        attempts, before = 0, frozenset[str]()

        def attempt() -> T:
            nonlocal attempts, before
            budget.timeout(0)  # raises when there is no time left for another request
            if self.writes:
                budget.admit_write()
            attempts += 1
            try:
                with budget.calling(self.service, f"{self.action} {self.resource}") as answered:
                    answer = _answer(request, arguments, answered)
                _ = answer[self.proof]
                return read(answer)
            except ClientError as error:
                asked = Asked(self.service, self.action, self.resource, budget.clock.now(), attempts, before)
                before |= {str(error.response.get("Error", {}).get("Code", ""))}
                raise refusal(error, asked) from error
            except (BotoCoreError, ResponseParserError) as error:
                raise self._unanswered(error) from error
            except _NONSENSE as error:
                raise self._unusable(error) from error
            except OSError as error:
                raise self._unreadable(error) from error
            except RuntimeError as error:
                if "credentials" not in str(error):  # botocore's: renewed, and expired already
                    raise
                raise AuthenticationError(
                    f"{self}: cannot get AWS credentials: {error}", "Check this machine's clock, then log in again."
                ) from error

        return retry.call(attempt, budget)

    def pages(
        self,
        request: Callable[..., Any],
        budget: Budget,
        read: Callable[[Any], list[T]],
        tokens: tuple[str, str],
        **arguments: Any,
    ) -> Iterator[T]:
        """Yield the items of page after page; ``tokens`` name the next page in an answer and in a request.

        Raises a CallError: TransientError if a token comes again, for the listing would never end and is not whole.
        """
        given, asked = tokens
        seen = set[str]()
        while True:
            found, token = self(request, budget, lambda page: (read(page), page.get(given)), **arguments)
            yield from found
            if not token:
                return
            if repr(token) in seen:
                raise TransientError(
                    f"{self} repeats a page token on page {len(seen) + 1}, so its listing is not whole.",
                    "AWS has a passing fault, or a proxy repeats its answers; the next pass carries on.",
                )
            seen.add(repr(token))
            arguments[asked] = token

    def __str__(self) -> str:
        return f"{self.service}:{self.action} on {self.resource}"

    def _unanswered(self, error: Exception) -> CallError:
        if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
            return TerminalError(f"{self}: cannot trust the certificate that the endpoint shows.", _DISTRUST)
        if isinstance(error, (ConnectionError, HTTPClientError, ResponseParserError)):
            return self._unusable(error)
        if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
            return AuthenticationError(f"{self}: AWS credentials are missing.", "Set AWS_PROFILE, or log in.")
        if isinstance(error, (CredentialRetrievalError, LoginError, SSOError, TokenRetrievalError)):
            return AuthenticationError(
                f"{self}: cannot get AWS credentials: {error}",
                f"Log in again ({'aws login' if isinstance(error, LoginError) else 'aws sso login'}), or check "
                "AWS_PROFILE.",
            )
        return TerminalError(f"{self} cannot be called: {error}", "Check the AWS settings (region, profile, endpoint).")

    def _unreadable(self, error: OSError) -> CallError:
        """Return the error of a file with credentials; without a file's name it is the network's."""
        if error.filename is None:
            return self._unusable(error)
        return AuthenticationError(
            f"{self}: the AWS credentials cannot be read: {error}.",
            "Check AWS_WEB_IDENTITY_TOKEN_FILE and AWS_PROFILE, or log in again.",
        )

    def _unusable(self, error: Exception) -> TransientError:
        return TransientError(
            f"{self} got no usable answer ({type(error).__name__}).",
            "Check the network, the region and AWS_ENDPOINT_URL.",
        )


_DISTRUST = (
    "If a proxy inspects TLS here, or AWS_ENDPOINT_URL leads elsewhere, set AWS_CA_BUNDLE to its authority's file."
)


def _answer(request: Callable[..., Any], arguments: dict[str, Any], answered: Callable[[int | str], None]) -> Any:
    """Return the answer; report its status, or the code of its error, on the way."""
    try:
        answer = request(**arguments)
    except ClientError as error:
        answered(str(error.response.get("Error", {}).get("Code", "")))
        raise
    answered(200)
    return answer
