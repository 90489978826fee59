"""A replay memory: the newest items, sampled uniformly."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from srl.base.rl.memory import RLMemory, TConfig
from srl.rl.memories.batch import Batch, decode_batch
from srl.rl.memories.draw_state import draw_state, restore_draw_state
from srl.rl.memories.drawing import draw_distinct, new_generator
from srl.rl.memories.replay_config import ReplayBufferConfig, check_batch_size, checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from srl.rl.memories.schema import Array

__all__ = ["RLReplayBuffer", "ReplayBufferConfig"]


class RLReplayBuffer(RLMemory[TConfig]):
    """Holds the newest `config.memory.capacity` items, and gives `config.batch_size` of them at a time.

    Items that are all dicts (or tuples, lists, single values) of numbers and arrays of the same types and shapes lie
    in arrays, which `Batch.columns` of a sample gives; dicts travel that way too. Any other item is kept as its pickle.
    """

    def setup(self, register_add: bool = True, register_sample: bool = True) -> None:
        """Prepare; a subclass that registers functions of its own may leave these two out.

        Raises UsageError when the config has no `memory` or `batch_size`, ValueError when their values do not fit.
        """
        self._settings = checked(self.config, ReplayBufferConfig, type(self).__name__)
        self._store = self._settings.make_store()
        if register_add:
            self._register_add()
        if register_sample:
            self._register_sample()

    def _register_add(self) -> None:
        cls = type(self)
        # A subclass with an `add` or a `serialize` of its own is to see every item.
        plain = (cls.add, cls.serialize) == (RLReplayBuffer.add, RLReplayBuffer.serialize)
        self.register_worker_func(self.add, self.serialize, self.add_columns if plain else None)

    def _register_sample(self) -> None:
        if type(self).sample is RLReplayBuffer.sample:
            self.register_trainer_recv_func(self.sample, False, self.sample_encoded, decode_batch)
        else:
            self.register_trainer_recv_func(self.sample, consumes=False)

    @cached_property
    def _rng(self) -> np.random.Generator:
        return new_generator()

    def length(self) -> int:
        return len(self._store)

    def is_warmup_needed(self) -> bool:
        """Tell whether there are still too few items to sample."""
        return len(self._store) < self._settings.warmup_size

    def clear(self) -> None:
        """Forget all items."""
        self._store.clear()

    def add(self, batch: Any, serialized: bool = False) -> None:
        """Take in a copy of one item, or the bytes that `serialize` made of it."""
        if serialized:
            self._store.add_packed(batch)
        else:
            self._store.add(batch)

    def add_columns(self, columns: Mapping[str, Array], count: int) -> None:
        """Take in `count` dicts at once: by name, arrays of shape (count, ...)."""
        self._store.add_columns(columns)

    def serialize(self, batch: Any) -> bytes:
        """Return an item as bytes."""
        return self._store.pack(batch)

    def sample(self, batch_size: int = -1) -> Batch | None:
        """Return different items, each choice of them equally likely; None below `warmup_size`.

        Args:
            batch_size: how many; -1: `config.batch_size`. Raises ValueError beyond `warmup_size`.
        """
        size = self.config.batch_size if batch_size == -1 else batch_size  # type: ignore[attr-defined]  # checked
        check_batch_size(size, self._settings)
        if self.is_warmup_needed():
            return None
        numbers = self._store.numbers
        return self._store.gather(numbers.start + draw_distinct(self._rng, len(numbers), size))

    def sample_encoded(self) -> Any:
        """Return a sample in the form in which it travels, or None."""
        batch = self.sample()
        return None if batch is None else batch.encoded()

    def call_backup(self, **_kwargs: Any) -> Any:
        return self._store.backup(), draw_state(self)

    def call_restore(self, data: Any, **_kwargs: Any) -> None:
        items, state = data
        self._store.restore(items)
        restore_draw_state(self, state)
