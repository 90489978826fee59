"""Training in a cluster of the three services, which have never seen the author's files.

A job costs some seconds, most of them for three fresh interpreters: each test looks at as much as one can show.
"""

import contextlib
import importlib
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from board_services import BoardServices
from running import HERE, ROOT, until
from started import started

import srl
from srl.algorithms import ql
from srl.base.exception import DistributionError
from srl.base.rl import registration
from srl.runner.checkpoint import checkpoint_paths, load_checkpoint
from srl.runner.distribution import RedisParameters, TaskManager
from srl_common.job_board import open_board

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster")
    services = BoardServices(folder, f"dir://{folder}/store")
    yield services
    services.close()


@pytest.fixture(scope="module")
def redis_cluster(tmp_path_factory, redis_server):
    redis_server.flush()
    services = BoardServices(tmp_path_factory.mktemp("redis_cluster"), redis_server.url)
    yield services
    services.close()


@pytest.fixture
def author(tmp_path, monkeypatch):
    """An author's module, and one that it imports, which lie where no service looks."""
    folder = tmp_path / "author"
    folder.mkdir()
    text = (HERE / "momentum.py").read_text().replace('"momentum', '"only_here')
    text = text.replace("import pickle\n", "import pickle\nimport only_helper\n")
    look = "def policy(self, worker: Any) -> int:\n"
    assert look in text
    (folder / "only_here.py").write_text(text.replace(look, f"{look}        only_helper.look(self)\n"))
    helper = "def look(worker):\n    if worker.config.lr < 0:\n        raise ValueError('no such rate')\n"
    (folder / "only_helper.py").write_text(helper)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(registration, "_algorithms", dict(registration._algorithms))
    monkeypatch.setattr(registration, "_configs", dict(registration._configs))
    yield importlib.import_module("only_here")
    del sys.modules["only_here"], sys.modules["only_helper"]


def entries(store):
    with contextlib.closing(open_board(store)) as board:
        return board.entries()


# --- what comes back


def test_an_algorithm_that_is_only_here_is_trained_there_and_comes_back(cluster, author, tmp_path, capsys):
    runner = srl.Runner("Grid", author.Config())
    runner.set_history_on_file(tmp_path / "history", interval=0.2, enable_eval=True)
    runner.set_checkpoint(tmp_path / "checkpoints", interval=0.5, eval_episode=2)
    runner.set_progress(start_time=0, interval_limit=0, enable_eval=True, eval_interval=0.2)
    runner.train_cluster(cluster.store, timeout=4)
    out = capsys.readouterr().out
    for part in ("is posted: only_here in Grid", "env steps/s", ", evaluated ", "timeout"):
        assert part in out
    assert runner.state.end_reason == "timeout."
    assert runner.state.train_count == runner.trainer.train_count > 100
    assert runner.trainer.train_count == runner.trainer.backup()["updates"]
    stored = TaskManager(RedisParameters(url=cluster.store)).create_runner().parameter
    assert runner.parameter.q.any()
    assert np.array_equal(runner.parameter.q, stored.q)

    history = runner.get_history()
    assert {row["name"] for row in history.logs} == {"actor0", "trainer", "eval"}
    assert {"step", "episode", "reward0", "train", "eval_reward0", "memory"} <= set(history.names())
    trained = [row["train"] for row in history.logs if row["name"] == "trainer"]
    assert trained == sorted(trained)
    last = checkpoint_paths(tmp_path / "checkpoints")[-1]
    assert last.name.endswith("_last.pickle")
    past = load_checkpoint(last).past
    assert past.train_count == runner.trainer.train_count
    assert past.total_step > 0


def test_through_redis_under_the_names_of_the_specification(redis_cluster, author, capsys):
    params = RedisParameters(url=redis_cluster.store)
    runner = srl.Runner("Grid", author.Config())
    runner.train(max_train_count=100, enable_progress=False)
    before = runner.trainer.train_count
    runner.train_distribution(params, max_train_count=200, enable_progress=False)
    assert runner.trainer.train_count == runner.trainer.backup()["updates"] >= before + 200  # it went on from there
    assert runner.state.train_count == runner.trainer.train_count - before
    manager = TaskManager(params)
    manager.train_wait()
    assert "max_train_count over" in capsys.readouterr().out
    assert manager.is_finished()
    assert manager.get_train_count() == runner.trainer.train_count
    trained = manager.create_runner()
    assert trained.rl_config == author.Config()
    assert str(trained.parameter.backup()) == str(runner.parameter.backup())


