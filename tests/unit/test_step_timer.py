"""One step is timed, and the next ones run as if nothing had been."""

import inspect

import pytest

from services.actor.step_timer import StepTimer


class Target:
    def __init__(self):
        self.calls = []

    def policy(self):
        self.calls.append("policy")
        return "action"

    def step(self, action, frameskip=0, frameskip_function=None):
        self.calls.append((action, frameskip, frameskip_function))


@pytest.fixture
def worker():
    return Target()


@pytest.fixture
def env():
    return Target()


def play_a_step(worker, env):
    env.step(worker.policy(), 2, frameskip_function=None)


def test_one_step_is_timed_and_then_none(worker, env):
    timer = StepTimer()
    timer.time_next([worker], env)
    for _ in range(5):
        play_a_step(worker, env)
    assert (timer.policy.count, timer.env_step.count) == (1, 1)
    assert worker.calls == ["policy"] * 5
    assert env.calls == [("action", 2, None)] * 5


def test_nothing_stays_in_the_way(worker, env):
    timer = StepTimer()
    timer.time_next([worker], env)
    assert not inspect.ismethod(worker.policy)
    play_a_step(worker, env)
    assert inspect.ismethod(worker.policy)
    assert inspect.ismethod(env.step)


def test_a_player_whose_turn_has_not_come_is_not_timed_twice(worker, env):
    timer, other = StepTimer(), Target()
    for _ in range(3):
        timer.time_next([worker, other], env)
        play_a_step(worker, env)
    assert timer.policy.count == 3
    play_a_step(other, env)
    play_a_step(other, env)
    assert timer.policy.count == 4


def test_a_policy_that_fails_leaves_nothing_behind(env):
    class Failing(Target):
        def policy(self):
            raise ValueError("no policy")

    timer, worker = StepTimer(), Failing()
    timer.time_next([worker], env)
    with pytest.raises(ValueError, match="no policy"):
        worker.policy()
    assert inspect.ismethod(worker.policy)
    assert timer.policy.count == 0
