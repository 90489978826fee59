"""What makes a loop a service: signals, health pages, and one place where every failure ends.

`run` is the outermost frame of each service process. SIGTERM and SIGINT set `Stop`, which the loop looks at; it then
*drains*: finishes what is under way, and returns. A service that has done one job of several *begins anew*: the process
becomes a fresh interpreter, so that nothing of a job is left in the next one.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import platform
import select
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from srl_common import settings as settings_module
from srl_common.errors import EXIT_INTERNAL, EXIT_OK, AuthorError, ClusterError, SettingError
from srl_common.messages import PROTOCOL
from srl_common.metrics import SERVICE, Definition, exposition, make_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from srl_common.settings import ServiceSettings

log = logging.getLogger("srl")

ERROR_PREFIX = "error: "
"""Begins the last thing that a service that fails says on standard error."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
WAIT_SLICE_S = 0.05
"""How soon a wish to stop ends a wait."""
STALLED_AFTER_S = 60.0
"""A loop that has not turned for so long is not healthy: the author's code blocks, or a store does."""


class Stop:
    """The wish that a service ends: set by a signal, by the parent's end, or by the service itself.

    Args:
        drain_timeout_s: how long draining may take.
        whole: the wish that the process ends, of which this one, that a part of its work ends, is a part.
    """

    def __init__(self, drain_timeout_s: float, whole: Stop | None = None) -> None:
        self._drain_timeout_s = drain_timeout_s
        self._whole = whole
        self._asked_s: float | None = None

    @property
    def asked(self) -> bool:
        return self._asked_s is not None or (self._whole is not None and self._whole.asked)

    @property
    def overdue(self) -> bool:
        """Whether the time to drain is over: what is still under way is given up."""
        if self._whole is not None and self._whole.overdue:
            return True
        return self._asked_s is not None and time.monotonic() > self._asked_s + self._drain_timeout_s

    def ask(self) -> None:
        """Ask the loop to drain; the first wish starts the time."""
        if self._asked_s is None:
            self._asked_s = time.monotonic()

    def wait(self, timeout_s: float) -> None:
        """Wait for the wish, at most `timeout_s`."""
        end_s = time.monotonic() + timeout_s
        while not self.asked and (left_s := end_s - time.monotonic()) > 0:
            time.sleep(min(left_s, WAIT_SLICE_S))


class Health:
    """What /healthz and /readyz answer: the loop turns; the service can do its work."""

    def __init__(self) -> None:
        self.ready = False
        self.doing = ""
        """What a service that is ready does, unless it works."""
        self._turned_s = time.monotonic()

    def turned(self) -> None:
        """Say that the loop has turned once more."""
        self._turned_s = time.monotonic()

    @property
    def age_s(self) -> float:
        """Seconds since the loop last turned."""
        return time.monotonic() - self._turned_s

    @property
    def says(self) -> str:
        return f"ready: {self.doing}\n" if self.doing else "ready\n"

    @property
    def alive(self) -> bool:
        return self.age_s < STALLED_AFTER_S


class Pages:
    """The HTTP pages of a service, in a thread of their own: they only read."""

    def __init__(self, bind: tuple[str, int], health: Health, metrics: Callable[[], bytes]) -> None:
        def answer(path: str) -> tuple[int, bytes]:
            if path == "/metrics":
                return 200, metrics()
            if path == "/healthz":
                return (200, b"ok\n") if health.alive else (503, b"the loop does not turn\n")
            if path == "/readyz":
                return (200, health.says.encode()) if health.ready else (503, b"not ready\n")
            return 404, b"/metrics, /healthz or /readyz\n"

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                status, body = answer(self.path)
                with contextlib.suppress(ConnectionError):  # who asked has waited long enough, and is gone
                    self.send_response(status)
                    self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
                log.debug(format, *args)

        try:
            self._server = ThreadingHTTPServer(bind, Handler)
        except OSError as error:
            name = settings_module.variable("metrics_bind")
            raise SettingError(f"{name}: cannot serve on {bind[0]}:{bind[1]}: {error.strerror}") from error
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="pages", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def start_pages(
    settings: ServiceSettings,
    health: Health,
    definitions: Iterable[Definition],
    read: Callable[[], Mapping[str, Any]],
) -> Pages | None:
    """Serve the pages as the settings say, or nothing."""
    bind = settings_module.split_bind(settings.metrics_bind)
    if bind is None:
        return None
    build = build_info(settings.name)

    def read_all() -> dict[str, Any]:
        state = {"srl_build_info": build, "srl_ready": health.ready, "srl_loop_age_seconds": health.age_s}
        return {**state, **read()}

    registry = make_registry((*SERVICE, *definitions), read_all, settings.store_job)
    pages = Pages(bind, health, lambda: exposition(registry))
    log.info("metrics on http://%s:%d/metrics", bind[0], pages.port)
    return pages


