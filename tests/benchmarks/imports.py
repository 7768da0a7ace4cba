"""What importing costs, by package, as ``python -X importtime`` tells it."""

import re
from collections import Counter

_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+([\w.]+)$", re.MULTILINE)


def by_package(output: str) -> dict[str, float]:
    """Seconds that each package's own modules took, the most expensive first."""
    found = Counter[str]()
    for microseconds, module in _LINE.findall(output):
        found[module.partition(".")[0]] += int(microseconds)
    return {package: total / 1e6 for package, total in found.most_common()}
