"""A replay memory of whole episodes, which gives slices of them: for recurrent networks and n-step returns."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeAlias

from srl.base.rl.memory import RLMemory, TConfig
from srl.rl.memories.batch import Batch, SliceBatch, decode_batch, decode_slices
from srl.rl.memories.episode_config import EpisodeReplayBufferConfig
from srl.rl.memories.episode_store import EpisodeReplayBuffer
from srl.rl.memories.replay_config import checked

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

__all__ = ["EpisodeReplayBuffer", "EpisodeReplayBufferConfig", "RLEpisodeReplayBuffer"]

Sequential: TypeAlias = "tuple[SliceBatch, npt.NDArray[np.bool_]]"


class RLEpisodeReplayBuffer(RLMemory[TConfig]):
    """Holds the newest episodes, of `config.memory.capacity` steps together. `length` counts steps.

    Each slice has `prefix_size + 1 + suffix_size` successive steps of one episode. Episodes that are too short for one
    are in no sample but that of `sample_steps`: lengthen them in your Worker if they matter.
    """

    def setup(self, register_add: bool = True, register_sample: bool = True) -> None:
        """Prepare; a subclass that registers functions of its own may leave these out.

        Raises UsageError when the config has no `memory` or `batch_size`, ValueError when their values do not fit.
        """
        settings = checked(self.config, EpisodeReplayBufferConfig, type(self).__name__)
        values = {field.name: getattr(settings, field.name) for field in fields(settings)}
        self._episodes = EpisodeReplayBuffer(self.config.batch_size, **values)  # type: ignore[attr-defined]  # checked
        if register_add:
            self.register_worker_func(self.add, self.serialize)
        if register_sample:
            self._register_sample(self.sample, self.sample_encoded, decode_slices)
            self._register_sample(self.sample_steps, self.sample_steps_encoded, decode_batch)
            self._register_sample(self.sample_sequential, self.sample_sequential_encoded, self.decode_sequential)

    def _register_sample(self, sample: Any, encoded: Any, decode: Any) -> None:
        # A subclass with a `sample` of its own is to be asked.
        if getattr(type(self), sample.__name__) is getattr(RLEpisodeReplayBuffer, sample.__name__):
            self.register_trainer_recv_func(sample, False, encoded, decode)
        else:
            self.register_trainer_recv_func(sample, consumes=False)

    def length(self) -> int:
        """Return the number of steps held."""
        return len(self._episodes)

    def is_warmup_needed(self) -> bool:
        """Tell whether there are still too few steps to sample."""
        return self._episodes.is_warmup_needed()

    def clear(self) -> None:
        """Forget all episodes."""
        self._episodes.clear()

    def add(self, episode: Sequence[Any], serialized: bool = False) -> None:
        """Take in copies of the steps of one episode, in order, or what `serialize` made of them.

        Raises ValueError for an episode without steps, or that is longer than the memory.
        """
        self._episodes.add(decode_batch(episode) if serialized else episode)

    def serialize(self, episode: Sequence[Any]) -> tuple[Any]:
        """Return an episode as columns, or as the pickles of its steps where they have no common schema."""
        return (self._episodes.batch_of(episode).encoded(),)

    def sample(self) -> SliceBatch | None:
        """Return `batch_size` slices: see `EpisodeReplayBuffer.sample`."""
        return self._episodes.sample()

    def sample_steps(self) -> Batch | None:
        """Return `batch_size` steps: see `EpisodeReplayBuffer.sample_steps`."""
        return self._episodes.sample_steps()

    def sample_sequential(self) -> Sequential | None:
        """Return (slices, begins): see `EpisodeReplayBuffer.sample_sequential`."""
        return self._episodes.sample_sequential()

    def sample_encoded(self) -> Any:
        """Return `sample` in the form in which it travels."""
        return _encoded(self.sample())

    def sample_steps_encoded(self) -> Any:
        """Return `sample_steps` in the form in which it travels."""
        return _encoded(self.sample_steps())

    def sample_sequential_encoded(self) -> Any:
        """Return `sample_sequential` in the form in which it travels."""
        sample = self.sample_sequential()
        return None if sample is None else (sample[0].encoded(), sample[1])

    def decode_sequential(self, data: Any) -> Sequential:
        """Return what `sample_sequential_encoded` returned."""
        slices, begins = data
        return decode_slices(slices), begins

    def call_backup(self, **_kwargs: Any) -> Any:
        return self._episodes.backup()

    def call_restore(self, data: Any, **_kwargs: Any) -> None:
        self._episodes.restore(data)


def _encoded(batch: Batch | None) -> Any:
    return None if batch is None else batch.encoded()
