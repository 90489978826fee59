"""Runs in this process: train, rollout, train_only, evaluate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from srl.base.run.train_only import train_only
from srl.runner.records import RecordsMixin
from srl.utils.usage import UsageError, short_traceback

if TYPE_CHECKING:
    from srl.base.context import RunStateActor, RunStateTrainer
    from srl.base.define import PlayersType
    from srl.base.run.callback import RunCallback


class PlayMixin(RecordsMixin):
    """Runs in this process. A limit of 0 or less is no limit."""

    @short_traceback
    def train(
        self,
        max_episodes: int = 0,
        timeout: float = 0,
        max_steps: int = 0,
        max_train_count: int = 0,
        max_memory: int = 0,
        players: PlayersType | None = None,
        shuffle_player: bool = True,
        train_interval: int = 1,
        train_repeat: int = 1,
        enable_progress: bool = True,
        callbacks: Sequence[RunCallback] = (),
    ) -> RunStateActor:
        """Play and train until one of the limits is reached; `timeout` is in seconds.

        Trains `train_repeat` times after every `train_interval` steps. Raises UsageError without any limit.
        """
        context = self._new_context(
            "train",
            training=True,
            max_episodes=max_episodes,
            timeout=timeout,
            max_steps=max_steps,
            max_train_count=max_train_count,
            max_memory=max_memory,
            players=players or [],
            shuffle_player=shuffle_player,
            train_interval=train_interval,
            train_repeat=train_repeat,
        )
        context.require_stop_condition()
        recorders = self._recorders(context, checkpoints=True)
        all_callbacks = self._with_progress([*callbacks, *recorders], enable_progress, trains=True)
        return self._play(context, self.trainer, all_callbacks, self._take_past())

    @short_traceback
    def rollout(
        self,
        max_episodes: int = 0,
        timeout: float = 0,
        max_steps: int = 0,
        max_memory: int = 0,
        players: PlayersType | None = None,
        shuffle_player: bool = True,
        enable_progress: bool = True,
        callbacks: Sequence[RunCallback] = (),
    ) -> RunStateActor:
        """Fill the memory without training. Raises UsageError without any limit."""
        context = self._new_context(
            "rollout",
            training=True,
            rollout=True,
            disable_trainer=True,
            max_episodes=max_episodes,
            timeout=timeout,
            max_steps=max_steps,
            max_memory=max_memory,
            players=players or [],
            shuffle_player=shuffle_player,
        )
        context.require_stop_condition("max_episodes", "timeout", "max_steps", "max_memory")
        recorders = self._recorders(context, checkpoints=False)
        all_callbacks = self._with_progress([*callbacks, *recorders], enable_progress)
        return self._play(context, None, all_callbacks)

    @short_traceback
    def train_only(
        self,
        timeout: float = 0,
        max_train_count: int = 0,
        enable_progress: bool = True,
        callbacks: Sequence[RunCallback] = (),
    ) -> RunStateTrainer:
        """Train from what the memory holds. Raises UsageError without any limit."""
        context = self._new_context(
            "train_only", training=True, train_only=True, timeout=timeout, max_train_count=max_train_count
        )
        context.require_stop_condition("timeout", "max_train_count")
        recorders = self._recorders(context, checkpoints=True)
        all_callbacks = self._with_progress([*callbacks, *recorders], enable_progress, trains=True)
        context.callbacks = all_callbacks
        state = train_only(context, self.trainer, all_callbacks, self._take_past())
        self.state = state
        return state

    @short_traceback
    def evaluate(
        self,
        max_episodes: int = 10,
        timeout: float = -1,
        max_steps: int = -1,
        players: PlayersType | None = None,
        shuffle_player: bool = True,
        enable_progress: bool = True,
        callbacks: Sequence[RunCallback] = (),
    ) -> list[float] | list[list[float]]:
        """Play without training; return the sum of rewards of each episode.

        With several players each episode gives a list, in the order of `players`. An episode that a limit cut
        off is not in the result. Raises UsageError without any limit.
        """
        context = self._new_context(
            "evaluate",
            run_name="eval",
            max_episodes=max_episodes,
            timeout=timeout,
            max_steps=max_steps,
            players=players or [],
            shuffle_player=shuffle_player,
        )
        context.require_stop_condition("max_episodes", "timeout", "max_steps")
        state = self._play(context, None, self._with_progress(callbacks, enable_progress))
        if self.env.player_num == 1:
            return [rewards[0] for rewards in state.episode_rewards_list]
        return state.episode_rewards_list

    @short_traceback
    def evaluate_compare_to_baseline_single_player(
        self, episode: int = -1, baseline: float | None = None, **kwargs: Any
    ) -> bool:
        """Tell whether the mean reward of so many episodes reaches a baseline.

        Both default to the environment's. Raises UsageError when it names none.
        """
        known = self.env.reward_baseline or {}
        if baseline is None:
            baseline = known.get("baseline")
        if baseline is None:
            raise UsageError(f"'{self.env.name}' names no baseline: give `baseline`")
        episodes = episode if episode > 0 else known.get("episode", 100)
        rewards = cast("list[float]", self.evaluate(max_episodes=episodes, **kwargs))
        return sum(rewards) / len(rewards) >= baseline

    @short_traceback
    def evaluate_compare_to_baseline_multiplayer(
        self, baselines: Sequence[Mapping[str, Any]] | None = None, **kwargs: Any
    ) -> bool:
        """Tell whether the mean rewards reach every baseline: "episode", "players", and "baseline" by player.

        A player whose baseline is None may have any reward. They default to the environment's. `kwargs` are those of
        `evaluate`. Raises UsageError when the environment names none.
        """
        known = self.env.reward_baseline if baselines is None else baselines
        if not isinstance(known, Sequence) or not known:
            raise UsageError(f"'{self.env.name}' names no baselines of several players: give `baselines`")
        return all(self._reaches(baseline, kwargs) for baseline in known)

    def _reaches(self, wanted: Mapping[str, Any], kwargs: dict[str, Any]) -> bool:
        rewards = self.evaluate(wanted.get("episode", 100), players=wanted["players"], shuffle_player=False, **kwargs)
        means = [sum(each) / len(rewards) for each in zip(*cast("list[list[float]]", rewards), strict=True)]
        return all(low is None or mean >= low for mean, low in zip(means, wanted["baseline"], strict=True))