def build_info(name: str) -> dict[str, str]:
    """Return the labels of `srl_build_info`."""
    return {
        "version": _version(),
        "protocol": str(PROTOCOL),
        "python": platform.python_version(),
        "name": name,
    }


def _version() -> str:
    try:
        return version("srl-cluster")
    except PackageNotFoundError:  # it runs from its source
        return "unknown"


@dataclass(frozen=True)
class Again:
    """What the work of a service returns when the process is to begin anew, as a fresh interpreter."""

    args: tuple[str, ...] = ()
    """Flags that it gets besides those that it was started with."""


def end_when_asked() -> None:
    """Until `run` takes over, let a signal end the process at once, and well: nothing is under way.

    The first thing that a service does, before its long imports: on a busy machine they may take longer than a service
    is given to end.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: os._exit(EXIT_OK))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def run(settings: ServiceSettings, main: Callable[[Stop], Again | None]) -> int:
    """Run a service to its end. Returns the exit code; every failure ends here, with one report.

    Does not return when `main` returns `Again` and nobody has asked the process to end.
    """
    begin = _Beginning()
    logging.basicConfig(
        level=settings.log_level.upper(),
        stream=sys.stderr,
        format=f"%(asctime)s {settings.name}: %(message)s",
    )
    stop = Stop(settings.drain_timeout_s)
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: stop.ask())
    if settings.exit_with_stdin:
        _end_with_stdin(stop)
    try:
        again = main(stop)
        if again is not None:
            begin.anew(again, stop)
    except ClusterError as error:
        return _report(settings, error.exit_code, _explain(error))
    except Exception:  # noqa: BLE001  the outermost frame: nothing may pass
        text = f"internal error in {settings.name}; please report it:\n{traceback.format_exc()}"
        return _report(settings, EXIT_INTERNAL, text)
    return EXIT_OK


class _Beginning:
    """What the process was started with, taken before any code of an author's could change it."""

    def __init__(self) -> None:
        self._environ = settings_module.environment()
        self._folder = Path.cwd()

    def anew(self, again: Again, stop: Stop) -> None:
        """Become a fresh interpreter, unless the process is asked to end: then return."""
        atexit._run_exitfuncs()  # noqa: SLF001  what an author's libraries do at the end of a process
        # A signal that comes from now on waits for the next life.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        for number in STOP_SIGNALS:
            # A thread of a library's may not hold signals, and take one now: better to end at once than to lose it.
            signal.signal(number, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, 0.0)  # an author's alarm, which would end the next life
        if not stop.asked:
            self._become(again)

    def _become(self, again: Again) -> NoReturn:
        sys.stdout.flush()
        sys.stderr.flush()
        os.chdir(self._folder)
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:], *again.args], self._environ)  # noqa: S606  this very program


def _explain(error: ClusterError) -> str:
    return str(error) if isinstance(error, AuthorError) else f"{type(error).__name__}: {error}"


def _report(settings: ServiceSettings, exit_code: int, text: str) -> int:
    print(f"{ERROR_PREFIX}{text}", file=sys.stderr)
    if settings.report_file:
        Path(settings.report_file).write_text(text, encoding="utf-8")
    return exit_code


def _end_with_stdin(stop: Stop) -> None:
    """Ask for the end when the parent's end of standard input closes, however the parent ended."""

    def watch() -> None:
        while True:
            select.select([sys.stdin.fileno()], [], [])
            if not os.read(sys.stdin.fileno(), 1):
                stop.ask()
                return

    threading.Thread(target=watch, name="stdin", daemon=True).start()
