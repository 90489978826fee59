from __future__ import annotations

import io
import math
from typing import Any

import counting_env  # noqa: F401  registers the environments
import probe_rl
import pytest

import srl
from srl.base.context import RunContext
from srl.base.run.play import play
from srl.runner.progress import (
    Progress,
    ProgressOptions,
    acting_text,
    duration_text,
    heading,
    remaining_s,
    summary,
    training_text,
)
from srl.runner.progress_line import ProgressLine


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def state_of_a_run() -> Any:
    runner = srl.Runner("Counting", probe_rl.Config())
    return play(RunContext(max_episodes=2), runner.env, [runner.worker], 0, runner.trainer)


def test_plain_lines_come_at_doubling_intervals() -> None:
    clock, file = Clock(), io.StringIO()
    line = ProgressLine(first_s=1, longest_s=4, file=file, clock=clock)
    for second in range(16):
        clock.now_s = second
        assert line.is_due() == (second in {1, 3, 7, 11, 15})
        line.update(f"at {second}")
    assert file.getvalue().split("\n") == ["at 1", "at 3", "at 7", "at 11", "at 15", ""]


def test_a_terminal_has_one_live_line() -> None:
    clock, file = Clock(), Terminal()
    line = ProgressLine(file=file, clock=clock)
    line.update("too early")
    clock.now_s = 0.3
    line.update("first")
    clock.now_s = 0.6
    line.update("second")
    line.print("stays")
    line.finish({"steps": "3"})
    text = file.getvalue()
    assert "too early" not in text
    assert text.index("first") < text.index("second") < text.index("stays") < text.index("steps")
    assert "\x1b[2K" in text  # the line is erased, not repeated


def test_a_terminal_may_have_plain_lines() -> None:
    clock, file = Clock(), Terminal()
    line = ProgressLine(live=False, file=file, clock=clock)
    clock.now_s = 1
    line.update("first")
    line.finish({})
    assert file.getvalue() == "first\n"


def test_heading() -> None:
    context = RunContext(srl.EnvConfig("Grid"), probe_rl.Config(), play_mode="train", timeout=3, max_steps=5)
    assert heading(context) == "train: Probe in Grid, until timeout 3 or max_steps 5"


def test_text_of_a_run_that_plays() -> None:
    state = state_of_a_run()
    state.trainer.info = {"loss": 0.25}
    state.env.info["hp"] = 3
    state.workers[0].worker.info = {"eps": 0.5}
    text = acting_text(RunContext(max_episodes=4), state, ProgressOptions(env_info=True))
    for part in (
        "steps/s",
        "episode 2",
        "reward 10.000",
        "8 updates",
        "memory 0",
        "|hp  3|eps 0.500|loss 0.250",
    ):
        assert part in text
    hidden = acting_text(RunContext(), state, ProgressOptions(train_info=False, worker_info=False))
    assert "|" not in hidden


def test_text_of_a_run_that_trains() -> None:
    state = state_of_a_run()
    state.trainer.info = {"loss": 0.25}
    text = training_text(RunContext(), state, ProgressOptions())
    assert "8 updates" in text
    assert text.endswith("|loss 0.250")
    assert "|" not in training_text(RunContext(), state, ProgressOptions(train_info=False))


def test_before_the_first_episode_there_is_no_reward() -> None:
    state = state_of_a_run()
    state.episode_rewards_list = []
    assert "reward -" in acting_text(RunContext(), state, ProgressOptions())


def test_summary_names_the_results() -> None:
    rows = summary(state_of_a_run())
    assert rows["ended by"] == "episode_count over"
    assert rows["episodes"] == "2"
    assert rows["mean reward of the last 100"] == "10.000"
    assert rows["updates"].startswith("8 (")
    assert rows["steps"].startswith("8 (")


def test_summary_after_an_error() -> None:
    state = state_of_a_run()
    state.end_reason = ""
    assert summary(state)["ended by"] == "an error or an interrupt"


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"timeout": 30}, 20),
        ({"max_episodes": 4}, 10),
        ({"max_train_count": 24, "max_episodes": 8}, 20),
        ({"max_steps": 4}, 0),
        ({}, math.inf),
    ],
)
def test_remaining_time_is_that_of_the_nearest_limit(limits: dict[str, Any], expected: float) -> None:
    assert remaining_s(RunContext(**limits), state_of_a_run(), elapsed_s=10) == expected


@pytest.mark.parametrize(
    ("seconds", "text"), [(1.25, "1.2s"), (59.4, "59.4s"), (245, "4m05s"), (7380, "2h03m"), (math.inf, "?")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_the_callback_updates_the_line() -> None:
    clock, file = Clock(), io.StringIO()
    progress = Progress(ProgressOptions(), lambda: ProgressLine(first_s=0, longest_s=0, file=file, clock=clock))
    runner = srl.Runner("Counting", probe_rl.Config())
    runner.rollout(max_steps=2, enable_progress=False, callbacks=[progress])
    lines = file.getvalue().splitlines()
    assert lines[0].startswith("rollout: Probe in Counting")
    assert "reward -" in lines[1]
    assert any("max_steps over" in line for line in lines)
    file.truncate(0)
    runner.train_only(max_train_count=1, enable_progress=False, callbacks=[progress])
    assert "2 updates" in file.getvalue()


def test_runner_prints_heading_and_summary(capsys: pytest.CaptureFixture[str]) -> None:
    runner = srl.Runner("Counting", probe_rl.Config())
    runner.set_progress(start_time=100)
    runner.train(max_steps=4)
    out = capsys.readouterr().out
    assert out.startswith("train: Probe in Counting, until max_steps 4\n")
    assert "ended by" in out
    assert "steps/s" not in out
