from __future__ import annotations

from typing import Any

import probe_rl
import pytest

import srl
from srl.base.context import RunContext, RunStateTrainer
from srl.base.run.callback import RunCallback
from srl.utils.usage import UsageError


def test_a_run_needs_an_end() -> None:
    with pytest.raises(AssertionError, match="max_episodes, timeout, max_steps, max_train_count, max_memory"):
        RunContext().require_stop_condition()
    with pytest.raises(AssertionError, match="at least one of timeout, max_train_count a value above 0"):
        RunContext(max_steps=1).require_stop_condition("timeout", "max_train_count")
    RunContext(max_steps=1).require_stop_condition()


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_save_and_load(tmp_path: Any, suffix: str) -> None:
    context = RunContext(
        env_config=srl.EnvConfig("Grid", {"move_reward": -0.1}),
        rl_config=probe_rl.Config(give_up_at=3),
        max_steps=5,
        players=[None, ("fours", {"action": 1})],
        seed=3,
    )
    context.save(tmp_path / f"context.{suffix}")
    assert RunContext.load(tmp_path / f"context.{suffix}") == context


def test_callbacks_are_not_saved() -> None:
    context = RunContext(callbacks=[RunCallback()])
    assert "callbacks" not in context.to_dict()
    assert RunContext.load(context.to_dict()).callbacks == []


def test_what_cannot_be_saved_is_named() -> None:
    with pytest.raises(UsageError, match=r"RunContext.players\[0\]"):
        RunContext(players=[object()]).to_dict()


def test_summary(capsys: pytest.CaptureFixture[str]) -> None:
    RunContext(max_steps=5).summary()
    assert "max_steps: 5" in capsys.readouterr().out


def test_elapsed_time_begins_at_zero() -> None:
    state = RunStateTrainer(elapsed_t0=float("inf"))
    assert state.elapsed_s == -float("inf")
