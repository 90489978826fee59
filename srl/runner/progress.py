"""The progress of a run in this process: what is measured, and how it reads."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from srl.base.context import RunContext, RunState, RunStateActor
from srl.base.run.callback import RunCallback
from srl.runner.evaluation import EvaluationOptions
from srl.runner.interval import Interval
from srl.runner.progress_line import ProgressLine
from srl.utils.system_load import SystemLoad

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from srl.base.rl.memory import RLMemory
    from srl.runner.evaluation import Evaluation

RECENT_EPISODES = 100
EVALUATE_EVERY_S = 10.0
"""When nothing else is said."""


@dataclass(frozen=True)
class ProgressOptions:
    """How runs show their progress; see Runner.set_progress."""

    start_time_s: float = 1
    interval_limit_s: float = 120
    single_line: bool = True
    env_info: bool = False
    train_info: bool = True
    worker_info: bool = True
    worker: int = 0
    max_actor: int = 5
    evaluation: EvaluationOptions = field(default_factory=EvaluationOptions)

    @property
    def evaluation_interval(self) -> Interval:
        interval_s = self.evaluation.interval_s
        return Interval(interval_s if interval_s > 0 else EVALUATE_EVERY_S)

    def make_line(self) -> ProgressLine:
        return ProgressLine(self.start_time_s, self.interval_limit_s, live=self.single_line)


class Progress(RunCallback):
    """Keeps a progress line up to date, and ends with a table."""

    def __init__(
        self,
        options: ProgressOptions,
        make_line: Callable[[], ProgressLine] | None = None,
        evaluation: Evaluation | None = None,
    ) -> None:
        self._options = options
        self._make_line = make_line or options.make_line
        self._evaluation = evaluation
        self._evaluated = ""

    def on_start(self, context: RunContext, **_kwargs: Any) -> None:
        self._line = self._make_line()
        self._load = SystemLoad() if context.enable_stats else None
        self._next_evaluation = self._options.evaluation_interval
        self._line.print(heading(context))

    def on_step_end(self, context: RunContext, state: RunStateActor, **_kwargs: Any) -> None:
        if self._line.is_due():
            self._line.update(acting_text(context, state, self._options) + self._extra())

    def on_train_after(self, context: RunContext, state: RunState, **_kwargs: Any) -> None:
        self._evaluate_if_due(context, state)
        if self._line.is_due():
            self._line.update(training_text(context, state, self._options) + self._extra())

    def on_episode_end(self, context: RunContext, state: RunStateActor, **_kwargs: Any) -> None:
        self._evaluate_if_due(context, state)

    def _evaluate_if_due(self, context: RunContext, state: RunState) -> None:
        if self._evaluation is not None and self._next_evaluation.is_due():
            assert state.parameter is not None
            rewards = self._evaluation.rewards(context, state.parameter.backup(serialized=True))
            self._evaluated = evaluated_text(rewards)
            self._next_evaluation.restart()

    def _extra(self) -> str:
        load = self._load.to_str() if self._load is not None else ""
        return self._evaluated + (f", {load}" if load else "")

    def on_end(self, context: RunContext, **kwargs: Any) -> None:
        self._line.finish(summary(kwargs["state"]))


def heading(context: RunContext) -> str:
    """Return what runs, where, and until when."""
    env = context.env_config.name if context.env_config else ""
    algorithm = context.rl_config.name if context.rl_config else ""
    names = ("max_episodes", "timeout", "max_steps", "max_train_count", "max_memory")
    limits = [f"{name} {getattr(context, name)}" for name in names if getattr(context, name) > 0]
    return f"{context.play_mode}: {algorithm} in {env}, until {' or '.join(limits) or 'it is stopped'}"


def acting_text(context: RunContext, state: RunStateActor, options: ProgressOptions) -> str:
    """Return where a run that plays stands, in one line."""
    elapsed_s = state.elapsed_s
    parts = [
        _time_text(context, state, elapsed_s),
        f"{_rate(state.total_step, elapsed_s)} steps/s",
        f"episode {state.episode_count}",
        f"reward {_mean_rewards(state)}",
    ]
    if state.trainer is not None:
        parts.append(_train_text(state, elapsed_s))
    return " ".join([", ".join(parts + _memory_text(state.memory)), _infos(state, options)]).rstrip()


def training_text(context: RunContext, state: RunState, options: ProgressOptions) -> str:
    """Return where a run that only trains stands, in one line."""
    elapsed_s = state.elapsed_s
    parts = [
        _time_text(context, state, elapsed_s),
        _train_text(state, elapsed_s),
        *_memory_text(state.memory),
    ]
    info = state.trainer.info.to_str() if state.trainer is not None and options.train_info else ""
    return f"{', '.join(parts)} {info}".rstrip()


def evaluated_text(rewards: Sequence[float]) -> str:
    """Return the mean rewards of an evaluation, "" when no episode came to its end."""
    return f", evaluated {' '.join(f'{reward:.3f}' for reward in rewards)}" if rewards else ""


def summary(state: RunState) -> dict[str, str]:
    """Return the results of a run by name."""
    elapsed_s = state.elapsed_s
    rows = {"ended by": state.end_reason.rstrip(".") or "an error or an interrupt", "time": f"{elapsed_s:.2f} s"}
    if isinstance(state, RunStateActor):
        rows["steps"] = f"{state.total_step} ({_rate(state.total_step, elapsed_s)}/s)"
        rows["episodes"] = str(state.episode_count)
        rows[f"mean reward of the last {RECENT_EPISODES}"] = _mean_rewards(state)
    if state.trainer is not None:
        rows["updates"] = f"{state.train_count} ({_rate(state.train_count, elapsed_s)}/s)"
    return rows


def remaining_s(context: RunContext, state: RunState, elapsed_s: float) -> float:
    """Return how many seconds the limit that comes first is away at the present rate; infinite if unknown."""
    pairs = [
        (elapsed_s, context.timeout),
        (state.train_count, context.max_train_count),
        (getattr(state, "total_step", 0), context.max_steps),
        (getattr(state, "episode_count", 0), context.max_episodes),
    ]
    estimates = [elapsed_s * (limit - done) / done for done, limit in pairs if limit > 0 and done > 0]
    return max(0.0, min(estimates, default=math.inf))


def duration_text(seconds: float) -> str:
    """Return 12.3s, 4m05s or 2h03m; ? for infinity."""
    if math.isinf(seconds):
        return "?"
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest_s = divmod(round(seconds), 60)
    return f"{minutes}m{rest_s:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"


def _time_text(context: RunContext, state: RunState, elapsed_s: float) -> str:
    return f"{duration_text(elapsed_s)} ({duration_text(remaining_s(context, state, elapsed_s))} left)"


def _train_text(state: RunState, elapsed_s: float) -> str:
    return f"{state.train_count} updates ({_rate(state.train_count, elapsed_s)}/s)"


def _memory_text(memory: RLMemory[Any] | None) -> list[str]:
    return [f"memory {memory.length()}"] if memory is not None and memory.length() >= 0 else []


def _mean_rewards(state: RunStateActor) -> str:
    recent = state.episode_rewards_list[-RECENT_EPISODES:]
    return " ".join(f"{sum(column) / len(recent):.3f}" for column in zip(*recent, strict=True)) or "-"


def _infos(state: RunStateActor, options: ProgressOptions) -> str:
    infos = ""
    if options.env_info:
        infos += state.env.info.to_str()
    if options.worker_info and options.worker < len(state.workers):
        infos += state.workers[options.worker].info.to_str()
    if options.train_info and state.trainer is not None:
        infos += state.trainer.info.to_str()
    return infos


def _rate(count: int, elapsed_s: float) -> str:
    return f"{count / elapsed_s:.0f}" if elapsed_s > 0 else "-"
