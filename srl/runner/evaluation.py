"""Evaluation beside training: some episodes with a copy of the Parameter, which leave the training as it was."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from srl.base.rl.players import make_workers
from srl.base.run.play import play
from srl.utils.seed import undisturbed_randomness

if TYPE_CHECKING:
    from srl.base.context import RunContext
    from srl.base.define import PlayersType
    from srl.base.env.env_run import EnvRun
    from srl.base.rl.memory import RLMemory
    from srl.base.rl.parameter import RLParameter


@dataclass(frozen=True)
class EvaluationOptions:
    """How to evaluate; see Runner.set_progress."""

    enable: bool = False
    env_sharing: bool = False
    interval_s: float = -1
    """Seconds between two evaluations; -1: whenever there is a use for one."""
    timeout_s: float = -1
    max_steps: int = -1
    episode: int = 1
    players: PlayersType = field(default_factory=list)
    shuffle_player: bool = False


class Evaluation:
    """Plays episodes for their rewards.

    Args:
        options: how many, and against whom.
        env: the training's own, with `env_sharing`; else an environment is made when first needed.
    """

    def __init__(self, options: EvaluationOptions, env: EnvRun | None = None) -> None:
        self._options = options
        self._shared_env = env if options.env_sharing else None
        self._env = self._shared_env
        self._parameter: RLParameter[Any] | None = None
        self._memory: RLMemory[Any] | None = None

    def rewards(self, context: RunContext, parameter_backup: Any) -> list[float]:
        """Return the mean reward of an episode by player, of a Parameter that `backup(serialized=True)` was made of.

        With a shared environment, call it between two episodes.
        """
        with undisturbed_randomness():
            return self._play(context, parameter_backup)

    def _play(self, context: RunContext, parameter_backup: Any) -> list[float]:
        config, options = context.rl_config, self._options
        assert config is not None
        assert context.env_config is not None
        env = self._env = self._env or context.env_config.make()
        parameter = self._parameter = self._parameter or config.make_parameter(env)
        parameter.restore(parameter_backup, from_serialized=True)
        memory = self._memory = self._memory or config.make_memory(env)
        workers, main_worker_idx = make_workers(options.players, env, config, parameter, memory)
        state = play(self._context(context), env, workers, main_worker_idx)
        if self._shared_env is not None:
            env.setup(context, context.env_render_mode or config.request_env_render)
        episodes = state.episode_rewards_list
        return [sum(rewards) / len(episodes) for rewards in zip(*episodes, strict=True)]

    def _context(self, context: RunContext) -> RunContext:
        options = self._options
        return replace(
            context,
            callbacks=[],
            run_name="eval",
            play_mode="evaluate",
            max_episodes=options.episode,
            timeout=options.timeout_s,
            max_steps=options.max_steps,
            max_train_count=0,
            max_memory=0,
            players=options.players,
            shuffle_player=options.shuffle_player,
            distributed=False,
            training=False,
            train_only=False,
            rollout=False,
            env_render_mode="",
            rl_render_mode="",
        )
