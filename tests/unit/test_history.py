"""History: the rows that a run leaves, what becomes of damaged ones, and the table and picture of them."""

import json
import time

import matplotlib as mpl
import numpy as np
import probe_rl  # noqa: F401
import pytest

import srl
from srl.algorithms import ql
from srl.base.run.callback import RunCallback
from srl.runner.history_file import HistoryFile, read_rows
from srl.runner.history_plot import _aggregated
from srl.runner.interval import Interval
from srl.utils.usage import UsageError

mpl.use("agg")


def make(env="Grid"):
    return srl.Runner(env, ql.Config())


def trained(runner, **limits):
    runner.train(**(limits or {"max_steps": 300}), enable_progress=False)
    return runner.get_history()


def of(viewer, name):
    return [row for row in viewer.logs if row["name"] == name]


# --- rows


def test_a_row_comes_every_so_many_steps_and_at_the_end():
    runner = make()
    runner.set_history_on_memory(interval=100, interval_mode="step")
    viewer = trained(runner, max_steps=250)
    assert [row["step"] for row in viewer.logs] == [100, 200, 250]
    row = viewer.logs[-1]
    assert {"name", "time", "step", "episode", "episode_time", "episode_step", "sync", "reward0", "train"} <= set(row)
    assert {"memory", "trainer_td_error", "trainer_size"} & set(row)
    assert (row["name"], row["train"]) == ("actor0", runner.trainer.train_count)


def test_rewards_are_means_of_the_episodes_since_the_row_before():
    class Keep(RunCallback):
        def __init__(self):
            self.rewards = []

        def on_episode_end(self, context, state):
            self.rewards.append((state.total_step, state.last_episode_rewards[0]))

    runner = make()
    runner.set_history_on_memory(interval=100, interval_mode="step")
    runner.train(max_steps=200, enable_progress=False, callbacks=[keep := Keep()])
    second = runner.get_history().logs[1]
    # A row is written after a step, before the episode that this step may have ended is counted.
    expected = [reward for step, reward in keep.rewards if 100 <= step < 200]
    assert second["reward0"] == pytest.approx(np.mean(expected))
    assert second["episode"] == sum(step < 200 for step, _ in keep.rewards)


def test_rows_by_time_come_when_it_has_passed(monkeypatch):
    now_s = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    interval = Interval(2.0)
    assert not interval.is_due()
    now_s = 2.0
    assert interval.is_due()
    interval.restart()
    assert not interval.is_due()


def test_two_players_and_their_infos(tmp_path):
    runner = make("OX")
    runner.set_history_on_file(tmp_path)
    viewer = trained(runner, max_episodes=5)
    assert {"reward0", "reward1"} <= set(viewer.names())


def test_infos_have_the_name_of_their_owner():
    class Inform(RunCallback):
        def on_step_begin(self, context, state):
            state.env.info["lives"] = 3
            state.worker.info["epsilon"] = np.float32(0.5)
            state.trainer.info["loss"] = np.array([0.25])

    runner = make()
    runner.set_history_on_memory()
    runner.train(max_steps=10, enable_progress=False, callbacks=[Inform()])
    (row,) = runner.get_history().logs
    assert (row["env_lives"], row["worker0_epsilon"], row["trainer_loss"]) == (3, 0.5, 0.25)


def test_what_is_no_number_is_text():
    class Inform(RunCallback):
        def on_step_begin(self, context, state):
            state.env.info["where"] = {1, 2}

    runner = make()
    runner.set_history_on_memory()
    runner.train(max_steps=3, enable_progress=False, callbacks=[Inform()])
    assert runner.get_history().logs[0]["env_where"] == "{1, 2}"


def test_rollout_and_training_only_have_files_of_their_own(tmp_path):
    runner = make()
    runner.set_history_on_file(tmp_path, interval=5, interval_mode="step")
    runner.rollout(max_steps=20, enable_progress=False)
    runner.train_only(max_train_count=20, enable_progress=False)
    viewer = runner.get_history()
    assert [row["step"] for row in of(viewer, "actor0")] == [5, 10, 15, 20]
    assert of(viewer, "trainer")[-1]["train"] == 20
    assert {path.name for path in tmp_path.iterdir()} == {
        "actor0.txt", "trainer.txt", "env_config.json", "rl_config.json", "context.json", "version.txt"
    }  # fmt: skip


def test_later_runs_go_on_counting():
    runner = make()
    runner.set_history_on_memory(interval=100, interval_mode="step")
    trained(runner, max_steps=200)
    viewer = trained(runner, max_steps=200)
    assert [row["step"] for row in viewer.logs] == [100, 200, 300, 400]
    assert np.all(np.diff([row["time"] for row in viewer.logs]) >= 0)
    assert viewer.logs[-1]["train"] == runner.trainer.train_count


