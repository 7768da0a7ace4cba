"""The report of a pass: what it saw, what it planned, and how each change ended."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from controller.errors import IncompleteError
from controller.model import Action, Finding, Guard, Outcome, Plan, Result
from controller.report.safe import on_one_line
from controller.rules.plan import sort_key

SCHEMA = "elephant-dns/report/v1"
#: Findings of one kind that a report lists.
MOST_OF_A_KIND = 20
#: Characters of the first failure's cause in the pass's error: a dead-letter message carries 1 KB.
CAUSE_LENGTH = 600
#: The key of the finding that stands for those that are not listed.
OTHERS = "others"
SERVICES = ("ec2", "dynamodb", "cloudflare", "secretsmanager")


@dataclass(frozen=True, slots=True)
class Target:
    """The deployment that a report is about."""

    account: str
    region: str
    zone: str
    domain_root: str
    table: str
    owner: str


@dataclass(frozen=True, slots=True)
class CellSeen:
    """A place with machines: whether it was read, and what was seen there."""

    account: str
    region: str
    instances: int
    error: str | None = None  # why it could not be read

    @property
    def name(self) -> str:
        """Return the cell's name in settings and marks."""
        return f"{self.account}/{self.region}"


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
    cells: tuple[CellSeen, ...] = ()
    homes: Mapping[str, str] = field(default_factory=dict)  # by instance, the cell that it lives in
    unlisted: Mapping[str, int] = field(default_factory=dict)  # findings of a kind beside those in ``findings``
    links: Links | None = None  # None: this pass has probed none
    only_cells: tuple[str, ...] | None = None  # changes and findings of these cells alone; None: of all

    @property
    def is_full(self) -> bool:
        """Return whether the pass was over everything: not over single instances, nor for some cells."""
        return self.scope is None and self.only_cells is None

    @property
    def unread(self) -> tuple[CellSeen, ...]:
        """Return the cells that could not be read, among those that the report is about."""
        return tuple(c for c in self.cells if c.error and (self.only_cells is None or c.name in self.only_cells))

    def cell_of(self, instance: str | None) -> str | None:
        """Return the cell of an instance: the only one, where it was seen, or what its record's mark names."""
        if instance is None:
            return None
        return self.cells[0].name if len(self.cells) == 1 else self.homes.get(instance)

    def found(self, kind: str | None = None) -> int:
        """Return how many findings there are, of this kind or in all: those that are not listed count as well."""
        listed = sum(finding.id == kind or kind is None for finding in self.findings if finding.key != OTHERS)
        return listed + (sum(self.unlisted.values()) if kind is None else self.unlisted.get(kind, 0))

    def count(self, outcome: Outcome) -> int:
        """Return how many changes ended so."""
        return sum(result.outcome is outcome for result in self.results)

    @property
    def complete(self) -> bool:
        """Return whether every cell was read, nothing failed, and nothing was left unreached."""
        return not (self.unread or self.count(Outcome.FAILED) or self.count(Outcome.NOT_REACHED))

    @property
    def unfinished(self) -> tuple[Result, ...]:
        """Return the changes that failed, then those that were not reached: a failure is the cause of the others."""
        ends = (Outcome.FAILED, Outcome.NOT_REACHED)
        return tuple(result for end in ends for result in self.results if result.outcome is end)

    @property
    def converged(self) -> bool:
        """Return whether the world is as it should be, findings aside."""
        return not self.unread and all(result.outcome is Outcome.APPLIED for result in self.results)

    @property
    def ended_well(self) -> bool:
        """Return whether nothing failed, nothing was left unreached, and the guard did not hold an apply."""
        return self.complete and not (self.guard.tripped and self.mode == "apply")

    def shortened(self) -> "Report":
        """Return the report with at most twenty findings of a kind, and how many others there are.

        A finding a row every five minutes is a bill, not information.
        """
        kinds = defaultdict[str, list[Finding]](list)
        for finding in dict.fromkeys(self.findings):
            kinds[finding.id].append(finding)
        return replace(
            self,
            findings=tuple(shown for alike in kinds.values() for shown in _shortened(alike)),
            unlisted={
                kind: len(alike) - MOST_OF_A_KIND for kind, alike in kinds.items() if len(alike) > MOST_OF_A_KIND
            },
        )

    def joined(self, later: "Report") -> "Report":
        """Return this report and that of a later part of the pass as one, with the digest of the first plan."""
        return replace(
            self,
            duration_ms=later.duration_ms,
            observed=max(self.observed, later.observed),
            results=tuple(sorted((*self.results, *later.results), key=lambda result: sort_key(result.change))),
            findings=(*self.findings, *later.findings),
            calls=later.calls,
            cells=later.cells,
            homes={**self.homes, **later.homes},
        )

    def summary(self) -> dict[str, int]:
        """Return the changes by action whatever their outcome, and those with an outcome that needs attention."""
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


def incomplete(report: Report) -> IncompleteError:
    """Return the error of a pass that did not end well: what failed first, why, and how many more."""
    said = [f"Cannot read the cell {cell.name}: {cell.error}" for cell in report.unread]
    if report.unfinished:
        first, *others = report.unfinished
        said.append(f"{_ending(first)}.")
        failed = sum(result.outcome is Outcome.FAILED for result in others)
        missed = len(others) - failed
        said += [f"{failed:,} more failed."] if failed else []
        said += [f"{missed:,} more {'was' if missed == 1 else 'were'} not reached."] if missed else []
    if report.guard.tripped:
        held = report.count(Outcome.GUARDED)
        said.append(f"The guard holds {held:,} change{'' if held == 1 else 's'}: {report.guard.reason}")
    return IncompleteError(" ".join(said), "The log has a line for each change.")


def _ending(result: Result) -> str:
    ended = "failed" if result.outcome is Outcome.FAILED else "was not reached"
    cause = on_one_line(result.error or "its cause is not known").rstrip(".")
    short = cause if len(cause) <= CAUSE_LENGTH else f"{cause[:CAUSE_LENGTH]}…"
    return f"{result.change.action} {on_one_line(result.change.key)[:200]} {ended}: {short}"


def digest_of(
    plan: Plan, target: Target, scope: tuple[str, ...] | None, only_cells: tuple[str, ...] | None = None
) -> str:
    """Return the plan's digest: the same for the same plan and deployment. Sentences for people do not count."""
    changes = [[*c.ident, c.instance, c.before, c.after, c.rule, c.guarded] for c in plan.changes]
    subject = [
        SCHEMA,
        target.zone,
        target.domain_root,
        target.table,
        target.owner,
        scope,
        changes,
        *([only_cells] if only_cells else []),
    ]
    return hashlib.sha256(json.dumps(subject, separators=(",", ":")).encode()).hexdigest()


def planned_results(plan: Plan) -> tuple[Result, ...]:
    """Return the plan's changes as a dry run reports them."""
    return tuple(Result(c, Outcome.GUARDED if c.guarded else Outcome.PLANNED) for c in plan.changes)


def _shortened(alike: list[Finding]) -> Iterable[Finding]:
    yield from alike[:MOST_OF_A_KIND]
    if len(alike) > MOST_OF_A_KIND:
        others = len(alike) - MOST_OF_A_KIND
        yield Finding(alike[0].id, OTHERS, f"{others} more of this kind are not listed.", alike[0].hint)
