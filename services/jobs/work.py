"""The job that a service works for, as its loop sees it: when to stop, what to report, whom to tell of its end."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from srl_common.errors import ClusterError, UnknownJobError
from srl_common.job_board import JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from services.hosting.host import MemoryHost
    from srl_common.job_board import JobBoard, JobEntry
    from srl_common.service import Stop

log = logging.getLogger("srl")

LOOK_EVERY_S = 0.5
REPORT_EVERY_S = 1.0
TAKE_NOTE_EVERY_S = 0.25
KEEP_EVERY_S = 10.0
"""How often a report goes into the history at first..."""
KEEP_AGES = 0.002
"""...and later, in ages of the job: the history of a long one keeps its beginning, and does not fill the board."""
CLOSE_TIMEOUT_S = 10.0
REASON_LENGTH_MAX = 16_000
AS_ASKED = (JobState.STOPPED, "asked to stop")
"""How a job ends that somebody wants to end."""


class Work:
    """A job that is on no board: it lasts until somebody asks the service to end.

    Args:
        stop: the wish that the service leaves this job.
    """

    on_board = False

    def __init__(self, stop: Stop) -> None:
        self.stop = stop
        self.stop_asked = False
        """Somebody wants the job to end; the learner sees to it."""
        self.tuning: Mapping[str, Any] = {}
        """Values that were set for the job while it runs."""

    def shared_digest(self, digest: str) -> str:
        """Return what services that work together have in common and others have not; `digest` is the job's."""
        return digest

    def wants_report(self, service: str) -> bool:
        """Tell whether it is time for `report`."""
        return False

    def report(self, service: str, counters: Mapping[str, Any]) -> None:
        """Take note of how the job is going."""

    def ask_to_stop(self) -> None:
        """Ask for the job's end, as a person may; where there is no board, those who watch the service see to it."""

    def end(self, state: JobState, reason: str) -> None:
        """See to it that others learn that the job is over; when they have, `stop` is asked."""


class BoardWork(Work):
    """The running job of a board, which is followed in a thread of its own: a board that is slow stalls no loop.

    Args:
        board: used by this thread and by the one that made it.
        entry: the job, and the life of it that is worked for.
        stop: asked as soon as that life is over.
    """

    on_board = True

    def __init__(self, board: JobBoard, entry: JobEntry, stop: Stop) -> None:
        super().__init__(stop)
        self._board = board
        self._entry = entry
        self.stop_asked = entry.stop_asked
        self.over = False
        """This life of the job runs no longer."""
        self._wants_stop = False
        self._ending: tuple[JobState, str] | None = None
        self._reports: dict[str, Mapping[str, Any]] = {}
        self._unposted: set[str] = set()
        self._next_note_s: dict[str, float] = {}
        self._next_report_s = 0.0
        self._next_keep_s = time.monotonic() + KEEP_EVERY_S
        self._failing: set[str] = set()
        self._closing = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="board", daemon=True)
        self._thread.start()

    def shared_digest(self, digest: str) -> str:
        """Return the life and the job's digest: who still works for an earlier life has another Memory."""
        return f"life-{self._entry.life}-{digest}"

    def wants_report(self, service: str) -> bool:
        """Tell whether it is time for `report`: not when the job is over, and its clients leave."""
        return not self.over and time.monotonic() >= self._next_note_s.get(service, 0.0)

    def report(self, service: str, counters: Mapping[str, Any]) -> None:
        """Have the counters posted soon, unless newer ones come before that."""
        self._next_note_s[service] = time.monotonic() + TAKE_NOTE_EVERY_S
        self._reports = {**self._reports, service: counters}
        self._unposted = {*self._unposted, service}

    def ask_to_stop(self) -> None:
        """Have the wish posted."""
        self._wants_stop = True

    def end(self, state: JobState, reason: str) -> None:
        """Have the end posted, again and again until the board has it. The first call counts."""
        if self._ending is None:
            self._ending = (state, shortened(reason))
            self._wake.set()

    def close(self) -> None:
        """Post the last report, and end the thread."""
        self._closing = True
        self._wake.set()
        self._thread.join(CLOSE_TIMEOUT_S)

    # --- the thread

    def _follow(self) -> None:
        while not self._closing:
            self._try("report", self._report)
            self._try("stop", self._post_wish)
            self._try("end", self._post_end)
            self._try("look", self._look)
            self._wake.wait(LOOK_EVERY_S)
            self._wake.clear()
        self._try("end", self._post_end)
        self._try("report", self._post_all)

    def _try(self, name: str, step: Callable[[], bool]) -> None:
        """Do a step, which returns whether it has asked the board; what fails is said once."""
        try:
            asked = step()
        except UnknownJobError:
            self._leave()  # deleted, or the board was emptied
        except ClusterError as error:
            if name not in self._failing:
                log.warning("the job goes on though its board is not up to date: %s", error)
            self._failing.add(name)
        else:
            if asked:
                self._failing.discard(name)

    def _look(self) -> bool:
        entry = self._board.entry(self._entry.id)
        mine = self._entry
        # A board that lost its jobs counts anew: a number and a life may come again, a time does not.
        if entry.state is not JobState.RUNNING or (entry.life, entry.begun_s) != (mine.life, mine.begun_s):
            self._leave()
        else:
            self.stop_asked = entry.stop_asked
            self.tuning = self._board.tuning(entry.id)
        return True

    def _leave(self) -> None:
        self.over = True
        self.stop.ask()

    def _post_wish(self) -> bool:
        if not self._wants_stop or self.stop_asked or self.over:
            return False
        self.stop_asked = self._board.ask_to_stop(self._entry.id).stop_asked
        return True

    def _post_end(self) -> bool:
        if self._ending is None or self.over:
            return False
        self._post_all()
        return self._board.end(self._entry.id, self._entry.life, *self._ending)

    def _report(self) -> bool:
        now_s = time.monotonic()
        if now_s < self._next_report_s or not self._unposted:
            return False
        self._next_report_s = now_s + REPORT_EVERY_S
        keep = now_s >= self._next_keep_s
        if keep:
            self._next_keep_s = now_s + max(KEEP_EVERY_S, KEEP_AGES * (time.time() - self._entry.begun_s))
        unposted, self._unposted = self._unposted, set()
        for service in unposted:
            self._board.report(self._entry.id, service, self._reports[service], keep=keep)
        return True

    def _post_all(self) -> bool:
        """Post what was reported last, for the history too, and once."""
        for service, counters in self._reports.items():
            self._board.report(self._entry.id, service, counters, keep=True)
        self._reports, self._unposted = {}, set()
        return True


def attend(host: MemoryHost, work: Work, service: str = "memory") -> None:
    """Do what falls to a job's host: hand values on, and see to the failures of its clients, and its own reports."""
    if work.tuning:
        host.tune(work.tuning)
    if host.is_ended_by_actor():
        work.ask_to_stop()
    for error in host.errors():
        work.end(JobState.FAILED, error)
    if work.wants_report(service):
        view = host.view()
        work.report(service, {"host": view.host, "clients": view.clients})


def shortened(reason: str) -> str:
    """Return a reason of bounded length: where the failure was, and the end of the traceback."""
    if len(reason) <= REASON_LENGTH_MAX:
        return reason
    first = reason.partition("\n")[0][: REASON_LENGTH_MAX // 4]
    return f"{first}\n[...]\n{reason[-REASON_LENGTH_MAX // 2 :]}"
