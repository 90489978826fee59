"""Which items of a replay memory are to be preferred."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

from srl.rl.memories.priority_memories.proportional import Proportional
from srl.rl.memories.priority_memories.rank_based import RankBased, RankBasedLinear
from srl.rl.memories.priority_memories.uniform import Uniform
from srl.rl.memories.replay_config import ReplayBufferConfig
from srl.utils.entry_point import load_module

if TYPE_CHECKING:
    from srl.rl.memories.priority_memories.priority_sampler import PrioritySampler

_SAMPLERS: dict[str, type[PrioritySampler]] = {
    "ReplayBuffer": Uniform,
    "Proportional": Proportional,
    "Proportional_cpp": Proportional,
    "RankBased": RankBased,
    "RankBasedLinear": RankBasedLinear,
}


@dataclass
class PriorityReplayBufferConfig(ReplayBufferConfig):
    """Settings of a replay memory with priorities. Choose with one of the `set_...` methods, which return self."""

    name: str = "ReplayBuffer"
    """The way to choose items: set by the `set_...` methods; "module:Class" for one of your own."""
    kwargs: dict[str, Any] = field(default_factory=dict)
    """Its arguments."""
    enable_demo_memory: bool = False
    """Keep demonstrations in a memory of their own, of the same capacity, and put some into every batch."""
    select_memory: Literal["main", "demo"] = "main"
    """Which one `add` adds to. Record demonstrations with "demo"."""
    demo_ratio: float = 1.0 / 256.0
    """The share of demonstrations in a batch, of which there is at least one once there are any."""

    def set_replay_buffer(self) -> Self:
        """Choose uniformly: no priorities."""
        return self._set("ReplayBuffer")

    def set_proportional(
        self,
        alpha: float = 0.6,
        beta_initial: float = 0.4,
        beta_steps: int = 1_000_000,
        has_duplicate: bool = True,
        epsilon: float = 0.0001,
    ) -> Self:
        """Choose in proportion to priority: see `Proportional` for the arguments."""
        return self._set_proportional("Proportional", alpha, beta_initial, beta_steps, has_duplicate, epsilon)

    def set_proportional_cpp(
        self,
        alpha: float = 0.6,
        beta_initial: float = 0.4,
        beta_steps: int = 1_000_000,
        has_duplicate: bool = True,
        epsilon: float = 0.0001,
        force_build: bool = False,
    ) -> Self:
        """Do as `set_proportional`, which is as fast; nothing is compiled, so `force_build` does nothing."""
        return self._set_proportional("Proportional_cpp", alpha, beta_initial, beta_steps, has_duplicate, epsilon)

    def set_rankbased(self, alpha: float = 0.6, beta_initial: float = 0.4, beta_steps: int = 1_000_000) -> Self:
        """Choose by rank of priority, by a power law: see `RankBased` for the arguments."""
        return self._set("RankBased", alpha=alpha, beta_initial=beta_initial, beta_steps=beta_steps)

    def set_rankbased_linear(self, alpha: float = 0.6, beta_initial: float = 0.4, beta_steps: int = 1_000_000) -> Self:
        """Choose by rank of priority, linearly: see `RankBasedLinear` for the arguments."""
        return self._set("RankBasedLinear", alpha=alpha, beta_initial=beta_initial, beta_steps=beta_steps)

    def set_custom(self, entry_point: str, kwargs: dict[str, Any]) -> Self:
        """Choose by a class of your own.

        Args:
            entry_point: "module.path:ClassName" of a PrioritySampler.
            kwargs: what its constructor takes besides the capacity.
        """
        return self._set(entry_point, **kwargs)

    def requires_priority(self) -> bool:
        """Tell whether priorities count."""
        return self.name != "ReplayBuffer"

    def create_memory(self, capacity: int) -> PrioritySampler:
        """Return what chooses items. Raises ValueError for arguments that cannot be, UsageError for an unknown name."""
        cls = _SAMPLERS.get(self.name) or load_module(self.name)
        return cls(capacity, **self.kwargs)

    def validate_params(self) -> None:
        """Raise ValueError for values that cannot be."""
        super().validate_params()
        if self.select_memory not in {"main", "demo"}:
            raise ValueError(f"select_memory is {self.select_memory!r}; it must be 'main' or 'demo'")
        if self.select_memory == "demo" and not self.enable_demo_memory:
            raise ValueError("select_memory is 'demo', so enable_demo_memory must be True")
        if not 0 < self.demo_ratio < 1:
            raise ValueError(f"demo_ratio is {self.demo_ratio}; it must be above 0 and below 1")
        self.create_memory(1)

    def demos_of(self, batch_size: int, held: int) -> int:
        """Return how many demonstrations a batch has when so many are held."""
        return min(max(1, int(batch_size * self.demo_ratio)), held) if self.enable_demo_memory else 0

    def _set_proportional(
        self, name: str, alpha: float, beta_initial: float, beta_steps: int, has_duplicate: bool, epsilon: float
    ) -> Self:
        return self._set(
            name,
            alpha=alpha,
            beta_initial=beta_initial,
            beta_steps=beta_steps,
            has_duplicate=has_duplicate,
            epsilon=epsilon,
        )

    def _set(self, name: str, **kwargs: Any) -> Self:
        self.name, self.kwargs = name, kwargs
        return self
