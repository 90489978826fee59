"""The user's callbacks in the memory service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.base.run.callback import Hooks, call_memory_hooks
from srl.base.run.stop import INTERMEDIATE_STOP

if TYPE_CHECKING:
    from services.hosting.durable_memory import DurableMemory
    from srl.base.context import RunContext
    from srl.base.rl.memory import RLMemory


class Watcher:
    """Calls the hooks of callbacks that are about the Memory.

    Args:
        context: of the memory service.
        memory: the author's.
        durable: what holds it.
    """

    def __init__(self, context: RunContext, memory: RLMemory[Any], durable: DurableMemory) -> None:
        self._context = context
        self._memory = memory
        self._durable = durable
        self._hooks = Hooks(context.callbacks)
        self._end_reason = ""

    def start(self) -> None:
        """Tell that the Memory is served from now on."""
        call_memory_hooks(self._hooks.memory_start, self._context, self._info())

    def look(self) -> None:
        """Let callbacks look at the Memory."""
        if self._hooks.memory and call_memory_hooks(self._hooks.memory, self._context, self._info()):
            self._end_reason = INTERMEDIATE_STOP

    def end(self) -> None:
        """Tell that the Memory is served no longer."""
        call_memory_hooks(self._hooks.memory_end, self._context, self._info())

    def counters(self) -> dict[str, Any]:
        """Return what others are to know: why the run should end, "" while it goes on."""
        return {"end_reason": self._end_reason}

    def _info(self) -> dict[str, Any]:
        return {
            "memory": self._memory,
            "memory_length": self._memory.length(),
            "inserted": sum(self._durable.inserted.values()),
        }
