"""Which snapshots of a job are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from srl_common.snapshots import SnapshotInfo


@dataclass(frozen=True)
class Retention:
    """The last `keep_last` are kept, and the first of each interval of `keep_every_s`; the others are discarded.

    Intervals are counted from 1970, so that a restart changes nothing. The first of an interval is the oldest of it:
    once it is kept, it is kept until its job is deleted.
    """

    keep_last: int = 5
    keep_every_s: float = 600.0
    """0: none but the last ones."""

    def discards(self, stored: Sequence[SnapshotInfo]) -> list[SnapshotInfo]:
        """Return those of `stored`, which is in the order of versions, that are to go."""
        last = stored[-self.keep_last :]
        firsts: dict[int, SnapshotInfo] = {}
        if self.keep_every_s > 0:
            for info in stored:
                firsts.setdefault(int(info.created_s // self.keep_every_s), info)
        kept = {info.version for info in (*last, *firsts.values())}
        return [info for info in stored if info.version not in kept]
