"""History, checkpoints, evaluation and callbacks where actors, learner and memory are processes of their own."""

import os
import signal
import threading
import time

import ledger
import momentum
import psutil
import pytest
import recording

import srl
from srl.algorithms import ql
from srl.runner.checkpoint import checkpoint_paths, load_checkpoint
from srl.runner.cluster_progress import ClusterProgress


def names(rows):
    return {row["name"] for row in rows}


@pytest.mark.parametrize("enable_mp_memory", [True, False], ids=["asynchronous", "synchronous"])
def test_each_service_writes_its_rows(tmp_path, enable_mp_memory):
    runner = srl.Runner("Grid", ql.Config())
    runner.set_history_on_file(tmp_path, interval=0.1)
    runner.train_mp(actor_num=2, timeout=2, enable_mp_memory=enable_mp_memory, enable_progress=False)
    assert {"actor0.txt", "actor1.txt", "trainer.txt", "context.json"} <= set(os.listdir(tmp_path))
    rows = srl.Runner.load_history(tmp_path).logs
    assert names(rows) == {"actor0", "actor1", "trainer"}
    for name in ("actor0", "actor1"):
        row = [row for row in rows if row["name"] == name][-1]
        assert {"time", "step", "episode", "sync", "memory", "train"} <= set(row)
        assert row["sync"] > 0
    trained = [row for row in rows if row["name"] == "trainer"]
    assert trained[-1]["train"] == runner.trainer.train_count
    assert trained[-1]["sync"] > 0
    assert any("reward0" in row for row in rows)


def test_history_on_memory_is_there_afterwards_with_evaluations(tmp_path):
    runner = srl.Runner("Grid", ql.Config())
    runner.set_history_on_memory(interval=0.1, enable_eval=True)
    runner.train_mp(timeout=2, enable_progress=False)
    viewer = runner.get_history()
    assert names(viewer.logs) == {"actor0", "trainer", "eval"}
    assert any("eval_reward0" in row for row in viewer.logs)
    # Rewards over updates: an actor knows of which update its Parameter is.
    viewer.plot("train", ["reward0", "eval_reward0"], path=tmp_path / "plot.png")
    assert (tmp_path / "plot.png").exists()


def test_an_actor_that_is_killed_goes_on_in_its_file(tmp_path):
    runner = srl.Runner("Grid", ledger.Config())
    runner.set_history_on_file(tmp_path, interval=20, interval_mode="step")
    path = tmp_path / "actor0.txt"
    killed = []

    def kill():
        end_s = time.monotonic() + 20
        while not (path.exists() and path.stat().st_size > 500):
            assert time.monotonic() < end_s
            time.sleep(0.01)
        actor = next(c for c in psutil.Process().children() if "services.actor" in c.cmdline())
        actor.send_signal(signal.SIGKILL)
        killed.append(len(path.read_text().splitlines()))

    thread = threading.Thread(target=kill)
    thread.start()
    runner.train_mp(timeout=5, enable_progress=False)
    thread.join()
    steps = [row["step"] for row in runner.get_history().logs if row["name"] == "actor0"]
    assert len(steps) > killed[0]
    assert steps == sorted(set(steps))


@pytest.mark.parametrize("enable_mp_memory", [True, False], ids=["asynchronous", "synchronous"])
def test_checkpoints_carry_all_that_a_cluster_goes_on_from(tmp_path, enable_mp_memory):
    first = srl.Runner("Grid", momentum.Config())
    first.set_checkpoint(tmp_path, interval=0)
    first.train_mp(timeout=2, enable_mp_memory=enable_mp_memory, enable_progress=False)
    assert len(checkpoint_paths(tmp_path)) >= 2
    last = load_checkpoint(tmp_path)
    count = first.trainer.train_count
    assert last.past.train_count == last.trainer["updates"] == count > 0
    assert last.past.total_step > 0
    assert len(last.memory) > 0

    second = srl.Runner("Grid", momentum.Config())
    second.set_checkpoint(tmp_path, interval=600)
    assert second.memory.length() == len(last.memory)
    second.train_mp(max_train_count=30, enable_mp_memory=enable_mp_memory, enable_progress=False)
    assert second.trainer.train_count == second.trainer.backup()["updates"] == count + 30
    again = load_checkpoint(tmp_path)
    assert again.past.train_count == count + 30
    assert again.past.total_step >= last.past.total_step


