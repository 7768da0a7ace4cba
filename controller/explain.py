"""Explain what a pass does about one machine or one meeting: what each source says, what is wanted, what follows.

The plan is that of a full pass, narrowed to the subject. Nothing is planned here.
"""

import re
from collections.abc import Callable, Collection, Container, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from controller.model import TERMINATED, Action, Change, Finding, Instance, Meeting, Mode, Plan, Request, Result, Value
from controller.names import instance_of_name, is_instance_id, is_under, punycode, record_name
from controller.observe import Observer
from controller.ports import Context
from controller.probe.links import in_place
from controller.probe.verdict import Kind, Link, Verdict
from controller.reconcile import decide
from controller.report.report import planned_results
from controller.rules.facts import Facts, InstanceClass, moment_of, named_ids
from controller.rules.joining import can_join
from controller.rules.meetings import SHOWN, current_of, members_of
from controller.rules.ownership import owner_of
from controller.settings import Settings

_RELEASED = "no own record and no link: AWS may give its address to another customer"
_KEPT = "nothing new; an own record with the machine's address stays until the machine stops, and so does its link"
_WANTED = {
    InstanceClass.SERVING: "one own A record with its address, proxied; its role's link, once the record is there",
    InstanceClass.STARTING: "nothing new until it runs with a public address; a record of an earlier start is deleted",
    InstanceClass.STOPPED: _RELEASED,
    InstanceClass.GONE: _RELEASED,
    InstanceClass.ABSENT: "no own record older than the grace period; a link to it stays, because it leads nowhere",
    InstanceClass.UNTAGGED: _KEPT,
    InstanceClass.UNCLAIMED: _KEPT,
    InstanceClass.UNKNOWN: "nothing: a machine that was not seen, or is in a state unknown here, proves nothing",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known about one machine or meeting.

    ``answers`` say who can join. ``facts`` are pairs of a source and what it says. ``results`` are what the next pass
    would do.
    """

    answers: tuple[str, ...]
    title: str
    facts: tuple[tuple[str, str], ...]
    wanted: tuple[str, ...]
    results: tuple[Result, ...]
    findings: tuple[Finding, ...]
    links: tuple[Link, ...] = ()  # those with a record in place, which a probe may try


#: Returns the rows of the past that name this instance. No pass reads them.
History = Callable[[str], Collection[Meeting]]


def explain(name: str, context: Context, history: History) -> Explanation | None:
    """Return what is known about an instance id, a record name, a link or a meeting id; None if no source knows it.

    ``history`` is called for an instance that no row read so far mentions.

    Raises ObservationError or MismatchError if nothing can be planned, CallError if the past cannot be read.
    """
    world, wanted = decide(Request(Mode.PLAN), context)
    instance = instance_named(name, context.settings)
    observer = Observer(context.readers, context.settings, context.budget)
    seen = observer.including(world, {instance} if instance else (), () if instance else {name})
    facts = Facts.of(seen, context.settings)
    if instance is None:
        return of_meeting(facts, wanted, name)
    if not _rows_of(facts, instance):
        past = {row.id: row for row in history(instance)}
        facts = Facts.of(replace(seen, meetings={**past, **seen.meetings}), context.settings)
    return of_instance(facts, wanted, instance)


def instance_named(name: str, settings: Settings) -> str | None:
    """Return the instance id in an id, a record name (with or without the last dot) or a link."""
    host = _host_of(name)
    return host if is_instance_id(host) else instance_of_name(host, settings.domain_root)


def why_unknown(name: str, settings: Settings, unread: Collection[str] = ()) -> str:
    """Return a hint why no source knows the name; ``unread`` are cells that could not be read."""
    host = _host_of(name)
    label, _, rest = host.partition(".")
    if rest and not is_under(host.lower(), settings.domain_root):
        return f"The name is not under DOMAIN_ROOT {settings.domain_root}."
    if label.lower().startswith("i-") and not is_instance_id(label):
        return f"Invalid instance ID {label!r}: expected i- and 8 or 17 lower-case hex digits."
    if unread:
        return f"Cannot read the cell {' or '.join(sorted(unread))}: it may be there. Run elephant-dns doctor."
    return "Check AWS_REGION and TABLE_NAME. Meeting ids are case-sensitive; elephant-dns status --all lists them."


def _host_of(name: str) -> str:
    """Return the host name in a link."""
    host = re.sub(r"(?i)^https?://", "", name)
    host = re.split(r"[:/?#]", host, maxsplit=1)[0].removesuffix(".")
    return host if host.isascii() else punycode(host, registered=True)


def with_verdicts(found: Explanation, judged: Iterable[tuple[Link, Verdict | None]]) -> Explanation:
    """Return the explanation with the answers that a probe of the links gives: a broken link keeps its user out."""
    answers = found.answers
    for link, verdict in judged:
        if verdict and verdict.kind is Kind.BROKEN:
            yes = f"The {link.role} can join: yes"
            no = f"The {link.role} can join: no, because the link does not work: {verdict.because}"
            answers = tuple(no if answer.startswith(yes) else answer for answer in answers)
    return replace(found, answers=answers)


def of_instance(facts: Facts, plan: Plan, instance: str) -> Explanation | None:
    """Explain one machine; None if no source knows it."""
    machine = facts.world.instances.get(instance)
    rows = _rows_of(facts, instance)
    if not (machine or facts.records.get(instance) or rows):
        return None
    name = record_name(instance, facts.settings.domain_root)
    return Explanation(
        answers=tuple(_answers_of_machine(facts, instance, rows)),
        title=f"machine {instance}: {facts.class_of(instance)}",
        facts=(
            ("EC2", _machine(machine, facts.settings) if machine else _unseen(facts, instance)),
            *(("Cloudflare", text) for text in _records(facts, instance)),
            *(("DynamoDB", text) for text in rows.values() or ["no row mentions it"]),
        ),
        wanted=(_WANTED[facts.class_of(instance)],),
        results=tuple(r for r in planned_results(plan) if r.change.instance == instance or _ends_one(r.change, rows)),
        findings=tuple(
            f for f in plan.findings if f.key in (instance, name, *facts.world.unread) or instance in _ids_in(f.message)
        ),
        links=tuple(_links(facts, instance)),
    )


def of_meeting(facts: Facts, plan: Plan, meeting: str) -> Explanation | None:
    """Explain one meeting; None if no source knows it."""
    row = facts.world.meetings.get(meeting)
    members = members_of(facts, row) if row else {machine.id for machine in facts.members.get(meeting, ())}
    if not (row or members):
        return None
    names = {record_name(member, facts.settings.domain_root) for member in members}
    return Explanation(
        answers=tuple(_answer(facts, row, role) for role in facts.settings.roles),
        title=f"meeting {meeting}: {_shown(row.status) if row else 'no row'}",
        facts=(
            *(("DynamoDB", text) for text in _row(facts, row)),
            *(("EC2", f"{m} ({facts.class_of(m)}): {_at(facts, m)}") for m in sorted(members)),
            *(("Cloudflare", text) for m in sorted(members) for text in _records(facts, m)),
            *(("timeline", f"{moment:%m-%d %H:%M:%S} {text}") for moment, text in _moments(facts, row, members)),
        ),
        wanted=tuple(_wanted_of(facts, row)),
        results=tuple(r for r in planned_results(plan) if r.change.meeting == meeting or r.change.instance in members),
        findings=tuple(f for f in plan.findings if f.key in {meeting, *members, *names, *facts.world.unread}),
        links=tuple(link for member in sorted(members) for link in _links(facts, member)),
    )


def _links(facts: Facts, instance: str) -> Iterable[Link]:
    """Return the link to the instance, if its record is in place, with the meeting and role of its tags."""
    machine = facts.world.instances.get(instance)
    return in_place(facts, [instance], machine.meeting if machine else None, machine.role if machine else None)


def _moments(facts: Facts, row: Meeting | None, members: Iterable[str]) -> list[tuple[datetime, str]]:
    """Return what is known to have happened, in UTC: launches, records, the meeting's time; not launches alone."""
    found = []
    for member in members:
        machine = facts.world.instances.get(member)
        launched = machine.launched_at if machine else None
        of = f"{machine.role}'s" if machine and machine.role in facts.settings.roles else member
        if launched:
            found.append((launched, f"{of} machine launched"))
        for created in (record.created_on for record in facts.ours(member)):
            if created:
                is_later = launched is not None and created > launched
                after = f", {(created - launched).total_seconds():.0f} s later" if launched and is_later else ""
                found.append((created, f"{of} record created{after}"))
    if row and (begins := moment_of(row.meet_time)):
        found.append((begins, "the meeting's time"))
    is_telling = any("launched" not in text for _, text in found)
    return sorted((moment.astimezone(UTC), text) for moment, text in found) if is_telling else []


def _rows_of(facts: Facts, instance: str) -> dict[str, str]:
    """Return what each row that mentions the instance says about it, by meeting id."""
    return {row.id: said for row in facts.world.meetings.values() if (said := _said_of(facts, row, instance))}


def _answers_of_machine(facts: Facts, instance: str, rows: Iterable[str]) -> Iterable[str]:
    """Say who can join by this machine: by its tags, else by the rows that name it or lead to it."""
    machine = facts.world.instances.get(instance)
    if machine and machine.meeting and machine.meeting.strip() and machine.role in facts.settings.roles:
        yield _answer(facts, facts.world.meetings.get(machine.meeting), machine.role, instance)
        return
    meetings = [facts.world.meetings[id] for id in rows]
    used = [(row, role) for row in meetings for role in facts.settings.roles if _is_of(facts, row, role, instance)]
    for row, role in used:
        yield _answer(facts, row, role, instance)
    if not used:
        yield "Nobody can join by it: no tag and no row assign it to a meeting"


def _is_of(facts: Facts, row: Meeting, role: str, instance: str) -> bool:
    return instance in (row.instance_ids.get(role), facts.link_target(row.links.get(role)))


def _answer(facts: Facts, row: Meeting | None, role: str, instance: str | None = None) -> str:
    """Say whether this role can join, and why."""
    if row is None:
        return f"The {role} can join: no, because the meeting has no row"
    verdict = can_join(facts, row, role)
    if not verdict.yes:
        return f"The {role} can join: no, because {verdict.because}"
    is_another = instance is not None and verdict.machine != instance
    return f"The {role} can join: yes{f', but at another machine: {verdict.machine}' if is_another else ''}"


def _ids_in(text: str) -> list[str]:
    """Return the instance ids in a text, each complete: a short one may be the beginning of a long one."""
    return re.findall(r"\bi-[0-9a-f]+\b", text)


def _ends_one(change: Change, meetings: Container[str | None]) -> bool:
    return change.action is Action.TERMINATE_MEETING and change.meeting in meetings


def _machine(machine: Instance, settings: Settings) -> str:
    tag = f"{'' if machine.tagged else 'not '}tagged {'='.join(settings.project_tag)}"
    launched = f", launched {machine.launched_at:%Y-%m-%d %H:%M} UTC" if machine.launched_at else ""
    return f"{_shape(machine)}{launched}; {tag}, MeetingID {machine.meeting or 'none'}, Role {machine.role or 'none'}"


def _unseen(facts: Facts, instance: str, otherwise: str = "does not know the machine") -> str:
    """Return why a machine was not seen. It may live in a cell that could not be read: that is not known to be gone."""
    if facts.class_of(instance) is not InstanceClass.UNKNOWN or not facts.world.unread:
        return otherwise
    return f"not seen: cannot read the cell {' or '.join(sorted(facts.world.unread))}, where it may be"


def _at(facts: Facts, instance: str) -> str:
    machine = facts.world.instances.get(instance)
    return _shape(machine) if machine else _unseen(facts, instance, "not known")


def _shape(machine: Instance) -> str:
    cell = f", cell {machine.cell}" if machine.cell else ""
    return f"{machine.state}, {machine.public_ip or 'no public address'}{cell}"


def _records(facts: Facts, instance: str) -> Iterable[str]:
    found = facts.records.get(instance, ())
    for record in found:
        proxied = "proxied" if record.proxied else "not proxied"
        yield f"{record.name}: {record.type} {record.content}, {proxied}, {owner_of(record, facts.settings)}"
    if not found:
        yield f"{record_name(instance, facts.settings.domain_root)}: no record"


def _said_of(facts: Facts, row: Meeting, instance: str) -> str | None:
    """Return what the row says about the instance, or None if neither the row nor the tags connect them."""
    machine = facts.world.instances.get(instance)
    said = [f"names it as its {role}'s" for role, named in named_ids(row).items() if named == instance]
    links = [role for role, link in row.links.items() if facts.link_target(link) == instance]
    said += [f"leads its {role} to it" for role in links]
    if not said and (machine is None or machine.meeting != row.id):
        return None
    return f"meeting {row.id} ({_shown(row.status)}) {' and '.join(said) or 'does not name it'}"


def _row(facts: Facts, row: Meeting | None) -> Iterable[str]:
    if row is None:
        yield "no row has this id"
        return
    for role in facts.settings.roles:
        named, link = _shown(row.instance_ids.get(role)), _shown(row.links.get(role))
        yield f"{role}: machine {named}, link {link}"


def _wanted_of(facts: Facts, row: Meeting | None) -> Iterable[str]:
    if row is None:
        yield "nothing: a pass never creates a row"
    elif row.status == TERMINATED:
        yield "nothing: a TERMINATED row is history"
    else:
        for role in facts.settings.roles:
            current = current_of(facts, row, role)
            yield f"{role}: {f'the link to {current.id}' if current else 'no link to a machine that cannot serve'}"


def _shown(value: Value) -> str:
    return "none" if value is None else str(value)[:SHOWN]
