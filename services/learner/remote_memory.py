"""What `self.memory` is for a Trainer in a learner: the registered recv and send functions, and `length`.

A recv function answers from a window of batches that the memory service keeps full; None means that none is here yet. A
send function is a call that is acknowledged; with too many under way it blocks.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Any, NoReturn

from srl_common.errors import EncodeError
from srl_common.messages import Batch, Form, Pull

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from srl.base.rl.memory import RLMemory
    from srl_common.link import Link

ASK_AGAIN_AFTER_S = 0.5
WAIT_SLICE_S = 0.05
HELLO_AGAIN_AFTER_S = 2.0
PATIENCE_S = 0.2
"""Of several memory services, one that has given no batch for so long is not waited for."""


def no_such_function(name: str, memory: str, functions: Sequence[str]) -> AttributeError:
    """Return the error for a name that a Trainer's memory has not: it says what is there, and what to do."""
    return AttributeError(
        f"a learner's memory has no '{name}': it has what {memory}.setup registers with "
        f"register_trainer_recv_func and register_trainer_send_func ({', '.join(functions) or 'nothing'}), and length"
    )


class Window:
    """The batches of one recv function: numbered by the memory service, taken in that order.

    Args:
        start: number of the last batch that the snapshot contains from which training resumes.
        size: batches that may wait here.
    """

    def __init__(self, start: int, size: int) -> None:
        self._size = size
        self._waiting: deque[Any] = deque()
        self.received = start
        self.consumed = start
        self.released = start
        self.wanted = start

    def put(self, batch: Batch) -> bool:
        """Take in a batch; one that came before is dropped. False: one in between is missing."""
        if batch.number == self.received + 1:
            self.received = batch.number
            self._waiting.append(batch.value)
        return batch.number <= self.received

    def take(self) -> Any:
        """Return the next batch, or None."""
        if not self._waiting:
            return None
        self.consumed += 1
        return self._waiting.popleft()

    @property
    def waiting(self) -> int:
        """How many batches are here that were not taken."""
        return len(self._waiting)

    @property
    def should_pull(self) -> bool:
        """Whether at least half of the window is free and not yet asked for."""
        return self.consumed + self._size - self.wanted >= (self._size + 1) // 2

    def pull(self) -> int:
        """Return up to which number batches are wanted now."""
        self.wanted = self.consumed + self._size
        return self.wanted


