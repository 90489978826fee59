from __future__ import annotations

import math
from typing import Any

import aiming_env  # noqa: F401  registers an environment without backup
import counting_env  # noqa: F401  registers environments whose rewards can be told in advance
import pytest

import srl
from srl.algorithms import mcts
from srl.base.exception import NotSupportedError
from srl.test import rl as kit


def made(env: str = "OX", **config: Any) -> srl.Runner:
    return srl.Runner(env, mcts.Config(**config))


def begun(runner: srl.Runner, *moves: int) -> Any:
    """Return the worker of a game in which these moves were made."""
    runner.set_seed(1)
    env = runner.env
    env.setup()
    env.reset()
    for move in moves:
        env.step(move)
    worker = runner.worker
    worker.setup(runner.context)
    worker.reset(env.next_player)
    return worker


@pytest.fixture(scope="module")
def trained() -> srl.Runner:
    runner = made()
    runner.set_seed(1)
    runner.train(max_steps=200, players=[None, None], enable_progress=False)
    return runner


@pytest.mark.parametrize("players", [[None, "random"], ["random", None]], ids=["first", "second"])
def test_trained_it_does_not_lose_to_random_play(trained: srl.Runner, players: list[Any]) -> None:
    games = trained.evaluate(max_episodes=20, players=players, shuffle_player=False, enable_progress=False)
    mine = [game[players.index(None)] for game in games]
    assert sum(reward >= 0 for reward in mine) >= 19
    assert sum(mine) / len(mine) > 0.5


def test_search_alone_is_strong() -> None:
    runner = made(simulations=100)
    runner.set_seed(1)
    games = runner.evaluate(max_episodes=10, shuffle_player=False, enable_progress=False)
    assert sum(first >= 0 for first, _ in games) >= 9


def test_it_plays_a_single_player_with_chance() -> None:
    runner = made("Grid", simulations=20)
    runner.set_seed(1)
    runner.train(max_steps=300, enable_progress=False)
    rewards = runner.evaluate(max_episodes=20, enable_progress=False)
    assert sum(rewards) / 20 > 0  # random play has -1.3


@pytest.mark.parametrize("mode", ["", "rollout"])
def test_it_passes_the_kit(mode: Any) -> None:
    kit.test_rl(mcts.Config(simulations=5), test_mode=mode)


def test_it_takes_the_win() -> None:
    assert begun(made(), 0, 3, 1, 4).policy() == 2


def test_it_stops_the_others_win() -> None:
    assert begun(made(simulations=200), 0, 4, 1).policy() == 2


def test_each_player_counts_its_own_return() -> None:
    worker = begun(made(simulations=200), 0, 3, 1, 4)  # both can win at once: the first at 2, the second at 5
    worker.policy()
    tree = worker.worker.tree
    root = tree[0, "1,1,0,-1,-1,0,0,0,0"]
    assert root.value(2) == 1.0
    after_8 = tree[1, "1,1,0,-1,-1,0,0,0,1"]
    assert after_8.value(5) == 1.0
    assert root.value(8) < 0


def test_the_game_stays_where_it_is() -> None:
    worker = begun(made(), 4)
    worker.policy()
    assert (worker.env.state, worker.env.step_num, worker.env.done) == ([0, 0, 0, 0, 1, 0, 0, 0, 0], 1, False)


def test_one_path_is_the_equation() -> None:
    worker = begun(made("Counting", simulations=3, gamma=0.5, max_depth=10)).worker
    worker.tree = {}
    moves = [((0, "0"), 1, [1.0]), ((0, "1"), 2, [2.0])]
    for state, _, _ in moves:
        worker._join(state)
    assert worker._back_up(moves, [8.0]) == [((0, "1"), 2, 6.0), ((0, "0"), 1, 4.0)]
    assert worker.tree[0, "0"].returns == [0, 4.0, 0, 0, 0]
    assert worker.tree[0, "0"].visits == [0, 1, 0, 0, 0]


