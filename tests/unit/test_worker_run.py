"""The table of values by hook, hook by hook; and what else a Worker can ask for."""

from __future__ import annotations

from typing import Any

import counting_env
import numpy as np
import probe_rl
import pytest

import srl
from srl.base.context import RunContext
from srl.base.define import DoneTypes
from srl.base.rl.algorithms.extend_worker import ExtendWorker
from srl.base.rl.config import DummyRLConfig
from srl.base.rl.memory import DummyRLMemory
from srl.base.rl.parameter import DummyRLParameter
from srl.base.rl.worker import DummyRLWorker
from srl.base.run.play import play
from srl.base.spaces.space import SpaceBase


def notes_of_one_episode(env: str = "Counting", **config: Any) -> list[tuple[str, dict[str, Any]]]:
    runner = srl.Runner(env, probe_rl.Config(**config))
    runner.rollout(max_episodes=1, shuffle_player=False, enable_progress=False)
    return runner.worker.worker.notes


def made_worker(env: str = "Counting", **config: Any) -> Any:
    """A worker in an episode whose first turn is to come."""
    worker = srl.Runner(env, probe_rl.Config(**config)).worker
    worker.env.setup()
    worker.setup()
    worker.env.reset()
    worker.reset(0)
    return worker


def take_turn(worker: Any) -> None:
    worker.env.step(worker.policy())
    worker.on_step()


def test_order_of_hooks_for_one_player() -> None:
    hooks = [hook for hook, _ in notes_of_one_episode()]
    assert hooks == ["on_reset"] + ["policy", "on_step"] * counting_env.LENGTH


@pytest.mark.parametrize(
    ("index", "hook", "values"),
    [
        (0, "on_reset", {"state": 0, "prev_state": 0, "next_state": None, "action": 0, "prev_action": 0,
                         "invalid_actions": [0], "prev_invalid_actions": [], "next_invalid_actions": None,
                         "reward": 0, "done": False, "terminated": False}),
        (1, "policy", {"state": 0, "prev_state": 0, "next_state": None, "action": None}),
        (2, "on_step", {"state": 0, "prev_state": None, "next_state": 1, "action": 4, "prev_action": 0,
                        "invalid_actions": [0], "prev_invalid_actions": None, "next_invalid_actions": [1],
                        "reward": 1, "done": False, "terminated": False}),
        (3, "policy", {"state": 1, "prev_state": 0, "next_state": None, "action": None, "prev_action": 4,
                       "invalid_actions": [1], "prev_invalid_actions": [0], "next_invalid_actions": None,
                       "reward": 1, "done": False}),
        (8, "on_step", {"state": 3, "next_state": 4, "action": 4, "prev_action": 4, "invalid_actions": [0],
                        "next_invalid_actions": [1], "reward": 4, "done": True, "terminated": True}),
    ],
)  # fmt: skip
def test_values_by_hook_for_one_player(index: int, hook: str, values: dict[str, Any]) -> None:
    noted_hook, noted = notes_of_one_episode()[index]
    assert noted_hook == hook
    assert {name: noted[name] for name in values} == values


def test_values_in_render_for_one_player(capsys: pytest.CaptureFixture[str]) -> None:
    runner = srl.Runner("Counting", probe_rl.Config())
    runner.render_terminal()
    assert "probe" in capsys.readouterr().out
    renders = [values for hook, values in runner.worker.worker.notes if hook == "render"]
    expected = [(0, 0, None, 4, [0]), (1, 0, None, 4, [1]), (2, 1, None, 4, [2]), (3, 2, None, 4, [0])]
    last = [(3, 2, 4, 4, [0])]
    names = ("state", "prev_state", "next_state", "action", "invalid_actions")
    assert [tuple(values[name] for name in names) for values in renders] == expected + last


def test_two_players_get_on_step_at_their_next_turn_or_the_end() -> None:
    hooks = [(hook, values["state"]) for hook, values in notes_of_one_episode("Counting2")]
    assert hooks == [
        ("on_reset", 0), ("policy", 0),
        ("on_step", 0), ("policy", 2),  # player 0 moves in states 0 and 2
        ("on_step", 2),  # the end
    ]  # fmt: skip


def test_two_players_rewards_add_up_over_the_others_turns() -> None:
    steps = [values for hook, values in notes_of_one_episode("Counting2") if hook == "on_step"]
    assert [values["reward"] for values in steps] == [1 + 2, 3 + 4]
    assert [values["next_state"] for values in steps] == [2, 4]
    assert [values["done"] for values in steps] == [False, True]
    assert [values["next_invalid_actions"] for values in steps] == [[2], [1]]


