"""The first create into a zone that is not known to hold DOMAIN_ROOT.

Many tokens may not read the zone itself, and Cloudflare appends the zone to a name outside it. So creates go alone
until one has landed at its own name; one that landed elsewhere is taken away again by its id, and the pass stops.
"""

from collections.abc import Sequence

from controller.apply.records import PATIENCE, STALE_CODES, RecordApplier, no_answer
from controller.errors import AmbiguousError, CallError, MismatchError, RefusedError
from controller.model import CreateRecord, DnsRecord, Outcome, RecordChange
from controller.runtime import retry


def prove_zone(applier: RecordApplier, creates: Sequence[RecordChange]) -> Sequence[RecordChange]:
    """Send creates alone until one proves the zone; returns those that are still to be sent.

    Raises MismatchError where one landed at a wrong name, or the CallError that stopped it; both are noted.
    """
    for number, change in enumerate(creates):
        if not (isinstance(change, CreateRecord) and applier.without_refused_creates([change])):
            continue
        if _lands(applier, change):
            return creates[number + 1 :]
    return ()


def _lands(applier: RecordApplier, change: CreateRecord) -> bool:
    """Whether the create landed at its name; False where Cloudflare refuses it, which proves nothing."""
    unclear: CallError = no_answer()
    for attempt in range(1, PATIENCE + 1):
        try:
            answers = applier.write([change])
        except RefusedError as error:
            if not STALE_CODES.intersection(error.codes):
                applier.fail(change, error)
                return False
            answers, unclear = [], error
        except AmbiguousError as error:
            answers, unclear = [], error
        if answers:
            _check(applier, change, answers)
            return True
        if _was_done(applier, change, attempt, unclear):
            return True
    applier.outcomes.note(change, Outcome.FAILED, unclear)
    raise unclear


def _check(applier: RecordApplier, change: CreateRecord, answers: Sequence[DnsRecord]) -> None:
    """Read the answer back. Raises MismatchError where it names another name."""
    if strays := [record for record in answers if record.name != change.name]:
        _undo(applier, change, strays)
    applier.compare([change], answers)


def _was_done(applier: RecordApplier, change: CreateRecord, attempt: int, unclear: CallError) -> bool:
    """Whether the record is there after an unclear answer. Raises MismatchError where its name is another one."""
    try:
        retry.pause(attempt, applier.context.budget)
        strays = _strays(applier, change)
        is_wanted = bool(applier.still_wanted([change]))
    except CallError:
        applier.outcomes.note(change, Outcome.FAILED, unclear)
        raise
    if strays:
        _undo(applier, change, strays)
    return not is_wanted


def _undo(applier: RecordApplier, change: CreateRecord, strays: Sequence[DnsRecord]) -> None:
    """Take the strays away by id, say so, and stop: the settings do not fit the world."""
    told = f"A record for {change.key} landed at {strays[0].name}, so DOMAIN_ROOT is not in this zone."
    try:
        _remove(applier, change, strays)
    except CallError as error:
        misfit = MismatchError(told, f"It could not be deleted: do that by hand ({error.message}).")
    else:
        misfit = MismatchError(told, "It was deleted again. Correct DOMAIN_ROOT or ZONE_ID.")
    applier.outcomes.note(change, Outcome.FAILED, misfit)
    raise misfit


def _remove(applier: RecordApplier, change: CreateRecord, strays: Sequence[DnsRecord]) -> None:
    for attempt in range(1, PATIENCE + 1):
        try:
            applier.writer.remove([record.id for record in strays])
        except (AmbiguousError, RefusedError):
            if attempt == PATIENCE:
                raise
        else:
            return
        retry.pause(attempt, applier.context.budget)
        strays = _strays(applier, change)
        if not strays:
            return


def _strays(applier: RecordApplier, change: CreateRecord) -> list[DnsRecord]:
    """What this very create has left at its name with something appended; a look-alike of another domain is not it."""
    found = applier.writer.strays(change.name)
    return [r for r in found if (r.type, r.content, r.comment) == ("A", change.content, change.comment)]
