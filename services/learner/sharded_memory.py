"""What `self.memory` is for a Trainer in a learner with several memory services, each with a part of the items.

A batch comes from one shard. Which one is drawn, in proportion to what the shards' Beats say: the priorities of all
items added up where the Memory has such, else the number of items. So every item is as likely as in one Memory. If no
batch of the drawn shard is here, training waits for it a moment, lest a slow shard be drawn from too seldom. One that
has given none for longer is left out, and so is one whose limiter withholds batches: it gives them as fast as its items
come, and whoever waited for it would hold back the actors of all other shards. Batches of a function that consumes are
taken in turns, from the shards of which one is here.

A send function goes to the shard that the last batch came from, whichever recv function brought it; before the first
batch, to all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from services.learner.remote_memory import WAIT_SLICE_S, no_such_function

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

    from services.learner.remote_memory import RemoteMemory
    from srl.base.rl.memory import RLMemory

SEPARATOR = "@"
"""Between a recv function and the number of a shard, in the position of a snapshot: sample@1."""


class ShardedMemory:
    """The stand-in for the author's Memory.

    Args:
        memory: an instance of the author's Memory, for what it registers.
        shards: the Memory of each shard.
        listen: waits for the first message of any shard, at most so many seconds.
        clock: seconds, monotonic.
        rng: draws shards.
    """

    def __init__(
        self,
        memory: RLMemory[Any],
        shards: Sequence[RemoteMemory],
        listen: Callable[[float], object],
        clock: Callable[[], float],
        rng: random.Random,
    ) -> None:
        self._name = type(memory).__name__
        self._functions = (*memory.get_trainer_recv_funcs(), *memory.get_trainer_send_funcs())
        self._shards = tuple(shards)
        self._listen = listen
        self._clock = clock
        self._rng = rng
        self._last: tuple[RemoteMemory, ...] = self._shards
        """Where a send function goes."""
        self._drawn: dict[str, RemoteMemory] = {}
        """By recv function, the shard whose batch is waited for."""
        self._line = list(self._shards)
        """Who waited longest to be taken from comes first."""
        self.wait_s = 0.0
        for name, recv in memory.get_trainer_recv_funcs().items():
            setattr(self, name, self._recv_endpoint(name, self._next if recv.consumes else self._draw))
        for name in memory.get_trainer_send_funcs():
            setattr(self, name, self._send_endpoint(name))

    def __getattr__(self, name: str) -> NoReturn:
        raise no_such_function(name, self.__dict__.get("_name", ""), self.__dict__.get("_functions", ()))

    def length(self) -> int:
        """Return the number of items in all shards, as far as their hosts have said; -1 before."""
        lengths = [shard.length() for shard in self._shards]
        return -1 if max(lengths) < 0 else sum(max(0, length) for length in lengths)

    @property
    def taken(self) -> int:
        return sum(shard.taken for shard in self._shards)

    # --- what the learner's loop uses

    def between_trains(self) -> None:
        """Nothing to do: the memory services serve the actors."""

    def poll(self) -> None:
        """Take in what has come, and ask for more where there is room."""
        for shard in self._shards:
            shard.poll()

    def wait(self, timeout_s: float) -> None:
        """Wait for a message, at most `timeout_s`."""
        start_s = self._clock()
        self._listen(timeout_s)
        self.wait_s += self._clock() - start_s
        self.poll()

    def consumed(self) -> dict[str, int]:
        """Return by recv function and shard the last batch that was trained on."""
        return {
            f"{name}{SEPARATOR}{number}": position
            for number, shard in enumerate(self._shards)
            for name, position in shard.consumed().items()
        }

    def release(self, position: Mapping[str, int]) -> None:
        """Tell the hosts that a stored snapshot contains the batches up to `position`."""
        for number, shard in enumerate(self._shards):
            shard.release(position_of(position, number))

    @property
    def checkpoint_due(self) -> bool:
        """Never: the memory services see to their own journals."""
        return False

    def checkpoint(self) -> None:
        """Nothing to do, as `checkpoint_due` says."""

    def checkpoint_if_due(self) -> None:
        """Nothing to do, as `checkpoint_due` says."""

    def drain(self) -> None:
        """Wait until all calls are acknowledged, or the time is over; then leave."""
        while any(shard.delivers for shard in self._shards):
            self.wait(WAIT_SLICE_S)
        for shard in self._shards:
            shard.drain()

    def metrics(self) -> dict[str, Any]:
        """Return those of the shards, added up."""
        return _added_up([shard.metrics() for shard in self._shards])

    def close(self) -> None:
        """Close the connections."""
        for shard in self._shards:
            shard.close()

    # --- what the Trainer uses

    def _recv_endpoint(self, name: str, choose: Callable[[str], RemoteMemory | None]) -> Callable[[], Any]:
        def recv() -> Any:
            shard = choose(name)
            if shard is None:
                self.poll()
                shard = choose(name)
            if shard is None:
                return None
            self._last = (shard,)
            return getattr(shard, name)()

        recv.__name__ = name
        return recv

    def _send_endpoint(self, name: str) -> Callable[..., None]:
        def send(*args: Any, **kwargs: Any) -> None:
            for shard in self._last:
                getattr(shard, name)(*args, **kwargs)

        send.__name__ = name
        return send

    def _next(self, name: str) -> RemoteMemory | None:
        """Choose in turns among the shards that have a batch."""
        shard = next((shard for shard in self._line if shard.has_batch(name)), None)
        if shard is not None:
            self._line.remove(shard)
            self._line.append(shard)
        return shard

    def _draw(self, name: str) -> RemoteMemory | None:
        """Choose in proportion to weight, for as long as it takes the chosen one; None: it has no batch yet."""
        drawn = self._drawn.pop(name, None)
        if drawn is None or not drawn.gives(name):
            giving = [shard for shard in self._shards if shard.gives(name)]
            if not giving:
                return None
            weights = [shard.weight for shard in giving]
            drawn = self._rng.choices(giving, weights if sum(weights) > 0 else None)[0]
        if drawn.has_batch(name):
            return drawn
        self._drawn[name] = drawn
        return None


def position_of(position: Mapping[str, int], shard: int) -> dict[str, int]:
    """Return the part of a snapshot's position that is about one shard, by recv function."""
    ending = f"{SEPARATOR}{shard}"
    return {name.removesuffix(ending): number for name, number in position.items() if name.endswith(ending)}


def _added_up(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    total: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            if isinstance(value, dict):
                total[name] = _added_up([total.get(name, {}), value])
            else:
                total[name] = total.get(name, 0) + value
    return total
