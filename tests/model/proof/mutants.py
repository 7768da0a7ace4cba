"""``make mutants``: what mutmut has counted, kept beside the counts of the proofs."""

import json
from pathlib import Path

from tests.model.proof.tally import keep

STATISTICS = Path(__file__).parents[3] / "mutants" / "mutmut-cicd-stats.json"


def main() -> None:
    """Keep how many changes were tried, and how many of them no test has noticed."""
    counts = json.loads(STATISTICS.read_text("utf-8"))
    keep("mutants", count=counts["total"], failed=counts["survived"] + counts["no_tests"] + counts["suspicious"])


if __name__ == "__main__":
    main()
