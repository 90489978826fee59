"""EnvRun: the life of an episode, limits, frames, checks, and the whole state."""

from dataclasses import dataclass

import numpy as np
import pytest

from srl.base.define import DoneTypes
from srl.base.env import EnvBase
from srl.base.env.config import EnvConfig
from srl.base.env.env_run import EnvRun
from srl.base.env.genre import SinglePlayEnv, TurnBase2Player
from srl.base.env.processor import EnvProcessor
from srl.base.env.registration import register
from srl.base.exception import NotSupportedError, SRLError, UndefinedError
from srl.base.spaces import ArrayDiscreteSpace, DiscreteSpace


@dataclass
class Counter(EnvBase):
    """Counts steps up; ends at `end`. The state is [count], the reward the action."""

    end: int = 1000
    players: int = 1
    reward: object = None
    first: object = 0
    truncate: bool = False

    def __post_init__(self):
        super().__init__()
        self.count = 0
        self.calls = []

    action_space = property(lambda _: DiscreteSpace(5))
    observation_space = property(lambda _: ArrayDiscreteSpace(1, 0, 1000))
    max_episode_steps = property(lambda _: 100)
    player_num = property(lambda self: self.players)

    def setup(self, **kwargs):
        self.calls.append(("setup", kwargs))

    def teardown(self, **_):
        self.calls.append(("teardown", {}))

    def reset(self, *, seed=None, **kwargs):
        self.calls.append(("reset", {"seed": seed, **kwargs}))
        self.count = 0
        return [self.first]

    def step(self, action):
        if action == 4:
            raise ZeroDivisionError("broken")
        self.count += 1
        self.next_player = self.count % self.players
        self.info["count"] = self.count
        over = self.count >= self.end
        reward = float(action) if self.reward is None else self.reward
        if over:
            self.done_reason = "counted"
        return [self.count], reward, over and not self.truncate, over and self.truncate

    def backup(self):
        return self.count

    def restore(self, data):
        self.count = data

    def get_invalid_actions(self, player_index=-1):
        return [0] if self.count % 2 else []


class Bare(Counter):
    backup = EnvBase.backup
    restore = EnvBase.restore
    get_invalid_actions = EnvBase.get_invalid_actions


class NoSuperInit(Counter):
    def __post_init__(self):
        pass


for cls in (Counter, Bare, NoSuperInit):
    register(f"test-{cls.__name__}", f"{__name__}:{cls.__name__}", check_duplicate=False)


def started(env_id="test-Counter", env_kwargs=None, **settings):
    env = EnvConfig(env_id, env_kwargs or {}, **settings).make()
    env.setup()
    env.reset()
    return env


def play(env, action=1):
    while not env.done:
        env.step(action)
    return env


def test_before_the_first_reset_it_is_done():
    env = EnvConfig("test-Counter").make()
    assert (env.done, env.done_type) == (True, DoneTypes.RESET)
    with pytest.raises(SRLError, match="setup"):
        env.reset()
    env.setup()
    with pytest.raises(SRLError, match="reset"):
        env.step(0)


def test_an_episode():
    env = started()
    assert (env.state, env.step_num, env.done, env.rewards, env.done_type) == (
        [0],
        0,
        False,
        [0],
        DoneTypes.NONE,
    )
    env.step(2)
    env.step(3)
    assert (env.state, env.step_num, env.action, env.reward, env.episode_rewards) == ([2], 2, 3, 3, [5])
    assert env.info == {"count": 2}
    env.reset()
    assert (env.state, env.step_num, env.episode_rewards) == ([0], 0, [0])


@pytest.mark.parametrize(("truncate", "done_type"), [(False, DoneTypes.TERMINATED), (True, DoneTypes.TRUNCATED)])
def test_the_environment_ends_it(truncate, done_type):
    env = play(started(env_kwargs={"end": 3, "truncate": truncate}))
    assert (env.step_num, env.done_type, env.done_reason) == (3, done_type, "counted")
    with pytest.raises(SRLError, match="over"):
        env.step(0)
    env.reset()
    assert env.done_reason == ""


