"""play and train_only: order of calls, stop reasons, callbacks."""

from __future__ import annotations

from typing import Any

import counting_env
import probe_rl
import pytest

import srl
from srl.base.context import RunContext
from srl.base.run import play as play_module
from srl.base.run.callback import RunCallback
from srl.base.run.play import play
from srl.base.run.train_only import train_only


def run(context: RunContext, *callbacks: RunCallback, train: bool = True, env: Any = "Counting") -> Any:
    runner = srl.Runner(env, probe_rl.Config())
    return play(context, runner.env, [runner.worker], 0, runner.trainer if train else None, callbacks)


@pytest.mark.parametrize(
    ("limit", "reason", "steps"),
    [
        ({"max_steps": 6}, "max_steps over.", 6),
        ({"max_episodes": 2}, "episode_count over.", 2 * counting_env.LENGTH),
        ({"max_train_count": 3}, "max_train_count over.", 3),
        ({"timeout": 1e-9}, "timeout.", 0),
    ],
)
def test_stop_reasons(limit: dict[str, Any], reason: str, steps: int) -> None:
    state = run(RunContext(**limit))
    assert (state.end_reason, state.total_step) == (reason, steps)


def test_a_full_memory_stops() -> None:
    state = run(RunContext(max_memory=5), train=False)
    assert (state.end_reason, state.total_step, state.memory.length()) == ("max_memory over.", 5, 5)


