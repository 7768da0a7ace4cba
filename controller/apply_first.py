"""The first create into a zone that is not known to hold DOMAIN_ROOT.

Many tokens may not read the zone itself, and Cloudflare appends the zone to a name outside it. So creates go alone
until one has landed at its own name; one that landed elsewhere is taken away again by its id, and the pass stops.
"""

from collections.abc import Sequence

from controller import retry
from controller.apply_records import PATIENCE, SILENCE, STALE_CODES, RecordApplier
from controller.errors import AmbiguousError, CallError, MisfitError, RefusedError
from controller.model import Change, DnsRecord, Outcome


def prove_zone(applier: RecordApplier, creates: Sequence[Change]) -> Sequence[Change]:
    """Send creates alone until one proves the zone; returns those that are still to be sent.

    Raises MisfitError where one landed at a wrong name, or the CallError that stopped it; both are on the board.
    """
    for place, change in enumerate(creates):
        if not applier.without_hopeless([change]):
            continue
        if _lands(applier, change):
            return creates[place + 1 :]
    return ()


def _lands(applier: RecordApplier, change: Change) -> bool:
    """Whether the create landed at its name; False where Cloudflare refuses it, which proves nothing."""
    unclear: CallError = SILENCE
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
    applier.board.note(change, Outcome.FAILED, unclear)
    raise unclear


def _check(applier: RecordApplier, change: Change, answers: Sequence[DnsRecord]) -> None:
    """Read the answer back. Raises MisfitError where it names another name."""
    if strays := [record for record in answers if record.name != _name(change)]:
        _undo(applier, change, strays)
    applier.compare([change], answers)


def _was_done(applier: RecordApplier, change: Change, attempt: int, unclear: CallError) -> bool:
    """After an unclear answer: whether the record is there. Raises MisfitError where it is there under a wrong name."""
    try:
        retry.pause(attempt, applier.budget)
        strays = _strays(applier, change)
        is_wanted = bool(applier.still_wanted([change]))
    except CallError:
        applier.board.note(change, Outcome.FAILED, unclear)
        raise
    if strays:
        _undo(applier, change, strays)
    return not is_wanted


def _undo(applier: RecordApplier, change: Change, strays: Sequence[DnsRecord]) -> None:
    """Take the strays away by id, say so, and stop: the settings do not fit the world."""
    told = f"A record for {change.key} landed at {strays[0].name}, so DOMAIN_ROOT is not in this zone."
    try:
        _remove(applier, change, strays)
    except CallError as error:
        misfit = MisfitError(told, f"It could not be deleted: do that by hand ({error.message}).")
    else:
        misfit = MisfitError(told, "It was deleted again. Correct DOMAIN_ROOT or ZONE_ID.")
    applier.board.note(change, Outcome.FAILED, misfit)
    raise misfit


def _remove(applier: RecordApplier, change: Change, strays: Sequence[DnsRecord]) -> None:
    for attempt in range(1, PATIENCE + 1):
        try:
            applier.writer.remove([record.id for record in strays])
        except (AmbiguousError, RefusedError):
            if attempt == PATIENCE:
                raise
        else:
            return
        retry.pause(attempt, applier.budget)
        strays = _strays(applier, change)
        if not strays:
            return


def _strays(applier: RecordApplier, change: Change) -> list[DnsRecord]:
    """What this very create has left at its name with something appended; a look-alike of another domain is not it."""
    write = change.record
    found = applier.writer.strays(_name(change))
    return [r for r in found if write and (r.type, r.content, r.comment) == ("A", write.content, write.comment)]


def _name(change: Change) -> str:
    return change.record.name if change.record else ""
