"""A queue: every item is given to the Trainer once, in the order of arrival."""

from __future__ import annotations

import pickle
from typing import Any

from srl.base.rl.memory import RLMemory, TConfig
from srl.rl.memories.opaque import Opaque, backup, restored, unwrap, wrap


class RLSingleUseBuffer(RLMemory[TConfig]):
    """`sample` returns everything that has arrived since the last call, oldest first."""

    def setup(self, register_add: bool = True, register_sample: bool = True) -> None:
        """Prepare; a subclass that registers functions of its own may leave these two out."""
        self.buffer: list[Any] = []
        if register_add:
            self.register_worker_func(self.add, self.serialize)
        if register_sample:
            self.register_trainer_recv_func(self.sample, encoded=self.sample_encoded, decode=self.decode)

    def length(self) -> int:
        return len(self.buffer)

    def add(self, batch: Any, serialized: bool = False) -> None:
        """Append an item, or the bytes of one, which only the Trainer's process unpickles."""
        self.buffer.append(Opaque(batch) if serialized else batch)

    def serialize(self, batch: Any) -> bytes:
        """Return an item as bytes."""
        return pickle.dumps(batch)

    def sample(self) -> list[Any] | None:
        """Return all items in the order of arrival and forget them; None when there are none."""
        return [unwrap(item) for item in self._take()] or None

    def sample_encoded(self) -> list[bytes] | None:
        """Return all items as bytes, and forget them; None when there are none."""
        return [wrap(item) for item in self._take()] or None

    def decode(self, items: list[bytes]) -> list[Any]:
        """Return the items of `sample_encoded`."""
        return [pickle.loads(item) for item in items]  # noqa: S301  made by `serialize`

    def call_backup(self, **_kwargs: Any) -> Any:
        return backup(self.buffer)

    def call_restore(self, data: Any, **_kwargs: Any) -> None:
        self.buffer = restored(data)

    def _take(self) -> list[Any]:
        taken, self.buffer = self.buffer, []
        return taken
