"""The replay benchmark: our part of it runs, and its report says what was measured and what could not be."""

import subprocess

import pytest

from benchmarks import replay, replay_once


@pytest.mark.parametrize("prioritized", [False, True])
def test_our_part_runs(prioritized):
    figures = replay_once.measure(replay_once.Srl(1024, prioritized), 1024, prioritized, 1e-4)
    sizes = ["sample + update 512"] if prioritized else ["add 256 at a time", "sample 256", "sample 32 as items"]
    assert {"add one", *sizes} <= figures.keys()
    assert min(figures.values()) > 0


def test_the_ratio_is_to_the_best_of_those_that_can_do_it(capsys):
    results = {"srl": [{"a": 3.0, "b": 1.0}, {"a": 5.0, "b": 1.0}], "x": [{"a": 1.0}], "y": [{"a": 2.0}]}
    rows = replay.rows_of("uniform: ", results)
    assert rows["uniform: a"]["srl"] == {"min": 3.0, "median": 4.0, "max": 5.0}
    assert replay.ratios(rows, "median") == {"uniform: a": 2.0}
    assert replay.ratios(rows, "max") == {"uniform: a": 2.5}
    replay.show(replay.report_of(rows, {"z": "cannot be installed"}))
    printed = capsys.readouterr().out
    assert "2.00" in printed
    assert "2.50" in printed
    assert "z: cannot be installed" in printed


def test_a_library_that_cannot_be_installed_is_reported(monkeypatch):
    def refuse(*requirements):
        raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setattr(replay, "peer_python", refuse)
    pythons, missing = replay.install(replay.PEERS)
    assert pythons.keys() == {"srl"}
    assert missing.keys() == replay.PEERS.keys()


def test_a_library_that_cannot_do_it_is_reported(monkeypatch):
    def run_json(command, timeout_s):
        if "bad" in command:
            raise RuntimeError("gave no result:\nIt cannot")
        return {"add one": 1.0}

    monkeypatch.setattr(replay, "run_json", run_json)
    results, failed = replay.run({"srl": "python", "bad": "python"}, [], 2)
    assert results == {"srl": [{"add one": 1.0}] * 2}
    assert failed == {"bad": "It cannot"}
