"""A cluster on this machine without containers: `srl up` starts `python -m services.clusters.local_cluster FOLDER`.

A supervisor keeps the three services running, as many actors as are wanted, and a file up to date that says what
runs where. The folder has all that the cluster is:

    store/         snapshots and the job board
    keys/          keys of each role
    journal/       of the memory service, and of a learner that hosts the Memory
    log            what supervisor and services say
    cluster.json   what runs: there while the supervisor runs
    wanted         how many actors there are to be
    lock           held by the supervisor
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.clusters.child import Child
from srl_common.errors import EXIT_USER, ClusterError, SettingError, UserError
from srl_common.files import write_whole
from srl_common.job_board import JobState, open_board
from srl_common.security import make_keys
from srl_common.service import ERROR_PREFIX
from srl_common.settings import ActorSettings, LearnerSettings, MemorySettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services.clusters.child import Kind

HOST = "127.0.0.1"
STATE = "cluster.json"
WANTED = "wanted"
LOG = "log"
LOCK = "lock"
STORE = "store"
KEYS = "keys"
JOURNAL = "journal"
LOOK_EVERY_S = 0.2
DRAIN_TIMEOUT_S = 5.0
END_AFTER_DRAIN_S = 5.0
FAILURES_MAX = 5
"""More failures of services than this..."""
FAILURES_WINDOW_S = 60.0
"""...within so many seconds end the running job or, when there is none, the cluster."""


@dataclass(frozen=True)
class Process:
    """A process that cannot be mistaken for a later one with the same number."""

    pid: int
    started: str
    """When, in ticks of the kernel's clock."""

    @classmethod
    def of(cls, pid: int) -> Process:
        return cls(pid, _started(pid))

    @property
    def alive(self) -> bool:
        return self.started != "" and _started(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless the process is gone."""
        if self.alive:
            os.kill(self.pid, number)


def _started(pid: int) -> str:
    """Return when a process began, "" when there is none or it waits to be buried."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    state, *rest = text.rpartition(")")[2].split()
    return "" if state == "Z" else rest[18]


@dataclass(frozen=True)
class Service:
    """One service of a local cluster, as the state file has it."""

    name: str
    kind: str
    process: Process
    pages: str
    """host:port of /metrics, /healthz and /readyz."""
    restarts: int


@dataclass(frozen=True)
class State:
    """What runs, as the supervisor wrote it."""

    supervisor: Process
    memory_uri: str
    trainer_uri: str
    store: str
    services: list[Service] = field(default_factory=list)

    @property
    def actors(self) -> list[Service]:
        return [each for each in self.services if each.kind == "actor"]


def read_state(folder: Path) -> State | None:
    """Return what runs in a folder, None when nothing does: what a killed supervisor left behind does not count."""
    state = read_left_state(folder)
    return state if state is not None and state.supervisor.alive else None


def read_left_state(folder: Path) -> State | None:
    """Return what the state file says, whether or not it is still true. Raises UserError when it is none."""
    path = folder / STATE
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        services = [Service(**{**each, "process": Process(**each["process"])}) for each in plain.pop("services")]
        return State(**{**plain, "supervisor": Process(**plain["supervisor"]), "services": services})
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{path} is no state of a cluster ({error}): delete it, and end what still runs") from None


def want_actors(folder: Path, number: int) -> None:
    """Tell the supervisor how many actors there are to be."""
    write_whole(folder / WANTED, str(number).encode())


