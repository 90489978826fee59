"""How much a replay memory holds, and when it begins to give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from srl.rl.memories.item_store import ItemStore
from srl.utils.usage import UsageError


@dataclass
class ReplayBufferConfig:
    """Settings of a replay memory."""

    capacity: int = 100_000
    """Items held; when more come, the oldest go."""
    warmup_size: int = 1_000
    """`sample` returns None until so many items are held."""
    compress: bool = True
    """Compress items that have no fixed schema of numbers and arrays. Those that have one lie in arrays as they are."""
    compress_level: int = -1
    """zlib's, from 0 (none) to 9 (most, slowest); -1: its default."""
    max_bytes: int = field(default=0, kw_only=True)
    """Most memory for items, in bytes, whatever `capacity` says; 0: no such limit. `warmup_size` items must fit."""

    def validate_params(self) -> None:
        """Raise ValueError for values that cannot be."""
        _check(self.capacity >= 1, f"capacity is {self.capacity}; it must be 1 or more")
        _check(
            0 < self.warmup_size <= self.capacity,
            f"warmup_size is {self.warmup_size}; it must be between 1 and capacity ({self.capacity})",
        )
        _check(-1 <= self.compress_level <= 9, f"compress_level is {self.compress_level}; it must be from -1 to 9")
        _check(self.max_bytes >= 0, f"max_bytes is {self.max_bytes}; it must be 0 (no limit) or more")

    def make_store(self) -> ItemStore:
        """Return an empty store for items."""
        return ItemStore(self.capacity, self.max_bytes, self.compress, self.compress_level)


def checked(config: Any, kind: type[ReplayBufferConfig], user: str) -> ReplayBufferConfig:
    """Return the field `memory` of an algorithm's config.

    Raises UsageError when `memory` or `batch_size` is missing, ValueError when values do not fit.
    """
    memory = getattr(config, "memory", None)
    name = type(config).__name__
    if not isinstance(memory, kind):
        raise UsageError(f"{user} needs a field in {name}: memory: {kind.__name__} = field(default_factory=...)")
    if not isinstance(getattr(config, "batch_size", None), int):
        raise UsageError(f"{user} needs a field in {name}: batch_size: int = 32")
    memory.validate_params()
    check_batch_size(config.batch_size, memory, f"{name}.batch_size")
    return memory


def check_batch_size(size: int, memory: ReplayBufferConfig, what: str = "batch_size") -> None:
    """Raise ValueError unless as many items are there after the warm-up."""
    if not 0 < size <= memory.warmup_size:  # asked for every sample, so the words are made only when needed
        raise ValueError(f"{what} is {size}; it must be between 1 and memory.warmup_size ({memory.warmup_size})")


def _check(holds: bool, problem: str) -> None:
    if not holds:
        raise ValueError(problem)
