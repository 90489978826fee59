"""The progress of a cluster: what is shown of what the services say."""

from types import SimpleNamespace

import pytest

from srl.algorithms import ql
from srl.base.context import RunContext
from srl.base.env.config import EnvConfig
from srl.runner import cluster_progress
from srl.runner.cluster_progress import ClusterProgress
from srl.runner.progress import ProgressOptions

EAGER = ProgressOptions(start_time_s=0.0, interval_limit_s=0.0, single_line=False)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """A clock that is moved by hand: `clock.now_s`."""
    clock = SimpleNamespace(now_s=100.0)
    monkeypatch.setattr(cluster_progress.time, "monotonic", lambda: clock.now_s)
    return clock


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")


def make(options=EAGER, *, enable=True):
    context = RunContext(
        env_config=EnvConfig("Grid"), rl_config=ql.Config(), play_mode="train_mp", timeout=9, max_train_count=50
    )
    return ClusterProgress(context, options, enable=enable)


def cluster(steps=(0, 0), trained=0, **changes):
    actors = {
        f"actor-{number}": {
            "env_steps": each, "episodes": each // 10, "reward_mean": 0.5 + number, "parameter_age_s": 1.0 + number,
        }
        for number, each in enumerate(steps)
    }  # fmt: skip
    learner = {
        "train_count": trained, "epoch": 2, "snapshot_train_count": trained - 1, "elapsed_s": 4.0,
        "info": {"loss": 0.123456},
    }  # fmt: skip
    values = {
        "end_reason": "",
        "restarts": 0,
        "waiting": "",
        "learner": learner,
        "actors": actors,
        "view": SimpleNamespace(host={"memory_length": 33}),
    }
    return SimpleNamespace(**{**values, **changes})


def lines(capsys):
    return capsys.readouterr().out.splitlines()


def test_it_begins_with_what_runs_and_until_when(capsys):
    make().begin()
    assert lines(capsys) == ["train_mp: QL in Grid, until timeout 9 or max_train_count 50"]


def test_a_line_shows_rates_the_memory_and_the_age_of_parameters(capsys, clock):
    progress = make()
    progress.begin()
    progress.update(cluster())
    clock.now_s += 2.0
    capsys.readouterr()
    progress.update(cluster(steps=(100, 300), trained=50))
    (line,) = lines(capsys)
    assert line == (
        "2.0s, 200 env steps/s (50 + 150), 25 trained/s, trained 50, reward 1.000, memory 33, "
        "parameter 2.49 (age 2.0 s) |loss 0.1235"
    )


def test_before_the_services_say_anything_there_is_a_line_too(capsys):
    progress = make()
    progress.begin()
    progress.update(cluster(steps=(), learner={}, view=SimpleNamespace(host={})))
    assert lines(capsys)[1] == (
        "0.0s, 0 env steps/s (-), 0 trained/s, trained 0, reward -, memory 0, parameter 0.0 (age -)"
    )


def test_what_training_waits_for_is_shown_instead(capsys, clock):
    progress = make()
    progress.begin()
    clock.now_s += 2.0
    progress.update(cluster(waiting="job 3 waits: 1 waits before it"))
    assert lines(capsys)[1] == "2.0s, job 3 waits: 1 waits before it"


def test_what_the_trainer_says_can_be_left_out(capsys):
    progress = make(ProgressOptions(start_time_s=0.0, interval_limit_s=0.0, single_line=False, train_info=False))
    progress.update(cluster())
    assert "loss" not in capsys.readouterr().out


def test_rates_are_of_the_last_seconds(capsys, clock):
    progress = make()
    progress.update(cluster())
    for second in range(1, 11):
        clock.now_s += 1.0
        progress.update(cluster(steps=(1000 + second, 0)))
    assert ", 1 env steps/s (1 + 0)" in lines(capsys)[-1]


def test_the_lives_of_an_actor_add_up(capsys, clock):
    progress = make()
    progress.begin()
    for steps in (50, 100, 20, 60, 5):  # three lives: 100 + 60 + 5
        clock.now_s += 1.0
        progress.update(cluster(steps=(steps, 0)))
    progress.finish()
    text = capsys.readouterr().out
    assert "165 (41/s)" in text
    assert "-" not in text.rpartition("env steps/s (")[2].partition(")")[0]


def test_it_ends_with_the_results(capsys):
    progress = make()
    progress.begin()
    progress.update(cluster(steps=(100, 300), trained=50, end_reason="timeout.", restarts=2))
    capsys.readouterr()
    progress.finish()
    rows = [line.split(maxsplit=1) for line in lines(capsys) if line.strip()]
    text = "\n".join(" ".join(row) for row in rows)
    for part in (
        "ended by", "timeout", "4.00 s of it training", "400 (100/s)", "episodes", "40", "50 (12/s)",
        "services started anew", "2",
    ):  # fmt: skip
        assert part in text
    assert "timeout." not in text


def test_an_end_without_a_reason_is_an_error_or_an_interrupt(capsys):
    progress = make()
    progress.begin()
    progress.finish()
    text = capsys.readouterr().out
    assert "an error or an interrupt" in text
    assert "services started anew" not in text


def test_training_that_never_began_has_no_results(capsys):
    make().finish()
    assert capsys.readouterr().out == ""


def test_without_progress_only_what_a_user_must_know_is_shown(capsys):
    progress = make(enable=False)
    progress.begin()
    progress.update(cluster(steps=(100, 300), trained=50))
    progress.print("actor-0 was ended by SIGKILL: started anew")
    progress.finish()
    assert lines(capsys) == ["actor-0 was ended by SIGKILL: started anew"]