def test_second_player_sees_its_own_first_state_and_rewards() -> None:
    runner = srl.Runner("Counting2", probe_rl.Config())
    runner.rollout(max_episodes=1, players=["random", None], shuffle_player=False, enable_progress=False)
    notes = runner.worker.worker.notes
    assert [(hook, values["state"]) for hook, values in notes] == [
        ("on_reset", 1), ("policy", 1), ("on_step", 1), ("policy", 3), ("on_step", 3),
    ]  # fmt: skip
    assert [values["reward"] for hook, values in notes if hook == "on_step"] == [20 + 30, 40]
    assert {values["player_index"] for _, values in notes} == {1}


def test_a_player_without_a_turn_gets_no_hook() -> None:
    runner = srl.Runner(srl.EnvConfig("Counting2", {"length": 1}), probe_rl.Config())
    runner.rollout(max_episodes=1, players=["random", None], shuffle_player=False, enable_progress=False)
    assert runner.worker.worker.notes == []


def test_a_time_out_is_done_but_not_terminated() -> None:
    runner = srl.Runner(srl.EnvConfig("Counting", max_episode_steps=2), probe_rl.Config())
    runner.rollout(max_episodes=1, enable_progress=False)
    last = runner.worker.worker.notes[-1][1]
    assert (last["done"], last["terminated"]) == (True, False)


def test_reward_is_shifted_then_scaled() -> None:
    steps = [v for hook, v in notes_of_one_episode(reward_shift=1, reward_scale=0.5) if hook == "on_step"]
    assert [values["reward"] for values in steps] == [1.0, 1.5, 2.0, 2.5]


def test_a_policy_may_end_the_episode() -> None:
    runner = srl.Runner("Counting", probe_rl.Config(give_up_at=2))
    state = runner.rollout(max_episodes=1, enable_progress=False)
    hook, last = runner.worker.worker.notes[-1]
    assert (hook, last["state"], last["reward"], last["done"], last["terminated"]) == (
        "on_step",
        2,
        0,
        True,
        False,
    )
    assert (state.env.done_type, state.env.done_reason) == (DoneTypes.TRUNCATED, "rl")
    assert state.env.step_num == 2


def test_abort_episode() -> None:
    worker = made_worker()
    worker.abort_episode()
    assert (worker.env.done, worker.done_type) == (True, DoneTypes.ABORT)


def test_names_of_the_specification() -> None:
    worker = made_worker(picture=True)
    worker.policy()
    rl_worker = worker.worker
    assert worker.invalid_action == worker.invalid_actions == rl_worker.get_invalid_actions() == [0]
    assert np.array_equal(worker.render_img_state, worker.render_image_state)
    assert isinstance(rl_worker.observation_space, SpaceBase)
    assert isinstance(rl_worker.action_space, SpaceBase)
    assert rl_worker.sample_action() in {1, 2, 3, 4}
    assert (rl_worker.player_num, rl_worker.max_episode_steps, rl_worker.step) == (1, 100, 0)
    assert (rl_worker.train_count, rl_worker.run_state, rl_worker.player_index) == (0, None, 0)


def test_image_states_follow_the_steps() -> None:
    worker = made_worker(picture=True)
    take_turn(worker)
    assert int(worker.render_img_state[0, 0, 0]) == 0
    assert int(worker.next_render_img_state[0, 0, 0]) == 1
    assert int(worker.get_render_image_state_one_step()[0, 0, 0]) == 1
    worker.policy()
    assert int(worker.prev_render_img_state[0, 0, 0]) == 0
    assert int(worker.render_img_state[0, 0, 0]) == 1
    assert worker.next_render_image_state is None


def test_image_window() -> None:
    worker = made_worker(picture=True, render_image_window_length=2)
    take_turn(worker)
    assert int(worker.get_render_image_state_one_step(-1).flat[0]) == 1
    assert int(worker.get_render_image_state_one_step(-2).flat[0]) == 0


def test_window_begins_with_defaults() -> None:
    worker = made_worker(window_length=3)
    worker.policy()
    assert worker.state == [0, 0, 0]
    worker.env.step(4)
    worker.on_step()
    assert worker.next_state == [0, 0, 1]
    take_turn(worker)
    assert (worker.state, worker.next_state) == ([0, 0, 1], [0, 1, 2])
    assert [worker.get_state_one_step(i) for i in (-3, -2, -1)] == [0, 1, 2]


def test_state_of_one_step_without_a_window() -> None:
    worker = made_worker()
    worker.policy()
    assert worker.get_state_one_step() == 0


