"""The state of a memory's own random numbers: one that is restored draws what the other would have drawn next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from srl.rl.memories.item_store import ItemStore


def draw_state(memory: Any) -> Mapping[str, Any] | None:
    """Return the state of `memory._rng`; None when it was not used yet, since to make it draws from `random`."""
    rng: np.random.Generator | None = vars(memory).get("_rng")
    return None if rng is None else rng.bit_generator.state


def restore_draw_state(memory: Any, state: Mapping[str, Any] | None) -> None:
    """Let `memory._rng` go on from what `draw_state` returned; after None it is made anew when it is first used."""
    vars(memory).pop("_rng", None)
    if state is not None:
        memory._rng = np.random.default_rng(0)  # noqa: SLF001  the memory's own call
        memory._rng.bit_generator.state = dict(state)  # noqa: SLF001


def restore_places(items: ItemStore, first: int, capacity: int) -> None:
    """Let items that an empty store takes in lie in the ring as those did whose first number was `first`.

    Draws in proportion to priorities depend on the order in it.
    """
    end = items.numbers.stop
    items.begin_at(end + (first - end) % capacity)
