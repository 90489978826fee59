"""Whole episodes, of which slices of a fixed length are drawn."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from srl.rl.memories.batch import Batch, SliceBatch
from srl.rl.memories.draw_state import draw_state, restore_draw_state
from srl.rl.memories.drawing import Ints, draw_distinct, new_generator
from srl.rl.memories.episode_config import EpisodeReplayBufferConfig
from srl.rl.memories.replay_config import check_batch_size

if TYPE_CHECKING:
    from collections.abc import Sequence


class EpisodeReplayBuffer:
    """The newest episodes. The steps of all lie one after the other in one store; an episode goes as a whole.

    Args:
        batch_size: slices or steps of a sample.
        settings: the fields of EpisodeReplayBufferConfig, in its order...
        named: ...or by name.

    Raises ValueError for values that cannot be.
    """

    def __init__(self, batch_size: int = 32, *settings: Any, **named: Any) -> None:
        self._settings = EpisodeReplayBufferConfig(*settings, **named)
        self._settings.validate_params()
        check_batch_size(batch_size, self._settings)
        self._batch_size = batch_size
        self._steps = self._settings.make_store()
        self._episodes: list[range] = []
        """The numbers of the steps of each episode, oldest first."""
        self._streams = _Streams()

    @cached_property
    def _rng(self) -> np.random.Generator:
        return new_generator()

    def __len__(self) -> int:
        return sum(map(len, self._episodes))

    def is_warmup_needed(self) -> bool:
        """Tell whether there are still too few steps to sample."""
        return len(self) < self._settings.warmup_size

    def clear(self) -> None:
        """Forget all episodes."""
        self._steps.clear()
        self._episodes.clear()
        self._streams = _Streams()
        self._forget_places()

    def batch_of(self, episode: Sequence[Any]) -> Batch:
        """Return copies of the steps of an episode in the form in which they are kept."""
        return self._steps.batch_of(episode)

    def add(self, episode: Sequence[Any]) -> None:
        """Take in copies of the steps of an episode, in order.

        Raises ValueError for one without steps, or that is longer than the memory.
        """
        if not len(episode):
            raise ValueError("an episode without steps came; add it when it is over")
        first = self._steps.numbers.stop
        self._steps.extend(episode if isinstance(episode, Batch) else self.batch_of(episode))
        self._forget_places()
        self._episodes = [held for held in self._episodes if held.start >= self._steps.numbers.start]
        if self._steps.numbers.start > first:
            raise ValueError(
                f"an episode of {len(episode)} steps does not fit: raise memory.capacity "
                f"({self._settings.capacity} steps) or memory.max_bytes ({self._settings.max_bytes})"
            )
        self._episodes.append(range(first, self._steps.numbers.stop))

    def sample(self, batch_size: int = -1) -> SliceBatch | None:
        """Return different slices, each choice of them equally likely; None while there are too few.

        Args:
            batch_size: how many; -1: that of the memory. Raises ValueError beyond `warmup_size`.
        """
        starts = self._draw(self._places_of_slices, batch_size)
        return None if starts is None else self._slices(starts)

    def sample_steps(self, batch_size: int = -1) -> Batch | None:
        """Return different steps, each choice of them equally likely, without those around them; see `sample`."""
        numbers = self._draw(self._places_of_steps, batch_size)
        return None if numbers is None else self._steps.gather(numbers)

    def sample_sequential(self) -> tuple[SliceBatch, npt.NDArray[np.bool_]] | None:
        """Return the next slice of each of `batch_size` streams, and which of them begin an episode.

        A stream goes through an episode from its first slice to its last, by `sequential_stride` steps a call. It then
        takes another, each of those that have a slice equally likely, as it does when its own has made room for newer
        ones. None below `warmup_size`, and while no episode is long enough.
        """
        places = self._places_of_slices
        if self.is_warmup_needed() or not len(places):
            return None
        starts, begins = self._streams.advance(
            places.by_episode, self._batch_size, self._settings.sequential_stride, self._rng
        )
        return self._slices(starts), begins

    def backup(self) -> Any:
        """Return the episodes, the random generator and how far the streams are, as plain data."""
        first = self._steps.numbers.start
        return (
            self._steps.backup(),
            _relative(self._episodes, first),
            _relative(self._streams.ahead, first),
            draw_state(self),
        )

    def restore(self, data: Any) -> None:
        """Replace the episodes by those of a backup; the newest ones if there is no room for all."""
        steps, episodes, ahead, state = data
        self.clear()
        first = self._steps.numbers.stop
        self._steps.restore(steps)
        restored = _absolute(episodes, first)
        self._episodes = [episode for episode in restored if episode.start >= self._steps.numbers.start]
        self._streams.ahead = _absolute(ahead, first)
        restore_draw_state(self, state)

    @cached_property
    def _places_of_slices(self) -> _Places:
        return self._places(self._settings.skip_tail + self._settings.slice_size - 1)

    @cached_property
    def _places_of_steps(self) -> _Places:
        return self._places(self._settings.skip_tail)

    def _places(self, lost: int) -> _Places:
        """Return the numbers of the steps of each episode, but for the head that is skipped and the last ones."""
        head = self._settings.skip_head
        return _Places([episode[head : max(0, len(episode) - lost)] for episode in self._episodes])

    def _forget_places(self) -> None:
        for name in ("_places_of_slices", "_places_of_steps"):
            self.__dict__.pop(name, None)

    def _slices(self, starts: Ints) -> SliceBatch:
        size = self._settings.slice_size
        return SliceBatch(self._steps.gather((starts[:, None] + np.arange(size)).reshape(-1)), size)

    def _draw(self, places: _Places, batch_size: int) -> Ints | None:
        """Return different places, or None while there are too few."""
        size = self._batch_size if batch_size == -1 else batch_size
        check_batch_size(size, self._settings)
        return None if self.is_warmup_needed() or len(places) < size else places.draw(size, self._rng)


def _relative(ranges: list[range], first: int) -> list[list[int]]:
    return [[each.start - first, each.stop - first] for each in ranges]


def _absolute(pairs: list[list[int]], first: int) -> list[range]:
    return [range(first + start, first + stop) for start, stop in pairs]


class _Places:
    """The numbers of the steps that a sample may begin with.

    Args:
        by_episode: these numbers, in order; an episode may have none.
    """

    def __init__(self, by_episode: list[range]) -> None:
        self.by_episode = [places for places in by_episode if places]
        self._firsts = np.array([places.start for places in self.by_episode], np.int64)
        self._ends = np.cumsum([len(places) for places in self.by_episode], dtype=np.int64)

    def __len__(self) -> int:
        return int(self._ends[-1]) if self.by_episode else 0

    def draw(self, size: int, rng: np.random.Generator) -> Ints:
        """Return different numbers, each choice of them equally likely."""
        drawn = draw_distinct(rng, len(self), size)
        episodes = self._ends.searchsorted(drawn, side="right")
        before = np.concatenate([[0], self._ends])[episodes]
        numbers: Ints = self._firsts[episodes] + drawn - before
        return numbers


class _Streams:
    """How far each stream of `sample_sequential` is."""

    def __init__(self) -> None:
        self.ahead: list[range] = []
        """The places of slices that each stream has still before it."""

    def advance(
        self, places: list[range], count: int, stride: int, rng: np.random.Generator
    ) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Return where the slice of each stream begins, and which streams begin another of the `places`."""
        if len(self.ahead) != count:
            self.ahead = [range(0)] * count
        begins = np.array([not ahead or ahead.start < places[0].start for ahead in self.ahead])
        now = [
            places[int(rng.integers(len(places)))] if begin else place
            for place, begin in zip(self.ahead, begins, strict=True)
        ]
        self.ahead = [place[stride:] for place in now]
        return np.array([place.start for place in now]), begins
