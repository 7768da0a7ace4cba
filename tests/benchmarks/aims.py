"""What the figures were to be, and what they are."""

from collections.abc import Iterator, Mapping
from math import log
from typing import Any

from tests.benchmarks.growth import exponent, slope
from tests.benchmarks.probe import AIM_LINKS, AIM_SECONDS
from tests.benchmarks.table import Table

Row = tuple[str, str, str, str]
WAITS_NOTE = """\
With clouds on loopback, as slow as the tables below say. Before EC2's event a user waits for EC2: for the launch,
and for the event. Nothing here can measure that. In your account the metric `SecondsToLink` has the whole time,
from the launch to the link."""
NOTE = "Ratios are to octoDNS for the full pass, else to the naive function; both are described below."


def aims(figures: Mapping[str, Any]) -> Table:
    """A line for each aim that there are figures for."""
    parts = {
        "full_pass": _full_pass,
        "event": _event,
        "cold_start": _cold_start,
        "burst": _burst,
        "dynamodb": _dynamodb,
        "growth": _growth,
        "probe": _probe,
    }
    rows = [row for name, part in parts.items() if name in figures for row in part(figures[name])]
    return Table("Aims", NOTE, ("", "aim", "measured", "met"), tuple(rows))


def waits(figures: Mapping[str, Any]) -> Table:
    """What a user waits for, first on the page: a line for each that there are figures for."""
    rows = list[tuple[str, str]]()
    if "event" in figures:
        ours = figures["event"]["events"]["ours"]
        for state in ("warm", "cold"):
            rows.append((f"from EC2's event to the link, function {state}", f"{ours[state]['seconds']:.2f} s"))
    if "full_pass" in figures:
        raw = figures["full_pass"]
        most = max(run["waiting"] for run in raw["runs"] if run["who"].startswith("ours"))
        rows.append((f"Cloudflare's side of a full pass, {raw['count']:,} machines", f"{most:.2f} s"))
    if "probe" in figures:
        raw = figures["probe"]
        rows.append((f"probe of {raw['links']:,} links", f"{raw['runs']['side by side']['seconds']:.2f} s"))
    return Table("What you wait for", WAITS_NOTE, ("", "measured"), tuple(rows))


def _full_pass(raw: Any) -> Iterator[Row]:
    runs = {(run["scene"], run["who"]): run for run in raw["runs"]}
    scenes = dict.fromkeys(run["scene"] for run in raw["runs"])
    for plan, limit in (("paid", 3), ("free", 7)):
        most = max(runs[scene, f"ours, {plan} plan"]["calls"] for scene in scenes)
        yield _at_most(f"calls of a full pass, {plan} plan", limit, most)
    if "no-op" in scenes:
        yield _at_most("calls of a full pass with nothing to do", 1, runs["no-op", "ours, paid plan"]["calls"])
    for scene, key, what, least in (("creates", "waiting", "waiting less", 100), ("updates", "cpu", "less CPU", 50)):
        if scene in scenes:
            times = runs[scene, "octoDNS"][key] / runs[scene, "ours, paid plan"][key]
            yield (f"{scene}: times {what}", f"≥ {least}", f"{times:.0f}", _met(times >= least))


def _event(raw: Any) -> Iterator[Row]:
    ours, naive = raw["events"]["ours"], raw["events"]["naive"]
    yield _at_most("round trips from an event to the link, warm", 4, round(ours["warm"]["trips"]))
    for state, aim in (("warm", 0.9), ("cold", 1.0)):
        share = ours[state]["seconds"] / naive[state]["seconds"]
        what = f"time from an event to the link, {state}"
        yield (what, f"≤ {aim:.2f} x naive", f"{share:.2f} x", _met(share <= aim))


def _cold_start(raw: Any) -> Iterator[Row]:
    for stage, what, aim in (("init", "cold start, init", 0.62), ("first", "cold start, init and first event", 0.60)):
        for kind in ("wall", "cpu"):
            share = raw["medians"]["ours"][stage][kind] / raw["medians"]["naive"][stage][kind]
            yield (f"{what} ({kind})", f"≤ {aim:.2f} x naive", f"{share:.2f} x", _met(share <= aim))


def _burst(raw: Any) -> Iterator[Row]:
    most = max(run["cloudflare"] for name, run in raw["runs"].items() if name.startswith("ours"))
    yield _at_most(f"Cloudflare calls in a burst of {raw['machines']:,} events", 150, most)


def _dynamodb(raw: Any) -> Iterator[Row]:
    writes = raw["passes"]["full pass, all links to write"]["calls"]["UpdateItem"]
    yield _at_most("writes for two links in each meeting", raw["meetings"], writes)


def _growth(raw: Any) -> Iterator[Row]:
    limit = exponent([(count, count * log(count)) for count in raw["counts"]])
    steps = dict.fromkeys((run["scene"], run["step"]) for run in raw["runs"])
    for scene, step in steps:
        some = [run for run in raw["runs"] if (run["scene"], run["step"]) == (scene, step)]
        found = slope(some, "calls")
        yield (f"exponent of growth in calls, {scene}: {step}", f"≤ {limit:.2f}", f"{found:.2f}", _met(found <= limit))


def _probe(raw: Any) -> Iterator[Row]:
    if raw["links"] == AIM_LINKS:
        seconds = raw["runs"]["side by side"]["seconds"]
        aim = f"< {AIM_SECONDS:.0f} s"
        yield (f"time for a probe of {AIM_LINKS} links", aim, f"{seconds:.2f} s", _met(seconds < AIM_SECONDS))


def _at_most(what: str, limit: int, found: int) -> Row:
    return (what, f"≤ {limit:,}", f"{found:,}", _met(found <= limit))


def _met(is_met: bool) -> str:
    return "yes" if is_met else "no"