def test_actions() -> None:
    worker = made_worker()
    worker.policy()
    worker.add_invalid_actions([1, 2])
    worker.add_invalid_actions([2, 3], encode=True)
    assert worker.invalid_actions == worker.get_invalid_actions_to_env() == [0, 1, 2, 3]
    assert worker.get_valid_actions() == [4]
    assert worker.sample_action() == worker.sample_action_to_env() == 4
    assert worker.get_onehot_action() == [0, 0, 0, 0, 1]
    assert worker.get_onehot_prev_action() == [1, 0, 0, 0, 0]


def test_override_action_goes_to_the_environment() -> None:
    class Overrider(probe_rl.Worker):
        def policy(self, worker: Any) -> int:
            self.encoded = worker.override_action(3)
            return 1

    runner = srl.Runner("Counting", probe_rl.Config())
    rl_worker = Overrider(runner.rl_config, memory=runner.memory)
    worker = srl.base.rl.worker_run.WorkerRun(rl_worker, runner.env)
    worker.env.setup()
    worker.setup()
    worker.env.reset()
    worker.reset(0)
    assert (worker.policy(), worker.action, rl_worker.encoded) == (3, 1, 3)


def test_print_discrete_action_info(capsys: pytest.CaptureFixture[str]) -> None:
    worker = made_worker()
    worker.policy()
    worker.print_discrete_action_info(2, lambda action: action * 10)
    assert capsys.readouterr().out.splitlines() == [
        " 1(act1): 10", "*2(act2): 20", " 3(act3): 30", " 4(act4): 40",
    ]  # fmt: skip


def test_tracking() -> None:
    worker = made_worker()
    for row in ({"a": 1}, {"a": 2, "b": 20}, {"a": 3}):
        worker.add_tracking(row)
    assert worker.get_tracking("a") == [1, 2, 3]
    assert worker.get_tracking("a", 2) == [2, 3]
    assert worker.get_tracking("a", 5, dummy=0) == [0, 0, 1, 2, 3]
    assert worker.get_tracking("b", 3) == [None, 20, None]
    assert worker.get_trackings() == [[1, None], [2, 20], [3, None]]
    assert worker.get_trackings(["a", "b"], 2) == [[2, 20], [3, None]]
    assert worker.get_trackings(["a"], 5, {"a": 9}) == [[9], [9], [1], [2], [3]]
    assert worker.get_trackings(["a"], 5, {"a": 9}, "tail") == [[1], [2], [3], [9], [9]]
    assert worker.get_tracking_length() == 3
    worker.set_tracking_max_size(2)
    worker.add_tracking({"a": 4})
    assert worker.get_tracking_data() == [{"a": 3}, {"a": 4}]
    worker.reset(0)
    assert worker.get_tracking_data() == []


def test_trackings_are_the_windows_that_n_steps_need() -> None:
    """The return of n steps, with fewer at the end of the episode: sum of gamma ** i * reward."""
    n, gamma, worker = 3, 0.5, made_worker()
    worker.set_tracking_max_size(n)
    returns = []
    for reward in (1.0, 2.0, 3.0, 4.0):
        worker.add_tracking({"state": reward - 1, "reward": reward})
        if worker.get_tracking_length() == n:
            returns.append(window_return(worker, n, gamma))
    for _ in range(n - 1):
        worker.add_tracking({"state": None, "reward": 0.0})
        returns.append(window_return(worker, n, gamma))
    assert returns == [(0.0, 1 + 1 + 0.75), (1.0, 2 + 1.5 + 1), (2.0, 3 + 2), (3.0, 4.0)]


def window_return(worker: Any, n: int, gamma: float) -> tuple[float, float]:
    rows = worker.get_trackings(["state", "reward"], n)
    return rows[0][0], sum(gamma**i * reward for i, (_, reward) in enumerate(rows))


def test_everything_a_worker_knows_of_its_run() -> None:
    seen: dict[str, Any] = {}
    names = (
        "worker", "env", "context", "distributed", "training", "train_only", "rollout", "rendering", "player_index",
        "step_in_training", "step_in_episode", "run_state", "train_count", "max_episode_steps", "player_num", "step",
    )  # fmt: skip

    class Curious(probe_rl.Worker):
        def policy(self, worker: Any) -> int:
            seen.update({name: getattr(self, name) for name in names}, seed=worker.episode_seed)
            return super().policy(worker)

    runner = srl.Runner("Counting", probe_rl.Config())
    worker = srl.base.rl.worker_run.WorkerRun(Curious(runner.rl_config, memory=runner.memory), runner.env)
    context = RunContext(max_steps=counting_env.LENGTH + 2, training=True, rollout=True, seed=3)
    state = play(context, runner.env, [worker])
    assert [seen.pop(name) for name in ("worker", "env", "context", "run_state")] == [
        worker, runner.env, context, state,
    ]  # fmt: skip
    assert seen == {
        "distributed": False, "training": True, "train_only": False, "rollout": True, "rendering": False,
        "player_index": 0, "step_in_training": 5, "step_in_episode": 1, "train_count": 0, "max_episode_steps": 100,
        "player_num": 1, "step": 1, "seed": 4,
    }  # fmt: skip


