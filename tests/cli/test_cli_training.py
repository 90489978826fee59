"""srl train, evaluate, render, envs, algorithms."""

import json
import signal
import subprocess
import sys

import pytest
from started import INTERRUPTED, started

ALGORITHM = """
from dataclasses import dataclass
from srl.algorithms import ql
from srl.base.rl.registration import register

@dataclass
class Config(ql.Config):
    def get_name(self):
        return "MineQL"

class Memory(ql.Memory): pass
class Parameter(ql.Parameter): pass
class Trainer(ql.Trainer): pass
class Worker(ql.Worker): pass

register(Config(), *(f"{__name__}:{each}" for each in ("Memory", "Parameter", "Trainer", "Worker")))
"""


def test_training_is_saved_and_evaluated(srl, tmp_path):
    file = tmp_path / "grid.dat"
    trained = srl("train", "Grid", "ql", "-s", "lr=0.2", "--max-steps", 5000, "--seed", 1, "--save", file)
    assert f"Next: srl evaluate Grid ql -s lr=0.2 --load {file}" in trained.stdout
    table = srl("evaluate", "Grid", "ql", "-s", "lr=0.2", "--load", file, "--episodes", 50)
    assert table.stdout.splitlines()[0].split() == ["player", "mean", "deviation", "lowest", "highest"]
    learned, at_random = (
        json.loads(srl("evaluate", "Grid", *rest, "--json", "--seed", 1).stdout)["players"][0]["mean"]
        for rest in (["ql", "--load", file], [])
    )
    assert learned > 0.3 > at_random


def test_results_for_scripts(srl, tmp_path):
    result = json.loads(srl("train", "Grid", "ql", "--max-train-count", 100, "--json").stdout)
    assert result["train_count"] == 100
    assert result["saved"] is None


def test_training_with_actors_as_processes(srl, tmp_path):
    file = tmp_path / "grid.dat"
    result = json.loads(
        srl("train", "Grid", "ql", "--actors", 1, "--max-train-count", 200, "--save", file, "--json").stdout
    )
    assert result["train_count"] >= 200
    assert file.stat().st_size > 0


def test_history_and_checkpoints(srl, tmp_path):
    options = ("--history", tmp_path / "h", "--checkpoint", tmp_path / "c")
    srl("train", "Grid", "ql", "--max-train-count", 300, *options)
    assert list((tmp_path / "h").glob("*.txt"))
    first = json.loads(srl("train", "Grid", "ql", "--max-train-count", 301, *options, "--json").stdout)
    assert first["train_count"] in {1, 301}
    srl("evaluate", "Grid", "ql", "--load", tmp_path / "c", "--episodes", 2)


def test_players(srl):
    result = json.loads(srl("evaluate", "OX", "--player", "random", "--player", "self", "--json").stdout)
    assert len(result["players"]) == 2
    assert "is not registered" in srl("evaluate", "OX", "--player", "rand", exit_code=2).stderr


def test_settings_of_the_environment(srl):
    result = srl("evaluate", "Grid", "-e", "move_reward=-100", "--episodes", 3, "--json")
    assert json.loads(result.stdout)["players"][0]["mean"] < -50
    assert "-e move: write name=value" in srl("evaluate", "Grid", "-e", "move", exit_code=2).stderr
    assert "is no YAML" in srl("evaluate", "Grid", "-e", "move=[", exit_code=2).stderr


def test_rendering(srl, tmp_path):
    assert "action" in srl("render", "Grid", "--max-steps", 3, "--seed", 1).stdout
    file = tmp_path / "grid.gif"
    srl("render", "Grid", "--gif", file, "--max-steps", 3)
    assert file.read_bytes().startswith(b"GIF8")


def test_a_window_without_a_display(srl, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SDL_VIDEODRIVER", "nothing")
    assert srl("render", "Grid", "--window", exit_code=2).stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("Gridd ql", "there is no environment 'Gridd'. Did you mean Grid"),
        ("Grid qll", "there is no algorithm 'qll': did you mean ql?"),
        ("Grid zzz", "there is no algorithm 'zzz': there are dqn, dynaq, mcts"),
        ("Grid dqn -s memory.warmup_size=10", "Config.batch_size is 32; it must be between 1 and memory.warmup_size"),
        ("Grid absent.py", "there is no job file absent.py"),
        ("Grid ql -s lrr=1", "ql.Config has no field 'lrr': did you mean lr?"),
        ("Grid ql -s zzz=1", "ql.Config has no field 'zzz': its fields: "),
        ("Grid ql -s _binding=1", "ql.Config has no field '_binding'"),
        ("Grid ql -s lr.x=1", "builtins.float has no field 'x': it has no fields"),
        ("Grid ql -s lr", "-s lr: write name=value"),
        ("Grid ql -s lr=high", "-s lr=high: ql.Config.lr is a number"),
        ("Grid dqn -s memory.capacity=1.5", "PriorityReplayBufferConfig.capacity is a whole number"),
        ("Grid dqn -s double=2", "dqn.Config.double is true or false"),
        ("Grid dqn -s framework=jax", "dqn.Config.framework is one of 'numpy', 'torch'"),
        ("Grid dqn -s hidden_sizes=a,b", "dqn.Config.hidden_sizes is a list such as int,int"),
        ("Grid dqn -s lr_scheduler=x", "dqn.Config.lr_scheduler cannot be set by text"),
        ("Grid dqn -s processors=x", "dqn.Config.processors cannot be set by text"),
        ("Grid dqn -s epsilon=4", "dqn.Config.epsilon is 4.0; it must be between 0 and 1"),
        ("Grid ql --save /proc/x/y", "'/proc/x/y' cannot be written"),
        ("Grid ql --actors 1 --max-steps 5", "--max-steps and --max-episodes are for one process"),
    ],
)
def test_what_cannot_be_trained_is_said_in_one_line(srl, arguments, text):
    result = srl("train", *arguments.split(), "--max-train-count", 1, exit_code=78 if "absent" in arguments else 2)
    assert result.stderr.startswith("error: ")
    assert text in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_training_needs_a_limit(srl):
    assert "give a limit, such as --timeout 60" in srl("train", "Grid", "ql", exit_code=2).stderr


