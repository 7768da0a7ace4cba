"""The links: does the way of a user's browser lead to a desktop? A few machines show what all have in common."""

from collections.abc import Iterator, Sequence

from controller.clients import cloudflare_api
from controller.cloudflare.records import CloudflareRecords, ZoneCache
from controller.doctor.diagnosis import Check, SkipError, attempt, passed, skipped, warned
from controller.doctor.look import Look
from controller.doctor.secret import token_of
from controller.errors import CallError
from controller.model import World, Zone
from controller.probe.ask import probe
from controller.probe.links import in_place
from controller.probe.verdict import Kind, Link, Verdict
from controller.rules.facts import Facts, InstanceClass, classify
from controller.runtime.budget import Budget
from controller.settings import Settings

#: Links that are probed, and machines among which they are looked for.
MOST, AMONG = 3, 20


def link_checks(look: Look) -> Iterator[Check]:
    """Yield one check: the links of up to three running machines with a record in place, the oldest machines first."""
    try:
        links = _links(look)
    except CallError as error:
        raise SkipError("machines and records cannot both be read") from error
    if links:
        yield attempt("links", lambda: _probed(links, look.settings, look.budget))
    else:
        yield passed("links", "Nothing to probe: no machine runs with a record that has been in place for a minute.")


def _links(look: Look) -> list[Link]:
    settings, budget, now = look.settings, look.budget, look.budget.clock.now()
    seen = {machine.id: machine for machine in look.machines()}
    serving = [each for each in seen.values() if classify(each, settings) is InstanceClass.SERVING]
    oldest = [machine.id for machine in sorted(serving, key=lambda each: (each.launched_at or now, each.id))[:AMONG]]
    if not oldest:
        return []
    token, _ = token_of(look)
    if token is None:
        raise SkipError("the token is missing")
    with cloudflare_api(settings, token) as api:
        records = CloudflareRecords(api, settings, budget, ZoneCache()).listing(oldest).records
    facts = Facts.of(World(now, seen, frozenset(), tuple(records), {}, frozenset(), Zone(None)), settings)
    return list(in_place(facts, oldest))[:MOST]


def _probed(links: Sequence[Link], settings: Settings, budget: Budget) -> Check:
    verdicts = [verdict for verdict in probe(links, settings, budget) if verdict]
    wrong = sorted((verdict for verdict in verdicts if verdict.kind is not Kind.WORKS), key=_broken_first)
    if wrong:
        some = f"Of {len(links)} links that were probed {len(wrong)} cannot be said to work"
        return warned("links", f"{some}. {wrong[0].because}.", wrong[0].remedy)
    if not verdicts:
        return skipped("links", "the time was up")
    return passed("links", f"Of {len(links)} links that were probed {len(verdicts)} lead to a desktop.")


def _broken_first(verdict: Verdict) -> bool:
    return verdict.kind is not Kind.BROKEN
