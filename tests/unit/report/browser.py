"""Headless Chromium, driven by the DevTools protocol over a pair of pipes: no driver and no package is needed."""

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fcntl import F_DUPFD, fcntl
from pathlib import Path
from typing import Any

#: Chromium by the names that systems give it, or None.
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
#: Seconds that one answer may take on a busy machine.
PATIENCE = 60
#: Chromium reads commands from descriptor 3 and writes answers to 4.
_LAUNCH = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)
_FLAGS = (
    *("--headless", "--remote-debugging-pipe", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
    # Chromium's sandbox needs a user of its own; the pages are ours, and root is how containers run.
    *(("--no-sandbox",) if os.geteuid() == 0 else ()),
)


class Browser:
    """One running Chromium."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._number, self._unread = 0, b""
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; what else comes in is kept in ``events``."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        os.write(self._commands, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])

    def wait_for(self, method: str) -> None:
        """Read until this event has come."""
        while not any(event["method"] == method for event in self.events):
            self._read()

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            assert select.select([self._answers], [], [], PATIENCE)[0], "Chromium does not answer"
            piece = os.read(self._answers, 1 << 20)
            assert piece, "Chromium has ended"
            self._unread += piece
        line, _, self._unread = self._unread.partition(b"\0")
        message = dict(json.loads(line))
        if "method" in message:
            self.events.append(message)
        return message


class Page:
    """One page in a tab of its own."""

    def __init__(self, browser: Browser, *, width: int = 1000, dark: bool = False, scale: float = 1) -> None:
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._browser, self._target = browser, target
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=scale, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command for this page."""
        return self._browser.call(method, self._session, **parameters)

    def open(self, path: Path) -> None:
        """Open a file, and wait until it is there."""
        self._browser.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        self._browser.wait_for("Page.loadEventFired")

    def events(self, *methods: str) -> list[dict[str, Any]]:
        """What has come since the file was opened."""
        return [event["params"] for event in self._browser.events if event["method"] in methods]

    def value(self, expression: str) -> Any:
        """What the expression is worth in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str, text: str = "") -> None:
        """Press a key and let it go."""
        codes: Mapping[str, int] = {"Tab": 9, "Enter": 13}
        common = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def close(self) -> None:
        """Close the tab."""
        self._browser.call("Target.closeTarget", targetId=self._target)


@contextmanager
def running() -> Iterator[Browser]:
    """Chromium, with a profile that is thrown away."""
    if CHROMIUM is None:
        raise SystemExit("No Chromium was found. Install it (on Debian: apt-get install chromium), and try again.")
    read_commands, commands = _pipe()
    answers, write_answers = _pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        launch = [sys.executable, "-c", _LAUNCH, str(read_commands), str(write_answers)]
        process = subprocess.Popen(
            [*launch, CHROMIUM, *_FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(read_commands, write_answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_commands)
        os.close(write_answers)
        try:
            browser = Browser(commands, answers)
            yield browser
            browser.call("Browser.close")
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()
            os.close(commands)
            os.close(answers)


def _pipe() -> tuple[int, int]:
    """Return a pipe; its ends are not the descriptors that Chromium uses."""
    ends = os.pipe()
    high = tuple(fcntl(end, F_DUPFD, 10) for end in ends)
    for end in ends:
        os.close(end)
    return high[0], high[1]
