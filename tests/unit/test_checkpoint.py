"""Checkpoints: what is in them, which one counts, and runs that go on from them as if nothing had happened."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "process"))

import momentum

import srl
from srl.algorithms import dqn, dynaq, mcts, ppo, ql, sac, vanilla_policy
from srl.base.rl.memory import RLMemory
from srl.base.run.callback import RunCallback
from srl.base.run.past import Past
from srl.runner.checkpoint import Checkpoint, checkpoint_paths, load_checkpoint, save_checkpoint
from srl.utils.usage import UsageError

SEED = 7
PROCESS_TESTS = Path(__file__).parents[1] / "process"
CONFIGS = {"ql": ql.Config, "momentum": momentum.Config}


def make(algorithm, seed=SEED):
    runner = srl.Runner("Grid", CONFIGS[algorithm]())
    runner.set_seed(seed)
    return runner


def same(a, b):
    return pickle.dumps(a) == pickle.dumps(b)


# --- going on exactly


@pytest.mark.parametrize("algorithm", CONFIGS)
def test_half_and_half_is_the_whole(algorithm, tmp_path):
    whole, first, second = make(algorithm), make(algorithm), make(algorithm)
    whole.train(max_episodes=40, enable_progress=False)
    first.set_checkpoint(tmp_path, is_load=False)
    first.train(max_episodes=20, enable_progress=False)
    second.load_checkpoint(tmp_path)
    second.train(max_episodes=20, enable_progress=False)
    assert same(second.parameter.backup(), whole.parameter.backup())
    assert same(second.trainer.backup(), whole.trainer.backup())
    assert same(second.memory.backup(), whole.memory.backup())
    assert second.trainer.train_count == whole.trainer.train_count > 0


SCRIPT = f"""
import sys
sys.path.insert(0, {str(PROCESS_TESTS)!r})
import momentum
import srl
from srl.algorithms import ql

algorithm, folder, steps, result = sys.argv[1:]
runner = srl.Runner("Grid", {{"ql": ql, "momentum": momentum}}[algorithm].Config())
runner.set_seed({SEED})
if folder:
    runner.set_checkpoint(folder, interval=0, enable_eval=False)