def test_a_process_goes_on_from_what_a_cluster_left_and_a_cluster_from_a_process(tmp_path):
    runner = srl.Runner("Grid", momentum.Config())
    runner.set_checkpoint(tmp_path, enable_eval=False)
    runner.train_mp(max_train_count=20, enable_progress=False)
    alone = srl.Runner("Grid", momentum.Config())
    alone.set_checkpoint(tmp_path, enable_eval=False)
    alone.train(max_train_count=10, enable_progress=False)
    again = srl.Runner("Grid", momentum.Config())
    again.set_checkpoint(tmp_path, enable_eval=False)
    again.train_mp(max_train_count=10, enable_progress=False)
    assert again.trainer.train_count == again.trainer.backup()["updates"] == 40


def test_without_a_checkpoint_memory_the_runner_keeps_its_own(tmp_path):
    runner = srl.Runner("Grid", momentum.Config())
    runner.set_checkpoint(tmp_path, enable_eval=False)
    runner.train_mp(max_train_count=20, enable_progress=False)
    assert runner.memory.length() == 0


def test_ctrl_c_leaves_a_last_checkpoint(tmp_path, monkeypatch):
    real, interrupts = ClusterProgress.update, []

    def update(self, cluster):
        real(self, cluster)
        if cluster.learner.get("train_count", 0) > 0 and not interrupts:
            interrupts.append(True)
            raise KeyboardInterrupt

    monkeypatch.setattr(ClusterProgress, "update", update)
    runner = srl.Runner("Grid", momentum.Config())
    runner.set_checkpoint(tmp_path, enable_eval=False)
    with pytest.raises(KeyboardInterrupt):
        runner.train_mp(timeout=60, enable_progress=False)
    path = checkpoint_paths(tmp_path)[-1]
    assert path.name.endswith("_last.pickle")
    assert load_checkpoint(path).past.train_count == runner.trainer.train_count > 0
    assert load_checkpoint(path).memory


def test_progress_shows_evaluations_and_how_busy_the_machine_is(capfd):
    runner = srl.Runner("Grid", ql.Config())
    runner.set_progress(start_time=0.5, interval_limit=0.5, max_actor=1, enable_eval=True, eval_interval=0.1)
    runner.enable_stats()
    runner.train_mp(actor_num=2, timeout=2)
    text = capfd.readouterr().out
    assert "evaluated " in text
    assert "system memory " in text
    assert " + ...)" in text


# --- callbacks


def train_recorded(folder, stops_in="", **kwargs):
    folder.mkdir()
    runner = srl.Runner("Grid", momentum.Config())
    callbacks = [recording.Recorder(str(folder), stops_in)]
    runner.train_mp(actor_num=2, callbacks=callbacks, enable_progress=False, **kwargs)
    return runner


def test_callbacks_are_in_every_service(tmp_path):
    train_recorded(tmp_path / "notes", max_train_count=200)
    noted = {path.name: set(path.read_text().split()) for path in (tmp_path / "notes").iterdir()}
    acting = {"on_start", "on_episodes_begin", "on_step_end", "on_episodes_end", "on_end"}
    assert noted == {
        "actor-0": acting,
        "actor-1": acting,
        "trainer-0": {"on_start", "on_trainer_start", "on_train_after", "on_trainer_end", "on_end"},
        "memory-0": {"on_memory_start", "on_memory", "on_memory_end"},
    }


@pytest.mark.parametrize("hook", ["on_step_end", "on_train_after", "on_memory"])
def test_a_callback_that_returns_true_ends_the_run(tmp_path, hook):
    runner = train_recorded(tmp_path / "notes", hook, timeout=60)
    assert runner.state.end_reason == "callback.intermediate_stop"
    assert runner.trainer.train_count > 0 or hook == "on_step_end"
