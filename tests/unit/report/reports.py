"""Reports to render: what the rules plan for three small worlds, and how a pass may end."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache

from controller.model import Action, Applied, NonString, Outcome, Plan, Result, World
from controller.report.report import Report, Target, digest_of, planned_results
from controller.report.sections import kind_of
from tests.support.build import MARK, NOW, OLD, TARGET, YOUNG, decided, link, machine, record, row, settings, world

#: Instance ids as EC2 gives them.
ADA, BEN, CLO, DAN, EVE, FAY, GUS, HAL, IDA, JON, KIM = (
    "i-0d91b7584a2265b1f",
    "i-096ec9d28663ca828",
    "i-07c381e88f38c0c8f",
    "i-0a41d5c2be7791e30",
    "i-02f6c8b35d4e17a99",
    "i-0be91a06f7cd42358",
    "i-0c5570de1b98a3f46",
    "i-04e8d2973ab16fc05",
    "i-0918fe4c6d35b72a0",
    "i-0f3b6a8d17e2c9054",
    "i-05d7c0e98b2f4a316",
)


def plan_of(
    seen: World, scope: tuple[str, ...] | None = None, wanted: Plan | None = None, target: Target = TARGET
) -> Report:
    """The report of a dry run over this world."""
    wanted = wanted or decided(seen)
    return Report(
        mode="plan",
        scope=scope,
        target=target,
        started_at=NOW,
        duration_ms=1870,
        observed=(len(seen.instances), len(seen.records), len(seen.meetings)),
        digest=digest_of(wanted, target, scope),
        results=planned_results(wanted),
        findings=wanted.findings,
        guard=wanted.guard,
        calls={"ec2": 2, "dynamodb": 1, "cloudflare": 2},
    ).shortened()


def applied(planned: Report, ending: Callable[[int, Result], Result]) -> Report:
    """The report of an apply of this plan, with each change ended so."""
    done = Applied(tuple(ending(number, result) for number, result in enumerate(planned.results)))
    return replace(planned, mode="apply", duration_ms=4210, results=done.results)


def first_look() -> Report:
    """The example in the README."""
    return plan_of(
        world(
            machines=[
                machine(ADA, ip="192.0.2.1", meeting="algebra-17"),
                machine(BEN, "stopped", ip=None, meeting="history-4", role="student"),
                machine(CLO, ip="192.0.2.3", meeting="drama-2"),
            ],
            records=[
                record(BEN, "192.0.2.9", id="r1"),
                record(CLO, "192.0.2.3", id="r2"),
            ],
            rows=[
                row("algebra-17", "LAUNCHED", ids={"teacher": ADA}),
                row("history-4", "HEALTHY", ids={"student": BEN}, links={"student": link(BEN)}),
                row("drama-2", "TERMINATED", ids={"teacher": CLO}),
            ],
        )
    )


def rich_world() -> World:
    """Every kind of change, and many findings."""
    return world(
        machines=[
            machine(ADA, ip="192.0.2.1", meeting="algebra-17", launched=YOUNG),
            machine(BEN, ip="192.0.2.2", meeting="algebra-17", role="student"),
            machine(CLO, "stopped", ip=None, meeting="history-4"),
            machine(DAN, "terminated", ip=None, meeting="drama-2"),
            machine(EVE, "shutting-down", ip=None, meeting="drama-2", role="student"),
            machine(FAY, ip="192.0.2.6", meeting="geometry-8"),
            machine(GUS, ip="192.0.2.7", meeting="geometry-8", role="student"),
            machine(HAL, ip="192.0.2.8", meeting="music-1"),
            machine(IDA, ip=None, meeting="biology-3"),
            machine(JON, ip="192.0.2.10", meeting=None),
        ],
        records=[
            record(BEN, "198.51.100.2", id="r1", comment=f"{MARK} student of algebra-17"),
            record(CLO, "192.0.2.3", id="r2"),
            record(DAN, "192.0.2.4", id="r3"),
            record(EVE, "192.0.2.5", id="r4"),
            record(FAY, "192.0.2.6", id="r5", comment="added by hand", proxied=False),
            record(GUS, "192.0.2.7", id="r6"),
            record(GUS, "192.0.2.77", id="r7"),
            record(HAL, "203.0.113.8", id="r8", comment="elephant-dns:210987654321/eu-west-1 teacher of music-1"),
            record(KIM, "192.0.2.11", id="r9", created=OLD),
        ],
        rows=[
            row("algebra-17", "LAUNCHED", ids={"teacher": ADA, "student": BEN}),
            row("history-4", "IN_PROGRESS", ids={"teacher": CLO}, links={"teacher": link(CLO)}),
            row("drama-2", "HEALTHY", ids={"teacher": DAN, "student": EVE}, links={"teacher": link(DAN)}),
            row("geometry-8", "DNS_WRITTEN", ids={"teacher": FAY}, links={"teacher": link(KIM), "student": link(GUS)}),
            row("music-1", "LAUNCHED", ids={"teacher": HAL}),
            row("biology-3", NonString("N", '{"N": "7"}'), ids={"teacher": IDA}),
        ],
        absent=[KIM],
    )


def rich() -> Report:
    """Every kind of change."""
    return plan_of(rich_world())


def ended() -> Report:
    """The same, applied on a day when much went wrong."""
    ends_of = {
        Action.CREATE_RECORD: (
            Outcome.FAILED,
            "The zone has no room for more records. Delete some, or take a larger plan.",
        ),
        Action.CLEAR_LINK: (Outcome.SUPERSEDED, None),
        Action.TERMINATE_MEETING: (Outcome.NOT_REACHED, "The pass's time was up. The next pass goes on."),
    }

    def ending(_: int, result: Result) -> Result:
        outcome, error = ends_of.get(result.change.action, (Outcome.APPLIED, None))
        if result.change.action is Action.WRITE_LINK and result.change.instance == ADA:
            outcome, error = Outcome.NOT_REACHED, "Its record is not in place."
        return Result(result.change, outcome, error)

    return applied(rich(), ending)


def guarded() -> Report:
    """EC2 shows nothing any more, and the owner id names no place: everything that rests on absence is held."""
    using, mark = settings(OWNER_ID="school"), "elephant-dns:school"
    seen = world(
        records=[record(ADA, "192.0.2.1", id="r1", comment=mark), record(BEN, "192.0.2.2", id="r2", comment=mark)],
        rows=[
            row(
                "algebra-17",
                "HEALTHY",
                ids={"teacher": ADA},
                links={"teacher": link(ADA)},
                meet_time=(NOW - timedelta(days=2)).isoformat(),
            )
        ],
        absent=[ADA, BEN],
    )
    return plan_of(seen, wanted=decided(seen, using), target=replace(TARGET, owner="school"))


#: Texts that a tag or a row may hold (EC2 takes 256 characters), each meant to do harm somewhere.
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)><!-- </details></code></pre></main> -->",
    "\x1b[2J\x1b[31mred\x07\r\nmeeting forged\n+ create record\x00\x7f\x9b",
    "@octocat #1 GH-1 :tada: https://evil.example www.evil.example a@evil.example ![i](https://evil.example/i.png)",
    "| a | b |\n|---|---|\n```\n````\n~~~~\n</details>\n# title\n- [x](javascript:alert(1)) **bold** `code` \\ &lt;",
    "=cmd|' /C calc'!A0 +1+1 -2 @SUM(1) %s {0} ${HOME} $(id) `id` %{x}",
    "\u202etxet desrever\u2066 \u200fשלם مرحبا\u2069 \u200b\ufeff\u00ad",
    "会議" * 60,
    "M" * 256,
    "e\u0301" * 100,
    "spaces   within,  kept",
    f"{'a' * 86} ``` {'b' * 86} ![i](https://evil.example/i.png) @octocat",
)


def hostile_world() -> World:
    """Each of the texts wherever tags, rows and records can hold one."""
    machines, records, rows = [], [], []
    for number, text in enumerate(HOSTILE):
        fresh, stale = f"i-{number:017x}", f"i-{number + 100:017x}"
        machines.append(machine(fresh, ip=f"192.0.2.{number + 1}", meeting=text))
        machines.append(machine(stale, ip=f"192.0.2.{number + 101}", meeting=None, role=text))
        records.append(record(stale, f"198.51.100.{number}", id=f"r{number}", comment=text))
        rows.append(row(text, text, ids={"teacher": fresh, "student": text}, links={"teacher": text, "student": text}))
    return world(machines, records, rows)


def hostile() -> Report:
    """What the rules make of hostile texts, applied, with errors that hold them too."""
    planned = plan_of(hostile_world())
    ends_of = (Outcome.APPLIED, Outcome.FAILED, Outcome.NOT_REACHED)

    def ending(number: int, result: Result) -> Result:
        outcome = ends_of[number % 3]
        return Result(result.change, outcome, None if outcome is Outcome.APPLIED else HOSTILE[number % len(HOSTILE)])

    return applied(planned, ending)


def nothing() -> Report:
    """A world that is right."""
    return plan_of(
        world([machine(ADA, meeting="m1")], [record(ADA)], [row(ids={"teacher": ADA}, links={"teacher": link(ADA)})])
    )


@cache
def large(meetings: int = 2_500) -> Report:
    """Four changes and a finding for each meeting, so 10,000 changes by default."""
    machines, records, rows = [], [], []
    for number in range(meetings):
        fresh, stale, name = f"i-{number:017x}", f"i-{number + 100_000:017x}", f"lesson-{number:05}"
        machines += [machine(fresh, meeting=name), machine(stale, "stopped", ip=None, meeting=name, role="student")]
        records.append(record(stale, id=f"r{number}"))
        rows.append(
            row(name, "HEALTHY", ids={"teacher": fresh, "student": "none"}, links={"student": link(stale)}),
        )
    return plan_of(world(machines, records, rows))


def numbers_of(report: Report) -> Mapping[str, int]:
    """How many changes and findings of each kind the report holds."""
    return Counter([*map(kind_of, report.results), *map(kind_of, report.findings)])


def shown_in(text: str, kind: str) -> int:
    """Return how many changes or findings of a kind the text shows; several findings stand below one heading."""
    single = len(re.findall(rf"^ *{re.escape(kind)} [a-z]", text, re.MULTILINE))
    group = re.search(rf"^ *{re.escape(kind)}: (\d+) findings$", text, re.MULTILINE)
    return single + (int(group[1]) + text.count("    others: ") if group else 0)


REPORTS: Mapping[str, Callable[[], Report]] = {
    "first-look": first_look,
    "rich": rich,
    "ended": ended,
    "guarded": guarded,
    "hostile": hostile,
    "nothing": nothing,
}