@pytest.mark.parametrize(("limit", "steps"), [(10, 10), (1, 1), (-1, 100)])
def test_a_limit_of_n_steps_is_n_steps(limit, steps):
    env = play(started(max_episode_steps=limit))
    assert (env.step_num, env.done_type, env.done_reason) == (steps, DoneTypes.TRUNCATED, "episode step over")


def test_the_end_wins_over_the_limit():
    assert play(started(env_kwargs={"end": 10}, max_episode_steps=10)).done_type == DoneTypes.TERMINATED


def test_a_limit_of_time():
    env = play(started(episode_timeout=1e-9))
    assert (env.step_num, env.done_type, env.done_reason) == (1, DoneTypes.TRUNCATED, "timeout")
    assert env.elapsed_time > 0


def test_truncation_from_outside():
    env = started()
    env.truncate_episode("rl")
    assert (env.done_type, env.done_reason) == (DoneTypes.TRUNCATED, "rl")


def test_abort():
    env = started()
    env.abort_episode()
    assert (env.done, env.done_type) == (True, DoneTypes.ABORT)


def test_skipped_frames_add_up_their_rewards_and_are_one_step():
    env = started(frameskip=2)
    skipped = []
    env.step(1, frameskip=1, frameskip_function=lambda: skipped.append(env.env.count))
    assert (env.step_num, env.rewards, env.state, skipped) == (1, [4], [4], [2, 3, 4])


def test_skipping_stops_at_the_end():
    env = started(env_kwargs={"end": 2}, frameskip=9)
    env.step(1)
    assert (env.rewards, env.done) == ([2], True)


def test_processors_see_one_step_of_several_frames():
    env = started(frameskip=2, processors=[Double()])
    env.step(0)
    assert (env.state, env.rewards, env.env.count) == ([6], [-3], 3)
    assert len([each for each in env._processors._processors[0].seen if each[0] == "state"]) == 2  # reset, and step


def test_noops_come_first_and_do_not_count():
    env = EnvConfig("test-Counter", random_noop_max=5).make()
    env.setup()
    starts = set()
    for seed in range(50):
        env.reset(seed=seed)
        assert (env.step_num, env.episode_rewards) == (0, [0])
        starts.add(env.state[0])
    assert starts == set(range(6))


def test_noops_that_end_the_episode_begin_it_again():
    env = EnvConfig("test-Counter", {"end": 1}, random_noop_max=1).make()
    env.setup()
    for seed in range(10):
        env.reset(seed=seed)
        assert (env.state, env.done) == ([0], False)


def test_setup_tells_the_environment_and_reset_passes_the_seed_on():
    env = EnvConfig("test-Counter").make()
    env.setup(render_mode="terminal")
    env.reset(7, level=2)
    env.teardown()
    env.teardown()
    names = [name for name, _ in env.env.calls]
    assert names == ["setup", "reset", "teardown"]
    assert env.env.calls[0][1] == {"render_mode": "terminal"}
    assert env.env.calls[1][1] == {"seed": 7, "level": 2}
    assert env.env.rendering


def test_players_take_turns_and_each_has_a_reward():
    env = started(env_kwargs={"players": 3, "reward": [1.0, 2.0, 3.0]})
    assert env.next_player == 0
    env.step(1)
    assert (env.next_player, env.prev_player, env.reward) == (1, 0, 1)
    env.step(1)
    assert (env.next_player, env.prev_player, env.reward, env.episode_rewards) == (2, 1, 2, [2, 4, 6])


@pytest.mark.parametrize("reward", [1, 1.0, np.float32(1), (1.0,), np.array([1.0]), [1.0]])
def test_a_reward_may_be_any_number_or_row_of_them(reward):
    env = started(env_kwargs={"reward": reward})
    env.step(0)
    assert env.rewards == [1]


def test_rewards_for_the_wrong_number_of_players():
    env = started(env_kwargs={"players": 2, "reward": 1.0})
    with pytest.raises(SRLError, match="1 rewards for 2 players"):
        env.step(1)


