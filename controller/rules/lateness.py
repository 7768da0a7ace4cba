"""What takes too long: machines that cost money for nothing, and meetings that somebody waits for.

Only a pass over everything reports them: a pass over single machines would repeat them at each event.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from controller.model import LIVE_STATUSES, Finding, Instance, Meeting
from controller.rules.facts import OVERDUE, Facts, InstanceClass, is_past, named_ids
from controller.rules.meetings import members_of, plan_end

#: After this a meeting that was never launched is history, and is not reported any more.
_HISTORY = OVERDUE
#: Machines that one message names.
_NAMED = 4
_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)


def find_late(facts: Facts) -> Iterable[Finding]:
    """Yield every finding about a machine or a meeting that takes too long."""
    if facts.world.scope is not None:
        return
    earliest = facts.world.now - facts.settings.max_machine_hours * _HOUR
    for machine in facts.world.instances.values():
        if machine.launched_at and machine.launched_at < earliest:
            yield from _overdue(facts, machine, machine.launched_at)
    for meeting in facts.world.meetings.values():
        if meeting.status == "SCHEDULED":
            yield from _not_launched(facts, meeting)
        elif meeting.status in LIVE_STATUSES:
            yield from _late(facts, meeting) or _slow(facts, meeting)


def _overdue(facts: Facts, machine: Instance, since: datetime) -> Iterable[Finding]:
    if machine.tagged and machine.state in ("pending", "running"):
        yield Finding(
            "machine-overdue",
            machine.id,
            f"The machine has been up for {(facts.world.now - since) // _HOUR} hours; MAX_MACHINE_HOURS is "
            f"{facts.settings.max_machine_hours}.",
            f"Terminate it if the lesson of meeting {machine.meeting or 'none'} is over: it costs money every hour.",
        )


def _not_launched(facts: Facts, meeting: Meeting) -> Iterable[Finding]:
    limit, now = facts.settings.launch_minutes, facts.world.now
    is_due = is_past(meeting.meet_time, now, limit * _MINUTE) and not is_past(meeting.meet_time, now, _HISTORY)
    if is_due and not facts.world.unread and not any(facts.is_alive(member) for member in members_of(facts, meeting)):
        yield Finding(
            "not-launched",
            meeting.id,
            f"The meeting is still SCHEDULED more than {limit} minutes past its time {meeting.meet_time}, and has no "
            "machine.",
            "Look into the launcher's log; launch its machines, or cancel the meeting.",
        )


def _late(facts: Facts, meeting: Meeting) -> list[Finding]:
    """Return the finding of a live meeting of long ago that this pass does not end, if all its machines were read."""
    limit = facts.settings.max_meeting_hours
    if not is_past(meeting.meet_time, facts.world.now, limit * _HOUR):
        return []
    members = members_of(facts, meeting)
    if not members or plan_end(facts, meeting):
        return []
    up = sorted(member for member in members if facts.is_alive(member))
    is_seen = not facts.world.unread and all(facts.class_of(m) is not InstanceClass.UNKNOWN for m in members)
    if not up and not is_seen:
        return []
    if up:
        said = f"{', '.join(up[:_NAMED])} still exist{'s' if len(up) == 1 else ''}"
        hint = "Terminate its machines if the lesson is over: they cost money, and the meeting then ends by itself."
    else:
        said = "none of its machines is up"
        hint = "Set its status to TERMINATED if it is over. The pass does not have enough evidence to do so."
    message = f"The meeting's time is more than {limit} hours past, its status is still {meeting.status}, and {said}."
    return [Finding("meeting-late", meeting.id, message, hint)]


def _slow(facts: Facts, meeting: Meeting) -> Iterable[Finding]:
    """Yield the findings of a meeting of today in which somebody waits. An unread cell may have its last machine."""
    if facts.world.unread:
        return
    now, limit, patience = facts.world.now, facts.settings.launch_minutes, facts.settings.healthy_minutes
    has_begun = is_past(meeting.meet_time, now, limit * _MINUTE)
    missing = _without_machine(facts, meeting) if has_begun else []
    waits = meeting.status == "DNS_WRITTEN"
    if not (missing or waits):  # before its members are looked for
        return
    alive = [facts.world.instances[m] for m in members_of(facts, meeting) if facts.is_alive(m)]
    for role in missing if alive else ():
        yield Finding(
            "role-not-launched",
            meeting.id,
            f"The meeting began more than {limit} minutes ago, and no machine of the {role} was ever launched.",
            f"Look into the launcher's log, and launch the {role}'s machine.",
        )
    since = _all_up_since(facts, alive)
    if waits and since and now - since > patience * _MINUTE:
        yield Finding(
            "never-healthy",
            meeting.id,
            f"The meeting is still DNS_WRITTEN {(now - since) // _MINUTE} minutes after the launch of its "
            "last machine: the page of its users waits for HEALTHY.",
            "Look at the health check and at the desktops: elephant-dns explain shows the machines.",
        )


def _without_machine(facts: Facts, meeting: Meeting) -> list[str]:
    known = {machine.role for machine in facts.members.get(meeting.id, ())} | set(named_ids(meeting))
    linked = {role for role, link in meeting.links.items() if link}
    return [role for role in facts.settings.roles if role not in known | linked]


def _all_up_since(facts: Facts, machines: Iterable[Instance]) -> datetime | None:
    """Return when the last serving machine was launched; None if one has no time, or none serves."""
    serving = [machine for machine in machines if facts.class_of(machine.id) is InstanceClass.SERVING]
    launched = [machine.launched_at for machine in serving if machine.launched_at]
    return max(launched, default=None) if len(launched) == len(serving) else None
