"""Which links are worth a probe, and what verdicts become findings. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from controller.model import Finding
from controller.names import record_name
from controller.probe.verdict import Kind, Link, Verdict
from controller.rules.facts import Facts
from controller.rules.joining import can_join

#: How old a record must be: a younger one may not have reached every name server.
SETTLED = timedelta(minutes=1)

Judged = tuple[Link, Verdict]


def in_use(facts: Facts, changed: Collection[str | None]) -> list[Link]:
    """Return the links of meetings in a status that says that the machine is ready.

    The record must have been in place before this pass: a link to a machine that the pass ``changed`` is for the next
    one.
    """
    return [
        link
        for meeting in facts.world.meetings.values()
        for role in facts.settings.roles
        if (verdict := can_join(facts, meeting, role)).yes
        if verdict.machine and verdict.machine not in changed
        for link in in_place(facts, [verdict.machine], meeting.id, role)
    ]


def in_place(
    facts: Facts, instances: Iterable[str], meeting: str | None = None, role: str | None = None
) -> Iterable[Link]:
    """Yield a link for each of these instances with a name that leads to it, and has done so for a while."""
    for instance in instances:
        machine = facts.world.instances.get(instance)
        for record in facts.records.get(instance, ()):
            if not machine or record.type != "A" or record.content != machine.public_ip or not record.proxied:
                continue
            if record.written_on is None or facts.world.now - record.written_on >= SETTLED:
                name = record_name(instance, facts.settings.domain_root)
                yield Link(name, facts.settings.dcv_port, instance, meeting, role, machine.public_ip)
                break


def findings_of(judged: Sequence[Judged]) -> Iterable[Finding]:
    """Yield a finding for each link that does not work; one for all of them where they fail alike.

    Links that could not be judged are one finding for each cause.
    """
    broken = [(link, verdict) for link, verdict in judged if verdict.kind is Kind.BROKEN]
    if len(broken) == len(judged) > 1 and len({verdict.cause for _, verdict in broken}) == 1:
        yield _all_alike(broken)
    else:
        yield from (_unreachable(link, verdict) for link, verdict in broken)
    unknown = defaultdict[str, list[Judged]](list)
    for link, verdict in judged:
        if verdict.kind is Kind.UNKNOWN:
            unknown[verdict.cause].append((link, verdict))
    yield from map(_not_judged, unknown.values())


def _unreachable(link: Link, verdict: Verdict) -> Finding:
    return Finding(
        "link-unreachable",
        link.meeting or link.name,
        f"The {link.role}'s link does not work, although record and link are right. {verdict.because}.",
        verdict.remedy,
    )


def _all_alike(judged: Sequence[Judged]) -> Finding:
    verdict = judged[0][1]
    return Finding(
        "link-unreachable",
        "all links",
        f"All {len(judged)} links that were probed fail alike, although records and links are right. For example: "
        f"{verdict.because}.",
        verdict.remedy,
    )


def _not_judged(judged: Sequence[Judged]) -> Finding:
    link, verdict = judged[0]
    others = f" The same holds for {len(judged) - 1} more." if len(judged) > 1 else ""
    return Finding(
        "link-not-judged",
        link.meeting or link.name,
        f"The probe cannot say whether the {link.role}'s link works. {verdict.because}.{others}",
        verdict.remedy,
    )