def test_rewards_of_the_random_part_are_discounted() -> None:
    runner = made("Counting", gamma=0.5)  # rewards are 1, 2, 3, 4
    worker = begun(runner)
    assert worker.worker._play_randomly(runner.env, 100) == [1 + 2 / 2 + 3 / 4 + 4 / 8]
    runner.env.reset()
    assert worker.worker._play_randomly(runner.env, 2) == [1 + 2 / 2]


def test_a_simulation_ends_at_its_depth() -> None:
    worker = begun(made("Counting", simulations=30, max_depth=1))
    worker.policy()
    assert list(worker.worker.tree) == [(0, "0")]
    assert worker.worker.root.value(1) == 1.0  # the reward of the first step alone


def test_ucb1() -> None:
    node = mcts.Node([0, 4, 1, 0], [0, 2.0, 0.4, 0])
    assert {node.ucb1([0, 1, 3], c=1) for _ in range(50)} == {0, 3}
    assert node.ucb1([1, 2], c=0) == 1
    bounds = [2.0 / 4 + math.sqrt(math.log(5) / 4), 0.4 + math.sqrt(math.log(5))]
    assert node.ucb1([1, 2], c=1) == 1 + bounds.index(max(bounds)) == 2


def test_every_simulation_is_counted_once() -> None:
    runner = made(simulations=7)
    state = runner.train(max_steps=3, players=[None, None], enable_progress=False)
    assert state.train_count == 21
    first = runner.parameter.nodes[0, "0,0,0,0,0,0,0,0,0"]
    assert sum(first.visits) == 7


def test_a_later_search_goes_on_from_what_was_learned() -> None:
    runner = made(simulations=7)
    runner.parameter.nodes[0, "0,0,0,0,0,0,0,0,0"] = known = mcts.Node([0, 0, 0, 0, 90, 0, 0, 0, 0], [45.0] * 9)
    worker = begun(runner)
    worker.policy()
    assert sum(worker.worker.root.visits) == 90 + 7
    assert sum(known.visits) == 90  # only training changes the table
    assert runner.memory.length() == 0


def test_training_draws_moves_and_evaluation_takes_the_most_tried() -> None:
    worker = made().worker.worker
    root = mcts.Node([3, 0, 5, 2], [0.0] * 4)
    assert worker._choose(root, [0, 1, 3]) == 0
    worker.training = True
    assert {worker._choose(root, [0, 1, 2]) for _ in range(100)} == {0, 2}


def test_an_empty_memory_trains_nothing() -> None:
    trainer = made().trainer
    trainer.train()
    assert trainer.train_count == 0


def test_a_backup_does_not_change() -> None:
    parameter = made("Grid").parameter
    parameter.get_node((0, "1,3")).add(2, 0.5)
    backup = parameter.backup()
    parameter.get_node((0, "1,3")).add(2, 9.0)
    parameter.restore(backup)
    parameter.get_node((0, "1,3")).add(1, 1.0)
    assert backup == {(0, "1,3"): ([0, 0, 1, 0], [0, 0, 0.5, 0])}


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("simulations", 0, "1 or more"),
        ("max_depth", 0, "1 or more"),
        ("c", -1, "0 or more"),
        ("gamma", 1.5, "between 0 and 1"),
    ],
)
def test_hyperparameters_are_checked(name: str, value: float, rule: str) -> None:
    with pytest.raises(ValueError, match=f"mcts.Config.{name} is {value}; it must be {rule}"):
        made(**{name: value})


def test_an_environment_that_cannot_be_restored_is_refused() -> None:
    with pytest.raises(NotSupportedError, match="Aiming has no backup"):
        made("Aiming")


def test_it_shows_its_search(capsys: pytest.CaptureFixture[str]) -> None:
    runner = made("Grid", simulations=8)
    runner.parameter.nodes[0, "1,3"] = mcts.Node([0, 0, 0, 1000], [0, 0, 0, 500.0])
    runner.render_terminal(max_steps=1)
    out = capsys.readouterr().out
    assert "*3(↑): " in out
    assert " times)\n" in out
