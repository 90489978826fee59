"""A person plays in the terminal: real lines of input, real output."""

import io
from dataclasses import dataclass, field

import counting_env  # noqa: F401  registers the environments
import played_env  # noqa: F401  registers the environments
import probe_rl
import pytest

import srl
from srl.base.define import RLBaseTypes
from srl.base.rl.config import RLConfig
from srl.base.rl.registration import register
from srl.base.rl.worker import RLWorker
from srl.rl.memories.priority_replay_buffer import PriorityReplayBufferConfig, RLPriorityReplayBuffer
from srl.utils.usage import UsageError

ASKED = "action (a number or a name; q ends the episode)? "


@pytest.fixture
def types(monkeypatch):
    """Lets a person type lines."""
    return lambda *lines: monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def runner_of(length=2, env="Counting", **config):
    return srl.Runner(srl.EnvConfig(env, {"length": length}), probe_rl.Config(**config))


def test_the_person_sees_the_environment_and_chooses(types, capsys):
    types(1, "act2")
    assert runner_of().play_terminal() == [3.0]
    assert capsys.readouterr().out == (
        f"t=0\n### 0\nstate: 0\nrewards:[0.000]\nenv {{}}\nplayer 0: 1:act1  2:act2  3:act3  4:act4\n{ASKED}"
        f"t=1\n### 1\nstate: 1\nrewards:[1.000]\nenv {{}}\nplayer 0: 0:act0  2:act2  3:act3  4:act4\n{ASKED}"
        "t=2\n### 2, done()\nstate: 2\nrewards:[2.000]\nenv {}\n"
    )


def test_what_cannot_be_chosen_is_asked_for_again(types, capsys):
    types(0, 7, "jump", "", " 4 ")
    runner = runner_of(1)
    assert runner.play_terminal() == [1.0]
    out = capsys.readouterr().out
    assert [f"'{answer}' is not one of these actions" in out for answer in ("0", "7", "jump", "")] == [True] * 4
    assert runner.env.action == 4


def test_giving_up_ends_the_episode(types):
    types(1, "q")
    runner = runner_of(5)
    assert runner.play_terminal() == [1.0]
    assert runner.env.done_reason == "aborted"
    assert runner.state.end_reason == "episode_count over."


def test_the_end_of_input(types):
    types(1)
    with pytest.raises(UsageError, match="standard input, which is at its end"):
        runner_of(5).play_terminal()


def test_a_limit_ends_the_episode(types):
    types(1, 2, 3)
    assert runner_of(9).play_terminal(max_steps=2) == [3.0]


@pytest.mark.parametrize(("division_num", "names"), [(5, ["-1.0", "-0.5", "0.0", "0.5", "1.0"]), (2, ["-1.0", "1.0"])])
def test_actions_with_fractions_are_divided(types, capsys, division_num, names):
    types(0, "act1.0")
    assert runner_of(env="Sliding").play_terminal(division_num) == [0.0]
    listed = "  ".join(f"{number}:act{name}" for number, name in enumerate(names))
    assert capsys.readouterr().out.count(listed) == 2


def test_actions_that_cannot_be_divided():
    with pytest.raises(UsageError, match="action_division_num is 0; it must be 1 or more"):
        runner_of(env="Sliding").play_terminal(0)


def test_actions_without_bounds_are_divided_too(types, capsys):
    types(0, "q")
    srl.Runner(srl.EnvConfig("Endless")).play_terminal(action_division_num=3)
    assert "0:act-2.0" in capsys.readouterr().out


def test_against_a_player(types, capsys):
    types(1, 1)
    assert runner_of(3, env="Counting2").play_terminal(players=[None, "fours"]) == [6.0, 60.0]
    out = capsys.readouterr().out
    assert out.count("player 1 plays 4(act4)") == 1
    assert out.count(ASKED) == 2


@pytest.mark.parametrize(
    ("players", "asked"),
    [
        (None, 2),  # a person, then a random player
        (["random"], 1),  # the first without a player is the person
        (["random", "human"], 1),
        (["human", None], 2),  # against the algorithm
        (["human", "human"], 3),
    ],
)
def test_whom_the_person_plays(types, capsys, players, asked):
    types(*[4] * asked)
    runner = runner_of(3, env="Counting2")
    runner.play_terminal(players=players)
    assert capsys.readouterr().out.count(ASKED) == asked
    assert not runner.env.done_reason


def test_nobody_to_play():
    with pytest.raises(UsageError, match='put "human" in one\'s place'):
        runner_of(env="Counting2").play_terminal(players=["random", "fours"])


def test_without_an_algorithm(types):
    types(1, 2)
    assert srl.Runner(srl.EnvConfig("Counting", {"length": 2})).play_terminal() == [3.0]


# --- demonstrations


def test_what_the_person_plays_goes_to_the_memory(types):
    types(1, 2, 3)
    runner = runner_of(3)
    runner.play_terminal(enable_memory=True)
    assert runner.memory.sample() == [1.0, 2.0, 3.0]
    assert runner.memory.length() == 0
    runner.train(max_steps=3, enable_progress=False)  # the worker of the runner is in order
    assert runner.state.train_count == 3


def test_the_algorithm_believes_that_it_chose_that(types, monkeypatch):
    seen = []

    def note(worker, run):
        seen.append((run.state, run.action, run.next_state, worker.training, worker.rollout))

    monkeypatch.setattr(probe_rl.Worker, "on_step", note)
    types(1, 3)
    runner_of(2).play_terminal(enable_memory=True)
    assert seen == [(0, 1, 1, True, True), (1, 3, 2, True, True)]


def test_a_turn_that_was_given_up_is_no_demonstration(types):
    types(1, "q")
    runner = runner_of(5)
    runner.play_terminal(enable_memory=True)
    assert runner.memory.sample() == [1.0]


def test_without_the_switch_nothing_goes_to_the_memory(types):
    types(1, 2)
    runner = runner_of(2)
    runner.play_terminal()
    assert runner.memory.length() == 0


def test_demonstrations_without_an_algorithm():
    with pytest.raises(UsageError, match="enable_memory needs an algorithm"):
        srl.Runner("Counting").play_terminal(enable_memory=True)


@dataclass
class DemoConfig(RLConfig):
    batch_size: int = 4
    memory: PriorityReplayBufferConfig = field(
        default_factory=lambda: PriorityReplayBufferConfig(warmup_size=4, enable_demo_memory=True, demo_ratio=0.25)
    )

    def get_name(self):
        return "Demo"

    def get_base_action_type(self):
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self):
        return RLBaseTypes.DISCRETE


class DemoMemory(RLPriorityReplayBuffer[DemoConfig]):
    pass


class DemoWorker(RLWorker[DemoConfig, object, DemoMemory]):
    """Plays 4."""

    def policy(self, worker):
        return 4

    def on_step(self, worker):
        self.memory.add({"action": worker.action, "reward": worker.reward})


register(DemoConfig(), __name__ + ":DemoMemory", "", "", __name__ + ":DemoWorker", check_duplicate=False)


def test_every_batch_has_a_demonstration(types):
    types(1, 3)
    runner = srl.Runner(srl.EnvConfig("Counting", {"length": 2}), DemoConfig())
    runner.rl_config.memory.select_memory = "demo"
    runner.play_terminal(enable_memory=True)
    runner.rl_config.memory.select_memory = "main"
    runner.rollout(max_steps=8, enable_progress=False)
    batches, _, _ = runner.memory.sample()
    actions = sorted(item["action"] for item in batches)
    assert actions[1:] == [4, 4, 4]
    assert actions[0] in {1, 3}
