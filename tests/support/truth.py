"""The judge of hours. It knows what was true, never what a controller believed, and holds every pass to the promises.

The specification (``spec/``) judges one pass of one deployment, write by write; this one also measures how long users
are cut off, across several deployments, and shares nothing with the specification, so that they can disagree.

Two things of what the clouds showed it must know, since the promises speak of them: a machine that neither its row nor
any reading has ever shown may be forgotten, and time is counted from when EC2 shows a machine as it is.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from controller.model import DnsRecord
from tests.support.history import JOINABLE, Deployment, Event, Look, Machine, Outage, Reading, Row, Step, Truth

V = TypeVar("V")

#: One schedule period and 20 seconds.
PATIENCE = timedelta(seconds=320)

_EARLY = (None, "PENDING", "SCHEDULED", "LAUNCHED")
_LIVE = ("LAUNCHED", "DNS_WRITTEN", "HEALTHY", "IN_PROGRESS")
_LINK = re.compile(r"https://(i-[0-9a-f]+)\.([^:]+):\d+")
_LABEL = re.compile(r"i-([0-9a-f]{8}|[0-9a-f]{17})")
_NEVER = datetime.min.replace(tzinfo=UTC)


class Promise(StrEnum):
    """What a deployment promises (README, What it will never do)."""

    NO_END_WHILE_UP = "no meeting is ended while a machine of it is up or starting"
    RECORD_STAYS = "no record of a living machine with its own address is deleted"
    LINK_LEADS_THERE = "no link is written to a name that also leads elsewhere"
    LINK_HAS_RECORD = "no link without its record"
    LINK_IS_THEIRS = "nobody is sent to a stranger's machine"
    JOIN = "a user with a machine that is up and healthy can join"
    STAY = "a user who can join is not cut off"
    NAME = "no own name leads to an address that is not the machine's"
    OTHERS = "other deployments' machines, records and rows are left alone"
    OWNERSHIP = "nothing without our mark is changed or deleted, nothing outside the name pattern touched"
    STATUS = "statuses are monotonic"
    END_IS_FULL = "no meeting is ended by a pass that looked at some machines only"
    NO_PHANTOM = "no row is created or removed"
    ONLY_OURS = "of a row only links, status and reason are written"


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken, when, and how."""

    at: datetime
    promise: Promise
    what: str

    def __str__(self) -> str:
        return f"{self.at:%d %H:%M:%S} {self.promise}: {self.what}"


@dataclass(slots=True)
class Verdict:
    """All that was wrong, each thing once, and how bad it was."""

    violations: list[Violation] = field(default_factory=list)
    minutes_cut_off: float = 0.0
    minutes_astray: float = 0.0
    ended_while_up: int = 0
    back_and_forth: int = 0
    links_moved: int = 0  # away from a machine on which the user could work


def judge(
    history: Iterable[Event],
    deployments: Iterable[Deployment],
    owners: Mapping[str, str] | None = None,
    patience: timedelta = PATIENCE,
) -> Verdict:
    """Go through a history, oldest first. ``owners`` names each row's deployment where there are several."""
    bench = _Bench({each.name: each for each in deployments}, owners or {}, patience)
    for event in history:
        bench.hear(event)
    return bench.verdict


def leads_to(row: Row, role: str) -> tuple[str, str] | None:
    """The domain and the machine that the row's link leads to."""
    link = row.get(f"{role}_ec2_link")
    found = _LINK.fullmatch(link) if isinstance(link, str) else None
    return (found[2], found[1]) if found else None


def belongs(truth: Truth, machine: Machine, meeting: str, role: str) -> bool:
    """Whether it carries their tags, or was launched for them and nobody has given it to others, who have a row."""
    tags = machine.instance
    if (tags.meeting, tags.role) == (meeting, role):
        return True
    is_given_away = tags.meeting != meeting and tags.meeting in truth.rows
    return (machine.meeting, machine.role) == (meeting, role) and tags.role in (None, role) and not is_given_away