def test_a_run_from_a_checkpoint_counts_on(tmp_path):
    first, second = make(), make()
    first.set_checkpoint(tmp_path)
    first.train(max_steps=100, enable_progress=False)
    second.set_checkpoint(tmp_path)
    second.set_history_on_memory(interval=50, interval_mode="step")
    assert [row["step"] for row in trained(second, max_steps=100).logs] == [150, 200]


def test_evaluations_are_rows_of_their_own():
    runner = make()
    runner.set_history_on_memory(interval=50, interval_mode="step", enable_eval=True, eval_episode=2)
    viewer = trained(runner, max_steps=300)
    rows = of(viewer, "eval")
    assert rows
    assert all({"time", "step", "train", "eval_reward0"} == set(row) - {"name"} for row in rows)
    assert not any("eval_reward0" in row for row in of(viewer, "actor0"))


def test_evaluations_at_their_own_interval_and_when_only_training():
    runner = make()
    runner.rollout(max_steps=50, enable_progress=False)
    runner.set_history_on_memory(interval=1000, enable_eval=True, eval_interval=1e-6)
    runner.train_only(max_train_count=20, enable_progress=False)
    assert len(of(runner.get_history(), "eval")) >= 1


def test_how_busy_the_machine_is(monkeypatch):
    runner = make()
    runner.set_history_on_memory(write_system=True)
    assert {"cpu", "system_memory"} <= set(trained(runner).logs[0])
    monkeypatch.setitem(__import__("sys").modules, "psutil", None)
    runner.set_history_on_memory(write_system=True)
    assert not {"cpu", "system_memory"} & set(trained(runner).logs[0])


# --- settings


def test_without_a_history_there_is_none():
    runner = make()
    with pytest.raises(UsageError, match="there is no history: call set_history_on_memory or set_history_on_file"):
        runner.get_history()
    runner.set_history_on_memory()
    runner.disable_history()
    runner.train(max_steps=5, enable_progress=False)
    with pytest.raises(UsageError, match="there is no history"):
        runner.get_history()


def test_what_is_there_is_deleted_unless_it_is_added_to(tmp_path):
    for add_history, rows in ((False, 1), (True, 2), (False, 1)):
        runner = make()
        runner.set_history_on_file(tmp_path, interval=1000, add_history=add_history)
        assert len(trained(runner, max_steps=10).logs) == rows


def test_the_folder_has_a_name_of_its_own_unless_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = make()
    runner.set_history_on_file()
    trained(runner)
    (folder,) = (tmp_path / "history").iterdir()
    assert folder.name.endswith("_Grid_QL")


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="save_dir .* is no folder"):
        make().set_history_on_file(tmp_path / "file")


def test_a_mode_that_there_is_not():
    with pytest.raises(UsageError, match="interval_mode 'steps' is neither 'time' nor 'step'"):
        make().set_history_on_memory(interval_mode="steps")


def test_settings_are_beside_the_rows_where_they_have_a_plain_form(tmp_path, caplog):
    class Reward(float):
        pass

    runner = srl.Runner(srl.EnvConfig("Grid", {"move_reward": Reward(-0.1)}), ql.Config(lr=0.25))
    runner.set_history_on_file(tmp_path)
    viewer = trained(runner)
    assert viewer.rl_config["lr"] == 0.25
    assert viewer.version == srl.__version__
    assert (viewer.env_config, viewer.context) == ({}, {})
    assert "env_config.json is not written: EnvConfig.kwargs" in caplog.text
    assert srl.Runner.load_history(tmp_path).logs == viewer.logs


# --- files


def test_a_torn_last_line_is_skipped_and_the_next_writer_begins_a_new_one(tmp_path):
    path = tmp_path / "actor0.txt"
    file = HistoryFile(path)
    file.append({"step": 1})
    file.append({"step": 2})
    path.write_bytes(path.read_bytes()[:-4])
    again = HistoryFile(path)
    assert again.last == {"step": 1}
    again.append({"step": 3})
    assert read_rows(path) == [{"step": 1}, {"step": 3}]


def test_a_line_that_is_no_row_is_skipped(tmp_path):
    path = tmp_path / "actor0.txt"
    path.write_bytes(b'3\n{"step": 1}\n\xff\xfe\n')
    assert read_rows(path) == [{"step": 1}]


def test_a_disk_that_refuses_stops_no_run_and_is_said_once(tmp_path, caplog):
    file = HistoryFile(tmp_path / "away" / "actor0.txt")
    file.append({"step": 1})
    file.append({"step": 2})
    assert caplog.text.count("history is not written to") == 1
    (tmp_path / "away").mkdir()
    file.append({"step": 3})
    assert read_rows(tmp_path / "away" / "actor0.txt") == [{"step": 3}]


