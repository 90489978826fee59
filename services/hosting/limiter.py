"""The limiter of samples per insert: it holds back whoever is too far ahead, the actors or the learner.

Counting begins with the chunk that brings the number of inserted items to `minimum_items`. From there on,

    ahead = samples - samples_per_insert * inserts,    samples = batches handed out * batch_items

is kept in the band -tolerance <= ahead <= tolerance:

    a chunk of c items waits while     ahead - samples_per_insert * c < -tolerance
    a batch waits while                ahead + batch_items            >  tolerance

**Both never wait at once.** They would for

    tolerance - batch_items < ahead < samples_per_insert * c - tolerance

and there is no such `ahead` if tolerance is at least (samples_per_insert * c + batch_items) / 2. Chunks have at most
`chunk_items` items, so a tolerance that holds for c = chunk_items holds for all; a smaller one is refused. A
batch makes room for chunks and a chunk for batches, so whoever waits goes on as soon as the other side has moved.

Credit does not matter for this: chunks that an actor may have under way are held by the host unacknowledged, in
the order of arrival, and are let in one by one. Nor do batches that wait in the learner: they count when handed out.

**Nobody waits for one that cannot move.** While the Memory has nothing to give though a batch may be handed out, or
what it has is too old, chunks do not wait. While the Memory has no room for more, batches do not wait. `ahead` then
stays at the edge of the band: what the other side could not do is not made up for later. An actor that leaves does
not wait either.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from srl_common.errors import CorruptError, SettingError
from srl_common.settings import variable

if TYPE_CHECKING:
    from collections.abc import Callable

    from srl.base.rl.rate_limit import RateLimit


class Waiting:
    """How long somebody has waited, all in all.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since_s: float | None = None
        self._until_s = -math.inf
        self._ended_s = 0.0

    def note(self, waits: bool) -> None:
        """Say whether somebody waits from now on."""
        if waits and self._since_s is None:
            self._since_s = self._clock()
        elif not waits and self._since_s is not None:
            self._until_s = self._clock()
            self._ended_s += self._until_s - self._since_s
            self._since_s = None

    @property
    def seconds(self) -> float:
        since_s = self._since_s
        return self._ended_s + (0.0 if since_s is None else self._clock() - since_s)

    def within(self, last_s: float) -> bool:
        """Whether somebody has waited in the last `last_s` seconds."""
        return self._since_s is not None or self._clock() - self._until_s < last_s


class Limiter:
    """Counts inserts and samples, and says who may go on.

    Args:
        limit: with a tolerance that `require_no_deadlock` accepts; None: all may go on.
        batch_items: items that a batch is taken to have where `limit` is None.
        clock: seconds, monotonic.
    """

    def __init__(self, limit: RateLimit | None, batch_items: int, clock: Callable[[], float]) -> None:
        self.limit = limit
        self._batch_items = batch_items
        self._starved = False
        """The Memory had nothing to give when it was last asked."""
        self._ahead: float | None = None
        """None until counting has begun."""
        self.inserted = 0
        self.samples = 0
        self.inserts_wait = Waiting(clock)
        self.batches_wait = Waiting(clock)

    @property
    def batch_items(self) -> int:
        """How many items a batch has, or is taken to have."""
        return self._batch_items if self.limit is None else self.limit.batch_items

    @property
    def ahead(self) -> float:
        """How many samples there are more than the target says; below 0, fewer."""
        return self._ahead or 0.0

    @property
    def samples_per_insert(self) -> float:
        """What it has been so far, leaving out the first `minimum_items`."""
        first = self.limit.minimum_items if self.limit is not None else 0
        return self.samples / max(1, self.inserted - first)

    # --- who may go on

    def may_insert(self, count: int) -> bool:
        """Whether a chunk of `count` items may go in now."""
        if self.limit is None or self._ahead is None or self._starved:
            return True
        return self._ahead - self.limit.samples_per_insert * count >= -self.limit.tolerance_items

    def may_sample(self, has_room: bool = True) -> bool:
        """Whether a batch may be handed out now, from a Memory that has room for more or not."""
        if self.limit is None or not has_room:
            return True
        return self._ahead is not None and self._ahead + self.limit.batch_items <= self.limit.tolerance_items

    # --- what has happened

    def on_inserted(self, count: int) -> None:
        """Count the items of a chunk that went in."""
        self.inserted += count
        if self.limit is None:
            return
        if self._ahead is None:
            self._begin(self.inserted)
        else:
            self._ahead -= self.limit.samples_per_insert * count
            if self._starved:
                self._ahead = max(self._ahead, -self.limit.tolerance_items)

    def on_sampled(self) -> None:
        """Count a batch that was handed out."""
        self._starved = False
        self.samples += self.batch_items
        if self.limit is not None and self._ahead is not None:
            self._ahead = min(self._ahead + self.batch_items, self.limit.tolerance_items)

    def on_nothing(self) -> None:
        """Note that the Memory has nothing to give though a batch may be handed out."""
        self._starved = True

    def on_resumed(self, batches: int) -> None:
        """Count the batches that the learner has and this did not know of; below 0: that it has not."""
        samples = batches * self.batch_items
        self.samples = max(0, self.samples + samples)
        if self._ahead is not None:
            self._ahead += samples
        self._stay_in_band()

    def on_found(self, length: int) -> None:
        """Begin to count if the Memory holds enough items at the start."""
        if self._ahead is None:
            self._begin(max(self.inserted, length))

    def _begin(self, items: int) -> None:
        if self.limit is not None and items >= self.limit.minimum_items:
            self._ahead = 0.0

    def _stay_in_band(self) -> None:
        if self.limit is not None and self._ahead is not None:
            tolerance = self.limit.tolerance_items
            self._ahead = min(max(self._ahead, -tolerance), tolerance)

    # --- changes, checkpoints

    def change(self, limit: RateLimit | None) -> None:
        """Go on with another limit: what has been counted stays, within the new band."""
        self.limit = limit
        if limit is None:
            self._ahead = None
        elif self._ahead is None:
            self._begin(self.inserted)
        self._stay_in_band()

    def to_data(self) -> list[Any]:
        """Return what a checkpoint keeps."""
        return [self.inserted, self.samples, self._ahead]

    def load_data(self, data: Any) -> None:
        """Go on from what `to_data` returned. Raises CorruptError when that is not what it is given."""
        match data:
            case [int() as inserted, int() as samples, float() | None as ahead]:
                self.inserted, self.samples = inserted, samples
                self._ahead = ahead if self.limit is not None else None
            case _:
                raise CorruptError(f"a checkpoint has {data!r} in the place of the limiter's counters")


def smallest_tolerance(samples_per_insert: float, batch_items: int, chunk_items: int) -> float:
    """Return the tolerance below which a chunk and a batch may wait for each other."""
    return (samples_per_insert * chunk_items + batch_items) / 2


def require_no_deadlock(limit: RateLimit, chunk_items: int) -> None:
    """Raise SettingError for a tolerance with which a chunk and a batch may wait for each other for ever."""
    smallest = smallest_tolerance(limit.samples_per_insert, limit.batch_items, chunk_items)
    if limit.tolerance_items < smallest:
        raise SettingError(
            f"{variable('samples_per_insert_tolerance_items')}={limit.tolerance_items:g} would let actors and learner "
            f"wait for each other: with {variable('samples_per_insert')}={limit.samples_per_insert:g}, "
            f"{variable('chunk_items')}={chunk_items} and batches of {limit.batch_items} items it must be at least "
            f"{smallest:g} (0: chosen for you)"
        )
