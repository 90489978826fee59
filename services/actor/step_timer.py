"""Times one step of the loop when asked to; all other steps run as if it were not there."""

from __future__ import annotations

import inspect
import time
from typing import TYPE_CHECKING, Any

from srl_common.histogram import SECONDS, Histogram

if TYPE_CHECKING:
    from collections.abc import Iterable

    from srl.base.env.env_run import EnvRun
    from srl.base.rl.worker_run import WorkerRun


class StepTimer:
    """Seconds of policies and of steps of the environment, of the steps that were timed."""

    def __init__(self) -> None:
        self.policy = Histogram(SECONDS)
        self.env_step = Histogram(SECONDS)

    def time_next(self, workers: Iterable[WorkerRun], env: EnvRun) -> None:
        """Time the next policy of each of `workers`, and the next step of `env`."""
        for each in workers:
            _time_once(each, "policy", self.policy)
        _time_once(env, "step", self.env_step)


def _time_once(target: Any, name: str, seconds: Histogram) -> None:
    """Put a function in the way of a method that takes itself out when it is called."""
    method = getattr(target, name)
    if not inspect.ismethod(method):
        return  # it is still there: this one's turn has not come

    def timed(*args: Any, **kwargs: Any) -> Any:
        delattr(target, name)
        start_s = time.perf_counter()
        result = method(*args, **kwargs)
        seconds.observe(time.perf_counter() - start_s)
        return result

    setattr(target, name, timed)
