from __future__ import annotations

import traceback
from typing import Any

import counting_env  # noqa: F401  registers the environments
import probe_rl
import pytest

import srl
from srl.algorithms import ql
from srl.base.exception import UndefinedError
from srl.base.rl.config import DummyRLConfig
from srl.utils.usage import UsageError


def probe() -> srl.Runner:
    return srl.Runner("Counting", probe_rl.Config())


def test_train() -> None:
    runner = probe()
    state = runner.train(max_steps=6, enable_progress=False)
    assert state is runner.state
    assert (state.total_step, state.train_count, state.trainer) == (6, 6, runner.trainer)


def test_runs_go_on_from_where_the_last_one_ended() -> None:
    runner = probe()
    for _ in range(2):
        assert runner.train(max_train_count=3, enable_progress=False).train_count == 3
    assert runner.trainer.train_count == 6


def test_rollout_then_train_only() -> None:
    runner = probe()
    state = runner.rollout(max_memory=5, enable_progress=False)
    assert (state.trainer, runner.memory.length(), runner.worker.rollout) == (None, 5, True)
    trained = runner.train_only(max_train_count=1, enable_progress=False)
    assert (trained.train_count, runner.memory.length(), runner.trainer.train_only) == (5, 0, True)


def test_evaluate_one_player_and_two() -> None:
    assert probe().evaluate(max_episodes=2, enable_progress=False) == [10.0, 10.0]
    two = srl.Runner("Counting2", probe_rl.Config())
    assert two.evaluate(1, shuffle_player=False, enable_progress=False) == [[10.0, 100.0]]
    assert not two.worker.training


@pytest.mark.parametrize("method", ["train", "rollout", "train_only"])
def test_a_run_without_an_end(method: str) -> None:
    with pytest.raises(AssertionError, match="the run would never end: give at least one of"):
        getattr(probe(), method)()


def test_evaluate_without_an_end() -> None:
    with pytest.raises(UsageError, match="max_episodes, timeout, max_steps"):
        probe().evaluate(max_episodes=0)


def test_an_unknown_environment() -> None:
    with pytest.raises(UndefinedError, match="Counting"):
        srl.Runner("Countin", probe_rl.Config())


def test_an_unknown_algorithm() -> None:
    with pytest.raises(UsageError, match=r"'Probee' is not registered\. Did you mean Probe"):
        srl.Runner("Counting", DummyRLConfig(name="Probee")).train(max_steps=1)


