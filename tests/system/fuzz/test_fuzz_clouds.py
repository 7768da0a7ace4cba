"""Whatever the clouds answer and hold: no error but ours, no write that may not be, no secret said."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import strategies as st

from controller.sandbox.aws_machines import STATES
from controller.sandbox.cloudflare import Reply
from tests.support.build import MARK, link, name
from tests.support.servers import Clouds, long_ago
from tests.system.faults.calls import BATCH, CLOUDFLARE, LIST, Call, Rule, Scene
from tests.system.faults.claims import leaks, said
from tests.system.faults.kinds import Kind
from tests.system.faults.scenarios import FRESH, FULL, PEOPLE, WRONG, Scenario, fresh, machine_id
from tests.system.faults.trial import Trial, Workshop
from tests.system.fuzz.effort import EFFORT, Note, try_all
from tests.system.fuzz.nonsense import JSON, SPOILINGS, Spoiling

pytest_plugins = ("tests.system.faults.bench",)
pytestmark = pytest.mark.usefixtures("workshop")

ROLES = ("teacher", "student")
AT = {LIST: FULL, BATCH: FULL, "zone": FRESH}
STATUSES = st.sampled_from([200, 200, 201, 204, 206, 299, 300, 304, 400, 404, 418, 429, 499, 500, 599])
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "ratelimit", "ratelimit-policy", "content-type", "content-encoding", "cf-ray"]),
    st.from_regex(r"[!-~ ]{0,40}", fullmatch=True) | st.sampled_from(['"default";r=0;t=9', "gzip", "br", "-1", "1e9"]),
    max_size=2,
)


def wrong_with(trial: Trial, rules: tuple[Rule, ...] = (), *, lies: bool = False) -> list[str]:
    """What was wrong with a pass under these rules, and with the passes after it."""
    kind = Kind("fuzz", (), rules[0].play, lies=lies) if rules else None
    return [*trial.verdict(trial.run(rules), kind), *trial.convergence()]


@EFFORT
@pytest.mark.parametrize("operation", CLOUDFLARE)
def test_any_answer_of_cloudflare_makes_the_pass_fail_at_worst(
    workshop: Workshop, operation: str, effort: int, record_property: Note
) -> None:
    def holds(how: tuple[int, Any, Mapping[str, str], int | None]) -> None:
        status, body, headers, times = how
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        rule = Rule(Call(operation), lambda scene: Reply(status, content, headers), times)
        assert wrong_with(Trial(workshop, AT[operation]), (rule,)) == []

    inputs = st.tuples(STATUSES, st.binary(max_size=200) | JSON, HEADERS, st.sampled_from([1, None]))
    try_all(holds, inputs, 3 * effort, record_property)


@EFFORT
@pytest.mark.parametrize("operation", CLOUDFLARE)
def test_any_content_of_a_good_answer_fails_the_pass_at_worst(
    workshop: Workshop, operation: str, effort: int, record_property: Note
) -> None:
    def holds(how: tuple[Spoiling, int | None]) -> None:
        spoiling, times = how

        def spoil(scene: Scene) -> Reply:
            return Reply.of(200, spoiling.of(scene.proceed().json))

        rules = (Rule(Call(operation), spoil, times),)
        assert wrong_with(Trial(workshop, AT[operation]), rules, lies=True) == []

    try_all(holds, st.tuples(SPOILINGS, st.sampled_from([1, None])), 4 * effort, record_property)


@dataclass(frozen=True, slots=True)
class Nonsense:
    """Machines with any tags and rows with any attributes."""

    machines: tuple[tuple[str, str, str, Mapping[str, str]], ...]  # state, record's content and comment, tags
    rows: Mapping[str, Mapping[str, Any]]

    def fill(self, clouds: Clouds) -> None:
        """Put all that into clouds that are empty but for a lesson: where nothing is listed, much is held."""
        clouds.launch("plain", "teacher", id=machine_id(8), address="192.0.2.8")
        for number, (state, content, comment, tags) in enumerate(self.machines, 1):
            machine = clouds.aws.machines.launch(
                id=machine_id(number), address=f"192.0.2.{number}", state=state, tags=tags, launched_at=long_ago()
            )
            clouds.cloudflare.seed(name(machine), content, comment=comment, created_on=long_ago())
        for key, attributes in self.rows.items():
            clouds.aws.rows.put(key, **attributes, **PEOPLE)


WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=20)
SCALARS = WORDS | st.integers(-(10**9), 10**9).map(Decimal) | st.booleans() | st.none() | st.binary(min_size=1)
ODD = st.recursive(SCALARS, lambda some: st.lists(some, max_size=3) | st.dictionaries(WORDS, some, max_size=3))
IDS = st.sampled_from([machine_id(number) for number in (1, 2, 3, 9)])
KEYS = st.sampled_from(["m1", "m2"]) | WORDS
TAGS = st.fixed_dictionaries(
    {"Project": st.sampled_from(["Elephant", "Elephant", "elephant"])},
    optional={"MeetingID": KEYS, "Role": st.sampled_from(ROLES) | WORDS, "Name": WORDS},
)
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["LAUNCHED", "HEALTHY", "IN_PROGRESS", "TERMINATED"]) | ODD,
        **{f"{role}_ec2_id": IDS | ODD for role in ROLES},
        **{f"{role}_ec2_link": IDS.map(link) | ODD for role in ROLES},
        "meet_time": st.datetimes().map(str) | ODD,
        "termination_reason": ODD,
    },
)
COMMENTS = st.sampled_from([MARK, "elephant-dns:x"]) | WORDS.filter(str.isprintable)  # the API takes no others
MACHINES = st.tuples(st.sampled_from(sorted(STATES)), st.sampled_from(["192.0.2.1", WRONG]), COMMENTS, TAGS)
WORLDS = st.builds(
    Nonsense, st.lists(MACHINES, max_size=3).map(tuple), st.dictionaries(KEYS, ATTRIBUTES, min_size=1, max_size=2)
)


@EFFORT
def test_any_tags_and_rows_are_borne(workshop: Workshop, effort: int, record_property: Note) -> None:
    def holds(world: Nonsense) -> None:
        assert wrong_with(Trial(workshop, Scenario("nonsense", world.fill))) == []

    try_all(holds, WORLDS, 8 * effort, record_property)


@EFFORT
def test_any_secret_is_used_or_refused_and_never_said(workshop: Workshop, effort: int, record_property: Note) -> None:
    def holds(secret: str) -> None:
        def fill(clouds: Clouds) -> None:
            fresh(clouds)
            clouds.aws.write_secret(secret)

        trial = Trial(workshop, Scenario("secret", fill))
        ended = trial.run()
        assert ended.error
        assert not trial.witness.deeds
        assert list(trial.verdict(ended)) == []
        assert list(leaks(said(ended.report, ended.error, trial.log.getvalue()), _words(secret))) == []

    tokens = st.from_regex(r"[!-~ ]{20,60}", fullmatch=True) | JSON
    secrets = tokens.map(json.dumps) | tokens.map(lambda token: json.dumps({"CLOUDFLARE_TOKEN": token}))
    try_all(holds, secrets | tokens.map(str), 8 * effort, record_property)


def _words(secret: str) -> Iterable[str]:
    """The parts of it that could be one."""
    return [word for word in secret.replace('"', " ").split() if len(word) >= 20]
