"""The probe of a full pass: once all changes are applied, and within a few seconds of the pass's time."""

from dataclasses import dataclass, replace
from random import Random

from controller.model import Finding, World
from controller.probe.ask import probe
from controller.probe.links import Judged, findings_of, in_use
from controller.probe.verdict import Kind
from controller.report.report import Links, Report
from controller.rules.facts import Facts
from controller.runtime.budget import Budget
from controller.runtime.threads import LAST_WORDS_SECONDS
from controller.settings import Settings

#: Seconds of a pass for all links together.
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class FullPassProbe:
    """Probes the links in use, and adds to the report what does not work."""

    settings: Settings

    def added(self, report: Report, world: World, budget: Budget) -> Report:
        """Return the report with findings about links and their number. Raises nothing."""
        if budget.is_stopped:
            return report
        try:
            judged, left = self._judged(report, world, budget)
        except Exception as error:  # the pass has done its work, and its report must not be lost
            return replace(report, findings=(*report.findings, _failed(error)))
        count = {kind: sum(verdict.kind is kind for _, verdict in judged) for kind in Kind}
        return replace(
            report,
            findings=(*report.findings, *findings_of(judged), *([_left(left)] if left else [])),
            links=Links(len(judged), count[Kind.BROKEN], count[Kind.UNKNOWN], left),
            duration_ms=round(budget.elapsed() * 1000),
        )

    def _judged(self, report: Report, world: World, budget: Budget) -> tuple[list[Judged], int]:
        """Return links with their verdicts, and how many were not reached in time."""
        changed = {result.change.instance for result in report.results}
        links = in_use(Facts.of(world, self.settings), changed)
        # Another order in each pass: where the time is too short for all, every link gets its turn.
        Random(world.now.timestamp()).shuffle(links)  # noqa: S311  # an order, not a secret
        verdicts = probe(links, self.settings, budget.within(SECONDS - LAST_WORDS_SECONDS))
        judged = [(link, verdict) for link, verdict in zip(links, verdicts, strict=True) if verdict]
        return judged, len(links) - len(judged)


def _failed(error: Exception) -> Finding:
    return Finding(
        "link-not-judged",
        "all links",
        f"The probe of the links failed: {type(error).__name__}: {error}",
        "Check PROBE_CA_FILE and SSL_CERT_FILE; set PROBE_LINKS=false to do without.",
    )


def _left(left: int) -> Finding:
    return Finding(
        "link-not-judged",
        "all links",
        f"{left} links were not probed: the {SECONDS:.0f} seconds for the probe were over.",
        "Look at the other findings about links: those that do not answer take the time.",
    )
