"""A snapshot store against a model of it: versions only grow, and exactly what the Retention says is kept."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from srl_common.errors import StaleSnapshotError, UnknownVersionError
from srl_common.retention import Retention
from srl_common.snapshots import Snapshot, open_store

JOB = "job"
KEEP_LAST, KEEP_EVERY_S = 2, 10.0
EXAMPLES, STEPS = 15, 25


def is_kept(number, history):
    """Say the rule once more, of the whole history at once: one of the last, or the first of its interval."""
    interval = int(history[number].meta["created_s"] // KEEP_EVERY_S)
    earlier = [int(each.meta["created_s"] // KEEP_EVERY_S) for each in history[:number]]
    return number >= len(history) - KEEP_LAST or interval not in earlier


class StoreMachine(RuleBasedStateMachine):
    """Learners that publish, take over and restore, each when it likes."""

    def open(self):
        raise NotImplementedError

    def __init__(self):
        super().__init__()
        self.store = self.open()
        self.claimed = 0
        self.history = []
        self.clock_s = 1000.0

    @rule()
    def claim(self):
        self.claimed += 1
        assert self.store.claim_epoch(JOB) == self.claimed

    @rule(back=st.integers(0, 1), count=st.integers(0, 12), data=st.binary(max_size=30), passed_s=st.integers(-5, 15))
    def publish(self, back, count, data, passed_s):
        self.clock_s += passed_s
        epoch = max(self.claimed - back, 0)
        made = Snapshot.make(epoch, count, data, {"created_s": self.clock_s}, data[:3] or None)
        newest = self.history[-1] if self.history else None
        if epoch == self.claimed and (newest is None or made.version > newest.version):
            self.store.publish(JOB, made)
            self.history.append(made)
        elif epoch == self.claimed and made.version == newest.version and made.digest == newest.digest:
            self.store.publish(JOB, made)
        else:
            with pytest.raises(StaleSnapshotError):
                self.store.publish(JOB, made)

    @precondition(lambda self: self.history)
    @rule(which=st.integers(0, 30))
    def restore(self, which):
        number = which % len(self.history)
        old = self.history[number]
        if not is_kept(number, self.history):
            with pytest.raises(UnknownVersionError):
                self.store.restore(JOB, old.version)
            return
        self.claimed += 1
        assert self.store.restore(JOB, old.version) == (self.claimed, old.train_count)
        again = self.store.latest(JOB)
        assert (again.data, again.worker_data) == (old.data, old.worker_data)
        self.history.append(again)

    @invariant()
    def it_has_what_the_model_has(self):
        newest = self.history[-1] if self.history else None
        assert self.store.latest(JOB) == newest
        assert self.store.latest_version(JOB) == (newest and newest.version)
        assert self.store.latest_worker(JOB) == (newest and newest.for_worker())
        kept = [each for number, each in enumerate(self.history) if is_kept(number, self.history)]
        assert [info.version for info in self.store.versions(JOB)] == [each.version for each in kept]
        assert all(self.store.get(JOB, each.version) == each for each in kept)

    def teardown(self):
        self.store.close()


def check(machine):
    run_state_machine_as_test(machine, settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS))


def test_in_memory():
    class Memory(StoreMachine):
        def open(self):
            return open_store("memory://", retention=Retention(KEEP_LAST, KEEP_EVERY_S))

    check(Memory)


def test_in_a_folder(monkeypatch):
    monkeypatch.setattr("os.fsync", lambda _file: None)

    class Directory(StoreMachine):
        def open(self):
            self.folder = Path(tempfile.mkdtemp())
            return open_store(f"dir://{self.folder}", retention=Retention(KEEP_LAST, KEEP_EVERY_S))

        def teardown(self):
            super().teardown()
            shutil.rmtree(self.folder)

    check(Directory)


def test_in_redis(redis_server, monkeypatch):
    monkeypatch.setattr("srl_common.redis_store.PIECE_BYTES", 10)

    class Redis(StoreMachine):
        def open(self):
            redis_server.flush()
            return open_store(redis_server.url, retention=Retention(KEEP_LAST, KEEP_EVERY_S))

        def teardown(self):
            self.store.delete(JOB)
            with redis.Redis.from_url(redis_server.url) as client:
                assert client.keys("*") == [], "nothing is left behind"
            super().teardown()

    check(Redis)


def test_negative_control():
    """A store that keeps one too few is found out."""

    class Forgetful(StoreMachine):
        def open(self):
            return open_store("memory://", retention=Retention(KEEP_LAST - 1, KEEP_EVERY_S))

    with pytest.raises(AssertionError):
        check(Forgetful)
