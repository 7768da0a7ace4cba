"""The command line as a user runs it: a process of its own, through pipes or at a terminal."""

import io
import logging
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Self
from unittest.mock import patch

import click
import pytest

from controller.cli import cli, main
from tests.support.servers import Clouds

COMMAND = (sys.executable, "-m", "controller")
#: Seconds after which a test gives up; far more than anything takes.
PATIENCE = 60
CTRL_C, CTRL_D = "\x03", "\x04"
# A Ctrl-C is a signal only at the controlling terminal of the process.
_AT_ITS_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


def parse(command: str) -> None:
    """Read a command line as the program does, and run nothing. Raises ClickException for unknown ones."""
    _, *words = shlex.split(command)
    if words[0].startswith("--"):  # an option of the group and its value
        assert words[0] in {name for option in cli.params for name in option.opts}
        words = words[2:]
    subcommand, *arguments = words
    # The group is what gives its commands -h: one that is parsed without it goes without for the process's life.
    context = click.Context(cli, **cli.context_settings)
    found = cli.get_command(context, subcommand)
    assert found is not None
    found.make_context(subcommand, list(arguments), context)


def environment(clouds: Clouds, **changes: str) -> dict[str, str]:
    """Return a command's environment, with nothing of the test's own."""
    return {"PATH": os.environ["PATH"], **clouds.environment(**changes)}


def run(clouds: Clouds, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command as through pipes, without a terminal, in this process: another one takes a second to start.

    What a process has to itself (its environment, streams, log) is the command's own, and restored afterwards.
    """
    root, ours = logging.getLogger(), logging.getLogger("elephant_dns")
    before = [(each, each.handlers[:], each.level, each.propagate) for each in (root, ours)]
    out, error = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, environment(clouds, **changes), clear=True),
        open(os.devnull) as nothing,  # noqa: PTH123  # a stream, not a file
        patch.object(sys, "stdin", nothing),
        redirect_stdout(out),
        redirect_stderr(error),
        pytest.raises(SystemExit) as end,
    ):
        main(list(arguments))
    for logger, handlers, level, propagates in before:
        logger.handlers[:], logger.propagate = handlers, propagates
        logger.setLevel(level)
    return subprocess.CompletedProcess(list(arguments), int(str(end.value.code or 0)), out.getvalue(), error.getvalue())


def run_alone(clouds: Clouds, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command through pipes in a process of its own."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(clouds, **changes),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=False,
    )


def at_a_terminal(
    clouds: Clouds, arguments: Sequence[str], answer: str = "", *, question: str = "", **changes: str
) -> tuple[int, str]:
    """Run a command at a terminal of its own, 80 columns wide; answer its question, if one is expected."""
    terminal, child = pty.openpty()
    os.set_blocking(terminal, True)
    settings = {"TERM": "xterm", "COLUMNS": "80", **environment(clouds, **changes)}
    command = [sys.executable, "-c", _AT_ITS_TERMINAL, *COMMAND, *arguments]
    process = subprocess.Popen(command, env=settings, stdin=child, stdout=child, stderr=child, start_new_session=True)
    os.close(child)
    text = b""
    if question:
        text = _read_until(terminal, question.encode())
        os.write(terminal, answer.encode())
        if answer == CTRL_C:
            _press_again(terminal, process)
    text += _read_until(terminal, None)
    os.close(terminal)
    return process.wait(PATIENCE), text.decode()


def _press_again(terminal: int, process: subprocess.Popen[bytes]) -> None:
    """Ctrl-C once more, as people do, where nothing ends.

    Python sees a signal that comes after the question, and just before the wait for its answer, only after that wait.
    """
    try:
        process.wait(PATIENCE / 10)
    except subprocess.TimeoutExpired:
        os.write(terminal, CTRL_C.encode())


def _read_until(terminal: int, end: bytes | None) -> bytes:
    """Return what the terminal shows until the other side closes it, or until this end. Raises TimeoutError."""
    text = b""
    while end is None or end not in text:
        if not select.select([terminal], [], [], PATIENCE)[0]:
            raise TimeoutError(f"Nothing more is shown after {text.decode()!r}.")
        try:
            text += os.read(terminal, 65536)
        except OSError:  # the other side is closed
            break
    return text


class Running:
    """A command that is running, and can be signalled."""

    def __init__(self, clouds: Clouds, *arguments: str, prefix: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            [*prefix, *COMMAND, *arguments],
            env=environment(clouds),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._stopping = threading.Event()
        self._complaints: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self.ended()

    def tell(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def is_stopping(self) -> bool:
        """Wait until it says that it is stopping; return whether it does."""
        return self._stopping.wait(PATIENCE)

    def wait(self) -> int:
        """Return its exit code; negative where a signal has ended it."""
        return self._process.wait(PATIENCE)

    def ended(self) -> tuple[int, str, str]:
        """Return its exit code and its two outputs."""
        output = self._process.stdout.read() if self._process.stdout and not self._process.stdout.closed else ""
        self._reader.join()
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()
        return self._process.wait(PATIENCE), output, "".join(self._complaints)

    def _read(self) -> None:
        for line in self._process.stderr or ():
            self._complaints.append(line)
            if "Stopping" in line:
                self._stopping.set()
