"""The machine by its size: who measures elsewhere will find other times, but the same counts."""

import os
import platform


def described() -> str:
    """Cores, memory and Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{os.cpu_count()} {platform.machine()} cores, {memory:.0f} GB of memory, Python {platform.python_version()}"
