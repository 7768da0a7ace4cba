"""Every error of ours. A message says what happened, to what; the hint says what to do.

::

    WatchdogError
    ├── SettingsError         settings are missing or malformed                      (exit 64)
    ├── RequestError          an event or a command that asks for nothing we know    (exit 64)
    ├── PassError             the pass cannot go on, or did not end well
    │   ├── ObservationError  a source could not be read whole: nothing is planned
    │   ├── MismatchError     settings do not fit the world: nothing is planned
    │   ├── PlanChangedError  the plan is no longer the one that was reviewed
    │   └── IncompleteError   the report says what failed, was held, or was not reached
    └── CallError             one call to a cloud failed
        ├── ThrottledError    told to wait: nothing was done, the same again later
        ├── TransientError    nothing was done, the same again soon
        ├── AmbiguousError    nobody knows whether it was done: look, then decide
        ├── RefusedError      this request is wrong as it is; others may be right
        │   └── ConditionError    the row is no longer as the condition says
        ├── TerminalError     no request will succeed: a missing permission, no such zone, no such table
        │   ├── AuthenticationError   the token or the credentials are not accepted
        │   │   └── DeniedError           they are, and lack a permission that the hint names
        │   └── NotFoundError         what was named is not there
        └── DeadlineError     the pass's time is up
"""


class WatchdogError(Exception):
    """The root of the tree. ``str()`` of it is for a person and holds no secret.

    ``report`` is the report of what was done before, where that is not nothing.
    """

    report: object = None

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class SettingsError(WatchdogError):
    """Settings are missing or malformed; the message lists all of them at once."""


class RequestError(WatchdogError):
    """An event or a command that asks for nothing we know; nothing was done."""


class PassError(WatchdogError):
    """The pass cannot go on, or did not end well."""


class ObservationError(PassError):
    """A source could not be read whole, so nothing was planned: a plan is never made from half a world."""


class MismatchError(PassError):
    """Settings do not fit the world (another zone, another table): nothing was planned."""


class PlanChangedError(PassError):
    """The plan is no longer the one that was reviewed; nothing was done."""


class IncompleteError(PassError):
    """The pass ended, and its report says what failed, was held by the guard, or was not reached."""


class CallError(WatchdogError):
    """One call to a cloud failed.

    ``source`` is what could not be read because of it, where the reader knows only what the call was made for.
    ``retry_after`` is how many seconds the other side asks us to wait, or None where the answer did not say.
    """

    source: str | None = None

    def __init__(self, message: str, hint: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after


class ThrottledError(CallError):
    """The other side asks us to wait. Nothing was done."""


class TransientError(CallError):
    """Nothing was done, and the same call may succeed soon (a refused connection; a read that broke)."""


class AmbiguousError(CallError):
    """A write whose fate is unknown: it may have been applied, or not. Look before anything else."""


class RefusedError(CallError):
    """This request is wrong as it is; ``codes`` are the other side's error codes."""

    def __init__(self, message: str, hint: str = "", codes: tuple[int | str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.codes = codes


class ConditionError(RefusedError):
    """The row is no longer as the condition says.

    ``retried`` tells that an earlier attempt's answer was lost, so that it may be our own write that moved the row.
    """

    def __init__(self, message: str, *, retried: bool = False) -> None:
        super().__init__(message)
        self.retried = retried


class TerminalError(CallError):
    """No request of this kind will succeed until a person changes something."""


class AuthenticationError(TerminalError):
    """The token or the credentials are not accepted, or lack a permission."""


class DeniedError(AuthenticationError):
    """The credentials are accepted, but may not do this; the hint names the action and the resource."""


class NotFoundError(TerminalError):
    """What was named is not in this account and region."""


class DeadlineError(CallError):
    """The pass's time is up; what was not reached is for the next pass."""
