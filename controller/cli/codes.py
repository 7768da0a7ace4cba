"""Exit codes of the command line; a pass that a signal ended has 128 and the signal's number."""

from enum import IntEnum


class Code(IntEnum):
    """How a command ended, for scripts."""

    DONE = 0
    FAILED = 1  # an error, a failed or unreached change, a declined question, another digest
    CHANGES = 2  # never an error, and only with --detailed-exitcode
    GUARD = 3  # wins over FAILED
    USAGE = 64  # wrong usage or settings (BSD's sysexits.h)
    INTERRUPTED = 130
