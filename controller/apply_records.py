"""Carries out the record changes of a plan, in batches, and finds out what really happened.

============================  ==========================================================================
the batch was                 then
============================  ==========================================================================
applied                       each answer is compared with what was wanted (read-back)
refused as stale              look: what is already so is done, what another hand moved is superseded
(81044, 81057, 81058)
refused otherwise             halves, until the refused change is alone; the others go through
answered unclearly            look: what is already so is done, the rest is sent again
throttled beyond patience     stop: nothing is fanned out, what is left is for the next pass
============================  ==========================================================================
"""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from controller import retry
from controller.board import Board
from controller.budget import Budget
from controller.errors import (
    AmbiguousError,
    CallError,
    DeadlineError,
    RefusedError,
    ThrottledError,
    TransientError,
)
from controller.model import Action, Change, DnsRecord, Finding, Outcome, World
from controller.ports import Records, RecordWriter
from controller.rules.findings import ZONE_NOT_READABLE
from controller.rules.ownership import is_marked, owner_of
from controller.settings import Settings

#: "Record does not exist", "already exists" (older form), "identical record already exists": our view is stale.
STALE_CODES = frozenset({81044, 81057, 81058})
QUOTA_CODE = 81045
#: Single creates refused in a row with the same code, and none accepted: the whole domain is refused, and hundreds of
#: machines must not spend the 1,200 calls of the user who owns the token (Cloudflare docs: rate limits).
ENOUGH_REFUSALS = 3
#: How often an unclear answer to one batch is looked at before the pass gives up on it, and how often in a pass the
#: listing may be asked again because it disagrees with a refusal.
PATIENCE = 4
SILENCE = AmbiguousError("Cloudflare's answer to the batch leaves this change out.", "The next pass looks again.")


