"""The whole system on this machine: a fleet that has drifted, the dry run, the apply, and the dry run after it."""

import shlex
import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from controller.bootstrap import Controller, build
from controller.model import Mode, Outcome, Request, RowChange
from controller.report.report import Links, Report
from controller.report.words import summary_line
from controller.sandbox import cells as in_cells
from controller.sandbox.aws import SECRET, AwsServer, exported
from controller.sandbox.cloudflare import PLANS, CloudflareServer
from controller.sandbox.drifts import End
from controller.sandbox.edge import Edge
from controller.sandbox.fleet import DEFAULT_INSTANCES, Fleet, seed
from controller.sandbox.stage import Stage
from controller.sandbox.surroundings import MISLEADING
from controller.settings import read_settings

DOMAIN_ROOT = "example.com"
PLAN, APPLY = Request(Mode.PLAN), Request(Mode.APPLY)


def run(
    stage: Stage,
    instances: int = DEFAULT_INSTANCES,
    *,
    cells: int = 1,
    serve: bool = False,
    wait: Callable[[], object] | None = None,
    seconds: float = 600,
) -> int:
    """Play the whole story; with ``serve`` seed the servers once more, and keep them up until ``wait`` returns.

    With several ``cells`` there are machines in other regions and accounts, and an act about one that cannot be read.
    ``wait`` ends with Ctrl-C; each pass has ``seconds``. Returns 0 where every drift has come to its end, nothing else
    was touched, and the second plan is empty (except for guarded changes); else 1.
    """
    # More records than a plan would allow, for a fleet larger than one zone could serve.
    quota = max(PLANS["pro"].quota, 2 * instances)
    with (
        AwsServer() as aws,
        CloudflareServer(DOMAIN_ROOT, plan="pro", quota=quota) as cloudflare,
        Edge(cloudflare) as edge,
    ):
        is_well = _story(stage, prepared(aws, cloudflare, instances, cells), edge, seconds)
        if not serve:
            _show_ways_on(stage)
        else:
            # Seeded alike: who looks up an id of the story finds it here.
            _serve(stage, prepared(aws, cloudflare, instances, cells), edge, wait or threading.Event().wait)
    return 0 if is_well else 1


def prepared(aws: AwsServer, cloudflare: CloudflareServer, instances: int, cells: int) -> Fleet:
    """Reset both servers, and seed table, secret and a drifted fleet: the same one each time."""
    aws.reset()
    cloudflare.reset()
    aws.make_table()
    aws.make_secret(cloudflare.token)
    fleet = seed(aws, cloudflare, instances)
    return replace(fleet, others=in_cells.seed(aws, cloudflare, cells))


def environment(fleet: Fleet, edge: Edge) -> dict[str, str]:
    """Return the variables that the controller, boto3 and the AWS command line need."""
    return {
        **fleet.aws.environment(),
        "CLOUDFLARE_BASE_URL": fleet.cloudflare.base_url,
        "DOMAIN_ROOT": DOMAIN_ROOT,
        "SECRET_ARN": SECRET,
        "ZONE_ID": fleet.cloudflare.zone_id,
        "PROBE_LINKS": "true",
        **edge.environment(),
        **in_cells.environment(fleet),
    }


def _story(stage: Stage, fleet: Fleet, edge: Edge, seconds: float) -> bool:
    controller = _controller(fleet, edge)
    try:
        _show_drifts(stage, fleet)
        stage.title("The dry run (elephant-dns plan): nothing is written")
        planned = controller.run(PLAN, seconds)
        stage.report(planned)
        stage.title("The same, applied (elephant-dns apply)")
        applied = controller.run(APPLY, seconds)
        _show_outcomes(stage, applied)
        stage.title("How each drift ended, seen on the servers themselves")
        is_fixed = _show_endings(stage, fleet, applied)
        stage.title("The links, probed by the same pass once all was applied (PROBE_LINKS=true)")
        _show_links(stage, applied)
        stage.title("The dry run once more: nothing is left but findings")
        again = controller.run(PLAN, seconds)
        _show_rest(stage, planned, again)
        is_safe = not fleet.others or in_cells.play_unread(stage, fleet, lambda: controller.run(APPLY, seconds))
    finally:
        controller.close()
    return applied.ended_well and is_fixed and is_safe and not _unguarded(again)


def _controller(fleet: Fleet, edge: Edge) -> Controller:
    """Return a controller for these servers. boto3 reads the environment only while it creates its clients."""
    edge.desktops = fleet.desktops()
    settings = environment(fleet, edge)
    with exported(settings):
        return build(read_settings(settings))


