"""THE loop: an agent meets an environment. Training, evaluating, drawing and distributed actors run it."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from srl.base.context import RunContext, RunStateActor
from srl.base.run.callback import Hooks, RunCallback, call_all
from srl.base.run.past import Past
from srl.base.run.stop import INTERMEDIATE_STOP, StopConditions
from srl.utils.seed import set_random_states, set_seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from srl.base.env.env_run import EnvRun
    from srl.base.rl.trainer import RLTrainer
    from srl.base.rl.worker_run import WorkerRun

_KEPT_EPISODES = 10_000
"""How many episodes' rewards a training run, which may go on for weeks, keeps."""


def play(
    context: RunContext,
    env: EnvRun,
    workers: list[WorkerRun],
    main_worker_idx: int = 0,
    trainer: RLTrainer[Any, Any, Any] | None = None,
    callbacks: Sequence[RunCallback] = (),
    past: Past | None = None,
) -> RunStateActor:
    """Play episodes until a limit of `context` is reached or a callback returns True.

    `workers[i]` plays player i, or another one of the game in each episode when players are shuffled. With a
    trainer, it trains between steps. The limit that was reached is named in `end_reason` of the result.
    `on_end` of callbacks is called also when something raises. With a `past`, seeds, random numbers and what
    Workers count go on from there; limits count this run alone.
    """
    state = _new_state(env, workers, main_worker_idx, trainer, past or Past())
    hooks = Hooks(callbacks)
    set_seed(context.seed, context.seed_enable_gpu)
    call_all(hooks.start, context, state)
    try:
        _setup(context, state)
        call_all(hooks.episodes_begin, context, state)
        _play_episodes(context, state, hooks)
        call_all(hooks.episodes_end, context, state)
        _teardown(state)
    finally:
        call_all(hooks.end, context, state)
    return state


def _play_episodes(context: RunContext, state: RunStateActor, hooks: Hooks) -> None:
    env, workers, trainer = state.env, state.workers, state.trainer
    train_interval, train_repeat = context.train_interval, context.train_repeat
    stop_conditions = StopConditions(context, state)
    players = _Players(context, state)
    skip_step = _skip_step(context, state, hooks)
    steps_before = state.past.total_step

    while not (end_reason := stop_conditions.acting(state)):
        if env.done:
            players.begin_episode()
            call_all(hooks.episode_begin, context, state)

        # the agent's turn
        state.worker_idx = state.worker_indices[env.next_player]
        worker = workers[state.worker_idx]
        for hook in hooks.before_policy:
            hook(context=context, state=state)
        state.action = worker.policy()
        for hook in hooks.after_policy:  # who draws, draws here: the action is known, the step not yet done
            hook(context=context, state=state)

        # the environment's turn
        is_stepped = not env.done  # a policy may have ended the episode
        if is_stepped:
            env.step(state.action, worker.config.frameskip, skip_step)
        for each in workers:
            each.on_step(is_stepped)
        state.total_step += 1

        if trainer is not None and (steps_before + state.total_step) % train_interval == 0:
            _train(trainer, train_repeat, state)

        stop = bool(hooks.step_end) and call_all(hooks.step_end, context, state)
        if env.done:
            players.end_episode()
            call_all(hooks.episode_end, context, state)
        if stop:
            end_reason = INTERMEDIATE_STOP
            break
    state.end_reason = end_reason


def _train(trainer: RLTrainer[Any, Any, Any], repeat: int, state: RunStateActor) -> None:
    before = trainer.train_count
    for _ in range(repeat):
        trainer.train()
    trained = trainer.train_count - before
    state.train_count += trained
    state.is_step_trained = trained > 0


class _Players:
    """Who plays whom, and what an episode begins and ends with."""

    def __init__(self, context: RunContext, state: RunStateActor) -> None:
        self._context = context
        self._state = state
        self._began_s = 0.0
        self._next_seed = _first_episode_seed(context, state.past)

    def begin_episode(self) -> None:
        state = self._state
        self._began_s = time.perf_counter()
        self._draw_seed()
        state.env.reset(seed=state.episode_seed)
        state.worker_indices = self._draw_indices()
        for player_index, worker_idx in enumerate(state.worker_indices):
            state.workers[worker_idx].reset(player_index, state.episode_seed)

    def end_episode(self) -> None:
        state = self._state
        rewards = [float(state.env.episode_rewards[worker.player_index]) for worker in state.workers]
        state.episode_count += 1
        state.last_episode_step = state.env.step_num
        state.last_episode_time = time.perf_counter() - self._began_s
        state.last_episode_rewards = rewards
        state.episode_rewards_list.append(rewards)
        if self._context.training and len(state.episode_rewards_list) >= 2 * _KEPT_EPISODES:
            del state.episode_rewards_list[:_KEPT_EPISODES]

    def _draw_seed(self) -> None:
        self._state.episode_seed = self._next_seed
        if self._next_seed is not None:
            self._next_seed += 1

    def _draw_indices(self) -> list[int]:
        indices = list(range(len(self._state.workers)))
        if self._context.shuffle_player:
            random.shuffle(indices)
        return indices


def _new_state(
    env: EnvRun, workers: list[WorkerRun], main_worker_idx: int, trainer: RLTrainer[Any, Any, Any] | None, past: Past
) -> RunStateActor:
    worker = workers[main_worker_idx]
    return RunStateActor(
        env=env,
        workers=workers,
        worker=worker,
        trainer=trainer,
        memory=trainer.memory if trainer else worker.worker.memory,
        parameter=trainer.parameter if trainer else worker.worker.parameter,
        past=past,
    )


def _setup(context: RunContext, state: RunStateActor) -> None:
    state.env.setup(context, context.env_render_mode or state.worker.config.request_env_render)
    for worker in state.workers:
        worker.setup(context, state)
    if state.trainer is not None:
        state.trainer.setup(context)
    _take_up(context, state)


def _take_up(context: RunContext, state: RunStateActor) -> None:
    """Go on from the past, once all that draws random numbers in its setup has done so."""
    for worker, steps in zip(state.workers, state.past.worker_steps, strict=False):
        worker.step_in_training = steps
    if state.past.has_randomness_of(context.seed):
        set_random_states(state.past.random_states)


def _first_episode_seed(context: RunContext, past: Past) -> int | None:
    if context.seed is None or context.seed != past.seed:
        return context.seed
    return context.seed + past.episode_count


def _teardown(state: RunStateActor) -> None:
    for worker in state.workers:
        worker.teardown()
    if state.trainer is not None:
        state.trainer.teardown()
    state.env.teardown()


def _skip_step(context: RunContext, state: RunStateActor, hooks: Hooks) -> Any:
    if not hooks.skip_step:
        return None
    return lambda: call_all(hooks.skip_step, context, state)
