"""How much an episode memory holds, and what slices of episodes it gives."""

from __future__ import annotations

from dataclasses import dataclass

from srl.rl.memories.replay_config import ReplayBufferConfig


@dataclass
class EpisodeReplayBufferConfig(ReplayBufferConfig):
    """Settings of an episode memory. `capacity` and `warmup_size` count steps."""

    prefix_size: int = 0
    """Steps before the one that a slice is about, such as those that warm up a recurrent network..."""
    suffix_size: int = 0
    """...and after it, such as those of an n-step return."""
    skip_head: int = 0
    """So many first steps of an episode are in no slice..."""
    skip_tail: int = 0
    """...and so many last ones."""
    sequential_stride: int = 1
    """By how many steps `sample_sequential` goes on from call to call."""

    @property
    def slice_size(self) -> int:
        """The number of steps in a slice."""
        return self.prefix_size + 1 + self.suffix_size

    def validate_params(self) -> None:
        """Raise ValueError for values that cannot be."""
        super().validate_params()
        for name in ("prefix_size", "suffix_size", "skip_head", "skip_tail"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 0 or more")
        if self.sequential_stride < 1:
            raise ValueError(f"sequential_stride is {self.sequential_stride}; it must be 1 or more")
        if self.slice_size > self.capacity:
            raise ValueError(f"a slice has {self.slice_size} steps and the memory a capacity of {self.capacity}")
