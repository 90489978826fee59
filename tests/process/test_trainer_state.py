"""The state of a Trainer, such as an optimizer's: it outlives runs, learners and `train_mp`."""

import os
import signal
import time

import momentum
import pytest

import srl
from services.clusters.local import LocalCluster, Options
from services.jobs.job import Job
from srl.base.context import RunContext
from srl.base.env.config import EnvConfig


@pytest.mark.parametrize("enable_mp_memory", [True, False], ids=["asynchronous", "synchronous"])
def test_it_goes_into_train_mp_and_comes_back(enable_mp_memory):
    runner = srl.Runner("Grid", momentum.Config())
    runner.train(max_train_count=30, enable_progress=False)
    runner.train_mp(max_train_count=20, enable_mp_memory=enable_mp_memory, enable_progress=False)
    assert runner.state.train_count == 20
    assert runner.trainer.train_count == runner.trainer.backup()["updates"] == 50
    runner.train(max_train_count=5, enable_progress=False)
    assert runner.trainer.train_count == runner.trainer.backup()["updates"] == 55


def test_it_begins_anew_with_a_new_parameter():
    runner = srl.Runner("Grid", momentum.Config())
    runner.train(max_train_count=30, enable_progress=False)
    runner.train_mp(max_train_count=20, initial_parameter_sharing=False, enable_progress=False)
    assert runner.state.train_count == runner.trainer.train_count == runner.trainer.backup()["updates"] == 20


def test_a_learner_that_is_killed_costs_what_its_last_snapshot_does_not_hold():
    context = RunContext(env_config=EnvConfig("Grid"), rl_config=momentum.Config(), training=True, timeout=600)
    end_s = time.monotonic() + 30
    with LocalCluster(Job.of(context), Options(snapshot_interval_s=0.05), lambda _: None) as cluster:

        def watch_until(condition):
            while not condition():
                cluster.watch(0.02)
                assert time.monotonic() < end_s

        def stored():
            state = cluster.learner_state()
            return state.train_count if state else 0

        watch_until(lambda: stored() > 0)
        before = stored()
        learner = next(child for child in cluster.children if child.kind == "learner")
        os.kill(learner.pid, signal.SIGKILL)
        watch_until(lambda: learner.restarts == 1)
        restored = stored()
        watch_until(lambda: stored() > restored)
        cluster.drain()
        state = cluster.learner_state()
    assert state.trainer["updates"] == state.train_count > before
