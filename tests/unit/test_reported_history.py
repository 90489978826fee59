"""Rows of a history that are written of what services report."""

from types import SimpleNamespace

import pytest

from srl.runner.history_file import read_rows
from srl.runner.history_log import HistoryLog
from srl.runner.reported_history import ReportedHistory


def cluster(train=0, memory=None, **actors):
    counters = {
        name: {"env_steps": step, "episodes": 1, "reward": 0.5, "train_count": 2} for name, step in actors.items()
    }
    host = {} if memory is None else {"memory_length": memory}
    learner = {"train_count": train, "info": {"loss": 0.25}} if train else {}
    return SimpleNamespace(learner=learner, actors=counters, view=SimpleNamespace(host=host))


@pytest.fixture
def rows(tmp_path):
    """What is written, by file, without times."""

    def rows(name):
        path = tmp_path / f"{name}.txt"
        return [{k: v for k, v in row.items() if k != "time"} for row in read_rows(path)] if path.exists() else []

    return rows


def history(folder, interval=10, mode="step"):
    return ReportedHistory(HistoryLog(str(folder), interval, mode))


def test_each_service_has_rows_of_what_it_reported(tmp_path, rows):
    writer = history(tmp_path)
    writer.update(cluster())
    writer.update(cluster(train=12, memory=7, near=20, far=5))
    assert rows("trainer") == [{"name": "trainer", "train": 12, "trainer_loss": 0.25, "memory": 7}]
    assert rows("actor0") == [{"name": "actor0", "step": 20, "episode": 1, "reward0": 0.5, "train": 2}]
    assert rows("actor1") == []  # not yet 10 steps


def test_rows_come_at_the_interval_and_at_the_end(tmp_path, rows):
    writer = history(tmp_path)
    for step in (10, 15, 19, 20, 33):
        writer.update(cluster(train=step))
    assert [row["train"] for row in rows("trainer")] == [10, 20, 33]
    writer.update(cluster(train=34))
    writer.update(cluster(train=34), last=True)
    writer.update(cluster(train=34), last=True)
    assert [row["train"] for row in rows("trainer")] == [10, 20, 33, 34]


def test_a_report_that_says_nothing_new_makes_no_row(tmp_path, rows):
    writer = history(tmp_path, 0, "time")
    for _ in range(3):
        writer.update(cluster(train=5))
    assert len(rows("trainer")) == 1


def test_actors_are_numbered_as_they_come(tmp_path, rows):
    writer = history(tmp_path, 0, "time")
    writer.update(cluster(b=1))
    writer.update(cluster(a=2, b=3))
    writer.update(cluster(c=4))
    assert [[row["step"] for row in rows(f"actor{i}")] for i in range(3)] == [[1, 3], [2], [4]]


def test_the_column_time_counts_from_the_histories_begin(tmp_path):
    log = HistoryLog(str(tmp_path), 0, begun_s=0.0)
    ReportedHistory(log).update(cluster(train=1))
    assert read_rows(tmp_path / "trainer.txt")[0]["time"] > 1e9
