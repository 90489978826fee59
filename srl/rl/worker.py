"""Another name of srl.base.rl.worker, for RLWorker."""

from __future__ import annotations

from srl.base.rl.worker import RLWorker, RLWorkerGeneric

__all__ = ["RLWorker", "RLWorkerGeneric"]
