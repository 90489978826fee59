"""Services that a test starts one by one, as an operator would: over tcp on free ports, ended by their own pids."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import ledger

from services import snapshot as snapshots
from services.jobs.job import Job
from srl.base.context import RunContext
from srl.base.env.config import EnvConfig
from srl_common import codec, messages
from srl_common.journal import Journal
from srl_common.settings import variable
from srl_common.snapshots import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from srl.base.rl.config import RLConfig
    from srl_common.snapshots import Version

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DRAIN_S = 5.0
SLACK_S = 50.0
"""A machine under load may be slow; a service that hangs takes longer than this."""


def until(condition: Callable[[], Any], what: str, timeout_s: float = 90.0) -> Any:
    """Return the first true value of `condition`; fail when there is none in time."""
    end_s = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < end_s, f"it never came to this: {what}"
        time.sleep(0.02)
    return value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def job_of(config: RLConfig | None = None, **limits: Any) -> Job:
    rl_config = config or ledger.Config()
    return Job.of(RunContext(env_config=EnvConfig("Grid"), rl_config=rl_config, training=True, **limits))


class Service:
    """One service process. What it says on standard error is in a file."""

    def __init__(self, kind: str, folder: Path, environ: dict[str, str], *args: str, path: str = "") -> None:
        self.kind = kind
        self.metrics_bind = environ.get("SRL_METRICS_BIND", "")
        self._said = folder / f"{kind}-{time.monotonic_ns()}.err"
        import_path = [path, str(ROOT), str(HERE), str(folder)]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SRL_")}
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", f"services.{kind}", *args],
                env={**inherited, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(import_path), **environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                cwd=folder,
            )

    @property
    def said(self) -> str:
        """Return what it has said on standard error so far."""
        return self._said.read_text()

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    def page(self, path: str) -> tuple[int, str]:
        """Return (status, text) of one of its pages; (0, "") when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://{self.metrics_bind}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def metric(self, name: str) -> float:
        """Return the value of a metric, summed over its labels; 0 when it is not there."""
        _, text = self.page("/metrics")
        lines = [line for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, timeout_s: float = DRAIN_S + SLACK_S) -> int:
        """Return the exit code; fail when it does not end in time."""
        self.process.communicate(timeout=timeout_s)
        return self.process.returncode

    def kill(self) -> None:
        """Kill it, and wait until it is gone."""
        self.send(signal.SIGKILL)
        assert self.wait() == -signal.SIGKILL, self.said

    def drain(self) -> None:
        """Ask it to end, and expect that it does, in order."""
        self.send(signal.SIGTERM)
        assert self.wait() == 0, self.said

    def wait_until_ready(self) -> None:
        until(lambda: self.page("/readyz")[0] == 200, f"the {self.kind} is ready: {self.said}")

    def close(self) -> None:
        """End it in any case."""
        if self.runs:
            self.process.kill()
        self.process.communicate()


class Cluster:
    """Services of one job, in one folder. Leaving it leaves none of them behind."""

    def __init__(self, folder: Path, job: Job | None = None, store: str = "") -> None:
        self.folder = folder
        self.job = job or job_of()
        self.job.save(folder / "job")
        self._stack = contextlib.ExitStack()
        self.settings = {
            "job": folder / "job",
            "memory_uri": f"tcp://127.0.0.1:{free_port()}",
            "trainer_uri": f"tcp://127.0.0.1:{free_port()}",
            "store": store or f"dir://{folder}/store",
            "journal_dir": folder / "journal",
            "chunk_items": 16,
            "snapshot_interval_s": 0.1,
            "parameter_interval_s": 0.05,
            "checkpoint_on_exit": 1,
            "drain_timeout_s": DRAIN_S,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self, kind: str, *args: str, path: str = "", **settings: Any) -> Service:
        """Start a service with these settings besides the common ones."""
        own = {"name": kind, "metrics_bind": f"127.0.0.1:{free_port()}", **self.settings, **settings}
        environ = {variable(name): str(value) for name, value in own.items()}
        service = Service(kind, self.folder, environ, *args, path=path)
        self._stack.callback(service.close)
        return service

    def start_all(self, **settings: Any) -> tuple[Service, Service, Service]:
        """Start a memory service, a learner and an actor."""
        memory, learner, actor = (self.start(kind, **settings) for kind in ("memory", "learner", "actor"))
        return memory, learner, actor

    def wait_for_training(self, learner: Service, more: int = 10) -> None:
        """Wait until the learner has trained `more` times more."""
        wanted = learner.metric("srl_train_count_total") + more
        until(lambda: learner.metric("srl_train_count_total") >= wanted, f"trained {more} more: {learner.said}")

    def stored_version(self) -> Version | None:
        """Return (epoch, train_count) of the newest snapshot."""
        store = open_store(self.settings["store"])
        try:
            return store.latest_version("default")
        finally:
            store.close()

    def books(self) -> ledger.Books:
        """Return the books of all that was trained on, with what still waits entered after it; all must have ended."""
        store = open_store(self.settings["store"])
        state = snapshots.learner_state(store.latest("default"))
        store.close()
        books = ledger.Books()
        books.__dict__.update(json.loads(state.parameter))
        with Journal(Path(self.settings["journal_dir"])) as journal:
            checkpoint = codec.unpack(journal.read_checkpoint()[0], codec.UNLIMITED)
        for number, kept in sorted(checkpoint["kept"]["sample"].items()):
            if number > state.position["sample"]:
                for item in messages.decode(codec.split_frames(kept)).value:
                    books.enter(*item)
        for item in checkpoint["memory"] or []:
            books.enter(*item)
        return books
