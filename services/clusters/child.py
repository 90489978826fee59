"""One service as a child process: started, listened to, started again, ended."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from srl_common.errors import (
    EXIT_AUTHOR,
    EXIT_INTERNAL,
    EXIT_OK,
    EXIT_PEER,
    EXIT_USER,
    AuthorError,
    InternalError,
    UserError,
)
from srl_common.service import ERROR_PREFIX
from srl_common.settings import ServiceSettings, child_environ

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["actor", "memory", "learner"]

RESTARTS_MAX = 30
"""A child that has to be started anew more often than this..."""
RESTARTS_WINDOW_S = 60.0
"""...within so many seconds is given up."""


class Child:
    """A service process and its successors.

    Args:
        kind: which service.
        settings: with `name`, `report_file` and `exit_with_stdin` set.
        say: shows a line to the user.
    """

    def __init__(self, kind: Kind, settings: ServiceSettings, say: Callable[[str], None]) -> None:
        self.kind = kind
        self.name = settings.name
        self.restarts = 0
        self._settings = settings
        self._say = say
        self._restarted_s: deque[float] = deque(maxlen=RESTARTS_MAX)
        self._process = self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def _start(self) -> subprocess.Popen[str]:
        paths = [str(Path(path or ".").resolve()) for path in sys.path]
        # A session of its own: Ctrl-C reaches the parent alone, which then ends its children in order.
        process = subprocess.Popen(  # noqa: S603  our own modules
            [sys.executable, "-m", f"services.{self.kind}"],
            env=child_environ(self._settings, paths),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        assert process.stdout is not None
        self._reader = threading.Thread(target=self._pass_on, args=(process.stdout,), daemon=True)
        self._reader.start()
        return process

    def _pass_on(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                if line.startswith(ERROR_PREFIX):
                    break  # the report, which is raised here
                if line.strip():
                    self._say(f"[{self.name}] {line.rstrip()}")
            lines.read()

    def revive(self) -> None:
        """Start the process again if a signal or its peer ended it. Raises what it reported if it failed by itself."""
        exit_code = self._process.poll()
        if exit_code is None:
            return
        self._close()
        if exit_code > 0 and exit_code != EXIT_PEER:
            raise self._failure(exit_code)
        self._count_restart(exit_code)
        self._say(f"{self.name} was ended by {_cause(exit_code)}: started anew")
        self.restarts += 1
        self._process = self._start()

    def _count_restart(self, exit_code: int) -> None:
        now_s = time.monotonic()
        if len(self._restarted_s) == RESTARTS_MAX and now_s - self._restarted_s[0] < RESTARTS_WINDOW_S:
            raise UserError(f"{self.name} is ended by {_cause(exit_code)} again and again: is there enough memory?")
        self._restarted_s.append(now_s)

    def _failure(self, exit_code: int) -> Exception:
        report = Path(self._settings.report_file)
        text = report.read_text(encoding="utf-8") if report.is_file() else f"exit code {exit_code} without a report"
        if exit_code == EXIT_AUTHOR:
            hook, _, traceback_text = text.partition(f" failed in the {self.name}:\n")
            return AuthorError(self.name, hook, traceback_text)
        if exit_code == EXIT_INTERNAL:
            return InternalError(text)
        if exit_code == EXIT_USER:
            return UserError(f"{self.name}: {text}")
        return InternalError(f"{self.name} was ended from within, such as by os._exit: {text}")

    def ask_to_end(self) -> None:
        """Send SIGTERM: the service drains and ends."""
        if self.running:
            self._process.terminate()

    def end(self, timeout_s: float) -> None:
        """Wait for the end, and force it after `timeout_s`."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            self._say(f"{self.name} did not end within {timeout_s:.0f} s and was killed")
        self._close()

    def kill(self) -> None:
        """End the process at once if it still runs."""
        if self.running:
            self._process.kill()
            self._process.wait()
        self._close()

    def check_end(self) -> None:
        """Raise what the process reported if it failed while it drained."""
        if self._process.returncode >= EXIT_AUTHOR:
            raise self._failure(self._process.returncode)

    def _close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._reader.join()


def _cause(exit_code: int) -> str:
    if exit_code == EXIT_OK:
        return "a request to end that was not ours"
    if exit_code == EXIT_PEER:
        return "what another service said to it"
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"exit code {exit_code}"
