from __future__ import annotations

from typing import Any

import counting_env
import probe_rl
import pytest

import srl
from srl.algorithms import ql
from srl.base.rl.worker import DummyRLWorker
from srl.utils.usage import UsageError


def workers_of(players: list[Any], env: str = "Counting2") -> tuple[list[Any], int]:
    runner = srl.Runner(env, probe_rl.Config())
    workers, index = runner.make_workers(players)
    return [worker.worker for worker in workers], index


def test_missing_players_are_filled_up() -> None:
    workers, index = workers_of([])
    assert index == 0
    assert isinstance(workers[0], probe_rl.Worker)
    assert isinstance(workers[1], DummyRLWorker)


def test_the_algorithm_may_be_any_player() -> None:
    workers, index = workers_of(["random", None])
    assert index == 1
    assert isinstance(workers[1], probe_rl.Worker)


def test_several_players_of_the_algorithm_share_what_they_learn() -> None:
    first, second = workers_of([None, None])[0]
    assert first is not second
    assert first.memory is second.memory
    assert first.parameter is second.parameter


def test_players_of_the_environment() -> None:
    workers, _ = workers_of(["fours", ("fours", {"action": 3})])
    assert [type(worker) for worker in workers] == [counting_env.Fours] * 2
    assert [worker.played for worker in workers] == [4, 3]


def test_players_of_the_environment_play_and_hear_of_it() -> None:
    runner = srl.Runner("Counting2", probe_rl.Config())
    workers, _ = runner.make_workers(["fours", "random"])
    state = srl.base.run.play.play(srl.RunContext(max_episodes=1, shuffle_player=False), runner.env, workers)
    assert workers[0].worker.calls == ["reset", "step", "step"]
    assert state.end_reason == "episode_count over."


def test_another_algorithm_with_its_parameter() -> None:
    trained = srl.Runner("OX", ql.Config())
    trained.parameter.q = {(0,): [1.0]}
    runner = srl.Runner("OX", ql.Config())
    players = [None, (ql.Config(lr=0.5), trained.parameter.backup())]
    workers, _ = runner.make_workers(players)
    assert workers[1].worker.parameter.q == {(0,): [1.0]}
    assert workers[1].worker.config.lr == 0.5
    assert workers[0].worker.parameter.q == {}
    assert isinstance(runner.make_workers([None, ql.Config()])[0][1].worker, ql.Worker)


@pytest.mark.parametrize(
    ("players", "text"),
    [
        ([None, None, None], "players has 3 entries, but the environment has 2"),
        ([None, 5], "players has 5, which is none of"),
        ([None, "nobody"], "the player 'nobody' is not registered"),
    ],
)
def test_players_that_cannot_be(players: list[Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        workers_of(players)


def test_no_algorithm_to_stand_for_none() -> None:
    with pytest.raises(UsageError, match="there is no rl_config"):
        srl.make_workers([None], srl.make_env("Counting"))


def test_shuffled_players_know_their_index() -> None:
    runner = srl.Runner("Counting3", probe_rl.Config())
    runner.set_seed(1)
    seen = set()

    class Check(srl.base.run.callback.RunCallback):
        def on_step_begin(self, state: Any, **_kwargs: Any) -> None:
            worker = state.workers[state.worker_idx]
            assert worker.player_index == state.env.next_player
            seen.add(tuple(state.worker_indices))

    runner.evaluate(max_episodes=60, enable_progress=False, callbacks=[Check()])
    assert len(seen) == 6


def test_rewards_are_in_the_order_of_workers_when_shuffled() -> None:
    runner = srl.Runner("Counting2", probe_rl.Config())
    rewards = runner.evaluate(max_episodes=30, enable_progress=False)
    assert {tuple(r) for r in rewards} == {(10.0, 100.0), (100.0, 10.0)}
    rewards = runner.evaluate(max_episodes=5, shuffle_player=False, enable_progress=False)
    assert {tuple(r) for r in rewards} == {(10.0, 100.0)}


def test_arguments_of_a_registered_player_are_its_settings() -> None:
    runner = srl.Runner("Grid", probe_rl.Config())
    workers, _ = runner.make_workers([("random", {"frameskip": 2})])
    assert workers[0].config.frameskip == 2
    with pytest.raises(UsageError, match="no field 'speed'"):
        runner.make_workers([("random", {"speed": 2})])


def test_self_play_trains_one_table_from_both_sides() -> None:
    runner = srl.Runner("StoneTaking", ql.Config(lr=0.3))
    runner.set_seed(1)
    runner.train(max_steps=8000, players=[None, None], enable_progress=False)
    for players, side in (([None, "random"], 0), (["random", None], 1)):
        rewards = runner.evaluate(200, players=players, shuffle_player=False, enable_progress=False)
        assert sum(reward[side] for reward in rewards) / 200 > 0.7


def test_three_players_of_all_kinds_in_turn() -> None:
    runner = srl.Runner("Counting3", probe_rl.Config())
    players = [("fours", {"action": 3}), None, ql.Config()]
    workers, index = runner.make_workers(players)
    assert index == 1
    assert [type(each.worker) for each in workers] == [counting_env.Fours, probe_rl.Worker, ql.Worker]
    rewards = runner.evaluate(4, players=players, enable_progress=False)
    assert [sorted(each) for each in rewards] == [[10, 100, 1000]] * 4