def can_join(truth: Truth, meeting: str, role: str) -> bool:
    """Whether the user lands on the machine: by status, link and every record at the name."""
    row = truth.rows.get(meeting, {})
    there = leads_to(row, role)
    if row.get("status") not in JOINABLE or there is None or there[0] not in truth.zones:
        return False
    machine = truth.machines.get(there[1])
    if machine is None or not machine.is_up or not belongs(truth, machine, meeting, role):
        return False
    return truth.has_record(*there) and not truth.astray(*there)


def unended(truth: Truth, owners: Mapping[str, str]) -> list[str]:
    """The meetings of deployments that still count as live though all their machines are over."""
    alive = {key for m in truth.machines.values() if not m.is_over for key in (m.meeting, m.instance.meeting)}
    had = {machine.meeting for machine in truth.machines.values()}
    live = [meeting for meeting in owners if truth.rows.get(meeting, {}).get("status") in _LIVE]
    return [meeting for meeting in live if meeting in had - alive]


@dataclass(slots=True)
class _Bench:
    """What the judge keeps in mind from one event to the next."""

    deployments: Mapping[str, Deployment]
    owners: Mapping[str, str]
    patience: timedelta
    verdict: Verdict = field(default_factory=Verdict)
    truth: Truth | None = None
    brought: set[tuple[str, str]] = field(default_factory=set)  # which deployment's readings have shown which machines
    lied: dict[str, datetime] = field(default_factory=dict)  # when last about this machine, or its name
    back: dict[str, datetime] = field(default_factory=dict)  # when a deployment's last outage ended
    said: dict[str, object] = field(default_factory=dict)  # the status that others gave the row
    disturbed: dict[str, datetime] = field(default_factory=dict)  # when others last moved a row, or a machine's name
    since: dict[str, datetime] = field(default_factory=dict)  # since when a record leads where it leads
    ended: set[str] = field(default_factory=set)  # meetings that a pass should not have ended
    cut: set[tuple[str, str]] = field(default_factory=set)  # users whom a pass has cut off
    removed: Counter[tuple[str, ...]] = field(default_factory=Counter)
    _told: set[tuple[Promise, str]] = field(default_factory=set)

    def hear(self, event: Event) -> None:
        """One more event."""
        match event:
            case Reading():
                self.brought |= {(event.by, instance) for instance in event.brought}
                self.lied |= dict.fromkeys(event.lied, event.at)
            case Outage():
                self.back[event.by] = event.until
            case Look() if self.truth is not None:
                self._look(event, self.truth)
            case Step():
                self._step(event)

    def _step(self, step: Step) -> None:
        if self.truth is None:
            self.said = {key: row.get("status") for key, row in step.before.rows.items()}
        self.truth = step.after
        us = self.deployments.get(step.by)
        rows = _changed(step.before.rows, step.after.rows)
        records = [
            (root, was, now)
            for root, zone in step.after.zones.items()
            for was, now in _changed(step.before.zones[root], zone).values()
        ]
        for root, was, now in records:
            if us:
                self._record_written(step, us, root, was, now)
            self._note_record(step, us, now or was)
        for key, (old, new) in rows.items():
            if us:
                self._row_written(step, us, key, old, new)
            else:
                self._row_moved(step, key, old or {}, new or {})
        if us:
            touched = {_label(now or was) for _, was, now in records}
            self._users(step, {*rows, *(m.meeting for i in touched if (m := step.after.machines.get(i)))})

    def _complain(self, at: datetime, promise: Promise, what: str) -> None:
        if (promise, what) not in self._told:
            self._told.add((promise, what))
            self.verdict.violations.append(Violation(at, promise, what))

    # What others do

    def _row_moved(self, step: Step, key: str, was: Row, now: Row) -> None:
        self.said[key] = now.get("status")
        names = {name for name in {**was, **now} if name != "status"}
        if was.get("status") in (None, "TERMINATED") or any(was.get(name) != now.get(name) for name in names):
            self.disturbed[key] = step.at
        if now.get("status") != "TERMINATED":
            self.ended.discard(key)

    def _note_record(self, step: Step, us: Deployment | None, record: DnsRecord | None) -> None:
        if record:
            self.since[record.id] = step.at
            if us is None:
                self.disturbed[_label(record)] = step.at

    # What a pass writes

    def _record_written(
        self, step: Step, us: Deployment, root: str, was: DnsRecord | None, now: DnsRecord | None
    ) -> None:
        record = was or now
        assert record is not None
        label, machine = _label(record), step.after.machines.get(_label(record))
        is_ours = machine is not None and machine.deployment == us.name
        if root != us.root or not _LABEL.fullmatch(label):
            self._complain(step.at, Promise.OWNERSHIP, f"{us.name} wrote {record.name}")
        if was and not us.marks(was):
            is_adopted = is_ours and now is not None and not was.comment.startswith("elephant-dns:")
            if not is_adopted:
                self._complain(step.at, Promise.OWNERSHIP, f"{us.name} wrote over {was.name} {was.comment!r}")
        if now and not is_ours:
            self._complain(step.at, Promise.OTHERS, f"{us.name} wrote a record for {label}")
        is_up = machine is not None and machine.is_up
        is_own = is_up and was is not None and was.type == "A" and was.content == step.after.address(label)
        if is_own and (now is None or now.content != record.content):
            self._complain(step.at, Promise.RECORD_STAYS, f"{record.name}, by {us.name}")
        contents = [(root, label, record.content) if record else None for record in (was, now)]
        self._count(*(_start(step.after, content) for content in contents))

    def _row_written(self, step: Step, us: Deployment, key: str, was: Row | None, now: Row | None) -> None:
        if was is None or now is None:
            self._complain(step.at, Promise.NO_PHANTOM, f"{key}, by {us.name}")
            return
        changed = {name for name in {**was, **now} if was.get(name) != now.get(name)}
        links = {f"{role}_ec2_link": role for role in us.settings.roles}
        if changed - {"status", "termination_reason"} - links.keys():
            self._complain(step.at, Promise.ONLY_OURS, f"{sorted(changed)} of {key}")
        is_others = self.owners.get(key, us.name) != us.name
        if is_others and _is_nobodys(step, us, key, was):
            return
        if is_others and not self._was_seen(step.after, us, key, was, now):
            self._complain(step.at, Promise.OTHERS, f"{us.name} wrote {sorted(changed)} of {key}")
        if "status" in changed:
            self._status_written(step, us, key, was, now)
        for name in changed & links.keys():
            self._link_written(step, us, key, links[name], was, now)

    def _was_seen(self, truth: Truth, us: Deployment, key: str, was: Row, now: Row) -> bool:
        """Whether all that the write takes away has really ended or stopped: that counts for whoever sees it."""
        machines = [machine for machine in truth.machines.values() if machine.meeting == key]
        ended = now.get("status") == was.get("status") or all(machine.is_over for machine in machines)
        before, after = ([leads_to(row, role) for role in us.settings.roles] for row in (was, now))
        lost = [old for old, new in zip(before, after, strict=True) if old and old != new]
        new_links = [new for old, new in zip(before, after, strict=True) if new and old != new]
        return bool(ended) and not new_links and not any(truth.address(instance) for _, instance in lost)

    def _status_written(self, step: Step, us: Deployment, key: str, was: Row, now: Row) -> None:
        old, new = was.get("status"), now.get("status")
        is_fine = old in _EARLY if new == "DNS_WRITTEN" else new == "TERMINATED" and old in _LIVE
        if not is_fine:
            self._complain(step.at, Promise.STATUS, f"{key}: {old} → {new}, by {us.name}")
        if new != "TERMINATED":
            return
        machines = [m for m in step.after.machines.values() if m.meeting == key and not m.is_over]
        known = [machine for machine in machines if self._is_known(step.after, us, machine, was)]
        alive = [machine.instance.id for machine in known if machine.is_alive]
        if step.is_scoped:
            self._complain(step.at, Promise.END_IS_FULL, f"{key}, by {us.name}")
        if known or step.is_scoped:
            self.ended.add(key)
        else:
            self.said[key] = new
        if alive:
            self.verdict.ended_while_up += 1
            self._complain(step.at, Promise.NO_END_WHILE_UP, f"{key} ({', '.join(sorted(alive))}), by {us.name}")

    def _is_known(self, truth: Truth, us: Deployment, machine: Machine, row: Row) -> bool:
        """Whether the row names the machine, or readings have shown it and something still leads to it."""
        instance, tags = machine.instance.id, machine.instance
        if instance in {row.get(f"{role}_ec2_id") for role in us.settings.roles}:
            return True
        is_linked = instance in {there[1] for role in us.settings.roles if (there := leads_to(row, role))}
        is_tagged = machine.project == us.settings.project_tag[1] and tags.meeting == machine.meeting
        has_record = any(us.marks(record) for record in truth.at(us.root, instance))
        return (us.name, instance) in self.brought and (is_linked or is_tagged or has_record)

    def _link_written(self, step: Step, us: Deployment, key: str, role: str, was: Row, now: Row) -> None:
        old, new = leads_to(was, role), leads_to(now, role)
        self._count(*(_start(step.after, (key, there[1], role) if there else None) for there in (old, new)))
        if new is None:
            return
        if old and can_join(step.before, key, role) and now.get(f"{role}_ec2_id") != new[1]:
            self.verdict.links_moved += 1
        root, instance = new
        machine = step.after.machines.get(instance)
        moved = machine.changed_at if machine else _NEVER
        known = max(moved, self.lied.get(instance, _NEVER), self.disturbed.get(instance, _NEVER))
        began = step.began or step.at
        if any(max(known, self.since.get(r.id, _NEVER)) < began for r in step.after.astray(root, instance)):
            self._complain(step.at, Promise.LINK_LEADS_THERE, f"{key} {role} → {instance}, by {us.name}")
        if not step.after.has_record(root, instance) and known < began:
            self._complain(step.at, Promise.LINK_HAS_RECORD, f"{key} {role} → {instance}, by {us.name}")
        if (machine is None or not belongs(step.after, machine, key, role)) and known < began:
            self._complain(step.at, Promise.LINK_IS_THEIRS, f"{key} {role} → {instance}, by {us.name}")

    def _count(self, was: tuple[str, ...] | None, now: tuple[str, ...] | None) -> None:
        """Count what is created again after it was removed."""
        if was == now:
            return
        if was:
            self.removed[was] = 1
        if now:
            self.verdict.back_and_forth += self.removed.pop(now, 0)

    def _users(self, step: Step, meetings: Iterable[str]) -> None:
        for meeting, role in ((m, role) for m in meetings for role in self._roles(m)):
            had = can_join(step.before, meeting, role)
            is_cut_off = had and not can_join(step.after, meeting, role) and self._served(step.after, meeting, role)
            if is_cut_off and not _ended_meanwhile(step, meeting, role):
                self.cut.add((meeting, role))
                self._complain(step.at, Promise.STAY, f"{meeting} {role}, by {step.by}")

    # What must be so after a while

    def _look(self, look: Look, truth: Truth) -> None:
        up = {(m.meeting, m.role) for m in truth.machines.values() if m.is_up and m.is_warm}
        self.cut &= {user for user in up if not can_join(truth, *user)}
        for meeting, role in sorted(up):
            if not can_join(truth, meeting, role) and (machines := self._served(truth, meeting, role)):
                self._cannot_join(look, truth, meeting, role, machines)
        for us in self.deployments.values():
            for record in truth.zones[us.root].values():
                if record.type == "A" and us.marks(record) and record.content != truth.address(_label(record)):
                    self._astray(look, truth, us, record)

    def _cannot_join(self, look: Look, truth: Truth, meeting: str, role: str, machines: list[Machine]) -> None:
        dues = [self._due(truth, meeting, machine) for machine in machines]
        due = None if None in dues else min(filter(None, dues), default=None)
        if (meeting, role) in self.cut or (due and look.at > due):
            self.verdict.minutes_cut_off += look.minutes
            self._complain(look.at, Promise.JOIN, f"{meeting} {role}")

    def _served(self, truth: Truth, meeting: str, role: str) -> list[Machine]:
        """The healthy machines of a user whom, for all that others did, nothing keeps from joining."""
        if meeting not in truth.rows or not (self.said.get(meeting) in JOINABLE or meeting in self.ended):
            return []
        machines = (m for m in truth.machines.values() if (m.meeting, m.role) == (meeting, role))
        return [m for m in machines if m.is_up and m.is_warm and belongs(truth, m, meeting, role)]

    def _due(self, truth: Truth, meeting: str, machine: Machine) -> datetime | None:
        """When the machine's user must be able to join; None where its tags or others' records forbid it."""
        us, tags = self.deployments.get(machine.deployment), machine.instance
        if us is None or machine.place != us.place or machine.project != us.settings.project_tag[1]:
            return None
        if (tags.meeting, tags.role) != (machine.meeting, machine.role):
            return None
        if any(not us.marks(record) for record in truth.astray(us.root, tags.id)):
            return None
        moved = [m.changed_at for m in truth.machines.values() if meeting in (m.meeting, m.instance.meeting)]
        disturbed = [self.disturbed.get(meeting, _NEVER), self.disturbed.get(tags.id, _NEVER)]
        return max(self._shown(machine, us), *moved, *disturbed) + self.patience

    def _shown(self, machine: Machine, us: Deployment) -> datetime:
        """Since when EC2 has shown the machine as it is, to a controller that was looking."""
        return max(
            machine.changed_at, self.lied.get(machine.instance.id, _NEVER), self.back.get(us.name, _NEVER)
        )  # fmt: skip

    def _astray(self, look: Look, truth: Truth, us: Deployment, record: DnsRecord) -> None:
        machine = truth.machines.get(_label(record))
        shown = self._shown(machine, us) if machine else self.back.get(us.name, _NEVER)
        if look.at > max(shown, self.since.get(record.id, _NEVER)) + self.patience:
            self.verdict.minutes_astray += look.minutes
            self._complain(look.at, Promise.NAME, f"{record.name} → {record.content}")

    def _roles(self, meeting: str) -> Iterable[str]:
        us = self.deployments.get(self.owners.get(meeting, ""))
        return us.settings.roles if us else next(iter(self.deployments.values())).settings.roles


