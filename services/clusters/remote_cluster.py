"""A cluster elsewhere, seen from a client: a job on its board, what its services report there, and its snapshots.

Nothing else is needed of the network: a client talks to the board and the store, and to no service.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Self

from services import snapshot as snapshots
from services.jobs.job import Job
from srl_common.errors import ClusterError, StorageError, UserError
from srl_common.job_board import JobEntry, JobState, open_board, snapshot_name
from srl_common.messages import Role, View
from srl_common.snapshots import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from services.snapshot import LearnerState
    from srl.base.rl.trainer import RLTrainer
    from srl_common.job_board import JobBoard
    from srl_common.snapshots import SnapshotStore

LOOK_EVERY_S = 0.5
STOP_TIMEOUT_S = 60.0
"""How long to wait for the end of a job that was asked to stop."""
HAND_OVER_TIMEOUT_S = 10.0
"""How long to wait for what actor 0 hands over at the end of a job; it may be gone, or may not write."""
SILENT_AFTER_S = 10.0
"""A running job whose learner has reported nothing for so long, or one that so long nobody takes, waits for one."""
_LEARNER_UP = " (is the cluster's learner up?)"
OVER = frozenset({JobState.ENDED, JobState.STOPPED, JobState.FAILED})


class JobFailedError(UserError):
    """The cluster gave the job up. The text has what the service reported, with the author's traceback."""