def _show_drifts(stage: Stage, fleet: Fleet) -> None:
    machines = fleet.aws.machines.all()
    stage.title(f"A fleet of {len(machines)} machines that has drifted in {len(fleet.drifts)} ways")
    stage.say(f"AWS is at {fleet.aws.url}, Cloudflare at {fleet.cloudflare.base_url}, both on this machine only.")
    stage.tell("")
    for played in fleet.drifts:
        stage.item("·", played.drift.name, played.drift.story)
    for other in fleet.others:
        drifts = ", ".join(played.drift.name for played in other.drifts)
        stage.item("·", "another cell", f"{other.cell}: lessons of its own, which drifted as well: {drifts}")


def _show_outcomes(stage: Stage, report: Report) -> None:
    for result in report.results:
        change = result.change
        sign = "✓" if result.outcome is Outcome.APPLIED else "✗"
        role = f" ({change.role})" if change.role and isinstance(change, RowChange) else ""
        stage.item(sign, change.action, f"{change.key}{role}: {result.error or result.outcome}")
    stage.tell("")
    stage.say(summary_line(report))
    calls = ", ".join(f"{service} {number}" for service, number in report.calls.items() if number)
    stage.say(f"It took {report.duration_ms / 1000:.1f} seconds and these calls: {calls}.")


def _show_links(stage: Stage, report: Report) -> None:
    links = report.links or Links(0, 0, 0)
    works = links.probed - links.unreachable - links.not_judged
    stage.say(f"Of {links.probed} links that a user's browser would follow now {works} lead to a desktop.")
    for finding in report.findings:
        if finding.id in ("link-unreachable", "link-not-judged"):
            stage.item("!", finding.key, f"{finding.message} {finding.hint}")


def _show_endings(stage: Stage, fleet: Fleet, applied: Report) -> bool:
    """Show each drift with its end, or with what is still wrong. Return whether nothing is."""
    wrong, touched = 0, fleet.touched()
    for here in (fleet, *fleet.others):
        if here is not fleet:
            stage.tell(f"\n  in {here.cell}")
        for played in here.drifts:
            differences = [*here.differences(played.end), *_missed(played.end, applied)]
            wrong += len(differences)
            stage.item("✗" if differences else "✓", played.drift.name, "; ".join(differences) or played.drift.ending)
        touched += here.differences(here.healthy)
    rest = "the healthy meetings, and all other records in the zone, are as they were"
    stage.item("✗" if touched else "✓", "everything-else", "; ".join(touched) or rest)
    return not wrong and not touched


def _missed(end: End, applied: Report) -> list[str]:
    """Return what a probe that reached every link should have found, and did not."""
    if applied.links and applied.links.not_reached:
        return []
    found = {(finding.id, finding.key) for finding in applied.findings}
    return [f"{id} {key} is not reported" for id, key in sorted(end.probed - found)]


def _show_rest(stage: Stage, planned: Report, again: Report) -> None:
    """Show what is left; nobody needs to read a finding twice."""
    if again.results or set(again.findings) - set(planned.findings):
        stage.report(again)
    else:
        stage.say(f"{summary_line(again)} Each stands above, with what a person has to do.")


def _show_ways_on(stage: Stage) -> None:
    stage.title("What next")
    stage.item("·", "try each command", "make sandbox ARGS=--serve keeps both servers up")
    stage.item("·", "on your own zone", "README.md, under 'Use it', says how; elephant-dns plan only reads")


def _unguarded(report: Report) -> bool:
    """Return whether changes are left that no guard holds."""
    return any(result.outcome is not Outcome.GUARDED for result in report.results)


def _serve(stage: Stage, fleet: Fleet, edge: Edge, wait: Callable[[], object]) -> None:
    """Say how to reach the servers, and wait."""
    edge.desktops = fleet.desktops()
    variables = environment(fleet, edge)
    stage.title("Both servers stay up, and the fleet has drifted again, as above")
    stage.say("Paste this into another terminal. Ctrl-C here ends the servers.")
    try:
        stage.out("\n".join(["", *shell_lines(variables), ""]))
        wait()
    except KeyboardInterrupt:
        stage.tell("")


def shell_lines(variables: Mapping[str, str]) -> Iterable[str]:
    """Yield lines for any shell: unset what would lead elsewhere, export the rest, and plan."""
    yield f"unset {' '.join(sorted(MISLEADING - variables.keys()))}"
    yield from (f"export {name}={shlex.quote(value)}" for name, value in variables.items())
    yield from _planning(Path(sys.executable).with_name("elephant-dns"), shutil.which("elephant-dns"))


def _planning(command: Path, found: str | None) -> Iterable[str]:
    """Yield the lines that plan: with this very program, also where another shell finds none, or another one."""
    if not command.exists():
        yield f"{shlex.quote(sys.executable)} -m controller plan"
        return
    if found is None or not command.samefile(found):
        yield f'export PATH={shlex.quote(str(command.parent))}:"$PATH"'
    yield "elephant-dns plan"
