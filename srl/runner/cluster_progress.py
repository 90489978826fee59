"""The progress of a cluster: rates, the Memory, how old the actors' parameters are, and the end's table."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from srl.runner.progress import RECENT_EPISODES, ProgressOptions, duration_text, evaluated_text, heading
from srl.utils.system_load import SystemLoad

if TYPE_CHECKING:
    from srl.base.context import RunContext
    from srl.runner.evaluation import Evaluation
    from srl.runner.observed_cluster import ObservedCluster

_RATE_WINDOW_S = 3.0


class ClusterProgress:
    """Shows where a cluster stands, in one line that is kept up to date.

    Counters of a service that was started anew begin at 0 again: what its earlier lives did is added.
    """

    def __init__(
        self,
        context: RunContext,
        options: ProgressOptions,
        begun_count: int = 0,
        evaluation: Evaluation | None = None,
        *,
        enable: bool,
    ) -> None:
        self._context = context
        self._begun_count = begun_count
        self._enable = enable
        self._options = options
        self._line = options.make_line()
        self._begun_s = time.monotonic()
        self._began = False
        self._totals = _Totals()
        self._rates = _Rates()
        self._end_reason = ""
        self._restarts = 0
        self._learner: dict[str, Any] = {}
        self._actors: dict[str, dict[str, Any]] = {}
        """As they were last seen: at the end they have left."""
        self._evaluation = evaluation
        self._next_evaluation = options.evaluation_interval
        self._evaluated = ""
        self._load = SystemLoad() if context.enable_stats else None

    def begin(self) -> None:
        """Say what begins."""
        self._began = True
        self._begun_s = time.monotonic()
        if self._enable:
            self.print(heading(self._context))

    def print(self, text: str) -> None:
        """Show a line that stays; also without progress, for what a user must know."""
        self._line.print(text)

    def update(self, cluster: ObservedCluster) -> None:
        """Take in what the cluster says, and show it when due."""
        self._end_reason, self._restarts, self._learner = (
            cluster.end_reason,
            cluster.restarts,
            cluster.learner,
        )
        for name, actor in cluster.actors.items():
            self._totals.note(name, actor)
            self._actors[name] = actor
        self._rates.note("trained", self._learner.get("train_count", 0))
        for name, steps in self._totals.by_actor("env_steps").items():
            self._rates.note(name, steps)
        if self._enable:
            self._evaluate_if_due(cluster)
            if self._line.is_due():
                self._line.update(self._text(cluster))

    @property
    def steps(self) -> int:
        """Environment steps of all actors."""
        return self._totals.sum("env_steps")

    @property
    def episodes(self) -> int:
        """Episodes of all actors."""
        return self._totals.sum("episodes")

    def _evaluate_if_due(self, cluster: ObservedCluster) -> None:
        if self._evaluation is None or not self._next_evaluation.is_due():
            return
        learned = cluster.learner_state()
        if learned is not None:
            self._evaluated = evaluated_text(self._evaluation.rewards(self._context, learned.parameter))
            self._next_evaluation.restart()

    def finish(self, *, results: bool = True) -> None:
        """End the line, and show the results if training began and they are wanted."""
        self._line.finish(self._summary() if results and self._enable and self._began else {})

    def _text(self, cluster: ObservedCluster) -> str:
        elapsed_s = time.monotonic() - self._begun_s
        if cluster.waiting:
            return f"{duration_text(elapsed_s)}, {cluster.waiting}"
        learner, host = cluster.learner, cluster.view.host
        steps_per_s = [self._rates.of(name) for name in sorted(self._totals.by_actor("env_steps"))]
        shown = steps_per_s[: self._options.max_actor]
        per_actor = " + ".join([f"{rate:.0f}" for rate in shown] + ["..."] * (len(shown) < len(steps_per_s)))
        parts = [
            f"{duration_text(elapsed_s)}",
            f"{sum(steps_per_s):.0f} env steps/s ({per_actor or '-'})",
            f"{self._rates.of('trained'):.0f} trained/s",
            f"trained {learner.get('train_count', 0)}",
            f"reward {_mean_reward(cluster.actors)}",
            f"memory {host.get('memory_length', 0)}",
            f"parameter {_version(learner)} (age {_ages(cluster.actors)})",
        ]
        info = " ".join(f"|{name} {value:.4g}" for name, value in learner.get("info", {}).items())
        if self._load is not None:
            parts.append(self._load.to_str())
        text = f"{', '.join(filter(None, parts))}{self._evaluated}"
        return f"{text} {info if self._options.train_info else ''}".rstrip()

    def _summary(self) -> dict[str, str]:
        elapsed_s = max(float(self._learner.get("elapsed_s", 0.0)), 1e-9)
        steps = self.steps
        trained = max(0, int(self._learner.get("train_count", 0)) - self._begun_count)
        rows = {
            "ended by": self._end_reason.rstrip(".") or "an error or an interrupt",
            "time": f"{time.monotonic() - self._begun_s:.2f} s, {elapsed_s:.2f} s of it training",
            "steps": f"{steps} ({steps / elapsed_s:.0f}/s)",
            "episodes": str(self.episodes),
            f"mean reward of the last {RECENT_EPISODES}": _mean_reward(self._actors),
            "updates": f"{trained} ({trained / elapsed_s:.0f}/s)",
        }
        if self._restarts:
            rows["services started anew"] = str(self._restarts)
        return rows


class _Totals:
    """Sums of counters over all lives of each actor."""

    def __init__(self) -> None:
        self._past: dict[tuple[str, str], int] = {}
        self._now: dict[tuple[str, str], int] = {}

    def note(self, name: str, counters: dict[str, Any]) -> None:
        for counter in ("env_steps", "episodes"):
            key, value = (name, counter), int(counters.get(counter, 0))
            if value < self._now.get(key, 0):
                self._past[key] = self._past.get(key, 0) + self._now[key]
            self._now[key] = value

    def by_actor(self, counter: str) -> dict[str, int]:
        return {n: value + self._past.get((n, c), 0) for (n, c), value in self._now.items() if c == counter}

    def sum(self, counter: str) -> int:
        return sum(self.by_actor(counter).values())


class _Rates:
    """Counts per second over the last seconds: the services say where they are only now and then."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[tuple[float, float]]] = {}

    def note(self, name: str, count: float) -> None:
        """Note a count as of now."""
        seen = self._seen.setdefault(name, deque())
        now_s = time.monotonic()
        if not seen or count != seen[-1][1]:
            seen.append((now_s, count))
        while len(seen) > 2 and seen[1][0] < now_s - _RATE_WINDOW_S:
            seen.popleft()

    def of(self, name: str) -> float:
        """Return the rate of a count that was noted, 0 before it has changed."""
        (then_s, before), (last_s, last) = self._seen[name][0], self._seen[name][-1]
        return max(last - before, 0.0) / (last_s - then_s) if last_s > then_s else 0.0


def _mean_reward(actors: dict[str, dict[str, Any]]) -> str:
    """Return the mean of what the actors' last episodes brought."""
    found = [mean for each in actors.values() if (mean := each.get("reward_mean")) is not None]
    return f"{sum(found) / len(found):.3f}" if found else "-"


def _version(learner: dict[str, Any]) -> str:
    return f"{learner.get('epoch', 0)}.{learner.get('snapshot_train_count', 0)}"


def _ages(actors: dict[str, dict[str, Any]]) -> str:
    ages = [float(each.get("parameter_age_s", 0.0)) for each in actors.values()]
    return f"{max(ages):.1f} s" if ages else "-"
