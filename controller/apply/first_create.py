"""Create the first record in a zone that is not known to hold DOMAIN_ROOT.

Many tokens may not read the zone itself, and Cloudflare appends the zone to a name outside it. So the pass sends each
create alone until one gets its own name. If one gets another name, the pass deletes it by its id and stops.
"""

from collections.abc import Sequence

from controller.apply.records import PATIENCE, STALE_CODES, RecordApplier, no_answer
from controller.errors import AmbiguousError, CallError, MismatchError, RefusedError
from controller.model import CreateRecord, DnsRecord, Outcome, RecordChange
from controller.runtime import retry


def prove_zone(applier: RecordApplier, creates: Sequence[RecordChange]) -> Sequence[RecordChange]:
    """Send creates alone until one proves the zone. Return the creates that are still to be sent.

    Raises MismatchError if one got a wrong name, or the CallError that stopped it. Both are noted.
    """
    for number, change in enumerate(creates):
        if not (isinstance(change, CreateRecord) and applier.without_refused_creates([change])):
            continue
        if _lands(applier, change):
            return creates[number + 1 :]
    return ()


def _lands(applier: RecordApplier, change: CreateRecord) -> bool:
    """Return whether the record got its name; False if Cloudflare refuses the create, which proves nothing."""
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
    """Read the answer back. Raises MismatchError if it names another name."""
    if strays := [record for record in answers if record.name != change.name]:
        _undo(applier, change, strays)
    applier.compare([change], answers)


def _was_done(applier: RecordApplier, change: CreateRecord, attempt: int, unclear: CallError) -> bool:
    """Return whether the record exists after an unclear answer. Raises MismatchError if it got another name."""
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
    """Delete the strays by id and raise MismatchError: the settings do not fit the world."""
    message = f"A record for {change.key} landed at {strays[0].name}, so DOMAIN_ROOT is not in this zone."
    try:
        _remove(applier, change, strays)
    except CallError as error:
        mismatch = MismatchError(message, f"Cannot delete it: do that by hand ({error.message}).")
    else:
        mismatch = MismatchError(message, "The pass deleted it. Correct DOMAIN_ROOT or ZONE_ID.")
    applier.outcomes.note(change, Outcome.FAILED, mismatch)
    raise mismatch


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
    """Return what exactly this create left at its name with something appended, without look-alikes of others."""
    found = applier.writer.strays(change.name)
    return [r for r in found if (r.type, r.content, r.comment) == ("A", change.content, change.comment)]
