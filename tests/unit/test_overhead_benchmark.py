"""benchmarks.overhead: its runs do what they say, and its report compares medians."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def benchmarks_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))


@pytest.mark.parametrize("mode", ["evaluate", "train"])
@pytest.mark.parametrize("observation", ["Discrete", "Box"])
def test_a_run_counts_its_steps(mode: str, observation: str) -> None:
    import overhead_once

    assert overhead_once.step_rate(observation, mode, 0.02) > 0


def test_the_ratio_is_that_of_medians(capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks.overhead import PEER, show, summarize

    report = summarize({"srl": [{"train": 10.0}, {"train": 30.0}, {"train": 99.0}], PEER: [{"train": 15.0}] * 3})
    assert report["ratios"] == {"train": 2.0}
    show(report)
    assert "ratio 2.00" in capsys.readouterr().out
