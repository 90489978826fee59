"""A conformance kit for authors of environments: `env_test("my-id")` raises at the first broken promise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.base.env.config import EnvConfig
from srl.base.env.registration import make
from srl.base.exception import SRLError
from srl.base.rl.algorithms.env_worker import EnvWorker

if TYPE_CHECKING:
    from srl.base.env.env_run import EnvRun

_DEFAULT_MAX_STEP = 1000
_ROUNDING = 1e-6


def env_test(
    env_config: str | EnvConfig,
    test_render_terminal: bool = True,
    test_render_window: bool = True,
    test_restore: bool = True,
    max_step: int = 0,
) -> EnvRun:
    """Play one episode at random, and check at each step what an environment promises.

    Checked: a seed repeats the first state; states, actions and keys are in their spaces; a state that was
    returned does not change later; each player has a reward, and their sums stay in `reward_range`; flags are
    bools; the next player exists; some action is valid and has a name; pictures can be drawn (`test_render_*`); a
    backup restores what can be seen, and can be restored twice (`test_restore`). `max_step` bounds the episode; 0
    is 1000. Returns the environment. Raises SRLError that says what is wrong.
    """
    env = _make(env_config)
    _check_before_reset(env)
    env.setup(render_mode="rgb_array" if test_render_window else "")
    env.reset(seed=0)
    _check_restart(env)
    for _ in range(max_step or _DEFAULT_MAX_STEP):
        if env.done:
            break
        _check_turn(env)
        _check_drawing(env, terminal=test_render_terminal, picture=test_render_window)
        if test_restore:
            _check_restore(env)
        _check_step(env)
    _check_drawing(env, terminal=test_render_terminal, picture=test_render_window)
    _check_sums(env)
    env.teardown()
    return env


def player_test(env_config: str | EnvConfig, player: str, max_step: int = 0) -> EnvRun:
    """Let a rule-based player of the environment play one episode as each of its players.

    Checked: every action that it chooses is in the action space and valid. Raises SRLError otherwise.
    """
    env = _make(env_config)
    env.setup()
    env.reset(seed=0)
    workers = [_make_player(env, player) for _ in range(env.player_num)]
    for worker in workers:
        worker.call_on_reset(env)
    for _ in range(max_step or _DEFAULT_MAX_STEP):
        if env.done:
            break
        worker = workers[env.next_player]
        _step_by(worker.call_policy(env), env)
        worker.call_on_step(env)
    env.teardown()
    return env


def _make_player(env: EnvRun, player: str) -> EnvWorker:
    worker: object = env.make_worker(player)
    if not isinstance(worker, EnvWorker):
        raise SRLError(f"environment test: make_worker('{player}') returned {worker!r}, which is no EnvWorker")
    return worker


def _make(env_config: str | EnvConfig) -> EnvRun:
    config = env_config.copy() if isinstance(env_config, EnvConfig) else EnvConfig(env_config)
    config.enable_assertion = True
    return make(config)


def _check_before_reset(env: EnvRun) -> None:
    _expect(env.player_num >= 1, f"player_num is {env.player_num}")
    for space in (env.action_space, env.observation_space):
        value = space.sample()
        _expect(space.check_val(value), f"{space} draws {value!r}, which is not in it")
        _expect(space.check_val(space.get_default()), f"the default of {space} is not in it")
    for key, action in (env.get_key_bind() or {}).items():
        _expect(env.action_space.check_val(action), f"key {key!r} plays {action!r}, which is not in {env.action_space}")


def _check_restart(env: EnvRun) -> None:
    """Check that a seed brings the same first state again."""
    first = env.observation_space.to_str(env.state)
    env.reset(seed=0)
    again = env.observation_space.to_str(env.state)
    _expect(first == again, f"reset(seed=0) gives {first} once and {again} then")


def _check_turn(env: EnvRun) -> None:
    _expect(0 <= env.next_player < env.player_num, f"next_player {env.next_player} of {env.player_num} players")
    if env.action_space.is_discrete() and env.invalid_actions:
        _expect(env.get_valid_actions() != [], "every action is invalid, but the episode is not over")
    name: object = env.action_to_str(env.sample_action())
    _expect(isinstance(name, str), f"action_to_str() returned {name!r}, which is no text")


def _check_step(env: EnvRun) -> None:
    state, before = env.state, env.observation_space.to_str(env.state)
    env.step(env.sample_action())
    after = env.observation_space.to_str(state)
    _expect(before == after, f"step() changed the state that was returned before, {before}, to {after}: return a copy")


def _check_sums(env: EnvRun) -> None:
    low, high = env.reward_range
    for player, total in enumerate(env.episode_rewards):
        holds = low - _ROUNDING <= total <= high + _ROUNDING
        _expect(holds, f"player {player} has {total} in the episode, outside of reward_range {low}..{high}")


def _check_drawing(env: EnvRun, *, terminal: bool, picture: bool) -> None:
    if terminal:
        env.render_terminal_text()
    image = env.render_rgb_array() if picture else None
    if image is not None:
        _expect(image.ndim == 3 and image.shape[2] == 3, f"the picture has shape {image.shape}, not (h, w, 3)")


def _check_restore(env: EnvRun) -> None:
    data = env.backup()
    before = _visible(env)
    for _ in range(2):
        _check_step(env)
        env.restore(data)
        _expect(_visible(env) == before, f"restore() gives {_visible(env)} after {before}")


def _visible(env: EnvRun) -> tuple[Any, ...]:
    state = env.observation_space.to_str(env.state)
    return state, env.next_player, env.invalid_actions, env.render_terminal_text()


def _step_by(action: Any, env: EnvRun) -> None:
    _expect(action not in env.invalid_actions, f"player {env.next_player} chose the invalid action {action!r}")
    env.step(action)


def _expect(holds: bool, complaint: str) -> None:
    if not holds:
        raise SRLError(f"environment test: {complaint}")