def remove_all(folder: Path) -> None:
    """Delete all that a cluster that has ended has in its folder, and the folder if nothing else is in it."""
    for name in (STORE, KEYS, JOURNAL):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (LOG, STATE, WANTED, LOCK):
        (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # something of the user's is in it, or it was never there
        folder.rmdir()


class Supervisor:
    """Keeps the services of a local cluster running.

    Args:
        folder: the cluster's.
        actor_num: how many actors at first.
        first_port: the first of the TCP ports that services listen on, 0: any that are free.
    """

    def __init__(self, folder: Path, actor_num: int, first_port: int) -> None:
        self._folder = folder
        self._ports = _ports(first_port)
        self._stop = threading.Event()
        self._memory_uri = f"tcp://{HOST}:{next(self._ports)}"
        self._trainer_uri = f"tcp://{HOST}:{next(self._ports)}"
        self._pages: dict[str, str] = {}
        """By name of a service; it stays where it is when it is started anew."""
        self._children: list[Child] = []
        self._failures: deque[float] = deque(maxlen=FAILURES_MAX)
        self._written: State | None = None
        want_actors(folder, actor_num)

    def run(self) -> None:
        """Start the services, keep them running until asked to stop, and end them in order."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        make_keys(self._folder / KEYS)
        try:
            self._start("memory", "memory")
            self._start("learner", "learner")
            while not self._stop.is_set():
                self._keep_going()
                self._scale()
                self._write_state()
                self._stop.wait(LOOK_EVERY_S)
            self._drain()
        finally:
            for child in self._children:
                child.kill()
            for path in (self._folder / STATE, *self._folder.glob("*.report")):
                path.unlink(missing_ok=True)

    def _start(self, kind: Kind, name: str) -> None:
        self._children.append(Child(kind, self._settings(kind, name), _say))

    def _keep_going(self) -> None:
        for i, child in enumerate(self._children):
            try:
                child.revive()
            except ClusterError as error:
                self._count_failure(child.name, error)
                _say(f"{child.name} has failed, and is started anew: {error}")
                self._children[i] = Child(child.kind, self._settings(child.kind, child.name), _say)

    def _count_failure(self, name: str, error: ClusterError) -> None:
        """Take note of a failure. Raises what cannot go on: it is not the job's, which would be given up."""
        if isinstance(error, UserError):
            raise error
        now_s = time.monotonic()
        if len(self._failures) == FAILURES_MAX and now_s - self._failures[0] < FAILURES_WINDOW_S:
            if not self._give_up_job(f"it ended {name} again and again: {error}"):
                raise error
            self._failures.clear()
        self._failures.append(now_s)

    def _give_up_job(self, reason: str) -> bool:
        """End the running job, so that the next one has its turn; False: there is none."""
        with contextlib.closing(open_board(f"dir://{self._folder / STORE}")) as board:
            job = board.running()
            return job is not None and board.end(job.id, job.life, JobState.FAILED, reason)

    def _scale(self) -> None:
        wanted = int((self._folder / WANTED).read_text(encoding="ascii"))
        actors = [child for child in self._children if child.kind == "actor"]
        for number in range(len(actors), wanted):
            self._start("actor", f"actor-{number}")
        self._end(actors[wanted:])

    def _drain(self) -> None:
        """End the services in the order in which data flows, so that all of it arrives."""
        for kind in ("actor", "learner", "memory"):
            self._end([child for child in self._children if child.kind == kind])

    def _end(self, children: list[Child]) -> None:
        for child in children:
            child.ask_to_end()
        for child in children:
            child.end(DRAIN_TIMEOUT_S + END_AFTER_DRAIN_S)
            self._children.remove(child)

    # --- what each is told

    def _settings(self, kind: Kind, name: str) -> ActorSettings | MemorySettings | LearnerSettings:
        common: dict[str, Any] = {
            "board": True,
            "name": name,
            "memory_uri": self._memory_uri,
            "trainer_uri": self._trainer_uri,
            "store": f"dir://{self._folder / STORE}",
            "keys_dir": str(self._folder / KEYS / kind),
            "metrics_bind": self._pages_of(name),
            "drain_timeout_s": DRAIN_TIMEOUT_S,
            "report_file": str(self._folder / f"{name}.report"),
            "exit_with_stdin": True,
        }
        if kind == "actor":
            return ActorSettings(**common)
        journal_dir = str(self._folder / JOURNAL / name)
        if kind == "memory":
            return MemorySettings(**common, journal_dir=journal_dir)
        return LearnerSettings(**common, journal_dir=journal_dir)

    def _pages_of(self, name: str) -> str:
        if name not in self._pages:
            self._pages[name] = f"{HOST}:{next(self._ports)}"
        return self._pages[name]

    def _write_state(self) -> None:
        services = [
            Service(child.name, child.kind, Process.of(child.pid), self._pages[child.name], child.restarts)
            for child in self._children
        ]
        state = State(
            Process.of(os.getpid()), self._memory_uri, self._trainer_uri, f"dir://{self._folder / STORE}", services
        )
        if state != self._written:
            write_whole(self._folder / STATE, json.dumps(asdict(state), indent=2).encode())
            self._written = state


def _ports(first: int) -> Iterator[int]:
    """Yield ports that nobody listens on. Raises SettingError for one that is in use."""
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, first))
            except OSError as error:
                raise SettingError(f"port {first} cannot be used: {error.strerror}; choose others: --port") from None
            yield probe.getsockname()[1]
        first += bool(first)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock as long as this process lives. Raises UserError when another one has it."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"a cluster runs in {path.parent} already") from None
        yield


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def main() -> int:
    """Supervise until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description="Keep a cluster on this machine running; srl up starts this.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--actors", type=int, default=2)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    folder = options.folder.absolute()
    try:
        with _locked(folder / LOCK):
            Supervisor(folder, options.actors, options.port).run()
    except ClusterError as error:
        print(f"{ERROR_PREFIX}{error}", file=sys.stderr)
        return EXIT_USER
    return 0


if __name__ == "__main__":
    sys.exit(main())