def test_an_exception_of_the_environment_is_passed_on_and_remake_goes_on():
    env = started()
    env.step(1)
    with pytest.raises(ZeroDivisionError, match="broken"):
        env.step(4)
    broken = env.env
    env.remake()
    assert env.env is not broken
    env.reset()
    env.step(1)
    assert env.state == [1]


def test_invalid_actions():
    env = started()
    assert env.invalid_actions == []
    env.step(1)
    assert env.invalid_actions == [0]
    env.add_invalid_actions([1, 0, 2])
    assert env.invalid_actions == [0, 1, 2]
    assert env.get_valid_actions() == [3, 4]
    assert {env.sample_action() for _ in range(50)} == {3, 4}
    env.step(3)
    assert env.invalid_actions == []


def test_backup_is_the_whole_state_and_can_be_restored_twice():
    env = started(env_kwargs={"players": 2, "reward": [1.0, 0.0], "end": 5})
    env.step(1)
    env.add_invalid_actions([3])
    data = env.backup()
    for _ in range(2):
        play(env)
        env.restore(data)
        assert (env.state, env.step_num, env.next_player, env.prev_player) == ([1], 1, 1, 0)
        assert (env.episode_rewards, env.invalid_actions, env.done) == ([1, 0], [0, 3], False)
        assert (env.info, env.done_reason) == ({"count": 1}, "")


def test_a_copy_goes_on_by_itself():
    env = started()
    env.step(1)
    other = env.copy()
    other.step(1)
    assert (env.state, other.state, other.step_num) == ([1], [2], 2)


def test_hooks_that_are_not_written():
    env = started("test-Bare")
    assert (env.render(), env.render_terminal_text(), env.render_rgb_array(), env.get_key_bind()) == (
        None,
        "",
        None,
        None,
    )
    assert (env.action_to_str(3), env.invalid_actions, env.reward_baseline, env.decode_action(2)) == (
        "3",
        [],
        None,
        2,
    )
    assert env.reward_range == (-np.inf, np.inf)
    assert not env.env.can_simulate_from_direct_step
    for call in (env.backup, lambda: env.env.restore(1), env.direct_step):
        with pytest.raises(NotSupportedError, match="Bare"):
            call()
    assert env.make_worker("cpu", enable_raise=False) is None
    with pytest.raises(UndefinedError, match="cpu"):
        env.make_worker("cpu")


def test_an_environment_that_forgets_super_init():
    with pytest.raises(SRLError, match="super"):
        EnvConfig("test-NoSuperInit").make()


@pytest.mark.parametrize(
    ("env_kwargs", "action", "complaint"),
    [
        ({}, 9, "action"),
        ({"reward": ["a"]}, 1, "reward"),
        ({"end": 1, "truncate": 1}, 1, "bool"),
        ({"first": 0.5}, None, "state"),
    ],
)
def test_assertion_refuses_what_is_not_in_its_space(env_kwargs, action, complaint):
    env = EnvConfig("test-Counter", env_kwargs, enable_assertion=True).make()
    env.setup()
    with pytest.raises(SRLError, match=complaint):  # noqa: PT012  (which of the two raises is not the point)
        env.reset()
        env.step(action)


def test_assertion_lets_good_values_pass():
    env = play(started(enable_assertion=True, max_episode_steps=3))
    assert env.invalid_actions == [0]


def test_sanitizing_repairs():
    env = started(env_kwargs={"reward": [np.float32(2)], "first": 0.6}, enable_sanitize=True)
    assert env.state == [1]
    env.step(3.4)
    assert (env.action, env.rewards, env.invalid_actions) == (3, [2.0], [0])
    assert type(env.rewards[0]) is float


def test_what_cannot_be_repaired_says_so():
    env = started(enable_sanitize=True)
    with pytest.raises(SRLError, match=r"action 'left' cannot be repaired"):
        env.step("left")


