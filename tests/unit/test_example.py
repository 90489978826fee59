"""The specification's example, as it is written, and one of our own wording."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import my_ql
import pytest
from PIL import Image

import srl
from srl.test import rl as kit

if TYPE_CHECKING:
    from types import ModuleType

EXAMPLE = Path(__file__).parents[2].parent / "shared" / "spec" / "example_q_learning.py"


def example() -> ModuleType:
    name = "example_q_learning"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, EXAMPLE)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def configs() -> list[Any]:
    written = [example().Config(lr=0.02)] if EXAMPLE.exists() else []
    return [my_ql.Config(lr=0.02), *written]


@pytest.mark.parametrize("config", configs(), ids=lambda config: config.get_name())
def test_its_main_but_for_processes(config: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runner = srl.Runner(srl.EnvConfig("Grid"), config)
    runner.set_seed(2)
    runner.train(max_steps=20_000, enable_progress=False)
    rewards = runner.evaluate(max_episodes=100, enable_progress=False)
    assert sum(rewards) / len(rewards) > 0.6
    runner.render_terminal()
    out = capsys.readouterr().out
    assert out.startswith("......\n.   G.\n. . X.\n.P   .\n......\n")
    assert "\n### 0\nstate: 1,3\naction : " in out
    assert "rewards:[1.000]\nenv {}\nwork0 {}\n" in out or "rewards:[-1.000]" in out
    runner.animation_save_gif(tmp_path / "grid.gif", render_scale=2)
    with Image.open(tmp_path / "grid.gif") as image:
        assert image.n_frames == runner.env.step_num + 1  # the end too


@pytest.mark.parametrize("config", configs(), ids=lambda config: config.get_name())
def test_its_test(config: Any) -> None:
    kit.test_rl(config)