runner.train(max_steps=int(steps), enable_progress=False)
runner.save_parameter(result, compress=False)
"""


def process(*args):
    return subprocess.Popen([sys.executable, "-c", SCRIPT, *map(str, args)])


def run(*args):
    assert process(*args).wait(60) == 0


BUILT_IN = {
    "dynaq": ("Grid", dynaq.Config()),
    "vanilla_policy": ("Grid", vanilla_policy.Config()),
    "mcts": ("OX", mcts.Config(simulations=5)),
    "dqn": (srl.EnvConfig("CartPole-v1", max_episode_steps=20), dqn.Config(hidden_sizes=[8], batch_size=8)),
    # an episode is a segment: one that a Worker has begun is not in a checkpoint
    "ppo": (srl.EnvConfig("CartPole-v1", max_episode_steps=8), ppo.Config(rollout_size=32, horizon=8, batch_size=16)),
    "sac": (srl.EnvConfig("Pendulum-v1", max_episode_steps=20), sac.Config(hidden_sizes=[8], batch_size=8)),
}
for _, config in (BUILT_IN["dqn"], BUILT_IN["sac"]):
    config.memory.warmup_size = 16


@pytest.mark.parametrize("algorithm", BUILT_IN)
def test_half_and_half_is_the_whole_for_every_algorithm(algorithm, tmp_path):
    def make_one():
        env, config = BUILT_IN[algorithm]
        runner = srl.Runner(env, config.copy())
        runner.set_seed(SEED)
        return runner

    whole = make_one()
    whole.train(max_episodes=10, enable_progress=False)
    first = make_one()
    first.set_checkpoint(tmp_path, is_load=False, enable_eval=False)
    first.train(max_episodes=5, enable_progress=False)
    second = make_one()
    second.load_checkpoint(tmp_path)
    second.train(max_episodes=5, enable_progress=False)
    assert second.trainer.train_count == whole.trainer.train_count > 0
    assert same(second.parameter.backup(), whole.parameter.backup())
    assert same(second.trainer.backup(), whole.trainer.backup())


def test_half_and_half_of_a_game_of_two_that_trains_now_and_then(tmp_path):
    def make_game():
        runner = srl.Runner("OX", momentum.Config())
        runner.set_seed(SEED)
        return runner

    settings = {"players": [None, None], "train_interval": 7, "train_repeat": 2, "enable_progress": False}
    whole, first, second = make_game(), make_game(), make_game()
    whole.train(max_episodes=30, **settings)
    first.set_checkpoint(tmp_path, is_load=False)
    assert first.train(max_episodes=11, **settings).total_step % 7 != 0
    second.load_checkpoint(tmp_path)
    second.train(max_episodes=19, **settings)
    assert same(second.parameter.backup(), whole.parameter.backup())


@pytest.mark.parametrize("algorithm", CONFIGS)
def test_half_and_half_of_the_steps_in_new_processes(algorithm, tmp_path):
    half = make(algorithm).train(max_episodes=20, enable_progress=False).total_step
    run(algorithm, "", half + 200, tmp_path / "whole")
    run(algorithm, tmp_path / "kept", half, tmp_path / "half")
    run(algorithm, tmp_path / "kept", 200, tmp_path / "both")
    assert (tmp_path / "both").read_bytes() == (tmp_path / "whole").read_bytes()
    assert (tmp_path / "both").read_bytes() != (tmp_path / "half").read_bytes()


def test_a_run_that_is_killed_goes_on_as_if_it_had_not_been(tmp_path):
    killed = process("momentum", tmp_path / "kept", 10**9, tmp_path / "never")
    try:
        while len(checkpoint_paths(tmp_path / "kept")) < 5:
            assert killed.poll() is None
    finally:
        killed.kill()
        killed.wait()
    done = load_checkpoint(tmp_path / "kept").past.total_step
    assert done > 0
    run("momentum", tmp_path / "kept", 100, tmp_path / "both")
    run("momentum", "", done + 100, tmp_path / "whole")
    assert (tmp_path / "both").read_bytes() == (tmp_path / "whole").read_bytes()
    assert not (tmp_path / "never").exists()


def test_evaluation_does_not_change_what_is_learned(tmp_path):
    plain, evaluated = make("momentum"), make("momentum")
    evaluated.set_checkpoint(tmp_path, interval=0, eval_episode=3)
    evaluated.set_history_on_memory(interval=1, interval_mode="step", enable_eval=True)
    evaluated.set_progress(enable_eval=True, eval_interval=0.001)
    plain.train(max_episodes=10, enable_progress=False)
    evaluated.train(max_episodes=10)
    assert same(plain.parameter.backup(), evaluated.parameter.backup())


def test_evaluation_in_the_same_environment_does_not_change_what_is_learned(tmp_path):
    plain, evaluated = make("ql"), make("ql")
    evaluated.set_checkpoint(tmp_path, interval=0, eval_env_sharing=True, eval_max_steps=3)
    plain.train(max_episodes=10, enable_progress=False)
    evaluated.train(max_episodes=10, enable_progress=False)
    assert same(plain.parameter.backup(), evaluated.parameter.backup())


def test_training_only_goes_on_too(tmp_path):
    whole, first, second = make("momentum"), make("momentum"), make("momentum")
    for runner in (whole, first):
        runner.rollout(max_steps=50, enable_progress=False)
    whole.train_only(max_train_count=30, enable_progress=False)
    first.set_checkpoint(tmp_path, interval=0)
    first.train_only(max_train_count=10, enable_progress=False)
    second.load_checkpoint(tmp_path)
    second.train_only(max_train_count=20, enable_progress=False)
    assert same(second.parameter.backup(), whole.parameter.backup())


class Watch(RunCallback):
    def __init__(self):
        self.seeds, self.counts, self.steps = [], [], []

    def on_episode_begin(self, context, state):
        self.seeds.append(state.episode_seed)
        self.counts.append(state.worker.train_count)
        self.steps.append(state.worker.step_in_training)


def test_an_episode_that_was_cut_off_begins_again_and_counts_go_on(tmp_path):
    first, second, watch = make("ql"), make("ql"), Watch()
    first.set_checkpoint(tmp_path)
    state = first.train(max_steps=300, enable_progress=False)
    assert not first.env.done
    second.load_checkpoint(tmp_path)
    second.train(max_episodes=2, enable_progress=False, callbacks=[watch])
    assert watch.seeds == [SEED + state.episode_count, SEED + state.episode_count + 1]
    assert watch.counts[0] == first.trainer.train_count
    assert watch.steps[0] == 300
    again = Watch()
    second.train(max_episodes=1, enable_progress=False, callbacks=[again])
    assert (again.seeds, again.counts, again.steps) == ([SEED], [0], [0])


def test_another_seed_than_that_of_the_checkpoint_counts(tmp_path):
    first, second, watch = make("ql"), make("ql", seed=50), Watch()
    first.set_checkpoint(tmp_path)
    first.train(max_episodes=3, enable_progress=False)
    second.load_checkpoint(tmp_path)
    second.train(max_episodes=1, enable_progress=False, callbacks=[watch])
    assert watch.seeds == [50]


def test_without_a_seed_random_numbers_are_new(tmp_path):
    runner = make("ql", seed=None)
    runner.set_checkpoint(tmp_path)
    runner.train(max_episodes=3, enable_progress=False)
    assert load_checkpoint(tmp_path).past.random_states == {}


def test_torchs_random_numbers_go_on(tmp_path):
    torch = pytest.importorskip("torch")
    first, second = make("ql"), make("ql")
    first.set_checkpoint(tmp_path)
    first.train(max_episodes=3, enable_progress=False)
    expected = torch.rand(3)
    second.load_checkpoint(tmp_path)

    class Draw(RunCallback):
        def on_episodes_begin(self, context, state, **kwargs):
            self.drawn = torch.rand(3)

    draw = Draw()
    second.train(max_episodes=1, enable_progress=False, callbacks=[draw])
    assert torch.equal(draw.drawn, expected)


# --- which are written, and which counts


def test_names_say_time_updates_rewards_and_the_last(tmp_path):
    runner = make("ql")
    runner.set_checkpoint(tmp_path, interval=0, eval_episode=2)
    runner.train(max_episodes=3, enable_progress=False)
    names = [path.name for path in checkpoint_paths(tmp_path)]
    assert names[0].partition("_")[2].startswith("0_")
    stamp, train, reward, last = names[-1].split("_")
    assert (len(stamp), int(train), last) == (15, runner.trainer.train_count, "last.pickle")
    assert float(reward) < 1
    assert len(names) == 5
    assert not list(tmp_path.glob("*.tmp"))


def test_two_players_have_two_rewards_in_the_name(tmp_path):
    runner = srl.Runner("OX", ql.Config())
    runner.set_checkpoint(tmp_path, eval_players=[None, "random"])
    runner.train(max_episodes=1, enable_progress=False)
    assert len(checkpoint_paths(tmp_path)[-1].name.split("_")) == 5


def saved(folder, train, memory=None, **kwargs):
    return save_checkpoint(folder, Checkpoint(f"parameter {train}", None, Past(train_count=train), memory), **kwargs)


def test_the_newest_counts_also_within_a_second(tmp_path):
    for train in (9, 10, 11):
        saved(tmp_path, train)
    saved(tmp_path, 11, last=True)
    (tmp_path / "notes.pickle").write_bytes(b"of somebody else")
    paths = checkpoint_paths(tmp_path)
    assert [path.name.partition("_")[2] for path in paths] == ["9.pickle", "10.pickle", "11.pickle", "11_last.pickle"]
    assert load_checkpoint(tmp_path).past.train_count == 11
    assert load_checkpoint(paths[0]).past.train_count == 9


def test_what_memories_held_is_kept_for_two_checkpoints(tmp_path):
    paths = [saved(tmp_path, train, memory=[train]) for train in range(4)]
    assert [load_checkpoint(path).memory for path in paths] == [None, None, [2], [3]]
    of_a_kill_before_the_rest_was_written = tmp_path / "20200101-000000_7.memory"
    of_a_kill_before_the_rest_was_written.touch()
    saved(tmp_path, 4, memory=[4])
    assert not of_a_kill_before_the_rest_was_written.exists()


@pytest.mark.parametrize("damage", [b"", b"SRL checkpoint 1 ", b"SRL checkpoint 1 abc\nxyz"])
def test_of_a_damaged_one_the_one_before_is_loaded_with_a_warning(tmp_path, caplog, damage):
    saved(tmp_path, 1)
    path = saved(tmp_path, 2)
    path.write_bytes(damage or path.read_bytes()[:-1])
    assert load_checkpoint(tmp_path).parameter == "parameter 1"
    assert f"the checkpoint {path} is damaged: its checksum is another one; the one before it is loaded" in caplog.text


def test_a_damaged_memory_is_noticed_too(tmp_path):
    path = saved(tmp_path, 2, memory=[1])
    memory = path.with_suffix(".memory")
    memory.write_bytes(memory.read_bytes()[:-1])
    with pytest.raises(UsageError, match=r"the checkpoint .*\.memory is damaged"):
        load_checkpoint(path)


def test_no_checkpoint_that_is_whole(tmp_path):
    with pytest.raises(UsageError, match="holds no checkpoint: give the save_dir of set_checkpoint"):
        make("ql").load_checkpoint(tmp_path)
    (tmp_path / "20260101-000000_1.pickle").write_bytes(b"something else")
    with pytest.raises(UsageError, match=r"20260101-000000_1\.pickle is no checkpoint"):
        make("ql").load_checkpoint(tmp_path)


def test_set_checkpoint_loads_what_is_there_unless_told_not_to(tmp_path):
    first = make("momentum")
    first.set_checkpoint(tmp_path)
    first.train(max_episodes=5, enable_progress=False)
    fresh, anew = make("momentum"), make("momentum")
    fresh.set_checkpoint(tmp_path)
    anew.set_checkpoint(tmp_path, is_load=False)
    assert np.array_equal(fresh.parameter.q, first.parameter.q)
    assert (fresh.trainer.train_count, anew.trainer.train_count) == (first.trainer.train_count, 0)


def test_the_parameter_of_a_checkpoint_can_be_loaded_alone(tmp_path):
    runner, other = make("momentum"), make("momentum")
    runner.set_checkpoint(tmp_path / "checkpoints")
    runner.train(max_episodes=5, enable_progress=False)
    other.load_parameter(checkpoint_paths(tmp_path / "checkpoints")[-1])
    assert np.array_equal(other.parameter.q, runner.parameter.q)
    assert other.trainer.train_count == 0
    runner.save_parameter(tmp_path / "parameter")
    other.load_parameter(tmp_path / "parameter")
    assert np.array_equal(other.parameter.q, runner.parameter.q)


def test_a_memory_without_backup_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(momentum.Memory, "call_backup", RLMemory.call_backup)
    runner = make("momentum")
    runner.set_checkpoint(tmp_path)
    runner.train(max_episodes=2, enable_progress=False)
    assert not list(tmp_path.glob("*.memory"))
    make("momentum").load_checkpoint(tmp_path)


def test_without_checkpoints_none_are_written(tmp_path):
    runner = make("ql")
    runner.set_checkpoint(tmp_path)
    runner.disable_checkpoint()
    runner.train(max_episodes=2, enable_progress=False)
    assert os.listdir(tmp_path) == []
