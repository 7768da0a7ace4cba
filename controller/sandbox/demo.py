"""Play the whole system on this machine: a fleet that drifted, the dry run, the apply, and the next dry run."""

import os
import shlex
import shutil
import sys
import textwrap
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from controller.bootstrap import Controller, build
from controller.model import Mode, Outcome, Request, RowChange
from controller.report import as_text
from controller.report.report import Report
from controller.report.safe import on_one_line
from controller.report.words import summary_line
from controller.sandbox.aws import SECRET, AwsServer, exported
from controller.sandbox.cloudflare import PLANS, CloudflareServer
from controller.sandbox.fleet import DEFAULT_INSTANCES, Fleet, seed
from controller.sandbox.surroundings import MISLEADING
from controller.settings import read_settings

DOMAIN_ROOT = "example.com"
#: Seconds for one pass, far more than it takes.
PLAN, APPLY = Request(Mode.PLAN), Request(Mode.APPLY)

Out = Callable[[str], object]
"""Takes one text of one or more lines: ``print``, or a list's ``append``."""


def at_once(text: str) -> None:
    """Print and flush, so that the reader of a pipe sees it now: with ``--serve`` the end comes late."""
    print(text, flush=True)


@dataclass(frozen=True, slots=True)
class Stage:
    """Writes the demo's text with width and colour."""

    out: Out
    width: int
    colour: bool

    def title(self, text: str) -> None:
        """Write a heading."""
        self.out(f"\n{self._painted('1', text)}\n")

    def say(self, text: str) -> None:
        """Write a paragraph."""
        self.out(textwrap.fill(text, self.width))

    def item(self, sign: str, name: str, text: str) -> None:
        """Write a line of a list, wrapped beside its name."""
        painted = self._painted({"✓": "32", "✗": "31"}.get(sign, "33"), sign)
        lines = textwrap.wrap(on_one_line(text), self.width - 26) or [""]
        rest = "".join(f"\n{'':26}{line}" for line in lines[1:])
        self.out(f"  {painted} {name:<21} {lines[0]}{rest}")

    def report(self, report: Report) -> None:
        """Write a report as the commands show it."""
        self.out(as_text.render(report, width=self.width, colour=self.colour))

    def _painted(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


def run(
    instances: int = DEFAULT_INSTANCES,
    serve: bool = False,
    out: Out = at_once,
    *,
    width: int | None = None,
    colour: bool | None = None,
    wait: Callable[[], object] | None = None,
    seconds: float = 600,
) -> int:
    """Play the demo. With ``serve`` seed the servers again afterwards, and keep them up until ``wait`` returns.

    Width and colour are the terminal's by default. ``wait`` ends with Ctrl-C. Each pass has ``seconds``. Returns 0 if
    every drift ended as expected, nothing else changed, and the second plan is empty except for guarded changes;
    otherwise 1.
    """
    stage = Stage(out, width or _terminal_width(), _is_colourful() if colour is None else colour)
    # More records than any plan allows, so that the fleet may be larger than one zone could serve.
    quota = max(PLANS["pro"].quota, 2 * instances)
    with AwsServer() as aws, CloudflareServer(DOMAIN_ROOT, plan="pro", quota=quota) as cloudflare:
        is_well = _story(stage, prepared(aws, cloudflare, instances), seconds)
        if not serve:
            _show_ways_on(stage)
        else:
            _serve(stage, prepared(aws, cloudflare, instances, number=2), wait or threading.Event().wait)
    return 0 if is_well else 1


def prepared(
    aws: AwsServer, cloudflare: CloudflareServer, instances: int = DEFAULT_INSTANCES, *, number: int = 1
) -> Fleet:
    """Reset both servers and fill them with table, secret and a drifted fleet."""
    aws.reset()
    cloudflare.reset()
    aws.make_table()
    aws.make_secret(cloudflare.token)
    return seed(aws, cloudflare, instances, number=number)


def environment(aws: AwsServer, cloudflare: CloudflareServer) -> dict[str, str]:
    """Return the settings that the controller, boto3 and the AWS command line need."""
    return {
        **aws.environment(),
        "CLOUDFLARE_BASE_URL": cloudflare.base_url,
        "DOMAIN_ROOT": DOMAIN_ROOT,
        "SECRET_ARN": SECRET,
        "ZONE_ID": cloudflare.zone_id,
    }


def _story(stage: Stage, fleet: Fleet, seconds: float) -> bool:
    controller = _controller(fleet)
    try:
        _show_drifts(stage, fleet)
        stage.title("The dry run (elephant-dns plan): nothing is written")
        planned = controller.run(PLAN, seconds)
        stage.report(planned)
        stage.title("The same, applied (elephant-dns apply)")
        applied = controller.run(APPLY, seconds)
        _show_outcomes(stage, applied)
        stage.title("How each drift ended, read from the servers themselves")
        is_mended = _show_endings(stage, fleet)
        stage.title("The dry run once more: nothing is left but findings")
        again = controller.run(PLAN, seconds)
        _show_rest(stage, planned, again)
    finally:
        controller.close()
    return applied.ended_well and is_mended and not _unguarded(again)


def _controller(fleet: Fleet) -> Controller:
    """Build a controller for these servers. boto3 reads the environment only while it creates its clients."""
    settings = environment(fleet.aws, fleet.cloudflare)
    with exported(settings):
        return build(read_settings(settings))


def _show_drifts(stage: Stage, fleet: Fleet) -> None:
    machines = fleet.aws.machines.all()
    stage.title(f"A fleet of {len(machines)} machines that drifted in {len(fleet.drifts)} ways")
    stage.say(f"AWS is at {fleet.aws.url}, Cloudflare at {fleet.cloudflare.base_url}, both on this machine only.")
    stage.out("")
    for played in fleet.drifts:
        stage.item("·", played.drift.name, played.drift.story)


def _show_outcomes(stage: Stage, report: Report) -> None:
    for result in report.results:
        change = result.change
        sign = "✓" if result.outcome is Outcome.APPLIED else "✗"
        role = f" ({change.role})" if change.role and isinstance(change, RowChange) else ""
        stage.item(sign, change.action, f"{change.key}{role}: {result.error or result.outcome}")
    stage.out("")
    stage.say(summary_line(report))
    calls = ", ".join(f"{service} {number}" for service, number in report.calls.items() if number)
    stage.say(f"It took {report.duration_ms / 1000:.1f} seconds and these calls: {calls}.")


def _show_endings(stage: Stage, fleet: Fleet) -> bool:
    """Show each drift with its end, or with what is still wrong. Return whether nothing is wrong."""
    wrong = 0
    for played in fleet.drifts:
        differences = fleet.differences(played.end)
        wrong += len(differences)
        stage.item("✗" if differences else "✓", played.drift.name, "; ".join(differences) or played.drift.ending)
    touched = [*fleet.differences(fleet.healthy), *fleet.touched()]
    rest = "the healthy meetings and all other records in the zone did not change"
    stage.item("✗" if touched else "✓", "everything-else", "; ".join(touched) or rest)
    return not wrong and not touched


def _show_rest(stage: Stage, planned: Report, again: Report) -> None:
    """Show what is left, without the findings: the report above lists them."""
    if again.results or set(again.findings) - set(planned.findings):
        stage.report(again)
    else:
        stage.say(f"{summary_line(again)} The first report lists each one, with what to do.")


def _show_ways_on(stage: Stage) -> None:
    stage.title("What next")
    stage.item("·", "try each command", "make sandbox ARGS=--serve keeps both servers up")
    stage.item("·", "on your own zone", "see 'Use it' in README.md; elephant-dns plan only reads")


def _unguarded(report: Report) -> bool:
    """Return whether changes are left that the guard does not hold."""
    return any(result.outcome is not Outcome.GUARDED for result in report.results)


def _serve(stage: Stage, fleet: Fleet, wait: Callable[[], object]) -> None:
    """Show how to reach the servers, and wait."""
    variables = environment(fleet.aws, fleet.cloudflare)
    stage.title("Both servers stay up, and the fleet drifted again")
    stage.say("In another terminal:")
    stage.out("\n".join(["", *shell_lines(variables), ""]))
    stage.out("elephant-dns plan\nelephant-dns apply\n")
    try:
        stage.say("Ctrl-C ends it.")
        wait()
    except KeyboardInterrupt:
        stage.out("")


def shell_lines(variables: Mapping[str, str]) -> Iterable[str]:
    """Yield lines for any shell: unset what would lead elsewhere, and export the rest."""
    yield f"unset {' '.join(sorted(MISLEADING - variables.keys()))}"
    yield from (f"export {name}={shlex.quote(value)}" for name, value in variables.items())


def _terminal_width() -> int:
    return min(max(shutil.get_terminal_size((100, 24)).columns, 60), 120)


def _is_colourful() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