class RemoteCluster:
    """One job of a cluster.

    Args:
        board, store: the cluster's; `close` closes them.
        job_id: of the job, which must be there.
        say: shows a line to the user.
    """

    interrupt_text = "interrupted: asking the job to stop, and bringing back what has been learned"
    restarts = 0
    """Not known here."""

    def __init__(self, board: JobBoard, store: SnapshotStore, job_id: str, say: Callable[[str], None]) -> None:
        self._board = board
        self._store = store
        self._say = say
        self._next_look_s = 0.0
        self._away = ""
        self._reports: Mapping[str, Mapping[str, Any]] = {}
        self._heard = (0.0, time.monotonic())
        """When the learner reported last, by its clock and by ours."""
        self._idle_since_s = time.monotonic()
        """Since when the job waits though no other is being trained."""
        self.entry = board.entry(job_id)
        self.waiting = ""
        self.view = View({}, {})

    @classmethod
    def submit(
        cls,
        cluster: str,
        job: Job,
        say: Callable[[str], None],
        trainer: RLTrainer[Any, Any, Any] | None = None,
        keys_dir: str = "",
    ) -> Self:
        """Post a job at the cluster of that address. It begins where `trainer` stands, None: anew.

        Raises UserError when there is no board, or no store.
        """
        with _opened(cluster, keys_dir) as (board, store):
            job_id = board.new_id()
            name = snapshot_name(job_id)
            if trainer is not None:
                epoch = store.claim_epoch(name)
                first = snapshots.take(trainer.parameter, epoch, trainer.train_count, {}, 0.0, trainer)
                store.publish(name, first)
            try:
                board.submit(job_id, job.pack(), job.name, job.digest)
            except ClusterError:
                with contextlib.suppress(StorageError):
                    if job_id not in {entry.id for entry in board.entries()}:  # only its answer may have been lost
                        store.delete(name)
                raise
            return cls(board, store, job_id, say)

    @classmethod
    def follow(cls, cluster: str, job_id: str, say: Callable[[str], None], keys_dir: str = "") -> Self:
        """Look at a job that was posted before; "": the newest. Raises UserError when it is not there."""
        with _opened(cluster, keys_dir) as (board, store):
            if not job_id:
                entries = board.entries()
                if not entries:
                    raise UserError("the cluster has no job yet: post one with Runner.train_cluster or srl submit")
                job_id = entries[-1].id
            return cls(board, store, job_id, say)

    def refreshed(self) -> JobEntry:
        """Return what the board knows of the job now."""
        self.entry = self._board.entry(self.entry.id)
        return self.entry

    def job(self) -> Job:
        """Return the job itself. Raises CorruptError when it was made by another version of SRL."""
        return Job.unpack(self._board.fetch(self.entry.id), self.entry.digest)

    # --- while it waits and runs

    @property
    def is_over(self) -> bool:
        return self.entry.state in OVER

    @property
    def end_reason(self) -> str:
        return (self.entry.reason or str(self.entry.state)) if self.is_over else ""

    @property
    def learner(self) -> dict[str, Any]:
        return dict(self._reports.get("learner", {}))

    @property
    def actors(self) -> dict[str, dict[str, Any]]:
        return {name: each for name, each in self.view.clients.items() if each.get("role") == Role.ACTOR}

    def watch(self, timeout_s: float) -> None:
        """Wait `timeout_s`, and look at the board when due. Raises JobFailedError for a job that has failed.

        While the board cannot be reached, that is said, and training goes on.
        """
        time.sleep(timeout_s)
        if time.monotonic() >= self._next_look_s:
            self.look()

    def look(self) -> None:
        """Look at the board now."""
        self._next_look_s = time.monotonic() + LOOK_EVERY_S
        try:
            self.refreshed()
            self._reports = self._board.reports(self.entry.id)
            waiting = self._place_in_line()
        except StorageError as error:
            self._note_away(f"the cluster cannot be seen: {error}")
            return
        self._note_away("")
        self.view = _view(self._reports)
        self.waiting = waiting or self._silence()
        if self.entry.state is JobState.FAILED:
            raise JobFailedError(f"job {self.entry.id} has failed: {self.entry.reason}")

    def _note_away(self, text: str) -> None:
        if text and not self._away:
            self._say(f"{text}; waiting for it: training goes on")
        elif self._away and not text:
            self._say("the cluster can be seen again")
        self._away = text

    def _place_in_line(self) -> str:
        if self.entry.state is not JobState.WAITING:
            return ""
        running = self._board.running()
        waiting = [each for each in self._board.entries() if each.state is JobState.WAITING]
        before = sum(each.submitted_s < self.entry.submitted_s for each in waiting)
        now_s = time.monotonic()
        if running is not None:
            self._idle_since_s = now_s
        is_long = now_s - self._idle_since_s >= SILENT_AFTER_S
        return f"job {self.entry.id} waits: {_line_text(running, before)}{_LEARNER_UP if is_long else ''}"

    def _silence(self) -> str:
        """Return what is to be said when the learner has said nothing for some time."""
        now_s, reported_s = time.monotonic(), float(self.learner.get("reported_s", 0.0))
        if reported_s != self._heard[0] or self.entry.state is not JobState.RUNNING:
            self._heard = (reported_s, now_s)
        silent_s = now_s - self._heard[1]
        return "" if silent_s < SILENT_AFTER_S else f"the learner has reported nothing for {silent_s:.0f} s"

    # --- end

    def stop(self) -> None:
        """Ask the job to stop; what waits is stopped at once."""
        self.entry = self._board.ask_to_stop(self.entry.id)

    def drain(self) -> None:
        """Ask the job to stop if it is not over, and wait until it is, for a minute at most."""
        if self.is_over:
            return
        try:
            self.stop()
        except StorageError as error:
            self._say(f"job {self.entry.id} could not be asked to stop: {error}")
            return
        deadline_s = time.monotonic() + STOP_TIMEOUT_S
        while not self.is_over and time.monotonic() < deadline_s:
            self.watch(LOOK_EVERY_S)
        if not self.is_over:
            self._say(f"job {self.entry.id} has not stopped within {STOP_TIMEOUT_S:.0f} s: are its services up?")

    def learner_state(self) -> LearnerState | None:
        """Return what the newest snapshot holds, None when there is none, or while the store cannot be reached.

        Raises StorageError when it cannot be reached though the job is over: what was learned would be lost.
        """
        return self._newest(self.entry.snapshot_name)

    def worker_parameter(self) -> Any:
        """Return the backup of actor 0's own Parameter, None where it has handed none over: that is after the end."""
        name = snapshots.worker_job(self.entry.snapshot_name)
        if self.entry.state in {JobState.ENDED, JobState.STOPPED}:
            self._store.wait_for_newer(name, None, HAND_OVER_TIMEOUT_S)
        newest = self._newest(name)
        return None if newest is None else newest.parameter

    def _newest(self, name: str) -> LearnerState | None:
        try:
            newest = self._store.latest(name)
        except StorageError:
            if self.is_over:
                raise
            return None
        return None if newest is None else snapshots.learner_state(newest)

    def memory_checkpoint(self) -> dict[str, Any]:
        """Return none: the Memory stays where it is."""
        return {"memory": None}

    def close(self) -> None:
        """Close the connections; the job goes on."""
        self._board.close()
        self._store.close()


@contextlib.contextmanager
def _opened(cluster: str, keys_dir: str) -> Iterator[tuple[JobBoard, SnapshotStore]]:
    """Yield the board and the store of a cluster; they are closed after an error."""
    with contextlib.ExitStack() as opened:
        board = open_board(cluster, keys_dir)
        opened.callback(board.close)
        store = open_store(cluster, keys_dir)
        opened.callback(store.close)
        yield board, store
        opened.pop_all()


def _line_text(running: JobEntry | None, before: int) -> str:
    others = f"{before} wait before it" if before > 1 else "1 waits before it" if before else ""
    if running is not None:
        return ", ".join(filter(None, [f"job {running.id} ({running.name}) is being trained", others]))
    return others or "nobody has taken it yet"


def _view(reports: Mapping[str, Mapping[str, Any]]) -> View:
    """Return what all memory services say together: lengths add up, and clients of one name are one."""
    hosts = [each for name, each in reports.items() if name.partition("-")[0] == "memory"]
    host: dict[str, Any] = {}
    clients: dict[str, dict[str, Any]] = {}
    for each in hosts:
        for name, value in each.get("host", {}).items():
            adds_up = type(value) in {int, float} and name in host
            host[name] = host[name] + value if adds_up else value
        clients |= each.get("clients", {})
    return View(host, clients)