class RemoteMemory:
    """The stand-in for the author's Memory.

    Args:
        memory: an instance of the author's Memory, for what it registers.
        position: by recv function, the last batch that the snapshot contains from which training resumes.
        prefetch_batches: batches prepared ahead, by recv function.
        clock: seconds, monotonic.
        give_up: tells a blocked call that the time to drain is over.
    """

    def __init__(
        self,
        memory: RLMemory[Any],
        position: Mapping[str, int],
        prefetch_batches: int,
        clock: Callable[[], float],
        give_up: Callable[[], bool],
    ) -> None:
        self._name = type(memory).__name__
        self._clock = clock
        self._give_up = give_up
        self._link: Link | None = None
        self._windows = {
            name: Window(position.get(name, 0), prefetch_batches) for name in memory.get_trainer_recv_funcs()
        }
        self._sends = tuple(memory.get_trainer_send_funcs())
        self.taken = 0
        """How many batches the Trainer has taken: when a train() took none, waiting is better than training."""
        self.wait_s = 0.0
        self._ask_again_s = 0.0
        self._heard_of_batch_s = clock()
        self._arrived_s: dict[str, float] = {}
        """By recv function, when the last batch came."""
        for name, recv in memory.get_trainer_recv_funcs().items():
            setattr(self, name, self._recv_endpoint(name, self._windows[name], recv.decode))
        for name in self._sends:
            setattr(self, name, self._send_endpoint(name))

    def connect(self, link: Link) -> None:
        """Use `link` from now on."""
        self._link = link

    @property
    def link(self) -> Link:
        assert self._link is not None
        return self._link

    def length(self) -> int:
        """Return the Memory's length as its host last said, -1 before."""
        return int(self.link.host_counters.get("memory_length", -1))

    def __getattr__(self, name: str) -> NoReturn:
        functions = (*self.__dict__.get("_windows", ()), *self.__dict__.get("_sends", ()))
        raise no_such_function(name, self.__dict__.get("_name", ""), functions)

    # --- what one of several shards is asked

    def has_batch(self, name: str) -> bool:
        """Tell whether a batch of that recv function is here."""
        return self._windows[name].waiting > 0

    def gives(self, name: str) -> bool:
        """Tell whether a batch of that recv function is here, or is worth waiting for.

        It is not where the host withholds batches until items have come: no patience makes them more.
        """
        if self.has_batch(name):
            return True
        recent = self._clock() - self._arrived_s.get(name, -math.inf) < PATIENCE_S
        return recent and not self.link.host_counters.get("withholds")

    @property
    def weight(self) -> float:
        """How likely batches are to come from here, in proportion to other shards, as the host last said."""
        counters = self.link.host_counters
        return max(0.0, float(counters.get("priority_mass", self.length())))

    # --- what the learner's loop uses

    def poll(self) -> None:
        """Take in what has come, and ask for more where there is room."""
        for message in self.link.poll():
            self._take_in(message)
        if self.link.welcomed:
            self._pull()

    def wait(self, timeout_s: float) -> None:
        """Wait for a message, at most `timeout_s`."""
        start_s = self._clock()
        for message in self.link.wait(timeout_s):
            self._take_in(message)
        self.wait_s += self._clock() - start_s
        self.poll()

    def _pull(self) -> None:
        now_s = self._clock()
        again = now_s >= self._ask_again_s
        if again:
            # A Pull or a Batch may have been lost with a connection: ask again, and after a while say Hello again.
            self._ask_again_s = now_s + ASK_AGAIN_AFTER_S
            if now_s >= self._heard_of_batch_s + HELLO_AGAIN_AFTER_S:
                self._heard_of_batch_s = now_s
                self.link.say_hello_again()
                return
        for name, window in self._windows.items():
            if window.should_pull or again:
                self.link.send(Pull(name, window.pull(), window.released))

    def positions(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return (released, received) by recv function, for Hello; what was asked for is to be asked for again."""
        for window in self._windows.values():
            window.wanted = window.received
        return (
            {name: window.released for name, window in self._windows.items()},
            {name: window.received for name, window in self._windows.items()},
        )

    def between_trains(self) -> None:
        """Nothing to do: the memory service serves the actors."""

    @property
    def checkpoint_due(self) -> bool:
        """Never: the memory service sees to its own journal."""
        return False

    def checkpoint(self) -> None:
        """Nothing to do, as `checkpoint_due` says."""

    def checkpoint_if_due(self) -> None:
        """Nothing to do, as `checkpoint_due` says."""

    @property
    def delivers(self) -> bool:
        """Whether calls are not acknowledged yet, and it is not too late to wait for that."""
        return self.link.unacked > 0 and not self.link.refused and not self._give_up()

    def drain(self) -> None:
        """Wait until all calls are acknowledged, or the time is over; then leave."""
        while self.delivers:
            self.wait(WAIT_SLICE_S)
        self.link.say_bye()

    def metrics(self) -> dict[str, Any]:
        """Return the values of those of `metrics.LEARNER` that only exist where the Memory is elsewhere."""
        return {
            "srl_batches_waiting": {name: window.waiting for name, window in self._windows.items()},
            "srl_update_wait_seconds_total": self.link.credit_wait_s,
            "srl_updates_unacked": self.link.unacked,
            "srl_memory_services_silent": int(self.link.silent),
        }

    def close(self) -> None:
        """Close the connection."""
        self.link.close()

    def consumed(self) -> dict[str, int]:
        """Return by recv function the last batch that was trained on."""
        return {name: window.consumed for name, window in self._windows.items()}

    def release(self, position: Mapping[str, int]) -> None:
        """Tell the host that a stored snapshot contains the batches up to `position`."""
        for name, window in self._windows.items():
            if position[name] > window.released:
                window.released = position[name]
                self.link.send(Pull(name, window.pull(), window.released))

    def _take_in(self, message: object) -> None:
        if isinstance(message, Batch) and message.endpoint in self._windows:
            self._heard_of_batch_s = self._arrived_s[message.endpoint] = self._clock()
            if not self._windows[message.endpoint].put(message):
                self.link.say_hello_again()

    # --- what the Trainer uses

    def _recv_endpoint(self, name: str, window: Window, decode: Callable[[Any], Any] | None) -> Callable[[], Any]:
        def recv() -> Any:
            value = window.take()
            if value is None:
                self.poll()
                value = window.take()
            elif window.should_pull:
                self.poll()
            if value is None:
                return None
            self.taken += 1
            return value if decode is None else decode(value)

        recv.__name__ = name
        return recv

    def _send_endpoint(self, name: str) -> Callable[..., None]:
        def send(*args: Any, **kwargs: Any) -> None:
            self.link.wait_for_credit(self._give_up)
            try:
                self.link.call(name, Form.CALLS, 1, [(args, kwargs)])
            except EncodeError as error:
                raise EncodeError(f"{self._name}.{name}: an argument cannot travel: {error}") from None

        send.__name__ = name
        return send
