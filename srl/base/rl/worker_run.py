"""WorkerRun: plays an author's Worker in an environment, and is what the Worker's hooks see.

Which values hold in which hook:

| attribute            | on_reset       | policy, render            | on_step                     |
|----------------------|----------------|---------------------------|-----------------------------|
| state                | first state    | current state             | state that policy saw       |
| prev_state           | default value  | state one turn earlier    | None                        |
| next_state           | None           | None                      | state after the step        |
| action               | space default  | None; in render the chosen| action that policy returned |
| prev_action          | default value  | previous action           | previous action             |
| invalid_actions      | of first state | of current state          | those that policy saw       |
| prev_invalid_actions | []             | previous ones             | None                        |
| next_invalid_actions | None           | None                      | after the step              |
| reward               | 0              | last reward               | sum since the last turn     |
| done, terminated     | False          | False                     | as the environment says     |

`terminated` is False when the episode was cut off by a limit. A player alone gets `on_step` right after the
environment's step. One of several gets it at its own next turn or at the end of the episode, with what all
moves in between brought; one who had no turn gets none.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Literal

from srl.base.context import RunContext
from srl.base.define import DoneTypes
from srl.base.rl.tracking import Tracking
from srl.base.rl.window import Window
from srl.base.rl.worker_picture import render_text, rl_picture, worker_picture

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Mapping

    import numpy as np
    import numpy.typing as npt

    from srl.base.context import RunState
    from srl.base.env.env_run import EnvRun
    from srl.base.info import Info
    from srl.base.rl.config import RLConfig
    from srl.base.rl.worker import RLWorkerGeneric
    from srl.base.spaces.space import SpaceBase

_EPISODE_FIELDS = (
    "player_index", "state", "prev_state", "next_state", "action", "prev_action",
    "invalid_actions", "prev_invalid_actions", "next_invalid_actions",
    "render_image_state", "prev_render_image_state", "next_render_image_state",
    "reward", "done", "terminated", "step_in_training", "step_in_episode", "episode_seed",
    "_before_first_turn", "_awaits_step", "_reward_sum",
)  # fmt: skip
"""What a backup holds."""


class WorkerRun:
    """One Worker in one environment.

    Sequence of calls: `setup`, then for each episode `reset`, then `policy` at each turn of its player and
    `on_step` after every step of the environment; at last `teardown`. `play` in srl.base.run.play does it.
    """

    # with more than 30 attributes, reading one is slow unless it has a slot; authors may add their own
    __slots__ = (
        *_EPISODE_FIELDS,
        "worker", "env", "config", "context", "run_state", "tracking",
        "training", "distributed", "rendering", "rollout", "train_only",
        "_window", "_image_window", "_env_action", "_action_space", "_observe_env", "_encode_state", "_encode_action",
        "_decode_action", "_encode_image", "_alone", "_reward_shift", "_reward_scale", "__dict__",
    )  # fmt: skip

    state: Any
    prev_state: Any
    action: Any
    prev_action: Any

    def __init__(self, worker: RLWorkerGeneric[Any, Any, Any, Any, Any, Any, Any], env: EnvRun) -> None:
        self.worker = worker
        self.env = env
        self.config: RLConfig[Any, Any] = worker.config
        self.config.setup(env, enable_log=False)
        self.context = RunContext()
        self.run_state: RunState | None = None
        self.training = self.distributed = self.rendering = self.rollout = self.train_only = False
        self.step_in_training = 0
        self.tracking = Tracking()
        self.invalid_actions: list[Any] = []
        self._env_action: Any = None
        self._bind()
        worker.attach(self)
        self.reset(0)

    # --- the run

    def setup(self, context: RunContext | None = None, run_state: RunState | None = None) -> None:
        """Begin a run."""
        context = context if context is not None else RunContext()
        self.context = context
        self.run_state = run_state
        self.training = context.training
        self.distributed = context.distributed
        self.rendering = context.rl_render_mode != ""
        self.rollout = context.rollout
        self.train_only = context.train_only
        self.step_in_training = 0
        self.worker.begin_run(self, context)

    def teardown(self) -> None:
        """End a run."""
        self.worker.on_teardown(self)

    def reset(self, player_index: int, seed: int | None = None) -> None:
        """Begin an episode as this player. `on_reset` waits for the player's first turn."""
        self.player_index = player_index
        self.episode_seed = seed
        self.step_in_episode = 0
        self.tracking.rows.clear()
        self._before_first_turn = True
        self._awaits_step = False
        self._reward_sum = 0.0
        self._reset_values()

    def policy(self) -> Any:
        """Take the turn: return the action, as the environment wants it."""
        if self._before_first_turn:
            self._begin_episode()
        else:
            if self._awaits_step:
                self._finish_step()
            self._next_turn()
        self._env_action = None
        action = self.worker.policy(self)
        self.action = action
        self._awaits_step = True
        return self._decode_action(action) if self._env_action is None else self._env_action

    def on_step(self, is_stepped: bool = True) -> None:
        """Take note of a step of the environment, whoever's turn it was.

        `is_stepped` is False when there was none, because the policy ended the episode.
        """
        if self._before_first_turn:
            return
        env = self.env
        if is_stepped:
            self._reward_sum += env.rewards[self.player_index]
        if self._awaits_step and (self._alone or env.done):
            self._finish_step()

    # --- values

    @property
    def actor_id(self) -> int:
        """Which actor this is in distributed training, from 0."""
        return self.context.actor_id

    @property
    def train_count(self) -> int:
        """Updates made in this run and before a checkpoint that it goes on from, as far as this process knows."""
        state = self.run_state
        return state.past.train_count + state.train_count if state is not None else 0

    @property
    def done_type(self) -> DoneTypes:
        return self.env.done_type

    @property
    def done_reason(self) -> str:
        return self.env.done_reason

    @property
    def info(self) -> Info:
        """The Worker's values to show beside the progress."""
        return self.worker.info

    @property
    def invalid_action(self) -> list[Any]:
        """Another name of `invalid_actions`."""
        return self.invalid_actions

    @property
    def render_img_state(self) -> Any:
        """Another name of `render_image_state`."""
        return self.render_image_state

    @property
    def prev_render_img_state(self) -> Any:
        """Another name of `prev_render_image_state`."""
        return self.prev_render_image_state

    @property
    def next_render_img_state(self) -> Any:
        """Another name of `next_render_image_state`."""
        return self.next_render_image_state

    def get_state_one_step(self, idx: int = -1) -> Any:
        """Return one state of the window; -1 is the newest."""
        return self._window.values[idx] if self._window is not None else self._newest_state()

    def get_render_image_state_one_step(self, idx: int = -1) -> Any:
        """Return one picture of the window; -1 is the newest."""
        return self._image_window.values[idx] if self._image_window is not None else self._newest_image()

    # --- actions

    def sample_action(self) -> Any:
        """Return a valid action at random."""
        return self._action_space.sample(self.invalid_actions)

    def sample_action_to_env(self) -> Any:
        """Return a valid action at random, as the environment wants it."""
        return self._decode_action(self.sample_action())

    def get_valid_actions(self) -> list[Any]:
        """Return the allowed actions. Raises NotSupportedError unless actions are discrete."""
        return self._action_space.get_valid_actions(self.invalid_actions)

    def get_invalid_actions_to_env(self) -> list[Any]:
        """Return the actions that are not allowed, as the environment has them."""
        return [self._decode_action(action) for action in self.invalid_actions]

    def add_invalid_actions(self, invalid_actions: list[Any], encode: bool = False) -> None:
        """Forbid further actions in this turn; with `encode` they are the environment's."""
        added = [self._encode_action(action) for action in invalid_actions] if encode else invalid_actions
        self.invalid_actions = self.invalid_actions + [a for a in added if a not in self.invalid_actions]

    def override_action(self, env_action: Any, encode: bool = True) -> Any:
        """Let the environment get this action in place of what `policy` will return.

        Return the algorithm's form of it, or, without `encode`, the action itself.
        """
        self._env_action = env_action
        return self._encode_action(env_action) if encode else env_action

    def get_onehot_action(self) -> list[Any]:
        """Return `action` as 0s and a 1 (discrete actions only)."""
        return self._action_space.get_onehot(self.action)

    def get_onehot_prev_action(self) -> list[Any]:
        """Return `prev_action` as 0s and a 1 (discrete actions only)."""
        return self._action_space.get_onehot(self.prev_action)

    def abort_episode(self) -> None:
        """End the episode here, counting for nothing."""
        self.env.abort_episode()

    def print_discrete_action_info(self, maxa: int, func: Callable[[int], Any]) -> None:
        """Print `func(action)` for each valid action, with a star at `maxa`."""
        for action in self.get_valid_actions():
            mark = "*" if action == maxa else " "
            name = self.env.action_to_str(self._decode_action(action))
            print(f"{mark}{action}({name}): {func(action)}")

    # --- looking back

    def set_tracking_max_size(self, max_size: int = -1) -> None:
        """Keep at most so many rows; -1 keeps all of the episode."""
        self.tracking.set_max_size(max_size)

    def add_tracking(self, data: Mapping[str, Any]) -> None:
        """Note down a row of named values. Rows are forgotten when an episode begins."""
        self.tracking.add(data)

    def get_tracking(self, key: str, size: int | None = None, dummy: Any = None) -> list[Any]:
        """Return the newest `size` values of `key` (None: all), filled up at the head with `dummy`."""
        return self.tracking.column(key, size, dummy)

    def get_trackings(
        self,
        keys: list[str] | None = None,
        size: int = 0,
        padding_data: Mapping[str, Any] | None = None,
        padding_direct: Literal["head", "tail"] = "head",
    ) -> list[list[Any]]:
        """Return the newest `size` rows (0: all) as lists in the order of `keys`.

        Missing rows are filled up from `padding_data`, at the head or at the tail.
        """
        return self.tracking.table(keys, size, padding_data or {}, padding_direct)

    def get_tracking_length(self) -> int:
        return len(self.tracking.rows)

    def get_tracking_data(self) -> list[dict[str, Any]]:
        return list(self.tracking.rows)

    # --- pictures

    def render_terminal_text(self, **kwargs: Any) -> str:
        """Return what the Worker prints about the current state."""
        return render_text(self, **kwargs)

    def render_rl_image(self) -> npt.NDArray[np.uint8] | None:
        """Return the state as a picture, uint8 (height, width, 3), or None unless it is image-like."""
        return rl_picture(self)

    def create_render_image(
        self, add_terminal: bool = True, add_rgb_array: bool = True, info_text: str = "", **kwargs: Any
    ) -> npt.NDArray[np.uint8]:
        """Return a picture of environment, state, a text and the Worker: uint8 (height, width, 3).

        `kwargs` are handed to the render methods of environment and worker. A Worker that had no turn yet has
        nothing to show. Raises UsageError when there is nothing at all.
        """
        played = not self._before_first_turn
        return worker_picture(
            self,
            add_terminal=add_terminal and played,
            add_rgb_array=add_rgb_array and played,
            info_text=info_text,
            **kwargs,
        )

    # --- copies

    def backup(self) -> Any:
        """Return where worker and environment stand. The Worker's own attributes are not part of it."""
        values = {name: _copied(getattr(self, name)) for name in _EPISODE_FIELDS}
        return (
            self.env.backup(),
            values,
            copy(self.tracking.rows),
            _values_of(self._window),
            _values_of(self._image_window),
        )

    def restore(self, dat: Any) -> None:
        """Go back to where `backup` was called."""
        env_backup, values, rows, window, image_window = dat
        self.env.restore(env_backup)
        for name, value in values.items():
            setattr(self, name, _copied(value))
        self.tracking.rows = copy(rows)
        _set_values(self._window, window)
        _set_values(self._image_window, image_window)

    def copy(self) -> WorkerRun:
        """Return another worker with the same parameter and memory, in a copy of the environment."""
        new = WorkerRun(copy(self.worker), self.env.copy())
        new.setup(self.context, self.run_state)
        new.restore(self.backup())
        return new

    # --- inside

    def _bind(self) -> None:
        binding = self.config.binding
        self._action_space: SpaceBase[Any] = self.config.action_space
        self._observe_env = binding.observe
        self._encode_state = binding.encode_state
        self._encode_action = binding.encode_action
        self._decode_action = binding.decode_action
        self._encode_image = binding.encode_render_image
        self._alone = self.env.player_num == 1
        self._reward_shift = self.config.reward_shift
        self._reward_scale = self.config.reward_scale

    def _reset_values(self) -> None:
        space: Any = self.config.observation_space
        self._window = self._new_window()
        self._image_window = self._new_image_window()
        self.state = self.prev_state = space.get_default()
        self.next_state: Any = None
        self.action = self.prev_action = self._action_space.get_default()
        self.invalid_actions = []
        self.prev_invalid_actions: list[Any] | None = []
        self.next_invalid_actions: list[Any] | None = None
        self.render_image_state: Any = None
        self.prev_render_image_state: Any = None
        self.next_render_image_state: Any = None
        self.reward = 0.0
        self.done = self.terminated = False

    def _new_window(self) -> Window | None:
        length = self.config.window_length
        return Window(self.config.binding.observation.one_step_space, length) if length > 1 else None

    def _new_image_window(self) -> Window | None:
        encoding, length = self.config.binding.render_image, self.config.render_image_window_length
        return Window(encoding.one_step_space, length) if encoding is not None and length > 1 else None

    def _begin_episode(self) -> None:
        self._before_first_turn = False
        self.state = self._see()
        self.invalid_actions = self._see_invalid_actions()
        if self._encode_image is not None:
            self.prev_render_image_state = self.config.obs_render_img_space.get_default()
            self.render_image_state = self._see_image()
        self.worker.on_reset(self)
        self.action = None

    def _next_turn(self) -> None:
        self.prev_state = self.state
        self.state = self.next_state
        self.next_state = None
        self.prev_action = self.action
        self.action = None
        self.prev_invalid_actions = self.invalid_actions
        self.invalid_actions = self.next_invalid_actions or []
        self.next_invalid_actions = None
        if self._encode_image is not None:
            self.prev_render_image_state = self.render_image_state
            self.render_image_state = self.next_render_image_state
            self.next_render_image_state = None

    def _finish_step(self) -> None:
        self._awaits_step = False
        seen = self.prev_state, self.prev_invalid_actions
        self.prev_state = self.prev_invalid_actions = None
        self.next_state = self._see()
        self.next_invalid_actions = self._see_invalid_actions()
        if self._encode_image is not None:
            self.next_render_image_state = self._see_image()
        self.reward = (self._reward_sum + self._reward_shift) * self._reward_scale
        self._reward_sum = 0.0
        self.step_in_episode += 1
        self.step_in_training += 1
        env = self.env
        if env.done:
            self.done = True
            self.terminated = env.done_type is DoneTypes.TERMINATED
        self.worker.on_step(self)
        if self.done:  # the last picture shows the last turn again
            self.prev_state, self.prev_invalid_actions = seen

    def _see(self) -> Any:
        observe = self._observe_env
        state = self._encode_state(self.env.state if observe is None else observe(self.env))
        return state if self._window is None else self._window.push(state)

    def _see_invalid_actions(self) -> list[Any]:
        invalid = self.env.get_invalid_actions(self.player_index)
        return [self._encode_action(action) for action in invalid] if invalid else []

    def _see_image(self) -> Any:
        image = self.config.render_image_state_encode_one_step(self.env)
        return image if self._image_window is None else self._image_window.push(image)

    def _newest_state(self) -> Any:
        return self.state if self.next_state is None else self.next_state

    def _newest_image(self) -> Any:
        return self.render_image_state if self.next_render_image_state is None else self.next_render_image_state

    def truncate_episode(self, reason: str) -> None:
        """End the episode here as truncated."""
        self.env.truncate_episode(reason)


def _copied(value: Any) -> Any:
    return value[:] if isinstance(value, list) else value


def _values_of(window: Window | None) -> deque[Any] | None:
    return None if window is None else copy(window.values)


def _set_values(window: Window | None, values: deque[Any] | None) -> None:
    if window is not None and values is not None:
        window.values = copy(values)
