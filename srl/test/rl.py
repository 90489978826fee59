"""A conformance kit for authors of algorithms: does it play, learn, save, draw, and go through processes?"""
# ruff: noqa: PT028  (it asserts, and has the name of a test, because authors call it from theirs)

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from srl.base.rl.config import RLConfig
from srl.runner.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from srl.base.env.config import EnvConfig

TestMode = Literal["", "rollout", "mp"]
_TIMEOUT_S = 60


def test_rl(
    rl_config: RLConfig[Any, Any],
    env_list: Sequence[str | EnvConfig] = ("Grid", "OX"),
    use_layer_processor: bool = False,
    device: str = "AUTO",
    test_train_kwargs: Mapping[str, Any] | None = None,
    test_mode: TestMode = "",
    enable_mp_memory: bool = True,
    test_render_terminal: bool = True,
    test_render_window: bool = True,
    test_backup: bool = True,
    tmp_dir: str | Path = "",
) -> None:
    """Take an algorithm through its whole life in each environment. Raises AssertionError where it fails.

    `test_mode`: train in this process (""), fill the memory and then train from it ("rollout"), or train
    with two actor processes ("mp"). `test_train_kwargs` limit the training; the default trains 2 times.
    `use_layer_processor` plays the variants with the state as a stack of layers, such as "Grid-layer".
    `enable_mp_memory` gives the Memory a process of its own. `test_render_window` draws pictures.
    `tmp_dir` is where files go; "" is a folder that is removed.
    """
    limits = dict(test_train_kwargs or {"max_train_count": 2})
    with tempfile.TemporaryDirectory() as own:
        folder = Path(tmp_dir or own)
        for env in env_list:
            name = f"{env}-layer" if use_layer_processor and isinstance(env, str) else env
            runner = _make_runner(rl_config, name, folder)
            runner.context.device = device
            if test_mode == "mp":
                _train_mp(runner, limits, enable_mp_memory=enable_mp_memory)
            else:
                _train(runner, test_mode, limits, folder)
            _evaluate(runner)
            if test_render_terminal:
                runner.render_terminal(max_steps=5)
            if test_render_window:
                runner.animation_save_gif(folder / "test_rl.gif", max_steps=2)
            if test_backup:
                _save_and_load(runner, limits, folder)


def test_rl_rulebase(name: str, env_list: Sequence[str | EnvConfig] = ("Grid", "OX")) -> None:
    """Let a registered rule-based player play each environment. Raises what it raises."""
    for env in env_list:
        runner = Runner(env)
        players = [name] * runner.env.player_num
        runner.evaluate(max_episodes=2, max_steps=20, players=players, enable_progress=False)


def _make_runner(rl_config: RLConfig[Any, Any], env: str | EnvConfig, folder: Path) -> Runner:
    rl_config.copy(reset_env_config=True).save(folder / "rl_config.yaml")
    config = RLConfig.load(folder / "rl_config.yaml")
    assert config == rl_config, f"{type(rl_config).__name__} is not the same after save and load"
    config.enable_assertion = True
    return Runner(env, config)


def _train(runner: Runner, mode: TestMode, limits: dict[str, Any], folder: Path) -> None:
    if mode == "":
        state = runner.train(enable_progress=False, **{"timeout": _TIMEOUT_S, **limits})
        assert state.train_count > 0, "train() never raised train_count"
    else:
        _rollout_and_train(runner, limits, folder)


def _train_mp(runner: Runner, limits: dict[str, Any], *, enable_mp_memory: bool) -> None:
    settings = {"actor_num": 2, "enable_mp_memory": enable_mp_memory, "timeout": _TIMEOUT_S, **limits}
    runner.train_mp(enable_progress=False, **settings)
    assert runner.state is not None
    assert runner.state.train_count > 0, "train() never raised train_count"


def _rollout_and_train(runner: Runner, limits: dict[str, Any], folder: Path) -> None:
    runner.rollout(timeout=_TIMEOUT_S, max_steps=100, enable_progress=False)
    length = runner.memory.length()
    assert length != 0, "the memory is empty after 100 steps"
    runner.save_memory(folder / "memory.dat")
    runner.load_memory(folder / "memory.dat")
    assert runner.memory.length() == length, "the memory has another length after save and load"
    state = runner.train_only(enable_progress=False, **{"timeout": _TIMEOUT_S, **limits})
    assert state.train_count > 0, "train() never raised train_count"


def _evaluate(runner: Runner) -> None:
    rewards = runner.evaluate(max_episodes=2, max_steps=5, enable_progress=False)
    assert np.all(np.isfinite(np.asarray(rewards, dtype=float))), f"rewards are not finite: {rewards}"


def _save_and_load(runner: Runner, limits: dict[str, Any], folder: Path) -> None:
    runner.save_parameter(folder / "parameter.dat")
    runner.load_parameter(folder / "parameter.dat")
    runner.train(enable_progress=False, **{"timeout": _TIMEOUT_S, **limits})


# imported into a test module, these are no tests by themselves
test_rl.__test__ = False  # type: ignore[attr-defined]
test_rl_rulebase.__test__ = False  # type: ignore[attr-defined]
