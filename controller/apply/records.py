"""Apply the record changes of a plan, in batches, and find out what really happened.

============================  ==========================================================================
the batch was                 then
============================  ==========================================================================
applied                       compare each answer with the desired record (read-back)
refused as stale              look: note what is already so as applied, and what another writer changed
(81044, 81057, 81058)         as superseded
refused otherwise             send halves, until the refused change is alone; the others are applied
answered unclearly            look: note what is already so as applied, and send the rest again
throttled beyond patience     stop; the next pass does the rest
============================  ==========================================================================
"""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from controller.apply.outcomes import Outcomes
from controller.errors import (
    AmbiguousError,
    CallError,
    DeadlineError,
    RefusedError,
    ThrottledError,
    TransientError,
)
from controller.model import (
    CreateRecord,
    DeleteRecord,
    DnsRecord,
    Finding,
    Outcome,
    RecordChange,
    UpdateRecord,
    World,
)
from controller.ports import Context, RecordWriter
from controller.rules.findings import ZONE_NOT_READABLE
from controller.rules.verify import has_record_of, is_as_wanted, outcome_now, with_answers
from controller.runtime import retry

#: "Record does not exist", "already exists" (older form), "identical record already exists": the plan is stale.
STALE_CODES = frozenset({81044, 81057, 81058})
QUOTA_CODE = 81045
_ANOTHER_WRITER = "Another writer changed this record. The next pass looks again."
#: After so many single creates refused in a row with the same code, the pass tries the newest machine's create too. If
#: that is refused and none was accepted, the whole domain is refused: hundreds of machines must not spend the 1,200
#: calls of the token's user (Cloudflare docs: rate limits). It tries the newest because creates start with the oldest:
#: three bad ones among them must not block all others in every pass.
ENOUGH_REFUSALS = 3
#: How often a pass looks after unclear answers to one batch before it gives up, and how often it lists again because
#: the listing disagrees with a refusal.
PATIENCE = 4


def no_answer() -> AmbiguousError:
    """Return the error of a change that a batch's answer leaves out."""
    # Create a new error each time: a shared one keeps each pass alive through its traceback.
    return AmbiguousError("Cloudflare's answer to the batch leaves this change out.", "The next pass looks again.")