@dataclass(slots=True)
class RecordApplier:
    """Applies record changes and notes on the board how each ended."""

    reader: Records
    writer: RecordWriter
    world: World
    settings: Settings
    budget: Budget
    board: Board
    #: Instances whose name turned out, while applying, to have lost the right record that the plan relied on.
    lost: set[str | None] = field(default_factory=set, init=False)
    _hopeless: RefusedError | None = field(default=None, init=False)  # what every other create would meet as well
    _refused_codes: list[tuple[int | str, ...]] = field(default_factory=list, init=False)  # of single creates
    _has_created: bool = field(default=False, init=False)
    _looks: int = field(default=PATIENCE, init=False)
    _seen: dict[str, DnsRecord] = field(init=False)

    def __post_init__(self) -> None:
        self._seen = {record.id: record for record in self.world.records}

    def apply(self, changes: Sequence[Change]) -> None:
        """Deletes, then updates, then creates (the plan's order). Raises a CallError that stops all the rest."""
        limit = self._limit(len(changes))
        for start in range(0, len(changes), limit):
            self._send(changes[start : start + limit])

    def _limit(self, count: int) -> int:
        """What one batch may hold; the zone's plan is asked for only where it matters."""
        zone = self.world.zone
        if count <= zone.batch_limit or zone.name is not None:
            return zone.batch_limit
        try:
            zone = self.reader.zone()
        except CallError:
            return zone.batch_limit  # every plan takes as many; the writes themselves say what is wrong
        if zone.name is None and ZONE_NOT_READABLE not in self.world.findings:
            self.board.find(ZONE_NOT_READABLE)
        return zone.batch_limit

    def _send(self, batch: Sequence[Change], unclear: int = 0) -> None:
        batch = self.without_hopeless(batch)
        if not batch:
            return
        try:
            answers = self.write(batch)
        except RefusedError as error:
            self._refused(batch, error)
        except AmbiguousError as error:
            self._look_and_resend(batch, error, unclear + 1)
        else:
            if silent := self.compare(batch, answers):
                self._look_and_resend(silent, SILENCE, unclear + 1)

    def write(self, batch: Sequence[Change]) -> list[DnsRecord]:
        """One batch. An error that stops the pass is noted for it; a refused or unclear batch is the caller's."""
        try:
            return self.writer.write(batch)
        except (RefusedError, AmbiguousError):
            raise
        except (ThrottledError, TransientError, DeadlineError) as error:
            self.board.note_all(batch, Outcome.NOT_REACHED, error)
            raise
        except CallError as error:
            self.board.note_all(batch, Outcome.FAILED, error)
            raise

    def _refused(self, batch: Sequence[Change], error: RefusedError) -> None:
        if STALE_CODES.intersection(error.codes):
            rest = self.still_wanted(batch)
            if len(rest) < len(batch):
                self._send(rest)
                return
        if len(batch) == 1:
            self._refused_alone(batch[0], error)
            return
        middle = len(batch) // 2
        self._send(batch[:middle])
        self._send(batch[middle:])

    def _refused_alone(self, change: Change, error: RefusedError) -> None:
        """Where the listing lags behind, a few more looks show it; where it does not, the change has failed."""
        with suppress(CallError):
            while STALE_CODES.intersection(error.codes) and self._looks:
                self._looks -= 1
                retry.pause(PATIENCE - self._looks, self.budget)
                if not self.still_wanted([change]):
                    return
        self.fail(change, error)

    def fail(self, change: Change, error: RefusedError) -> None:
        """Note a change that was refused alone; where that concerns the whole domain no more creates are tried."""
        if change.action is Action.CREATE_RECORD:
            if QUOTA_CODE in error.codes:
                hint = "The zone is full: delete records nobody needs, or take a larger Cloudflare plan."
                self._hopeless = error = RefusedError(error.message, hint)
            elif not STALE_CODES.intersection(error.codes):
                self._refused_codes = [*self._refused_codes, error.codes][-ENOUGH_REFUSALS:]
                is_same = len(self._refused_codes) == ENOUGH_REFUSALS and len(set(self._refused_codes)) == 1
                self._hopeless = error if is_same and not self._has_created else None
        self.board.note(change, Outcome.FAILED, error)

    def without_hopeless(self, batch: Sequence[Change]) -> Sequence[Change]:
        """The batch without creates where the zone is full, or refuses them all."""
        if self._hopeless is None:
            return batch
        hopeless = [change for change in batch if change.action is Action.CREATE_RECORD]
        self.board.note_all(hopeless, Outcome.FAILED, self._hopeless)
        return [change for change in batch if change.action is not Action.CREATE_RECORD]

    def _look_and_resend(self, batch: Sequence[Change], error: AmbiguousError, unclear: int) -> None:
        """An unclear answer: wait a little, see what is already so, and send the rest again."""
        try:
            retry.pause(unclear, self.budget)
            rest = self.still_wanted(batch)
        except CallError:
            self.board.note_all(batch, Outcome.FAILED, error)
            raise
        if rest and unclear >= PATIENCE:
            self.board.note_all(rest, Outcome.FAILED, error)
            raise error
        self._send(rest, unclear)

    def still_wanted(self, batch: Sequence[Change]) -> list[Change]:
        """Look at the names anew: note what is done or superseded, and return what is still to be done."""
        listing = self.reader.listing({change.instance for change in batch if change.instance})
        by_name = defaultdict[str, list[DnsRecord]](list)
        for record in listing.records:
            by_name[record.name].append(record)
        rest = []
        for change in batch:
            if change.action is Action.DELETE_RECORD and not self._has_right_record(
                change.instance, by_name[change.key]
            ):
                self.lost.add(change.instance)
            outcome = self._outcome_now(change, by_name[change.key])
            if outcome is None:
                rest.append(change)
            else:
                error = (
                    None
                    if outcome is Outcome.APPLIED
                    else "Another hand has changed this record; the next pass looks again."
                )
                self.board.note(change, outcome, error)
        return rest

    def _outcome_now(self, change: Change, here: Sequence[DnsRecord]) -> Outcome | None:
        """What a fresh look says of the change; None where it is still to be done."""
        write = change.record
        same = next((record for record in here if write and record.id == write.id), None)
        if change.action is Action.CREATE_RECORD:
            if any(self._is_right(change, record) for record in here):
                return Outcome.APPLIED
            return Outcome.SUPERSEDED if any(record.type in ("A", "CNAME", "NS") for record in here) else None
        if same is None:
            return Outcome.APPLIED if change.action is Action.DELETE_RECORD else Outcome.SUPERSEDED
        if self._is_right(change, same):
            return Outcome.APPLIED
        # Cloudflare takes no second record of the same content, whoever has made the first one since.
        is_taken = any(write and record.content == write.content and record.id != write.id for record in here)
        return Outcome.SUPERSEDED if is_taken else self._unless_moved(same)

    def _has_right_record(self, instance: str | None, here: Sequence[DnsRecord]) -> bool:
        machine = self.world.instances.get(instance or "")
        address = machine.public_ip if machine else None
        return any(r.type == "A" and r.content == address and is_marked(r.comment, self.settings.mark) for r in here)

    def _unless_moved(self, record: DnsRecord) -> Outcome | None:
        """Superseded where the record is no longer the one that the plan was made for."""
        seen = self._seen.get(record.id)
        if seen is None:
            return Outcome.SUPERSEDED
        is_moved = record.content != seen.content or owner_of(record, self.settings) is not owner_of(
            seen, self.settings
        )
        return Outcome.SUPERSEDED if is_moved else None

    def compare(self, batch: Sequence[Change], answers: Sequence[DnsRecord]) -> list[Change]:
        """Read-back: what Cloudflare says it wrote must be what was wanted, or no link is written on it.

        Returns the changes that the answer leaves out.
        """
        silent = []
        by_id = {answer.id: answer for answer in answers}
        by_name = {answer.name: answer for answer in answers}
        for change in batch:
            write = change.record
            answer = (by_id.get(write.id) if write.id else by_name.get(write.name)) if write else None
            if answer is None:
                silent.append(change)
            elif change.action is Action.DELETE_RECORD or self._is_right(change, answer):
                self._has_created |= change.action is Action.CREATE_RECORD
                self.board.note(change, Outcome.APPLIED)
            else:
                self._report_divergence(change, answer)
        return silent

    def _is_right(self, change: Change, record: DnsRecord | None) -> bool:
        write = change.record
        return (
            write is not None
            and record is not None
            and (record.type, record.name, record.content, record.proxied) == ("A", write.name, write.content, True)
            and is_marked(record.comment, self.settings.mark)
        )

    def _report_divergence(self, change: Change, answer: DnsRecord) -> None:
        got = f"content {answer.content}, {'proxied' if answer.proxied else 'not proxied'}, comment {answer.comment!r}"
        message = f"Cloudflare took the write, but what it answered is not what was wanted: {got}."
        hint = "Look at the record and at rules of the zone that may change it; no link is written on it."
        self.board.find(Finding("does-not-converge", change.key, message, hint))
        self.board.note(change, Outcome.FAILED, f"{message} {hint}")
