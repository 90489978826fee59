"""A replay memory that gives important items more often (Schaul et al. 2016, "Prioritized Experience Replay")."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from srl.base.rl.memory import RLMemory, TConfig
from srl.rl.memories.batch import Batch, decode_batch, joined
from srl.rl.memories.draw_state import draw_state, restore_draw_state, restore_places
from srl.rl.memories.drawing import draw_distinct, new_generator
from srl.rl.memories.prioritized_store import PrioritizedStore, checked_priorities
from srl.rl.memories.priority_replay_config import PriorityReplayBufferConfig
from srl.rl.memories.replay_config import check_batch_size, checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from srl.rl.memories.schema import Array

__all__ = ["PriorityReplayBufferConfig", "RLPriorityReplayBuffer"]

Sample: TypeAlias = tuple[Batch, npt.NDArray[np.float32], Any]

_DEMO = -1
"""In the place of an item's number: a demonstration, which has no priority."""


class RLPriorityReplayBuffer(RLMemory[TConfig]):
    """As RLReplayBuffer, with a priority for each item.

    `update` gives sampled items new priorities; those that have made room for newer items in the meantime are passed
    over. An item added without a priority has the largest one so far.
    """

    def setup(self, register_add: bool = True, register_sample: bool = True) -> None:
        """Prepare; a subclass that registers functions of its own may leave these out.

        Raises UsageError when the config has no `memory` or `batch_size`, ValueError when their values do not fit.
        """
        settings = checked(self.config, PriorityReplayBufferConfig, type(self).__name__)
        self._settings = cast("PriorityReplayBufferConfig", settings)
        self._main = PrioritizedStore(settings.make_store(), self._settings.create_memory(settings.capacity))
        self._demo = settings.make_store()
        self._step = 0
        if register_add:
            self._register_add()
        if register_sample:
            self._register_sample()

    def _register_add(self) -> None:
        cls = type(self)
        # A subclass with an `add` or a `serialize` of its own is to see every item.
        plain = (cls.add, cls.serialize) == (RLPriorityReplayBuffer.add, RLPriorityReplayBuffer.serialize)
        self.register_worker_func(self.add, self.serialize, self.add_columns if plain else None)

    def _register_sample(self) -> None:
        if type(self).sample is RLPriorityReplayBuffer.sample:
            self.register_trainer_recv_func(self.sample, False, self.sample_encoded, self.decode)
        else:
            self.register_trainer_recv_func(self.sample, consumes=False)
        self.register_trainer_send_func(self.update)

    @cached_property
    def _rng(self) -> np.random.Generator:
        return new_generator()

    def length(self) -> int:
        """Return the number of items held, demonstrations included."""
        return len(self._main) + len(self._demo)

    def priority_mass(self) -> float | None:
        """Return the sum that items are drawn in proportion to; None: they are drawn uniformly, or by rank."""
        return self._main.priority_mass()

    def is_warmup_needed(self) -> bool:
        """Tell whether there are still too few items, other than demonstrations, to sample."""
        return len(self._main) < self._settings.warmup_size

    def clear(self) -> None:
        """Forget all items."""
        self._main.clear()
        self._demo.clear()

    def add(self, batch: Any, priority: float | None = None, serialized: bool = False) -> None:
        """Take in a copy of one item, or the bytes that `serialize` made of it.

        Args:
            batch: the item.
            priority: only its absolute value counts; None: the largest so far. Raises ValueError for nan or inf.
            serialized: `batch` is bytes.
        """
        if self._settings.select_memory == "demo":
            (self._demo.add_packed if serialized else self._demo.add)(batch)
        elif serialized:
            self._main.add_packed(batch, priority)
        else:
            self._main.add(batch, priority)

    def add_columns(self, columns: Mapping[str, Array], count: int) -> None:
        """Take in `count` dicts without priorities at once: by name, arrays of shape (count, ...)."""
        if self._settings.select_memory == "demo":
            self._demo.add_columns(columns)
        else:
            self._main.add_columns(columns, count)

    def serialize(self, batch: Any, priority: float | None = None) -> tuple[bytes, float | None]:
        """Return an item as bytes, and its priority as a plain number."""
        return self._main.items.pack(batch), None if priority is None else float(priority)

    def sample(self, step: int = -1, batch_size: int = -1) -> Sample | None:
        """Return (items, weights, update_args), or None below `warmup_size`.

        `weights` are importance weights, float32 of shape (batch size,). `update_args` is for `update`.

        Args:
            step: of training, for the exponent of weights; -1: that of the last `update`.
            batch_size: how many items; -1: `config.batch_size`. Raises ValueError beyond `warmup_size`.
        """
        size = cast("Any", self.config).batch_size if batch_size == -1 else batch_size
        check_batch_size(size, self._settings)
        if self.is_warmup_needed():
            return None
        demos = self._settings.demos_of(size, len(self._demo))
        main = self._main.sample(size - demos, self._step if step == -1 else step, self._rng) if size > demos else None
        return self._with_demos(main, demos) if demos else main

    def update(self, update_args: Any, priorities: Any, step: int = -1) -> None:
        """Give the items of a sample new priorities.

        Args:
            update_args: as `sample` returned them.
            priorities: one for each item of the sample, such as errors; only absolute values count.
            step: of training; -1: as before.

        Raises ValueError for another number of priorities, nan or inf.
        """
        numbers = np.asarray(update_args, np.int64)
        self._main.update(numbers, checked_priorities(priorities, len(numbers)))
        if step != -1:
            self._step = step

    def sample_encoded(self) -> Any:
        """Return a sample in the form in which it travels, or None."""
        sample = self.sample()
        return None if sample is None else (sample[0].encoded(), *sample[1:])

    def decode(self, data: Any) -> Sample:
        """Return the sample that `sample_encoded` returned."""
        batch, weights, update_args = data
        return decode_batch(batch), weights, update_args

    def call_backup(self, **_kwargs: Any) -> Any:
        first = self._main.items.numbers.start
        return self._main.backup(), self._demo.backup(), self._step, first, draw_state(self)

    def call_restore(self, data: Any, **_kwargs: Any) -> None:
        main, demo, self._step, first, state = data
        self._main.clear()
        restore_places(self._main.items, first, self._settings.capacity)
        self._main.restore(main)
        self._demo.restore(demo)
        restore_draw_state(self, state)

    def _with_demos(self, main: Sample | None, count: int) -> Sample:
        """Add demonstrations, each choice of them equally likely and of weight 1, to a sample."""
        held = self._demo.numbers
        demos = self._demo.gather(held.start + draw_distinct(self._rng, len(held), count))
        ones, none = np.ones(count, np.float32), np.full(count, _DEMO)
        if main is None:
            return demos, ones, none
        batch, weights, numbers = main
        return joined(batch, demos), np.concatenate([weights, ones]), np.concatenate([numbers, none])
