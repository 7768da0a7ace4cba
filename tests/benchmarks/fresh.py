"""A measured piece of work in a fresh process: its own CPU time and its own memory, and nobody else's.

``python -m tests.benchmarks.fresh MODULE`` reads arguments as JSON, calls the module's ``prepare`` with them, measures
what that returns, and writes what became of it as JSON.
"""

import importlib
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Cost:
    """What the work returned, its CPU seconds, the process's memory at its peak, and what was added to it (bytes)."""

    result: Any
    cpu: float
    memory: int
    added: int


def measured(module: str, **arguments: Any) -> Cost:
    """The work of this module, done by a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.fresh", module]
    done = subprocess.run(command, input=json.dumps(arguments), stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def _work(module: str, arguments: dict[str, Any]) -> dict[str, Any]:
    action = importlib.import_module(module).prepare(**arguments)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from here on (proc(5))
    before, start = _bytes("VmRSS"), time.process_time()
    result = action()
    cpu, peak = time.process_time() - start, _bytes("VmHWM")
    return {"cpu": cpu, "memory": peak, "added": max(0, peak - before), "result": result}


def _bytes(field: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition(f"{field}:")[2].split()[0]) * 1024


if __name__ == "__main__":
    print(json.dumps(_work(sys.argv[1], json.load(sys.stdin))))