def _ended_meanwhile(step: Step, meeting: str, role: str) -> bool:
    """Whether others have given this meeting's tags to the machine that the link leads to, and it ended meanwhile."""
    there = leads_to(step.after.rows.get(meeting, {}), role)
    machine = step.after.machines.get(there[1]) if there else None
    if machine is None or machine.meeting == meeting:
        return False
    is_theirs = (machine.instance.meeting, machine.instance.role) == (meeting, role)
    return is_theirs and machine.changed_at >= (step.began or step.at)


def _is_nobodys(step: Step, us: Deployment, meeting: str, row: Row) -> bool:
    """Whether the meeting is a day past, and neither mark nor another shape of link tells that others serve it."""
    at = row.get("meet_time")
    is_past = isinstance(at, str) and datetime.fromisoformat(at) < step.at - timedelta(hours=24)
    machines = [machine for machine in step.before.machines.values() if machine.meeting == meeting]
    is_marked = any(True for machine in machines for _ in step.before.at(us.root, machine.instance.id))
    links = [leads_to(row, role) for role in us.settings.roles]
    return is_past and not is_marked and not any(there and there[0] != us.root for there in links)


def _changed(before: Mapping[str, V], after: Mapping[str, V]) -> Mapping[str, tuple[V | None, V | None]]:
    if before is after:
        return {}
    return {
        key: (was, now)
        for key in {**before, **after}
        if (was := before.get(key)) is not (now := after.get(key)) and was != now
    }


def _start(truth: Truth, key: tuple[str, str, str] | None) -> tuple[str, ...] | None:
    """What is created for a machine (its id in the middle) since its last start, since another one renews it."""
    machine = truth.machines.get(key[1]) if key else None
    return (*key, str(machine.instance.launched_at if machine else None)) if key else None


def _label(record: DnsRecord | None) -> str:
    return record.name.partition(".")[0] if record else ""
