"""How old experience is when it is sampled, in updates: the learner's train count minus the one that it was made with.

Every chunk says which version of the Parameter its items were made with. The order in which items came is the order in
which a Memory lets them go, so the versions of those that are there are the newest ones, as many as the Memory is long.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from srl_common.errors import CorruptError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Staleness:
    """The versions of what is in a Memory, and how old that is.

    Args:
        limit_updates: what is older is not used; 0: no limit.
        consumes: items leave the Memory when they are sampled, so that those are sampled which leave.
    """

    def __init__(self, limit_updates: float, *, consumes: bool) -> None:
        self.limit_updates = limit_updates
        self._consumes = consumes
        self._versions: deque[list[int]] = deque()
        """[how many items in a row, the train count that they were made with], oldest first."""
        self._items = 0
        self._sum = 0
        self.train_count: int | None = None
        """The learner's, None while it is not known."""
        self._sampled = 1, 0, 0, 0
        """At the last sampling: items that were there (where sampling consumes: that were taken), the sum of their
        versions, the oldest, and the learner's train count."""
        self.left_out_items = 0
        """Too old when they arrived."""

    def learn_train_count(self, counters: Mapping[str, Any]) -> None:
        """Learn from the learner's counters how far it is."""
        train_count = counters.get("train_count")
        if isinstance(train_count, int):
            self.train_count = train_count

    def on_inserted(self, count: int, train_count: int, length: int) -> None:
        """Note that items were inserted, and how long the Memory is now."""
        if length < 0:
            return
        if self._versions and self._versions[-1][1] == train_count:
            self._versions[-1][0] += count
        else:
            self._versions.append([count, train_count])
        self._items += count
        self._sum += count * train_count
        if self._items > length:
            self._keep(length)

    def on_sampled(self, length: int) -> None:
        """Note that a batch was made, and how long the Memory is now; that matters where sampling consumes."""
        items, total = self._items, self._sum
        oldest = self._versions[0][1] if self._versions else 0
        if self._consumes:
            self._keep(length)
            items, total = items - self._items, total - self._sum
        if items and self.train_count is not None:
            self._sampled = items, total, oldest, self.train_count

    def is_too_old(self, train_count: int) -> bool:
        """Whether items made with this train count are to be left out. Only where sampling consumes."""
        return self._consumes and self._exceeds(train_count)

    @property
    def mean_updates(self) -> float:
        """How old the items were at the last sampling, on average..."""
        items, total, _, train_count = self._sampled
        return max(0.0, train_count - total / items)

    @property
    def max_updates(self) -> int:
        """...and the oldest of them."""
        _, _, oldest, train_count = self._sampled
        return max(0, train_count - oldest)

    @property
    def withholds(self) -> bool:
        """Whether what is there is too old to be sampled, on average. Only where sampling leaves it there."""
        return not self._consumes and self._items > 0 and self._exceeds(self._sum / self._items)

    def _exceeds(self, train_count: float) -> bool:
        return 0 < self.limit_updates < (self.train_count or 0) - train_count

    def _keep(self, length: int) -> None:
        """Forget the oldest versions that are more than the Memory has items."""
        gone = self._items - length if length >= 0 else 0
        while gone > 0:
            oldest = self._versions[0]
            count, train_count = oldest
            leaving = min(gone, count)
            oldest[0] -= leaving
            if not oldest[0]:
                self._versions.popleft()
            self._items -= leaving
            self._sum -= leaving * train_count
            gone -= leaving

    def to_data(self) -> list[list[int]]:
        """Return what a checkpoint keeps."""
        return [list(each) for each in self._versions]

    def load_data(self, data: Any) -> None:
        """Go on from what `to_data` returned. Raises CorruptError when that is not what it is given."""
        self._versions = deque(_pairs(data))
        self._items = sum(count for count, _ in self._versions)
        self._sum = sum(count * train_count for count, train_count in self._versions)


def _pairs(data: Any) -> Iterable[list[int]]:
    for pair in data:
        match pair:
            case [int() as count, int() as train_count]:
                yield [count, train_count]
            case _:
                raise CorruptError(f"a checkpoint has {pair!r} in the place of how many items have which version")
