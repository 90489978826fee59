from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import counting_env
import picture_env  # noqa: F401  registers the environment
import probe_rl
import pytest
from PIL import Image

import srl
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def runner_of(length: int = 2, env: str = "Counting", **config: Any) -> srl.Runner:
    return srl.Runner(srl.EnvConfig(env, {"length": length}), probe_rl.Config(**config))


def frame_count(path: Path) -> int:
    with Image.open(path) as image:
        return image.n_frames


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_the_terminal_shows_the_moment_between_policy_and_step(capsys: pytest.CaptureFixture[str]) -> None:
    rewards = runner_of().render_terminal()
    assert rewards == [3.0]
    assert capsys.readouterr().out == (
        "t=0\nprobe\n### 0\nstate: 0\naction : 4(act4)\nrewards:[0.000]\nenv {}\nwork0 {}\n\n"
        "t=1\nprobe\n### 1\nstate: 1\naction : 4(act4)\nrewards:[1.000]\nenv {}\nwork0 {}\n\n"
        "t=2\nprobe\n### 2, done()\nstate: 2\naction : 4(act4)\nrewards:[2.000]\nenv {}\nwork0 {}\n\n"
    )


def test_the_last_picture_can_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    runner_of(render_last_step=False).render_terminal()
    assert capsys.readouterr().out.count("###") == 2


def test_several_players(capsys: pytest.CaptureFixture[str]) -> None:
    rewards = runner_of(env="Counting2").render_terminal(players=[None, "fours"])
    out = capsys.readouterr().out
    assert rewards == [3.0, 30.0]
    assert "### 0, player 0\n" in out
    assert "### 1, player 1\nstate: 1\naction : 4(act4)\nrewards:[1.000,10.000]\nenv {}\nwork1 {}\n" in out


def test_skipped_steps_are_shown_or_not(capsys: pytest.CaptureFixture[str]) -> None:
    runner_of(4, frameskip=1).render_terminal()
    shown = capsys.readouterr().out.count("t=")
    runner_of(4, frameskip=1).render_terminal(render_skip_step=False)
    assert (shown, capsys.readouterr().out.count("t=")) == (5, 3)


def test_step_stop_waits_for_enter(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", asked.append)
    runner_of().render_terminal(step_stop=True)
    assert len(asked) == 3


def test_an_episode_is_not_training_unless_told() -> None:
    runner = runner_of()
    runner.render_terminal()
    assert (runner.worker.training, runner.worker.rendering) == (False, True)
    runner.render_terminal(training_flag=True)
    assert runner.worker.training


def test_a_limit_ends_the_episode(capsys: pytest.CaptureFixture[str]) -> None:
    runner_of(9).render_terminal(max_steps=3)
    assert capsys.readouterr().out.count("###") == 3


def test_an_animation_has_a_frame_for_each_step(tmp_path: Path) -> None:
    path = tmp_path / "new" / "run.gif"
    rewards = runner_of(5).animation_save_gif(path, render_interval=50)
    with Image.open(path) as image:
        assert image.n_frames == 5
        assert image.info["duration"] == 50
    assert rewards == [15.0]


def test_the_setting_of_the_environment_scales_too(tmp_path: Path) -> None:
    sizes = []
    for scale in (1.0, 1.5):
        config = srl.EnvConfig("Counting", {"length": 1}, render_scale=scale)
        srl.Runner(config, probe_rl.Config()).animation_save_gif(tmp_path / "run.gif", render_scale=2)
        sizes.append(size_of(tmp_path / "run.gif"))
    assert sizes[1] == (round(1.5 * sizes[0][0]), round(1.5 * sizes[0][1]))


def test_the_font_of_the_environment_is_that_of_all_text(tmp_path: Path) -> None:
    sizes = []
    for font_size in (10, 30):
        config = srl.EnvConfig("Counting", {"length": 1}, font_size=font_size)
        srl.Runner(config, probe_rl.Config()).animation_save_gif(tmp_path / "run.gif")
        sizes.append(size_of(tmp_path / "run.gif"))
    assert sizes[1] > sizes[0]


def test_render_scale_multiplies_the_size(tmp_path: Path) -> None:
    sizes = []
    for scale in (1, 2):
        runner_of().animation_save_gif(tmp_path / "run.gif", render_scale=scale)
        sizes.append(size_of(tmp_path / "run.gif"))
    assert sizes[1] == (2 * sizes[0][0], 2 * sizes[0][1])


def test_parts_of_a_frame_can_be_left_out(tmp_path: Path) -> None:
    sizes = []
    for shown in (True, False):
        flags = {f"render_add_{name}": shown for name in ("rl_terminal", "rl_rgb", "info_text")}
        runner_of().animation_save_gif(tmp_path / "run.gif", **flags)
        sizes.append(size_of(tmp_path / "run.gif"))
    assert sizes[0][0] > sizes[1][0]
    assert sizes[0][1] > sizes[1][1] == 8


def test_a_run_without_a_step(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the run had no step"):
        runner_of().animation_save_gif(tmp_path / "run.gif", timeout=1e-9)


def test_an_environment_that_draws_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting_env.Counting, "render_rgb_array", lambda _self, **_: None)
    monkeypatch.setattr(counting_env.Counting, "render_terminal", lambda _self, **_: None)
    runner_of().animation_save_gif(tmp_path / "run.gif")  # what the Worker and the text say remains
    nothing = {f"render_add_{name}": False for name in ("rl_terminal", "rl_rgb", "info_text")}
    with pytest.raises(UsageError, match="there is nothing to draw: environment 'Counting' has neither"):
        runner_of().animation_save_gif(tmp_path / "run.gif", **nothing)


@pytest.mark.parametrize("scale", [0, -1, float("nan")])
def test_a_scale_that_cannot_be(tmp_path: Path, scale: float) -> None:
    with pytest.raises(UsageError, match=f"render_scale is {scale}; it must be above 0"):
        runner_of().animation_save_gif(tmp_path / "run.gif", render_scale=scale)


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file/run.gif' cannot be written: .+ Choose another path"):
        runner_of().animation_save_gif(tmp_path / "file" / "run.gif")
    with pytest.raises(UsageError, match="cannot be written: Is a directory"):
        runner_of().animation_save_gif(tmp_path)


def test_a_failing_run_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="render_worker is 1; it must be from 0 to 0"):
        runner_of().animation_save_gif(tmp_path / "run.gif", render_worker=1)
    assert not list(tmp_path.iterdir())


