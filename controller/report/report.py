"""The report of a pass: what was seen, what was to be done, how it ended."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from controller.model import Action, Finding, Guard, Outcome, Plan, Result
from controller.rules.plan import sort_key

SCHEMA = "elephant-dns/report/v1"
#: Findings of one kind that a report lists.
MOST_OF_A_KIND = 20
SERVICES = ("ec2", "dynamodb", "cloudflare", "secretsmanager")


@dataclass(frozen=True, slots=True)
class Target:
    """Which deployment this is about."""

    account: str
    region: str
    zone: str
    domain_root: str
    table: str
    owner: str


@dataclass(frozen=True, slots=True)
class Links:
    """How many links a pass has probed, and what became of them; the others work."""

    probed: int
    unreachable: int
    not_judged: int
    not_reached: int = 0  # the time for the probe was up before


@dataclass(frozen=True, slots=True)
class Report:
    """One pass, as a value; ``scope`` None is everything."""

    mode: str
    scope: tuple[str, ...] | None
    target: Target
    started_at: datetime
    duration_ms: int
    observed: tuple[int, int, int]  # instances, records, meetings
    digest: str
    results: tuple[Result, ...]
    findings: tuple[Finding, ...]
    guard: Guard
    calls: Mapping[str, int]
    links: Links | None = None  # None: this pass has probed none

    def count(self, outcome: Outcome) -> int:
        """How many changes ended so."""
        return sum(result.outcome is outcome for result in self.results)

    @property
    def complete(self) -> bool:
        """Whether nothing failed and nothing was left unreached."""
        return not (self.count(Outcome.FAILED) or self.count(Outcome.NOT_REACHED))

    @property
    def converged(self) -> bool:
        """Whether the world is as it should be, findings aside."""
        return all(result.outcome is Outcome.APPLIED for result in self.results)

    @property
    def ended_well(self) -> bool:
        """Whether the caller may rest: nothing failed, nothing unreached, and the guard did not hold the pass."""
        return self.complete and not (self.guard.tripped and self.mode == "apply")

    def shortened(self) -> "Report":
        """The report with twenty findings of a kind at most, and how many others there are.

        A finding a row every five minutes is a bill, not information.
        """
        kinds = defaultdict[str, list[Finding]](list)
        for finding in dict.fromkeys(self.findings):
            kinds[finding.id].append(finding)
        return replace(self, findings=tuple(shown for alike in kinds.values() for shown in _shortened(alike)))

    def joined(self, later: "Report") -> "Report":
        """This report and that of a later part of the same pass, as one; the digest stays that of the first plan."""
        return replace(
            self,
            duration_ms=later.duration_ms,
            observed=max(self.observed, later.observed),
            results=tuple(sorted((*self.results, *later.results), key=lambda result: sort_key(result.change))),
            findings=(*self.findings, *later.findings),
            calls=later.calls,
        )

    def summary(self) -> dict[str, int]:
        """Changes by action whatever their outcome, and beside that those with an outcome that needs attention."""
        actions = Counter(result.change.action for result in self.results)
        attention = (Outcome.FAILED, Outcome.GUARDED, Outcome.SUPERSEDED, Outcome.NOT_REACHED)
        names = (
            Action.CREATE_RECORD,
            Action.UPDATE_RECORD,
            Action.DELETE_RECORD,
            Action.WRITE_LINK,
            Action.CLEAR_LINK,
            Action.TERMINATE_MEETING,
        )
        return {**{str(name): actions[name] for name in names}, **{str(end): self.count(end) for end in attention}}


def digest_of(plan: Plan, target: Target, scope: tuple[str, ...] | None) -> str:
    """The same plan for the same deployment has the same digest; sentences for people do not count."""
    changes = [[*c.ident, c.instance, c.before, c.after, c.rule, c.guarded] for c in plan.changes]
    subject = [SCHEMA, target.zone, target.domain_root, target.table, target.owner, scope, changes]
    return hashlib.sha256(json.dumps(subject, separators=(",", ":")).encode()).hexdigest()


def planned_results(plan: Plan) -> tuple[Result, ...]:
    """The plan's changes as a dry run reports them."""
    return tuple(Result(c, Outcome.GUARDED if c.guarded else Outcome.PLANNED) for c in plan.changes)


def _shortened(alike: list[Finding]) -> Iterable[Finding]:
    yield from alike[:MOST_OF_A_KIND]
    if len(alike) > MOST_OF_A_KIND:
        others = len(alike) - MOST_OF_A_KIND
        yield Finding(alike[0].id, "others", f"{others} more of this kind are not listed.", alike[0].hint)
