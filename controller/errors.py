"""Every error that the controller raises. The message says what failed and why; the hint says what to do.

::

    WatchdogError
    ├── SettingsError         settings are missing or malformed                      (exit 64)
    ├── RequestError          an event or a command is not understood                (exit 64)
    ├── PassError             the pass cannot go on, or did not end well
    │   ├── ObservationError  a source was not read completely: nothing is planned
    │   ├── MismatchError     settings do not fit the world: nothing is planned
    │   ├── PlanChangedError  the plan is no longer the one that was reviewed
    │   └── IncompleteError   the report says what failed, was held, or was not reached
    └── CallError             one call to a cloud failed
        ├── ThrottledError    the server asks to wait: nothing was done, repeat later
        ├── TransientError    nothing was done, repeat soon
        ├── AmbiguousError    unclear whether it was done: look, then decide
        ├── RefusedError      this request is wrong; other requests may be right
        │   └── ConditionError    the row does not meet the condition any more
        ├── TerminalError     no request will succeed: a missing permission, zone or table
        │   ├── AuthenticationError   the token or the credentials are not accepted
        │   │   └── DeniedError           they are accepted, but lack a permission that the hint names
        │   └── NotFoundError         the table, zone or secret does not exist
        └── DeadlineError     the pass has no time left
"""

from collections.abc import Iterator


class WatchdogError(Exception):
    """The root of the tree. ``str()`` returns text for a person, without secrets.

    ``report`` is the report of what the pass did before the error, or None if it did nothing.
    """

    report: object = None

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class SettingsError(WatchdogError):
    """Settings are missing or malformed. One message lists all of them."""


class RequestError(WatchdogError):
    """An event or a command is not understood. Nothing was done."""


class PassError(WatchdogError):
    """The pass cannot go on, or did not end well."""


class ObservationError(PassError):
    """A source was not read completely. Nothing was planned, because a plan needs the whole world."""


class MismatchError(PassError):
    """Settings do not fit the world (another zone, another table). Nothing was planned."""


class PlanChangedError(PassError):
    """The plan is no longer the one that was reviewed. Nothing was done."""


class IncompleteError(PassError):
    """The pass ended, but changes failed, were held by the guard, or were not reached. The report lists them."""


class CallError(WatchdogError):
    """One call to a cloud failed.

    ``source`` names what could not be read, if the caller cannot know it.
    ``retry_after`` is the number of seconds that the server asks to wait, or None if it does not say.
    """

    source: str | None = None

    def __init__(self, message: str, hint: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after


class ThrottledError(CallError):
    """The server asks to wait. Nothing was done."""


class TransientError(CallError):
    """Nothing was done, and the same call may succeed soon (a refused connection, a broken read)."""


class AmbiguousError(CallError):
    """A write may or may not have been applied. Look before anything else."""


class RefusedError(CallError):
    """This request is wrong. ``codes`` are the server's error codes."""

    def __init__(self, message: str, hint: str = "", codes: tuple[int | str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.codes = codes


class ConditionError(RefusedError):
    """The row does not meet the condition any more.

    ``retried`` says that the answer to an earlier attempt was lost: that attempt itself may have changed the row.
    """

    def __init__(self, message: str, *, retried: bool = False) -> None:
        super().__init__(message)
        self.retried = retried


class TerminalError(CallError):
    """No request of this kind will succeed until a person changes something."""


class AuthenticationError(TerminalError):
    """The token or the credentials are not accepted, or lack a permission."""


class DeniedError(AuthenticationError):
    """The credentials are accepted, but may not do this. The hint names the action and the resource."""


class NotFoundError(TerminalError):
    """The table, zone or secret does not exist in this account and region."""


class DeadlineError(CallError):
    """The pass has no time left. The next pass does what this one did not reach."""


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what caused it, the outermost first. A library wraps the operating system's error."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