def test_a_folder_without_a_history(tmp_path):
    with pytest.raises(UsageError, match="holds no history: give the save_dir of set_history_on_file"):
        srl.Runner.load_history(tmp_path)


# --- table and picture


def test_the_rows_as_a_table():
    runner = make()
    runner.set_history_on_memory(interval=100, interval_mode="step")
    table = trained(runner).get_df()
    assert list(table["step"]) == [100, 200, 300]
    assert table["reward0"].notna().all()


def test_a_picture_with_two_sides(tmp_path):
    runner = make()
    runner.set_history_on_memory(interval=5, interval_mode="step")
    figure = trained(runner, max_steps=600).plot(
        "step", ["reward0"], ["trainer_size"], 20, "Grid", left_ymin=-3, left_ymax=2, path=tmp_path / "new" / "plot.png"
    )
    left, right = figure.axes
    assert (tmp_path / "new" / "plot.png").stat().st_size > 5000
    assert (left.get_xlabel(), left.get_ylabel(), right.get_ylabel()) == (
        "environment steps",
        "reward0",
        "trainer_size",
    )
    assert left.get_ylim() == (-3, 2)
    assert 10 < len(left.get_lines()[0].get_xdata()) <= 20
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["reward0", "trainer_size"]


def test_without_aggregation_every_row_is_drawn(tmp_path):
    runner = make()
    runner.set_history_on_memory(interval=10, interval_mode="step")
    figure = trained(runner).plot("step", ["train"], aggregation_num=0, path=tmp_path / "plot.svg")
    assert len(figure.axes[0].get_lines()[0].get_xdata()) == 30


def test_without_a_path_it_is_shown(monkeypatch):
    shown = []
    monkeypatch.setattr("matplotlib.pyplot.show", lambda: shown.append(True))
    runner = make()
    runner.set_history_on_memory()
    figure = trained(runner).plot()
    assert shown == [True]
    __import__("matplotlib.pyplot").pyplot.close(figure)


def test_histories_beside_each_other(tmp_path):
    for name in ("one", "two"):
        runner = make()
        runner.set_history_on_file(tmp_path / name, interval=50, interval_mode="step")
        trained(runner)
    viewers = srl.Runner.load_histories([tmp_path / "one", tmp_path / "two"])
    figure = viewers.plot("step", path=tmp_path / "plot.png")
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["one reward0", "two reward0"]


def test_the_rows_of_several_actors_are_put_together(tmp_path):
    for actor, reward in ((0, 1.0), (1, 3.0)):
        file = HistoryFile(tmp_path / f"actor{actor}.txt")
        for step in range(1, 11):
            file.append({"name": f"actor{actor}", "time": step, "step": step + actor / 10, "reward0": reward})
    figure = srl.Runner.load_history(tmp_path).plot("step", path=tmp_path / "plot.png")
    assert figure.axes[0].get_lines()[0].get_ydata().tolist() == [2.0] * 10


def test_a_column_that_there_is_not(tmp_path):
    runner = make()
    runner.set_history_on_memory()
    with pytest.raises(UsageError, match=r"no row has both 'time' and 'reward7': columns with numbers are .*reward0"):
        trained(runner).plot(ylabel_left=["reward7"], path=tmp_path / "plot.png")


def test_parts_of_the_range_are_put_together():
    x, y = np.array([0.0, 1.0, 8.0, 9.0, 10.0]), np.array([1.0, 3.0, 5.0, 6.0, 7.0])
    means_x, means_y, low, high = _aggregated(x, y, 2)
    assert (means_x.tolist(), means_y.tolist()) == ([0.5, 9.0], [2.0, 6.0])
    assert np.all(low <= means_y)
    assert np.all(means_y <= high)


@pytest.mark.parametrize("module", ["pandas", "matplotlib"])
def test_a_package_that_is_absent_is_named_with_its_extra(module, monkeypatch, tmp_path):
    runner = make()
    runner.set_history_on_memory()
    viewer = trained(runner)
    for name in (module, f"{module}.figure"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(UsageError, match=rf"needs {module}: pip install 'srl-cluster\[plot\]'"):
        viewer.get_df() if module == "pandas" else viewer.plot(path=tmp_path / "plot.png")


def test_rows_are_json(tmp_path):
    runner = make()
    runner.set_history_on_file(tmp_path)
    trained(runner)
    assert [json.loads(line)["name"] for line in (tmp_path / "actor0.txt").read_text().splitlines()] == ["actor0"]
