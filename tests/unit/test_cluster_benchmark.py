"""benchmarks.cluster: its report has medians beside targets, and it says so where there is no engine."""

from __future__ import annotations

import pytest

from benchmarks import cluster

RUNS = [{cluster.TRAINS: each, "kill -9 of redis: healthy again": 4.0} for each in (12.0, 99.0, 18.0)]


def test_the_report_has_medians_beside_targets(capsys: pytest.CaptureFixture[str]) -> None:
    report = cluster.summarize(RUNS)
    assert report["seconds"][cluster.TRAINS] == {"min": 12, "median": 18, "max": 99}
    cluster.show(report)
    rows = [line.split("│")[1:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("│")]
    assert [[cell.strip() for cell in row] for row in rows] == [
        [cluster.TRAINS, "18.0 (12.0 to 99.0)", "20"],
        ["kill -9 of redis: healthy again", "4.0", ""],
    ]


def test_without_an_engine_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("sys.argv", ["cluster"])
    with pytest.raises(SystemExit, match="no Docker engine"):
        cluster.main()