def test_a_worker_without_parameter_and_memory_has_dummies() -> None:
    worker = DummyRLWorker(probe_rl.Config())
    assert isinstance(worker.parameter, DummyRLParameter)
    assert isinstance(worker.memory, DummyRLMemory)


def test_a_dummy_worker_plays_at_random() -> None:
    env = srl.make_env("Counting")
    config = DummyRLConfig()
    config.setup(env)
    worker = srl.base.rl.worker_run.WorkerRun(DummyRLWorker(config), env)
    env.setup()
    env.reset()
    worker.reset(0)
    assert {worker.policy()} <= {1, 2, 3, 4}  # 0 is invalid


@pytest.mark.parametrize("window_length", [1, 3])
def test_backup_and_restore_go_back_in_time(window_length: int) -> None:
    worker = made_worker(window_length=window_length)
    take_turn(worker)
    worker.add_tracking({"a": 1})
    backup = worker.backup()
    take_turn(worker)
    after = (worker.state, worker.next_state, worker.reward, worker.env.step_num)
    worker.add_tracking({"a": 2})
    for _ in range(2):
        worker.restore(backup)
        assert worker.get_tracking_data() == [{"a": 1}]
        assert (worker.env.step_num, worker.step_in_episode) == (1, 1)
        take_turn(worker)
        assert (worker.state, worker.next_state, worker.reward, worker.env.step_num) == after


def test_copy_goes_on_by_itself() -> None:
    worker = made_worker()
    take_turn(worker)
    other = worker.copy()
    take_turn(other)
    assert (worker.env.step_num, other.env.step_num) == (1, 2)
    assert (worker.next_state, other.next_state) == (1, 2)
    assert other.worker.memory is worker.worker.memory


def test_flags_and_counts_come_from_the_run() -> None:
    runner = srl.Runner("Counting", probe_rl.Config())
    state = runner.train(max_episodes=2, enable_progress=False)
    worker = runner.worker
    assert (worker.training, worker.distributed, worker.rendering, worker.rollout) == (
        True,
        False,
        False,
        False,
    )
    assert (worker.worker.training, worker.worker.rendering) == (True, False)
    assert (worker.step_in_training, worker.step_in_episode) == (8, 4)
    assert worker.train_count == state.train_count == 8
    assert (worker.actor_id, worker.train_only, worker.done_reason) == (0, False, "")


def test_extend_worker_hands_the_hooks_on() -> None:
    config = probe_rl.Config(extend_worker=Threes)
    runner = srl.Runner("Counting", config)
    runner.rollout(max_episodes=1, enable_progress=False)
    inner = runner.worker.worker.rl_worker
    assert [values["action"] for hook, values in inner.notes if hook == "on_step"] == [3, 3, 3, 3]
    assert inner.hooks == ["on_setup", "on_teardown"]
    assert inner.training


class Threes(ExtendWorker):
    def policy(self, worker: Any) -> int:
        self.rl_worker.policy(worker)
        return 3


def test_pictures() -> None:
    worker = made_worker()
    worker.policy()
    assert worker.render_terminal_text() == "probe\n"
    assert worker.render_rl_image() is None
    plain = worker.create_render_image(add_terminal=False, add_rgb_array=False)
    full = worker.create_render_image(info_text="hello")
    assert plain.dtype == full.dtype == np.uint8
    assert full.shape[1] > plain.shape[1] >= 12


def test_an_image_state_is_drawn() -> None:
    worker = made_worker(observation_mode="render_image", base="BOX")
    worker.env.setup(render_mode="rgb_array")
    worker.env.reset()
    worker.policy()
    assert worker.state.shape == worker.render_rl_image().shape == (8, 12, 3)


def test_picture_and_state_together() -> None:
    worker = made_worker(observation_mode="both", base="NONE")
    worker.policy()
    picture, state = worker.state
    assert (picture.shape, state) == ((8, 12, 3), 0)