def test_a_player_who_had_no_turn_yet_has_nothing_to_show(tmp_path: Path) -> None:
    sizes = []
    for worker in (0, 1):
        runner = runner_of(env="Counting2")
        runner.animation_save_gif(tmp_path / "run.gif", render_worker=worker, players=[None, None], max_steps=1)
        sizes.append(size_of(tmp_path / "run.gif"))
    assert sizes[0][1] > sizes[1][1]


def test_a_long_state_is_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    srl.Runner(srl.EnvConfig("PictureOfTime"), probe_rl.Config(base="BOX")).render_terminal(max_steps=1)
    state = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("state:"))
    assert state == "state: " + "0," * 20 + "..."


def test_a_state_of_fractions_has_three_decimals(capsys: pytest.CaptureFixture[str]) -> None:
    srl.Runner("CartPole-v1").render_terminal(max_steps=1)
    state = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("state:"))
    assert re.fullmatch(r"state: (-?\d\.\d{1,3}(e-\d+)?,?){4}", state)


def test_an_animation_of_a_frameskip(tmp_path: Path) -> None:
    counts = []
    for skip in (True, False):
        runner = runner_of(4, frameskip=1)
        runner.animation_save_gif(tmp_path / "run.gif", render_skip_step=skip, enable_progress=False)
        counts.append(frame_count(tmp_path / "run.gif"))
    assert counts == [4, 2]


def test_an_animation_may_wait_for_enter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", asked.append)
    runner_of().animation_save_gif(tmp_path / "run.gif", step_stop=True, enable_progress=False)
    assert len(asked) == 2


def test_render_kwargs_reach_environment_and_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []

    def note(_self: Any, **kwargs: Any) -> None:
        seen.append({name: value for name, value in kwargs.items() if name != "worker"})

    runner = runner_of(1)
    monkeypatch.setattr(type(runner.env.env), "render_terminal", note)
    monkeypatch.setattr(type(runner.worker.worker), "render_terminal", note)
    runner.render_terminal({"big": True})
    runner.animation_save_gif(tmp_path / "run.gif", {"big": True}, enable_progress=False)
    assert seen == [{"big": True}] * 5
