"""Find what a pass sees of machines and rows and must not fix.

A finding has a stable id, a key, a message and what to do. ``records.py`` yields those about names, ``guards.py`` those
about held changes.
"""

from collections.abc import Iterable
from datetime import timedelta

from controller.model import KNOWN_STATUSES, LIVE_STATUSES, TERMINATED, Finding, Instance, Meeting, NonString
from controller.names import is_instance_id
from controller.rules.facts import Facts, InstanceClass, named_ids
from controller.rules.lateness import find_late
from controller.rules.meetings import SHOWN, current_of, members_of

#: How long a running machine may be without a public address before a person should look.
ADDRESS_PATIENCE = timedelta(minutes=10)

ZONE_NOT_READABLE = Finding(
    "zone-not-readable",
    "zone",
    "The token may not read the zone itself, so its plan and name are unknown. Batches have at most 200 changes.",
    "Give the token the permission Zone > Zone > Read for larger batches. Everything else works without it.",
)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return each finding once, sorted."""
    return tuple(sorted(set(findings), key=lambda finding: (finding.id, finding.key, finding.message)))


def find_all(facts: Facts) -> Iterable[Finding]:
    """Yield every finding about machines and rows in this world."""
    for machine in facts.world.instances.values():
        yield from _about_machine(facts, machine)
    for meeting in facts.world.meetings.values():
        if meeting.status == TERMINATED:
            yield from _about_history(facts, meeting)
        else:
            yield from _about_row(facts, meeting)
    yield from find_late(facts)


def _about_machine(facts: Facts, machine: Instance) -> Iterable[Finding]:
    match facts.class_of(machine.id):
        case InstanceClass.UNTAGGED:
            yield Finding(
                "untagged-instance",
                machine.id,
                "The machine is up and does not carry the project's tag, but a record, a row or its MeetingID says "
                "that it belongs to this deployment.",
                "Restore the tag if it was lost: the machine's record and link stay until it stops, but the pass "
                "creates nothing new for it. If another deployment launched it, give each deployment its own table.",
            )
        case InstanceClass.UNCLAIMED:
            yield Finding(
                "unclaimed-instance",
                machine.id,
                f"The machine carries the project's tag, but MeetingID {machine.meeting!r} and Role {machine.role!r} "
                "do not assign it to a meeting and a role.",
                f"Tag it with its meeting and one of the roles {', '.join(facts.settings.roles)}, or terminate it.",
            )
        case InstanceClass.STARTING if machine.state == "running" and _is_overdue(facts, machine):
            yield Finding(
                "no-public-address",
                machine.id,
                "The machine has been running for more than 10 minutes without a public IPv4 address."
                + (f" It has {machine.aside}, which is not the primary one." if machine.aside else ""),
                "Associate the address with the primary network interface's primary private address."
                if machine.aside
                else "Give it an address (subnet setting or Elastic IP), or terminate it: nobody can join it.",
            )
    if machine.tagged and machine.meeting in facts.world.rowless and facts.is_alive(machine.id):
        yield Finding(
            "missing-meeting",
            machine.meeting,
            f"The meeting of machine {machine.id} has no row in the table.",
            "Terminate the machine, or find out who removed the row. A pass never creates a row.",
        )


def _is_overdue(facts: Facts, machine: Instance) -> bool:
    return machine.launched_at is not None and facts.world.now - machine.launched_at > ADDRESS_PATIENCE


def _about_history(facts: Facts, meeting: Meeting) -> Iterable[Finding]:
    for member in sorted(members_of(facts, meeting)):
        if facts.is_alive(member):
            yield Finding(
                "terminated-meeting-alive",
                meeting.id,
                f"The meeting is TERMINATED, but its machine {member} still exists and costs money.",
                "Terminate the machine.",
            )


def _about_row(facts: Facts, meeting: Meeting) -> Iterable[Finding]:
    yield from _odd_values(meeting)
    for role in facts.settings.roles:
        serving = facts.serving.get((meeting.id, role), ())
        if len(serving) > 1:
            yield Finding(
                "several-serving",
                meeting.id,
                f"{len(serving)} running machines serve the {role}: {', '.join(sorted(m.id for m in serving))}.",
                "Terminate the machines that the row does not name. The link leads to one of them.",
            )
    for role, link in meeting.links.items():
        if isinstance(link, str) and not facts.link_target(link):
            yield from _about_link(facts, meeting, role, link)
    for role, named in meeting.instance_ids.items():
        if isinstance(named, str) and named:
            yield from _about_named(facts, meeting, role, named)


def _about_named(facts: Facts, meeting: Meeting, role: str, named: str) -> Iterable[Finding]:
    machine = facts.world.instances.get(named)
    if machine and machine.meeting == meeting.id and machine.role == role:
        return
    kind = facts.class_of(named)
    if not is_instance_id(named):
        yield _odd(meeting, f"{role}_ec2_id {named[:SHOWN]!r} is not an instance id")
    elif foreign := sorted({record.comment for record in facts.foreign(named)}):
        yield Finding(
            "foreign-instance",
            meeting.id,
            f"The row names {named} as the {role}'s machine, and that machine's record carries another deployment's "
            f"mark ({', '.join(foreign)}). That deployment may be serving the meeting, so the pass skips it.",
            "Give each deployment its own table, or let one deployment serve both places.",
        )
    elif kind is InstanceClass.ABSENT and meeting.status in LIVE_STATUSES:
        yield Finding(
            "instance-not-seen",
            meeting.id,
            f"The row names {named} as the {role}'s machine, but EC2 does not know it, or not yet.",
            "Do nothing if the machine was just launched, or has ended: a day after the meeting the pass ends the row. "
            "Otherwise look into the launcher's log.",
        )
    elif machine and machine.tagged and kind is not InstanceClass.UNCLAIMED:
        yield Finding(
            "wrong-instance",
            meeting.id,
            f"The row names {named} as the {role}'s machine, but its tags say {machine.role!r} of {machine.meeting!r}.",
            "Correct the row or the tags. Until then this row leads nobody to that machine.",
        )


def _about_link(facts: Facts, meeting: Meeting, role: str, link: str) -> Iterable[Finding]:
    """Yield a finding for a link to the right machine under another domain or port: another deployment writes it."""
    current = current_of(facts, meeting, role)
    if _first_label(link) in {current and current.id, named_ids(meeting).get(role)}:
        yield Finding(
            "link-of-another-domain",
            meeting.id,
            f"The {role}'s link {link[:SHOWN]} leads to the right machine under another domain or port.",
            "Give each deployment its own table if two share this one, or correct DOMAIN_ROOT and DCV_PORT.",
        )


def _first_label(link: str) -> str:
    return link.lower().partition("://")[2].partition(".")[0]


def _odd_values(meeting: Meeting) -> Iterable[Finding]:
    if isinstance(meeting.status, NonString):
        yield _not_a_string(meeting, "status", meeting.status)
    if isinstance(meeting.meet_time, NonString) and meeting.meet_time.kind != "NULL":
        yield _not_a_string(meeting, "meet_time", meeting.meet_time)
    for what, values in (("id", meeting.instance_ids), ("link", meeting.links)):
        for role, value in values.items():
            if isinstance(value, NonString) and value.kind != "NULL":
                yield _not_a_string(meeting, f"{role}_ec2_{what}", value)
    if isinstance(meeting.status, str) and meeting.status not in KNOWN_STATUSES:
        yield _odd(meeting, f"status {meeting.status[:SHOWN]!r} is unknown, and a pass never overwrites it")


def _not_a_string(meeting: Meeting, attribute: str, value: NonString) -> Finding:
    return _odd(meeting, f"{attribute} has {value}, not a string")


def _odd(meeting: Meeting, what: str) -> Finding:
    return Finding("odd-row", meeting.id, f"Unusable value in the row: {what}.", "Correct the row and its writer.")
