"""Families of lies: how the world around a deployment misleads it, one kind at a time, and all at once."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.model.simulations.clouds import SLOW
from tests.model.simulations.lessons import Incident
from tests.model.simulations.troubles import (
    Meddler,
    machines_elsewhere,
    odd_rows,
    records_at_our_names,
    renamings,
    tag_policy,
    wrong_ids,
)
from tests.support.build import settings
from tests.support.history import Deployment
from tests.support.views import ALWAYS_THERE, HONEST, PROMPT, Deliveries, Lapse, Lies, Outages, Shows, Span

HERE, THERE = "111122223333/us-west-2", "111122223333/eu-west-1"

#: What befalls lessons where a family has no special interest in it.
PLAIN = (
    Incident.NOTHING, Incident.STOP_AND_START, Incident.BOTH_STOP, Incident.REPLACED, Incident.DIES, Incident.SECOND,
)  # fmt: skip


#: Without machines that their row does not name.
KNOWN_MACHINES = tuple(incident for incident in PLAIN if incident is not Incident.SECOND)


def deployment(name: str = "ours", place: str = HERE, **environment: str) -> Deployment:
    """A deployment, with defaults but for this."""
    return Deployment(name, settings(place, **environment), place)


@dataclass(frozen=True, slots=True)
class Scene:
    """A world to be played: who is there, what they are shown, and what happens."""

    deployments: tuple[Deployment, ...]
    lies: Lies = HONEST
    deliveries: Deliveries = PROMPT
    outages: Outages = ALWAYS_THERE
    incidents: tuple[Incident, ...] = PLAIN
    meddlers: tuple[Meddler, ...] = ()
    laptop: Deployment | None = None  # the same deployment, but it looks into another place
    hours: float = 3.0
    lessons: int = 8
    says_so: float = 0.5  # how many ends are the terminator's, who says so
    scan_takes: float = SLOW["dynamodb"]
    launches_late: float = 8.0
    tags_late: float = 0.0
    is_reused: bool = False


Family = Callable[[random.Random], Scene]


def honest(rng: random.Random) -> Scene:
    """Nobody lies; events arrive."""
    return Scene((deployment(),))


def unlisted(rng: random.Random) -> Scene:
    """Listings leave machines out for up to ten minutes after their launch; by id they are found."""
    return Scene((deployment(),), _lies(rng, unlisted=Span(0.7, 600), wavers=rng.choice((0.0, 0.4))))


def unknown(rng: random.Random) -> Scene:
    """EC2 does not know machines for up to ten minutes after their launch."""
    return Scene((deployment(),), _lies(rng, unknown=Span(0.7, 600), wavers=rng.choice((0.0, 0.4))))


def late_addresses(rng: random.Random) -> Scene:
    """Machines are shown without their address for up to five minutes after each start."""
    return Scene((deployment(),), _lies(rng, no_address=Span(0.7, 300)))


def readings_without_addresses(rng: random.Random) -> Scene:
    """Now and then whole readings come without addresses, up to three in a row."""
    lapses = (
        Lapse(Shows.NO_ADDRESS, 0.05, 1.0, 1), Lapse(Shows.NO_ADDRESS, 0.04, 0.6, 2),
        Lapse(Shows.NO_ADDRESS, 0.03, 0.4, 3),
    )  # fmt: skip
    return Scene((deployment(),), _lies(rng, lapses=lapses))


def minutes_without_addresses(rng: random.Random) -> Scene:
    """A running machine is shown without its address for up to seven minutes."""
    return Scene((deployment(),), _lies(rng, blank=Span(0.8, 420)))


def states_before(rng: random.Random) -> Scene:
    """Readings show the state of some seconds ago, and many machines are stopped and started."""
    lapses = (Lapse(Shows.BEFORE, 0.5, 0.8, 1, 25.0),)
    incidents = (Incident.STOP_AND_START, Incident.BOTH_STOP, Incident.REPLACED)
    return Scene((deployment(),), _lies(rng, lapses=lapses), incidents=incidents, lessons=14)


def gaps(rng: random.Random) -> Scene:
    """A reading leaves some machines out, whatever their age, or two in a row."""
    return Scene((deployment(),), _lies(rng, lapses=(Lapse(Shows.NOTHING, 0.2, 0.5, rng.choice((1, 2))),)))


def bad_events(rng: random.Random) -> Scene:
    """Events are lost, late, and come twice."""
    return Scene((deployment(),), deliveries=_bad_deliveries(rng))


def outages(rng: random.Random) -> Scene:
    """The controller is away for up to three hours, and EC2 forgets what ended meanwhile."""
    start = rng.uniform(1800, 5400)
    spans = ((start, rng.uniform(3600, 10800)),)
    return Scene((deployment(),), outages=Outages(spans), hours=5.5, says_so=0.3)


def stale_zone(rng: random.Random) -> Scene:
    """Cloudflare's listing is up to a minute old."""
    return Scene((deployment(),), _lies(rng, stale_records=60.0))


def two_regions(rng: random.Random) -> Scene:
    """Two deployments in two regions share a table and a zone; neither sees the other's machines."""
    return Scene((deployment(), deployment("theirs", THERE)))


def two_regions_two_zones(rng: random.Random) -> Scene:
    """Two deployments in two regions share a table alone."""
    theirs = deployment("theirs", THERE, DOMAIN_ROOT="example.org", ZONE_ID="1" * 32)
    return Scene((deployment(), theirs))


def two_projects(rng: random.Random) -> Scene:
    """Two deployments in one region share a table and a zone; each sees the other's machines only by id."""
    return Scene((deployment(), _staging(rng)), incidents=KNOWN_MACHINES)


