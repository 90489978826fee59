"""A queue: every item is given to the Trainer once, in the order of arrival."""

from __future__ import annotations

import pickle
from typing import Any

from srl.base.rl.memory import RLMemory, TConfig


class RLSingleUseBuffer(RLMemory[TConfig]):
    """`sample` returns everything that has arrived since the last call, oldest first."""

    def setup(self, register_add: bool = True, register_sample: bool = True) -> None:
        """Prepare; a subclass that registers functions of its own may leave these two out."""
        self.buffer: list[Any] = []
        if register_add:
            self.register_worker_func(self.add, self.serialize)
        if register_sample:
            self.register_trainer_recv_func(self.sample)

    def length(self) -> int:
        return len(self.buffer)

    def add(self, batch: Any, serialized: bool = False) -> None:
        """Append an item, or the bytes of one."""
        self.buffer.append(pickle.loads(batch) if serialized else batch)  # noqa: S301  made by `serialize`

    def serialize(self, batch: Any) -> bytes:
        """Return an item as bytes."""
        return pickle.dumps(batch)

    def sample(self) -> list[Any] | None:
        """Return all items in the order of arrival and forget them; None when there are none."""
        if not self.buffer:
            return None
        batch, self.buffer = self.buffer, []
        return batch

    def call_backup(self, **_kwargs: Any) -> list[Any]:
        return self.buffer[:]

    def call_restore(self, data: list[Any], **_kwargs: Any) -> None:
        self.buffer = data[:]