@dataclass(slots=True)
class RecordApplier:
    """Applies record changes and notes each outcome."""

    context: Context
    writer: RecordWriter
    world: World
    outcomes: Outcomes
    #: Instances with a name that lost, since the plan, the right record that the plan relied on.
    lost: set[str | None] = field(default_factory=set, init=False)
    #: The refusal that every other create would get too.
    _creates_refused: RefusedError | None = field(default=None, init=False)
    _refused_codes: list[tuple[int | str, ...]] = field(default_factory=list, init=False)  # of single creates
    _has_created: bool = field(default=False, init=False)
    _newest: CreateRecord | None = field(default=None, init=False)
    _looks: int = field(default=PATIENCE, init=False)
    _seen: dict[str, DnsRecord] = field(init=False)

    def __post_init__(self) -> None:
        self._seen = {record.id: record for record in self.world.records}

    def apply(self, changes: Sequence[RecordChange]) -> None:
        """Apply the changes in the plan's order: deletes, updates, creates. Raises a CallError that stops the rest."""
        self._newest = next((change for change in reversed(changes) if isinstance(change, CreateRecord)), None)
        limit = self._limit(len(changes))
        for start in range(0, len(changes), limit):
            self._send(changes[start : start + limit])

    def _limit(self, count: int) -> int:
        """Return how many changes a batch may hold. The zone's plan is read only if that matters."""
        zone = self.world.zone
        if count <= zone.batch_limit or zone.name is not None:
            return zone.batch_limit
        try:
            zone = self.context.readers.records.zone()
        except CallError:
            return zone.batch_limit  # every plan accepts as many, and the writes themselves report what is wrong
        if zone.name is None and ZONE_NOT_READABLE not in self.world.findings:
            self.outcomes.find(ZONE_NOT_READABLE)
        return zone.batch_limit

    def _send(self, batch: Sequence[RecordChange], unclear: int = 0) -> None:
        batch = self.without_refused_creates(batch)
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
                self._look_and_resend(silent, no_answer(), unclear + 1)

    def write(self, batch: Sequence[RecordChange]) -> list[DnsRecord]:
        """Send one batch. Note an error that stops the pass; the caller handles a refused or unclear batch."""
        try:
            return self.writer.write(batch)
        except (RefusedError, AmbiguousError):
            raise
        except (ThrottledError, TransientError, DeadlineError) as error:
            self.outcomes.note_all(batch, Outcome.NOT_REACHED, error)
            raise
        except CallError as error:
            self.outcomes.note_all(batch, Outcome.FAILED, error)
            raise

    def _refused(self, batch: Sequence[RecordChange], error: RefusedError) -> None:
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

    def _refused_alone(self, change: RecordChange, error: RefusedError) -> None:
        """Look a few more times, because the listing may lag behind. If it does not, note the change as failed."""
        with suppress(CallError):
            while STALE_CODES.intersection(error.codes) and self._looks:
                self._looks -= 1
                retry.pause(PATIENCE - self._looks, self.context.budget)
                if not self.still_wanted([change]):
                    return
        self.fail(change, error)

    def fail(self, change: RecordChange, error: RefusedError) -> None:
        """Note a change that was refused alone. If the refusal concerns the whole domain, send no more creates."""
        if isinstance(change, CreateRecord):
            if QUOTA_CODE in error.codes:
                hint = "The zone is full: delete records that nobody needs, or take a larger Cloudflare plan."
                self._creates_refused = error = RefusedError(error.message, hint)
            elif not STALE_CODES.intersection(error.codes):
                self._refused_codes = [*self._refused_codes, error.codes][-ENOUGH_REFUSALS:]
                is_same = len(self._refused_codes) == ENOUGH_REFUSALS and len(set(self._refused_codes)) == 1
                if is_same and not self._has_created and not self._takes_the_newest():
                    self._creates_refused = error
        self.outcomes.note(change, Outcome.FAILED, error)

    def _takes_the_newest(self) -> bool:
        """Return whether Cloudflare accepts the newest machine's create, alone: then the domain is not refused."""
        if self._newest is None or self.outcomes.of([self._newest]) != {Outcome.NOT_REACHED}:
            return False
        try:
            self.compare([self._newest], self.writer.write([self._newest]))
        except CallError:
            return False  # its own outcome is noted when its turn comes
        return self._has_created

    def without_refused_creates(self, batch: Sequence[RecordChange]) -> Sequence[RecordChange]:
        """Return the batch, without creates if the zone is full or refuses them all."""
        if self._creates_refused is None:
            return batch
        creates = [change for change in batch if isinstance(change, CreateRecord)]
        self.outcomes.note_all(creates, Outcome.FAILED, self._creates_refused)
        return [change for change in batch if not isinstance(change, CreateRecord)]

    def _look_and_resend(self, batch: Sequence[RecordChange], error: AmbiguousError, unclear: int) -> None:
        """After an unclear answer: wait a little, look what is already so, and send the rest again."""
        try:
            retry.pause(unclear, self.context.budget)
            rest = self.still_wanted(batch)
        except CallError:
            self.outcomes.note_all(batch, Outcome.FAILED, error)
            raise
        if rest and unclear >= PATIENCE:
            self.outcomes.note_all(rest, Outcome.FAILED, error)
            raise error
        self._send(rest, unclear)

    def still_wanted(self, batch: Sequence[RecordChange]) -> list[RecordChange]:
        """Look at the names again: note what is applied or superseded, and return what is still to do."""
        listing = self.context.readers.records.listing({change.instance for change in batch if change.instance})
        by_name = defaultdict[str, list[DnsRecord]](list)
        for record in listing.records:
            by_name[record.name].append(record)
        return [change for change in batch if not self._is_settled(change, by_name[change.name])]

    def _is_settled(self, change: RecordChange, here: Sequence[DnsRecord]) -> bool:
        """Return whether the records at the name now show how the change ended. If so, note it."""
        machine = self.world.instances.get(change.instance or "")
        if isinstance(change, DeleteRecord) and not has_record_of(machine, here):
            self.lost.add(change.instance)
        planned = self._seen.get(change.id) if isinstance(change, (UpdateRecord, DeleteRecord)) else None
        outcome = outcome_now(change, here, planned, self.context.settings)
        if outcome is not None:
            is_applied = outcome is Outcome.APPLIED
            self._has_created |= is_applied and isinstance(change, CreateRecord)
            self.outcomes.note(change, outcome, None if is_applied else _ANOTHER_WRITER)
        return outcome is not None

    def compare(self, batch: Sequence[RecordChange], answers: Sequence[DnsRecord]) -> list[RecordChange]:
        """Read back what Cloudflare wrote and note the outcomes. Return the changes that the answer leaves out.

        A record that differs from the desired one gets no link.
        """
        unanswered = []
        for change, answer in with_answers(batch, answers):
            if answer is None:
                unanswered.append(change)
            elif isinstance(change, DeleteRecord) or is_as_wanted(change, answer, self.context.settings):
                self._has_created |= isinstance(change, CreateRecord)
                self.outcomes.note(change, Outcome.APPLIED)
            else:
                self._report_divergence(change, answer)
        return unanswered

    def _report_divergence(self, change: RecordChange, answer: DnsRecord) -> None:
        got = f"content {answer.content}, {'proxied' if answer.proxied else 'not proxied'}, comment {answer.comment!r}"
        message = f"Cloudflare accepted the write, but its answer differs from the desired record: {got}."
        hint = "Look at the record, and for rules of the zone that may change it. Until then no link is written."
        self.outcomes.find(Finding("does-not-converge", change.key, message, hint))
        self.outcomes.note(change, Outcome.FAILED, f"{message} {hint}")