def test_a_users_mistake_shows_no_internals() -> None:
    with pytest.raises(UsageError) as caught:
        probe().train()
    files = [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert len(files) == 2
    assert files[0] == __file__
    assert files[1].endswith("usage.py")
    assert caught.value.__suppress_context__


def test_an_authors_error_keeps_its_stack() -> None:
    class Broken(srl.base.run.callback.RunCallback):
        def on_step_begin(self, **_kwargs: Any) -> None:
            raise AssertionError("the author's own")

    with pytest.raises(AssertionError, match="the author's own") as caught:
        probe().train(max_steps=1, enable_progress=False, callbacks=[Broken()])
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names[-1] == "on_step_begin"
    assert "_play_episodes" in names


def test_without_an_algorithm_it_plays_at_random() -> None:
    rewards = srl.Runner("Counting").evaluate(max_episodes=2, enable_progress=False)
    assert rewards == [10.0, 10.0]


def test_the_environment_may_be_made_later() -> None:
    runner = srl.Runner("Counting", probe_rl.Config(), delay_make_env=True)
    assert not runner.rl_config.is_setup()
    assert runner.env.name == "Counting"
    assert runner.rl_config.is_setup()


def test_objects_are_made_once_and_anew_on_demand() -> None:
    runner = probe()
    trainer, worker, memory = runner.trainer, runner.worker, runner.memory
    assert (runner.trainer, runner.worker) == (trainer, worker)
    assert trainer.memory is worker.worker.memory is memory
    new = runner.make_memory()
    assert runner.trainer.memory is runner.worker.worker.memory is new is not memory
    parameter = runner.make_parameter()
    assert runner.trainer.parameter is parameter
    assert len(runner.workers) == 1


def test_parameter_and_memory_files(tmp_path: Any) -> None:
    runner = srl.Runner("Grid", ql.Config())
    runner.train(max_steps=50, enable_progress=False)
    runner.rollout(max_steps=5, enable_progress=False)
    runner.save_parameter(tmp_path / "parameter")
    runner.save_memory(tmp_path / "memory")
    other = srl.Runner("Grid", ql.Config())
    other.load_parameter(tmp_path / "parameter")
    other.load_memory(tmp_path / "memory")
    assert other.parameter.q == runner.parameter.q
    assert other.memory.buffer == runner.memory.buffer


def test_a_seed_makes_runs_equal() -> None:
    tables = []
    for _ in range(2):
        runner = srl.Runner("Grid", ql.Config())
        runner.set_seed(3)
        runner.train(max_steps=300, enable_progress=False)
        tables.append(runner.parameter.q)
    assert tables[0] == tables[1]
    assert len(tables[0]) > 3


def test_settings_in_a_file(tmp_path: Any) -> None:
    runner = srl.Runner(srl.EnvConfig("Counting", {"length": 2}), probe_rl.Config(give_up_at=9))
    runner.save(tmp_path / "run.yaml")
    loaded = srl.load(tmp_path / "run.yaml")
    assert loaded.env_config == runner.env_config
    assert loaded.rl_config == runner.rl_config
    assert srl.load_context(tmp_path / "run.yaml").max_steps == 0
    assert srl.load_rl(runner.rl_config.to_dict()) == runner.rl_config
    assert srl.load_env(runner.env_config.to_dict()) == runner.env_config


def test_baseline() -> None:
    runner = srl.Runner("Counting", probe_rl.Config())
    compare = runner.evaluate_compare_to_baseline_single_player
    assert compare(episode=1, baseline=10, enable_progress=False)
    assert not compare(episode=1, baseline=10.5, enable_progress=False)
    with pytest.raises(UsageError, match="'Counting' names no baseline"):
        compare()


def test_first_state() -> None:
    runner = srl.Runner("Counting", probe_rl.Config(base="ARRAY_DISCRETE"))
    assert runner.get_env_init_state() == [0]
    assert runner.get_env_init_state(encode=False) == 0


def test_summary(capsys: pytest.CaptureFixture[str]) -> None:
    runner = probe()
    runner.summary()
    assert "give_up_at: -1" in capsys.readouterr().out
    assert runner.model_summary() is runner.parameter


def test_public_names() -> None:
    assert all(hasattr(srl, name) for name in srl.__all__)
    assert srl.make_env("Counting").name == "Counting"


def test_baselines_of_several_players() -> None:
    runner = srl.Runner("Counting2", probe_rl.Config())
    compare = runner.evaluate_compare_to_baseline_multiplayer
    entry = {"episode": 2, "players": [None, "random"]}
    assert compare([{**entry, "baseline": [10, None]}, {**entry, "baseline": [None, 100]}], enable_progress=False)
    assert not compare([{**entry, "baseline": [10, None]}, {**entry, "baseline": [None, 101]}], enable_progress=False)
    with pytest.raises(UsageError, match="'Counting2' names no baselines of several players"):
        compare()


def test_the_environments_own_baselines_of_several_players() -> None:
    runner = srl.Runner("StoneTaking", ql.Config())
    assert not runner.evaluate_compare_to_baseline_multiplayer(enable_progress=False)


@pytest.mark.parametrize("name", ["run.yaml", "run.json"])
def test_a_run_from_a_file(name: str, tmp_path: Any) -> None:
    runner = probe()
    runner.context.play_mode = "train"
    runner.context.max_steps = 7
    runner.save(tmp_path / name)
    assert srl.load(tmp_path / name).play().total_step == 7


@pytest.mark.parametrize(
    ("mode", "limit"), [("rollout", "max_steps"), ("train_only", "timeout"), ("evaluate", "max_episodes")]
)
def test_other_runs_from_settings(mode: str, limit: str) -> None:
    runner = probe()
    runner.context.play_mode = mode
    setattr(runner.context, limit, 0.01 if limit == "timeout" else 2)
    runner.play()
    assert runner.state is not None
    assert runner.state.end_reason


def test_a_play_mode_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="context.play_mode '' is none of train, rollout, train_only, train_mp, eval"):
        probe().play()


def test_devices() -> None:
    runner = probe()
    for device in ("auto", "CPU", "GPU", "cuda:1"):
        runner.set_device(device)
        assert runner.context.device == device.upper()
    with pytest.raises(UsageError, match="device 'TPU' is none of AUTO, CPU, GPU, GPU:0"):
        runner.set_device("TPU")


def test_how_busy_the_machine_is_in_the_progress(capfd: Any, monkeypatch: Any) -> None:
    runner = probe()
    runner.set_progress(start_time=0)
    runner.enable_stats()
    runner.train(max_steps=50)
    assert "system memory " in capfd.readouterr().out
    runner.disable_stats()
    runner.train(max_steps=50)
    assert "system memory " not in capfd.readouterr().out
    monkeypatch.setitem(__import__("sys").modules, "psutil", None)
    runner.enable_stats()
    runner.train(max_steps=50)
    assert "system memory " not in capfd.readouterr().out


def test_evaluations_in_the_progress(capfd: Any) -> None:
    runner = probe()
    runner.set_progress(start_time=0, enable_eval=True, eval_interval=1e-6, eval_episode=2)
    runner.train(max_episodes=20)
    assert ", evaluated 10.000" in capfd.readouterr().out
    runner.rollout(max_memory=20, enable_progress=False)
    runner.train_only(max_train_count=10)
    assert "train_only" in capfd.readouterr().out