def two_projects_two_zones(rng: random.Random) -> Scene:
    """Two deployments in one region share a table alone."""
    staging = _staging(rng, DOMAIN_ROOT="example.org", ZONE_ID="1" * 32)
    return Scene((deployment(), staging), incidents=KNOWN_MACHINES)


def two_projects_unnamed_machines(rng: random.Random) -> Scene:
    """As before, and meetings have machines that their rows do not name: only their own deployment can know them."""
    return Scene((deployment(), _staging(rng)), incidents=(Incident.SECOND,))


def wrong_region(rng: random.Random) -> Scene:
    """Somebody's laptop, with the right OWNER_ID, looks into another region, where there may be machines too."""
    owner = rng.choice((HERE, f"{HERE}/production", "production"))
    elsewhere = () if owner == "production" else (machines_elsewhere(THERE),)
    laptop = deployment("ours", THERE, OWNER_ID=owner)
    return Scene((deployment(OWNER_ID=owner),), laptop=laptop, meddlers=elsewhere)


def lost_tags(rng: random.Random) -> Scene:
    """A policy takes the tags away, machine by machine."""
    return Scene((deployment(),), meddlers=(tag_policy,))


def renamed_meetings(rng: random.Random) -> Scene:
    """Machines get other MeetingIDs."""
    return Scene((deployment(),), meddlers=(renamings,))


def odd_table(rng: random.Random) -> Scene:
    """Rows of somebody else's status name old machines, live rows another meeting's, which have ended."""
    index = {"STATUS_INDEX": "by-status"} if rng.random() < 0.5 else {}
    return Scene((deployment(**index),), _lies(rng, unknown=Span(0.8, 600), wavers=0.4), meddlers=(odd_rows, wrong_ids))


def others_records(rng: random.Random) -> Scene:
    """Others make records at our machines' names, and events are lost, so that they often come first."""
    return Scene((deployment(),), deliveries=_bad_deliveries(rng), meddlers=(records_at_our_names(deployment()),))


def relaunches(rng: random.Random) -> Scene:
    """Both machines die and are launched anew a minute later; scans are slow, old, and come before the launch."""
    incidents = (Incident.BOTH_DIE, Incident.BOTH_DIE, Incident.REPLACED, Incident.SECOND)
    lies = _lies(rng, unknown=Span(0.3, 200), stale_rows=10.0)
    return Scene((deployment(),), lies, incidents=incidents, scan_takes=15.0, launches_late=40.0)


def late_tags(rng: random.Random) -> Scene:
    """The launcher tags machines up to a minute after their launch."""
    return Scene((deployment(),), tags_late=0.6)


def reused_rows(rng: random.Random) -> Scene:
    """Rows of the day before are launched again, and EC2 does not know the machines for up to ten minutes."""
    return Scene((deployment(),), _lies(rng, unknown=Span(0.5, 600)), is_reused=True)


def elastic_addresses(rng: random.Random) -> Scene:
    """Machines keep their address over a stop that no event tells of, and readings come without addresses."""
    lapses = (Lapse(Shows.NO_ADDRESS, 0.15, 1.0, 2),)
    return Scene((deployment(),), _lies(rng, lapses=lapses), _bad_deliveries(rng), incidents=(Incident.KEEPS_ADDRESS,))


def all_at_once(rng: random.Random) -> Scene:
    """Everything above in one world."""
    lies = _lies(
        rng,
        unlisted=Span(0.3, 600),
        unknown=Span(0.3, 600),
        no_address=Span(0.3, 200),
        blank=Span(0.3, 300),
        lapses=(Lapse(Shows.NO_ADDRESS, 0.04, 0.7, 2), Lapse(Shows.BEFORE, 0.05, 0.5, 1, 10.0)),
        stale_records=20.0,
        stale_rows=5.0,
    )
    return Scene(
        (deployment(), deployment("theirs", THERE)),
        lies,
        _bad_deliveries(rng),
        Outages(((rng.uniform(3600, 7200), rng.uniform(1800, 7200)),)),
        incidents=(*PLAIN, Incident.BOTH_DIE),
        meddlers=(tag_policy, odd_rows),
        hours=5.0,
    )


FAMILIES: dict[str, Family] = {
    family.__name__: family
    for family in (
        honest,
        unlisted,
        unknown,
        late_addresses,
        readings_without_addresses,
        minutes_without_addresses,
        states_before,
        gaps,
        bad_events,
        outages,
        stale_zone,
        two_regions,
        two_regions_two_zones,
        two_projects,
        two_projects_two_zones,
        two_projects_unnamed_machines,
        wrong_region,
        lost_tags,
        renamed_meetings,
        odd_table,
        others_records,
        relaunches,
        late_tags,
        reused_rows,
        elastic_addresses,
        all_at_once,
    )
}
#: Families in which the rules do not promise everything, and why.
LIMITS = {
    "elastic_addresses": "a record of before the start passes for one with an old address, which an Elastic IP is not",
    "two_projects_unnamed_machines": "who has seen all machines end that a row names may end another's meeting",
    "reused_rows": "a row that keeps the time of the day before is out of its day, and there absence may end a meeting",
}


def _lies(rng: random.Random, **kinds: object) -> Lies:
    return Lies(rng.randrange(1 << 30), **kinds)  # type: ignore[arg-type]  # lies of several types


def _bad_deliveries(rng: random.Random) -> Deliveries:
    return Deliveries(rng.randrange(1 << 30), lost=0.4, late=Span(0.3, 400), twice=0.3)


def _staging(rng: random.Random, **environment: str) -> Deployment:
    owner = rng.choice((f"{HERE}/staging", "staging"))
    return deployment("staging", PROJECT_TAG="Project=Staging", OWNER_ID=owner, **environment)