# --- stops and errors, and the next job runs


def test_a_job_is_looked_at_stopped_and_brought_back(cluster, author):
    runner, other = srl.Runner("Grid", author.Config()), srl.Runner("Grid", ql.Config())
    job = runner.train_cluster(cluster.store, name="mine", wait=False, enable_progress=False)
    behind = other.train_cluster(cluster.store, max_train_count=20, wait=False, enable_progress=False)
    with contextlib.closing(job), contextlib.closing(behind):
        until(lambda: job.bring_back() and runner.trainer.train_count > 0, f"it trains: {cluster.said}")
        assert (job.state, behind.state) == ("running", "waiting")
        so_far = runner.trainer.train_count
        TaskManager(RedisParameters(url=cluster.store), job.id).finished()  # as somebody else might
        job.wait()
        job.wait()  # nothing more to wait for
        assert job.state == "stopped"
        assert runner.trainer.train_count == runner.trainer.backup()["updates"] >= so_far
        behind.wait()
        assert other.trainer.train_count >= 20


def test_an_exception_in_the_authors_code_comes_back_with_its_lines(cluster, author):
    runner = srl.Runner("Grid", author.Config(lr=-1))
    with pytest.raises(DistributionError) as caught:
        runner.train_cluster(cluster.store, max_train_count=100, enable_progress=False)
    text = str(caught.value)
    assert "Worker.policy failed in the actor" in text
    for part in ("only_here.py", "only_helper.py", "raise ValueError('no such rate')", "ValueError: no such rate"):
        assert part in text


SCRIPT = """
import sys
import only_helper
import srl
from srl.algorithms.ql import Config as Base, Memory, Parameter, Trainer, Worker
from srl.base.rl.registration import register

class Config(Base):
    def get_name(self):
        return "of_a_script"

register(Config(), *[f"{__name__}:{name}" for name in ("Memory", "Parameter", "Trainer", "Worker")])

if __name__ == "__main__":
    runner = srl.Runner("Grid", Config())
    runner.set_progress(start_time=0, interval_limit=0)
    try:
        runner.train_cluster(sys.argv[1])
    except KeyboardInterrupt:
        print("INTERRUPTED", runner.trainer.train_count > 0, runner.evaluate(5, enable_progress=False))
        raise
"""


def test_ctrl_c_in_a_script_stops_the_job_and_brings_it_back(cluster, author, tmp_path):
    (tmp_path / "author" / "script.py").write_text(SCRIPT)
    with started(
        [sys.executable, "author/script.py", cluster.store], cwd=tmp_path, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    ) as process:  # fmt: skip
        for line in process.stdout:
            if " trained/s" in line and ", 0 trained/s" not in line:
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert "interrupted: asking the job to stop" in out, err
    assert "INTERRUPTED True" in out
    assert err.endswith("KeyboardInterrupt\n")
    assert str(entries(cluster.store)[-1].state) == "stopped"


def test_a_cluster_without_services_says_that_nobody_has_taken_the_job(tmp_path, capsys):
    runner = srl.Runner("Grid", ql.Config())
    runner.set_progress(start_time=0, interval_limit=0)
    folder = tmp_path / "nobody"
    shown = []

    def is_shown():
        shown.append(capsys.readouterr().out)
        return "job 1 waits: nobody has taken it yet" in "".join(shown)

    def stop_when_it_waits():
        try:
            until(is_shown, "a line says so")
        finally:
            TaskManager(RedisParameters(url=f"dir://{folder}")).finished()

    thread = threading.Thread(target=stop_when_it_waits)
    thread.start()
    runner.train_cluster(f"dir://{folder}")
    thread.join()
    assert is_shown()
