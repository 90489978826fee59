"""The benchmark of learning: what it counts, what it reports, and that its settings are settings."""

from __future__ import annotations

import pytest

import srl
from benchmarks import learning
from benchmarks.learning_cases import CASES, EPISODES, SCREENING, TABLE_CASES, Case
from benchmarks.learning_once import Curve, our_config, run_table


def a_run(reward: float, wall_s: float, env_steps: int = 2000) -> dict[str, object]:
    points = [[1000, wall_s / 2, 0.0], [env_steps, wall_s, reward]]
    reached = float(reward >= 475)
    return {
        "reached": reached,
        "env_steps": env_steps,
        "wall_s": wall_s,
        "cpu_s": wall_s,
        "reward": reward,
        "points": points,
    }


RUNS = {"dqn": {"srl": [a_run(480, 4), a_run(500, 2)], "stable-baselines3": [a_run(490, 9), a_run(300, 15, 4000)]}}


def test_figures_are_medians_and_ratios_theirs_to_ours() -> None:
    report = learning.summarize(RUNS)
    assert report["figures"]["dqn"]["srl"]["wall_s"] == {"min": 2, "median": 3, "max": 4}
    assert [report["figures"]["dqn"][library]["reached"] for library in RUNS["dqn"]] == [2, 1]
    assert report["ratios"] == {"dqn": {"env_steps": 1.5, "wall_s": 4, "cpu_s": 4}}


def test_the_report_is_shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    learning.show(learning.summarize({**RUNS, "mcts": {"table": [a_run(0.98, 0.0)]}}))
    out = capsys.readouterr().out
    assert "3,000 (2,000 to 4,000)" in out
    assert "stable-baselines3 takes 4.0 times the seconds of ours" in out
    assert "OX" in out


def test_curves_are_drawn(tmp_path) -> None:
    pytest.importorskip("matplotlib")
    learning.plot(RUNS, str(tmp_path / "curves.png"))
    assert (tmp_path / "curves.png").stat().st_size > 1000
    learning.plot({"mcts": {"table": []}}, str(tmp_path / "none.png"))
    assert not (tmp_path / "none.png").exists()


def test_the_threshold_is_reached_by_the_long_evaluation() -> None:
    asked, rewards = [], iter([1.0, 10.0, 9.0, 10.0, 10.0])

    def evaluate(episodes: int) -> list[float]:
        asked.append(episodes)
        return [next(rewards)]

    curve = Curve(Case("CartPole-v1", threshold=10, interval=5, max_steps=100), evaluate)
    assert [curve.at(steps) for steps in (4, 5, 10, 15)] == [False, False, False, True]
    assert asked == [SCREENING, SCREENING, EPISODES, SCREENING, EPISODES]
    assert [(steps, reward) for steps, _, reward in curve.points] == [(5, 1.0), (10, 9.0), (15, 10.0)]
    assert curve.result()["reached"] == 1


@pytest.mark.parametrize("name", CASES)
def test_our_settings_fit_the_algorithm(name: str) -> None:
    pytest.importorskip("gymnasium")
    runner = srl.Runner(srl.EnvConfig(CASES[name].env), our_config(name, CASES[name]))
    assert runner.parameter.backup()


def test_a_case_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = {"ql": TABLE_CASES["ql"].__class__("Grid", 0.4, 10_000, 50)}
    monkeypatch.setattr("benchmarks.learning_once.TABLE_CASES", quick)
    result = run_table("ql", seed=1)
    assert (result["env_steps"], result["reached"]) == (10_000, float(result["reward"] >= 0.4))
    assert result["reward"] > 0