class Log(RunCallback):
    """Notes down every hook."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def on_start(self, **kwargs: Any) -> None:
        self._note("on_start", kwargs)

    def on_end(self, **kwargs: Any) -> None:
        self._note("on_end", kwargs)

    def on_episodes_begin(self, **kwargs: Any) -> None:
        self._note("on_episodes_begin", kwargs)

    def on_episodes_end(self, **kwargs: Any) -> None:
        self._note("on_episodes_end", kwargs)

    def on_trainer_start(self, **kwargs: Any) -> None:
        self._note("on_trainer_start", kwargs)

    def on_trainer_end(self, **kwargs: Any) -> None:
        self._note("on_trainer_end", kwargs)

    def on_episode_begin(self, **kwargs: Any) -> None:
        self._note("on_episode_begin", kwargs)

    def on_episode_end(self, **kwargs: Any) -> None:
        self._note("on_episode_end", kwargs)

    def on_step_begin(self, **kwargs: Any) -> None:
        self._note("on_step_begin", kwargs)

    def on_step_action_before(self, **kwargs: Any) -> None:
        self._note("on_step_action_before", kwargs)

    def on_step_action_after(self, **kwargs: Any) -> None:
        self._note("on_step_action_after", kwargs)

    def on_step_end(self, **kwargs: Any) -> None:
        self._note("on_step_end", kwargs)

    def on_skip_step(self, **kwargs: Any) -> None:
        self._note("on_skip_step", kwargs)

    def on_train_before(self, **kwargs: Any) -> None:
        self._note("on_train_before", kwargs)

    def on_train_after(self, **kwargs: Any) -> None:
        self._note("on_train_after", kwargs)

    def _note(self, name: str, kwargs: dict[str, Any]) -> None:
        assert set(kwargs) == {"context", "state"}
        self.calls.append(name)


STEP = ["on_step_begin", "on_step_action_before", "on_step_action_after", "on_step_end"]


def test_hooks_of_playing_in_order() -> None:
    log = Log()
    run(RunContext(max_episodes=1), log, env=srl.EnvConfig("Counting", {"length": 2}))
    episode = ["on_episode_begin", *STEP, *STEP, "on_episode_end"]
    assert log.calls == ["on_start", "on_episodes_begin", *episode, "on_episodes_end", "on_end"]


def test_hooks_of_training_in_order() -> None:
    log, runner = Log(), srl.Runner("Counting", probe_rl.Config())
    runner.memory.add(1)
    state = train_only(RunContext(max_train_count=1), runner.trainer, [log])
    begin, update, end = (
        ["on_start", "on_trainer_start"],
        ["on_train_before", "on_train_after"],
        ["on_trainer_end", "on_end"],
    )
    assert log.calls == begin + update + end
    assert (state.train_count, state.end_reason, state.is_step_trained) == (1, "max_train_count over.", True)
    assert runner.trainer.calls == ["setup", "teardown"]


def test_skipped_steps_are_told() -> None:
    log, runner = Log(), srl.Runner("Counting", probe_rl.Config(frameskip=1))
    state = play(RunContext(max_episodes=1), runner.env, [runner.worker], callbacks=[log])
    assert (state.total_step, log.calls.count("on_skip_step")) == (2, 2)
    assert state.last_episode_rewards == [10.0]


def test_absent_hooks_are_not_looked_for() -> None:
    class Bare:
        """No hook at all."""

    state = run(RunContext(max_steps=3), Bare())  # type: ignore[arg-type]
    assert state.total_step == 3


def test_on_step_end_stops_the_run() -> None:
    class Stop(RunCallback):
        def on_step_end(self, state: Any, **_kwargs: Any) -> bool:
            return bool(state.total_step == 2)

    state = run(RunContext(max_steps=10), Stop())
    assert (state.end_reason, state.total_step) == ("callback.intermediate_stop", 2)


def test_a_stop_at_the_end_of_an_episode_counts_it() -> None:
    class Stop(RunCallback):
        def on_step_end(self, state: Any, **_kwargs: Any) -> bool:
            return bool(state.env.done)

    state = run(RunContext(max_steps=10), Stop())
    assert (state.end_reason, state.episode_count) == ("callback.intermediate_stop", 1)


def test_on_train_after_stops_the_run() -> None:
    class Stop(RunCallback):
        def on_train_after(self, **_kwargs: Any) -> bool:
            return True

    runner = srl.Runner("Counting", probe_rl.Config())
    state = train_only(RunContext(max_train_count=9), runner.trainer, [Stop()])
    assert (state.end_reason, state.train_count) == ("callback.intermediate_stop", 0)


def test_training_without_items_ends_by_time() -> None:
    runner = srl.Runner("Counting", probe_rl.Config())
    state = train_only(RunContext(timeout=1e-9), runner.trainer)
    assert (state.end_reason, state.is_step_trained) == ("timeout.", False)


def test_train_interval_and_repeat() -> None:
    calls = []

    class Count(probe_rl.Trainer):
        def train(self) -> None:
            calls.append(self.memory.length())
            super().train()

    runner = srl.Runner("Counting", probe_rl.Config())
    trainer = Count(runner.rl_config, runner.parameter, runner.memory)
    state = play(RunContext(max_steps=6, train_interval=3, train_repeat=2), runner.env, [runner.worker], 0, trainer)
    assert calls == [3, 0, 3, 0]
    assert state.train_count == 6


def test_the_state_of_a_run() -> None:
    state = run(RunContext(max_episodes=2))
    assert state.episode_rewards_list == [[10.0], [10.0]]
    assert (state.last_episode_step, state.last_episode_rewards) == (4, [10.0])
    assert (state.action, state.worker_idx, state.worker_indices) == (4, 0, [0])
    assert state.train_count == state.total_step == 8
    assert state.worker.worker.hooks == ["on_setup", "on_teardown"]


def test_only_new_episodes_are_kept_in_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(play_module, "_KEPT_EPISODES", 3)
    assert len(run(RunContext(max_episodes=7, training=True)).episode_rewards_list) == 4
    assert len(run(RunContext(max_episodes=7)).episode_rewards_list) == 7


def test_seeds_count_up_by_episode() -> None:
    runner = srl.Runner("Counting", probe_rl.Config())
    runner.env.env.seeds.clear()
    state = play(RunContext(max_episodes=3, seed=5), runner.env, [runner.worker])
    assert runner.env.env.seeds == [5, 6, 7]
    assert (state.episode_seed, runner.worker.episode_seed) == (7, 7)


def test_an_error_of_the_author_passes_through_and_ends_the_run() -> None:
    class Broken(RunCallback):
        def on_step_begin(self, **_kwargs: Any) -> None:
            raise ZeroDivisionError

    log = Log()
    with pytest.raises(ZeroDivisionError):
        run(RunContext(max_steps=3), Broken(), log)
    assert log.calls[-1] == "on_end"