def test_files_of_something_else(srl, tmp_path):
    file = tmp_path / "x.dat"
    file.write_text("no pickle")
    assert "Is it a file of srl train --save" in srl("evaluate", "Grid", "ql", "--load", file, exit_code=2).stderr
    assert "no checkpoint" in srl("evaluate", "Grid", "ql", "--load", tmp_path, exit_code=2).stderr


def test_settings_by_type(srl):
    """Numbers, booleans, lists, choices, and fields of fields; DQN takes them, and trains."""
    settings = [
        "memory.warmup_size=32",
        "memory.capacity=500",
        "hidden_sizes=4,4",
        "double=no",
        "framework=numpy",
        "dtype=float64",
    ]
    settings += ["override_action_type=discrete", "frameskip=1", "render_rl_image_size=8,8"]
    options = [word for each in settings for word in ("-s", each)]
    srl("train", "Grid", "dqn", *options, "--max-steps", 20, "--json")


def test_a_file_of_ones_own(srl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine_for_train.py").write_text(ALGORITHM)
    result = srl("train", "Grid", "mine_for_train.py", "-s", "lr=0.5", "--max-train-count", 50, "--json")
    assert json.loads(result.stdout)["train_count"] == 50


def test_a_job_file_says_all_itself(srl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job = "\ndef job():\n    return srl.JobConfig('Grid', Config(lr=0.5), max_train_count=40)\n"
    (tmp_path / "whole_job_for_train.py").write_text("import srl\n" + ALGORITHM.replace("MineQL", "WholeQL") + job)
    result = json.loads(srl("train", "whole_job_for_train.py", "--save", "x.dat", "--json").stdout)
    assert result["train_count"] == 40
    srl("evaluate", "whole_job_for_train.py", "--load", "x.dat", "--episodes", 1)
    assert "say which algorithm" in srl("train", "Grid", exit_code=2).stderr


def test_debug_shows_where(srl):
    assert "Traceback" in srl("--debug", "train", "Grid", "qll", "--timeout", 1, exit_code=2).stderr
    assert "Traceback" not in srl("train", "Grid", "qll", "--timeout", 1, exit_code=2).stderr


def test_catalogues(srl):
    assert "dqn" in srl("algorithms").stdout
    assert json.loads(srl("algorithms", "--json").stdout)["ql"].startswith("Tabular Q-learning")
    settings = {row["setting"]: row for row in json.loads(srl("algorithms", "dqn", "--json").stdout)}
    assert settings["lr"]["meaning"] == "Learning rate of Adam."
    assert "frameskip" not in settings
    assert "frameskip" in srl("algorithms", "dqn", "--all").stdout
    assert "Grid" in srl("envs").stdout
    assert json.loads(srl("envs", "Grid", "--json").stdout)["players"] == "1"
    assert "did you mean" in srl("algorithms", "dqm", exit_code=2).stderr
    assert "there is no environment" in srl("envs", "Nowhere", exit_code=2).stderr


def test_environments_of_gymnasium(srl):
    pytest.importorskip("gymnasium")
    assert json.loads(srl("envs", "--gymnasium", "--json").stdout)["CartPole-v1"] == "gymnasium"


def test_help_and_version_load_no_numbers():
    code = "import sys; from srl.cli.main import app; app(['{}'], standalone_mode=False); print(sorted(sys.modules))"
    for option in ("--help", "--version"):
        done = subprocess.run([sys.executable, "-c", code.format(option)], capture_output=True, text=True, check=True)
        assert not {"'numpy'", "'torch'", "'zmq'", "'redis'"} & set(done.stdout.replace("]", ",").split(", "))


def test_control_c_ends_it_cleanly_and_keeps_what_was_learned(srl, tmp_path):
    file = tmp_path / "early.dat"
    command = [sys.executable, "-u", "-m", "srl", "train", "Grid", "ql", "--timeout", "60", "--save", str(file)]
    with started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert "train: QL in Grid" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert process.returncode in INTERRUPTED
    assert errors == f"what was learned until now is in {file}\ninterrupted\n"
    srl("evaluate", "Grid", "ql", "--load", file, "--episodes", 1)


def test_every_command_explains_itself(srl):
    from typer.main import get_command

    from srl.cli.main import app

    for name, command in get_command(app).commands.items():
        text = srl(name, "--help").stdout
        assert f"srl {name}" in text, "an example"
        assert command.help