@dataclass
class Double(EnvProcessor):
    """Doubles states; action i means i + 1; rewards are negated."""

    seen: list = None

    def setup(self, **_):
        self.seen = []

    def remap_action_space(self, _space, **_):
        return DiscreteSpace(3)

    def remap_observation_space(self, space, **_):
        return ArrayDiscreteSpace(1, 0, space.high[0] * 2)

    def remap_reset(self, env_run):
        self.seen.append("reset")

    def remap_action(self, action, prev_space, new_space, env_run):
        self.seen.append(("action", prev_space.n, new_space.n))
        return action + 1

    def remap_invalid_actions(self, actions, prev_space, new_space, env_run):
        return [a for a in actions if a < new_space.n]

    def remap_observation(self, state, prev_space, new_space, env_run):
        self.seen.append(("state", prev_space.high[0], new_space.high[0]))
        return [state[0] * 2]

    def remap_step(self, rewards, terminated, truncated, env_run):
        return [-r for r in rewards], terminated, truncated

    def backup(self):
        return list(self.seen)

    def restore(self, data):
        self.seen = list(data)


def test_processors_change_everything_and_get_both_spaces():
    env = started(processors=[Double(), Double()])
    assert (env.action_space, env.observation_space) == (DiscreteSpace(3), ArrayDiscreteSpace(1, 0, 4000))
    env.step(0)
    assert (env.state, env.rewards, env.env.count) == ([4], [2], 1)  # 0 + 1 + 1 played, negated twice
    inner, outer = env._processors._processors
    assert inner.seen == ["reset", ("state", 1000, 2000), ("action", 5, 3), ("state", 1000, 2000)]
    assert outer.seen == ["reset", ("state", 2000, 4000), ("action", 3, 3), ("state", 2000, 4000)]


def test_processors_are_copied_and_backed_up():
    mine = Double()
    env = started(processors=[mine])
    assert mine.seen is None
    data = env.backup()
    env.step(0)
    env.restore(data)
    assert len(env._processors._processors[0].seen) == 2


def test_a_processor_without_hooks_changes_nothing():
    env = started(processors=[EnvProcessor()])
    env.step(1)
    assert (env.state, env.rewards) == ([1], [1])


def test_spaces_can_be_overridden():
    env = EnvConfig("test-Counter", override_action_space=DiscreteSpace(2)).make()
    assert env.action_space == DiscreteSpace(2)


class Outside(Counter):
    def direct_step(self, count):
        return count == 0, [count], count == 3


register("test-Outside", f"{__name__}:Outside", check_duplicate=False)


def test_states_from_outside():
    env = started("test-Outside")
    assert env.direct_step(0) == (True, False)
    assert env.direct_step(2) == (False, False)
    assert (env.state, env.done) == ([2], False)
    assert env.direct_step(3) == (False, True)
    assert env.done_type == DoneTypes.TERMINATED


def test_render_interval():
    env = EnvRun(EnvConfig("test-Counter", render_interval=50))
    assert (env.get_render_interval(), env.get_render_interval(20)) == (50, 20)
    env.set_render_options()
    assert env.get_render_interval() == pytest.approx(1000 / 60)


class Alone(SinglePlayEnv):
    action_space = observation_space = property(lambda _: DiscreteSpace(2))
    max_episode_steps = property(lambda _: 3)

    def reset(self, *, seed=None, **_):
        return 0

    def step(self, action):
        return action, 1.0, False, False


class Duel(TurnBase2Player):
    action_space = observation_space = property(lambda _: DiscreteSpace(2))
    max_episode_steps = property(lambda _: 3)

    def reset(self, *, seed=None, **_):
        return 0

    def step(self, action):
        self.next_player = 1 - self.next_player
        return action, [1.0, -1.0], False, False


register("test-Alone", f"{__name__}:Alone", check_duplicate=False)
register("test-Duel", f"{__name__}:Duel", check_duplicate=False)


def test_bases_by_genre():
    assert play(started("test-Alone")).episode_rewards == [3]
    assert play(started("test-Duel")).episode_rewards == [3, -3]
