"""Does the report say the truth, and nothing that must not be said?"""

import traceback
from collections.abc import Iterable, Iterator

from controller.errors import WatchdogError
from controller.model import Action, DeleteRecord, DnsRecord, Outcome, Result, UpdateRecord
from controller.report.forms import FORMS
from controller.report.report import Report
from tests.support.state import State


def false_claims(report: Report, state: State, *, told_lies: bool = False) -> list[str]:
    """Changes that are ``applied`` by the report, and not on the servers.

    A second look at a listing that is short and says that it is whole takes a record for deleted.
    """
    return [
        f"{result.change.action} {result.change.key} is said to be applied: {dict(result.change.after)}"
        for result in report.results
        if result.outcome is Outcome.APPLIED and not _is_so(result, state)
        if not (told_lies and result.change.action is Action.DELETE_RECORD)
    ]


def _is_so(result: Result, state: State) -> bool:
    change = result.change
    after = dict(change.after)
    if isinstance(change, DeleteRecord):
        return change.id not in state.records
    if change.action in (Action.CREATE_RECORD, Action.UPDATE_RECORD):
        key = change.id if isinstance(change, UpdateRecord) else None
        found = [r for r in state.records.values() if r.id == key or (key is None and r.name == change.key)]
        return any(record.type == "A" and all(_alike(record, *field) for field in after.items()) for record in found)
    row = state.rows.get(change.key, {})
    if change.action is Action.CLEAR_LINK:  # since then a new link may be there, or the row gone
        return not any(row.get(field) == value for field, value in change.before)
    return bool(row) and all(row.get(field) == value for field, value in after.items())


def _alike(record: DnsRecord, field: str, value: object) -> bool:
    """Whether the field is as it is said to be; of a comment the mark is what matters."""
    here = getattr(record, field)
    return here == value or (field == "comment" and str(here).split(" ")[0] == str(value).split(" ")[0])


def said(report: Report | None, error: BaseException | None, log: str) -> str:
    """Everything that left the pass."""
    parts = [log]
    if report is not None:
        parts += [render(report) for render in FORMS.values()]
    if error is not None:
        parts += [str(error), repr(error), *traceback.format_exception(error)]
    return "\n".join(parts)


def leaks(text: str, secrets: Iterable[str]) -> Iterator[str]:
    """Secrets that were said, be it only half of one."""
    for secret in secrets:
        if secret[: max(8, len(secret) // 3)] in text:
            yield f"{secret[:8]}… was said"


def manners(report: Report | None, error: BaseException | None) -> Iterator[str]:
    """An error is a WatchdogError, and says what to do; so does every change that went wrong."""
    if error is not None and not (isinstance(error, WatchdogError) and error.message and error.hint):
        yield f"{type(error).__name__} is not a WatchdogError, or has no hint: {error}"
    for result in report.results if report else ():
        if result.outcome in (Outcome.FAILED, Outcome.NOT_REACHED) and not result.error:
            yield f"{result.change.action} {result.change.key} is {result.outcome} without a word"
