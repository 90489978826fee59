"""The specification's names for training through Redis; tests/process/test_train_cluster.py has real services."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import srl
from services import snapshot as snapshots
from srl.algorithms import ql
from srl.base.exception import DistributionError
from srl.runner.distribution import RedisParameters, TaskManager
from srl.utils.usage import UsageError
from srl_common.job_board import JobState, open_board
from srl_common.snapshots import open_store

ROOT = Path(__file__).parents[2]


@pytest.fixture
def params(tmp_path):
    return RedisParameters(url=f"dir://{tmp_path}/cluster")


@pytest.fixture
def board(params):
    board = open_board(params.cluster)
    yield board
    board.close()


def make_runner():
    return srl.Runner("Grid", ql.Config(lr=0.25))


def publish(params, name, train_count):
    """Store a snapshot as a learner would; return its Parameter."""
    runner = make_runner()
    runner.train(max_train_count=train_count, enable_progress=False)
    store = open_store(params.cluster)
    store.publish(name, snapshots.take(runner.parameter, store.claim_epoch(name), train_count, {}, 1.0, runner.trainer))
    store.close()
    return runner.parameter.backup()


# --- where Redis is


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({"url": "redis://there:1/2", "host": "elsewhere"}, "redis://there:1/2"),
        ({"host": "there"}, "redis://there:6379/0"),
        ({"host": "there", "port": 1, "db": 2}, "redis://there:1/2"),
        ({"host": "there", "redis_kwargs": {"username": "client", "password": "a/b@c"}},
         "redis://client:a%2Fb%40c@there:6379/0"),
        ({"host": "there", "redis_kwargs": {"password": "p", "ssl": True}}, "rediss://:p@there:6379/0"),
    ],
)  # fmt: skip
def test_parameters_are_an_address(given, address):
    assert RedisParameters(**given).cluster == address


def test_parameters_without_an_address_say_what_to_give():
    with pytest.raises(UsageError, match="give url='redis://host:6379/0', or host="):
        _ = RedisParameters().cluster


def test_parameters_that_have_no_meaning_here_are_named():
    with pytest.raises(UsageError, match="redis_kwargs has retry_on_timeout: it takes password, ssl, username"):
        _ = RedisParameters(host="there", redis_kwargs={"retry_on_timeout": True}).cluster


# --- posting


def test_a_job_is_posted_with_what_training_begins_with(params, board, capsys):
    runner = make_runner()
    runner.train(max_train_count=5, enable_progress=False)
    job = runner.train_distribution_start(params, timeout=5, max_train_count=10, actor_devices="GPU")
    assert (job.id, job.state) == ("1", "waiting")
    assert "job 1 is posted: QL in Grid" in capsys.readouterr().out
    manager = TaskManager(params)
    assert (manager.job_id, manager.is_finished(), manager.get_train_count()) == ("1", False, 5)
    context = manager.create_runner().context
    assert (context.timeout, context.max_train_count, context.actor_devices) == (5, 15, "GPU")  # counted on from 5
    assert (context.rl_config.lr, context.play_mode) == (0.25, "train_distribution")
    job.close()


def test_a_job_may_begin_anew(params, board):
    job = make_runner().train_distribution_start(
        params, initial_parameter_sharing=False, timeout=5, enable_progress=False
    )
    manager = TaskManager(params, job.id)
    assert manager.get_train_count() == 0
    assert not manager.read_parameter(make_runner().parameter)
    assert not job.bring_back()
    job.close()


def test_what_is_a_setting_of_services_is_said(params, board, caplog):
    job = make_runner().train_distribution_start(params, actor_num=4, queue_capacity=10, timeout=5)
    job.close()
    actors, queue = [record.getMessage() for record in caplog.records]
    assert actors.startswith("actor_num=4 has no effect on a cluster: it is set by the actors that run, such as docker")
    assert queue == "queue_capacity=10 has no effect on a cluster: it is set by SRL_WINDOW_CALLS and SRL_CHUNK_ITEMS"


def test_there_is_no_cluster(tmp_path):
    nowhere = RedisParameters(url=f"unix://{tmp_path}/none.sock")
    for call in (
        lambda: TaskManager(nowhere),
        lambda: make_runner().train_distribution(nowhere, timeout=5),
        lambda: make_runner().train_distribution_start(nowhere, timeout=5),
        lambda: make_runner().follow_cluster(nowhere.cluster, ""),
    ):
        with pytest.raises(DistributionError, match=r"none.sock"):
            call()


def test_what_cannot_travel_is_named_and_nothing_is_posted(params, board):
    runner = srl.Runner(srl.EnvConfig("Grid"), ql.Config())
    runner.env_config.kwargs = {"size": [1, {2}]}
    with pytest.raises(UsageError, match=r"EnvConfig.kwargs\['size'\]\[1\] is \{2\} of type set"):
        runner.train_cluster(params.cluster, timeout=5)
    assert board.entries() == []


# --- what a manager does with a job


def test_a_manager_without_a_job_says_so(params):
    with pytest.raises(DistributionError, match="the cluster has no job yet"):
        TaskManager(params)


def test_a_runner_of_what_was_learned(params, board):
    make_runner().train_distribution_start(params, timeout=5, enable_progress=False).close()
    learned = publish(params, "job-1", 30)
    manager = TaskManager(params)
    assert manager.create_runner().parameter.backup() == learned
    assert manager.create_runner(read_parameter=False).parameter.backup() != learned
    other = make_runner()
    assert manager.read_parameter(other.parameter)
    assert other.parameter.backup() == learned


def test_waiting_ends_with_the_job_and_shows_how_it_went(params, board, capsys):
    make_runner().train_distribution_start(params, timeout=5, enable_progress=False).close()
    publish(params, "job-1", 30)
    entry = board.take()
    board.report("1", "learner", {"train_count": 30, "elapsed_s": 2.0})
    board.end("1", entry.life, JobState.ENDED, "timeout.")
    TaskManager(params).train_wait()
    out = capsys.readouterr().out
    assert "train_cluster: QL in Grid, until timeout 5" in out
    assert "30 (15/s)" in out
    assert "timeout" in out


def test_a_job_that_failed_is_raised_or_logged(params, board, caplog):
    make_runner().train_distribution_start(params, timeout=5, enable_progress=False).close()
    board.end("1", board.take().life, JobState.FAILED, "Trainer.train failed in the learner:\nKeyError: 3")
    with pytest.raises(DistributionError, match=r"job 1 has failed: Trainer.train failed in the learner:\nKeyError: 3"):
        TaskManager(params).train_wait(enable_progress=False)
    TaskManager(params).train_wait(enable_progress=False, raise_exception=False)
    assert "KeyError: 3" in caplog.text


def test_a_manager_ends_a_job(params, board):
    make_runner().train_distribution_start(params, timeout=5, enable_progress=False).close()
    manager = TaskManager(params)
    manager.finished("enough")
    assert manager.is_finished()
    assert board.entry("1").state is JobState.STOPPED


SCRIPT = """
    import sys
    import srl
    from srl.base.define import RLBaseTypes
    from srl.base.rl.config import RLConfig
    from srl.base.rl.parameter import RLParameter
    from srl.base.rl.registration import register
    from srl.runner.distribution import RedisParameters, TaskManager
    from dataclasses import dataclass

    print("LOADED")

    @dataclass
    class Config(RLConfig):
        rate: float = 0.5
        def get_name(self): return "scripted"
        def get_base_action_type(self): return RLBaseTypes.DISCRETE
        def get_base_observation_type(self): return RLBaseTypes.DISCRETE

    class Parameter(RLParameter):
        def call_backup(self, **kwargs): return 3
        def call_restore(self, data, **kwargs): self.value = data

    register(Config(), "", __name__ + ":Parameter", "", "")

    if __name__ == "__main__":
        params = RedisParameters(url=sys.argv[1])
        srl.Runner("Grid", Config(rate=0.75)).train_distribution_start(params, timeout=5, enable_progress=False)
        runner = TaskManager(params).create_runner()
        print(runner.rl_config.rate, runner.parameter.value, type(runner.rl_config) is Config)
"""


def test_a_script_that_is_run_directly_is_not_loaded_again(params, tmp_path):
    script = tmp_path / "scripted.py"
    script.write_text(textwrap.dedent(SCRIPT))
    done = subprocess.run(
        [sys.executable, script, params.url], capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["LOADED", "0.75 3 True"]
    with pytest.raises(DistributionError, match=r"a script that was run directly, scripted.py: ask for them in that"):
        TaskManager(params).create_runner()
