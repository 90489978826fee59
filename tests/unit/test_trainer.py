from __future__ import annotations

from typing import Any

import pytest

from srl.base.context import RunContext
from srl.base.info import Info
from srl.base.rl.config import DummyRLConfig
from srl.base.rl.memory import DummyRLMemory
from srl.base.rl.parameter import DummyRLParameter
from srl.base.rl.trainer import DummyRLTrainer, RLTrainer
from srl.base.rl.worker import DummyRLWorker


class Trainer(RLTrainer[Any, Any, Any]):
    def train(self) -> None:
        self.train_count += 1
        self.info = {"loss": 0.5}


def made(cls: type[RLTrainer[Any, Any, Any]] = Trainer) -> RLTrainer[Any, Any, Any]:
    return cls(DummyRLConfig(), DummyRLParameter(), DummyRLMemory())


def test_a_plain_dict_becomes_info() -> None:
    trainer = made()
    trainer.train()
    assert isinstance(trainer.info, Info)
    assert trainer.info.to_str() == "|loss 0.500"
    assert trainer.get_train_count() == 1


def test_info_is_written_by_name_too() -> None:
    trainer = made()
    trainer.info["size"] = 3
    assert trainer.info == {"size": 3}


def test_an_info_is_kept() -> None:
    trainer, info = made(), Info()
    trainer.info = info
    assert trainer.info is info


def test_a_workers_dict_becomes_info_too() -> None:
    worker = DummyRLWorker(DummyRLConfig())
    worker.info = {"epsilon": 0.1}
    assert isinstance(worker.info, Info)


def test_flags_come_from_the_context() -> None:
    trainer = made()
    trainer.setup(RunContext(distributed=True, train_only=True))
    assert (trainer.distributed, trainer.train_only) == (True, True)


def test_there_is_no_context_outside_of_a_run() -> None:
    with pytest.raises(RuntimeError, match="only during a run"):
        _ = made().distributed


def test_a_worker_outside_of_an_environment() -> None:
    with pytest.raises(RuntimeError, match="is in no environment"):
        DummyRLWorker(DummyRLConfig()).sample_action()


def test_dummy_trains_nothing() -> None:
    trainer = made(DummyRLTrainer)
    trainer.train()
    assert trainer.train_count == 0


# --- state beside the Parameter


class Optimizing(Trainer):
    """Makes its optimizer in `on_setup` and gives it up in `on_teardown`."""

    def on_setup(self) -> None:
        self.momentum = [0.0]

    def on_teardown(self) -> None:
        del self.momentum

    def call_backup(self, serialized: bool = False) -> Any:
        assert serialized
        return list(self.momentum)

    def call_restore(self, data: Any, from_serialized: bool = False) -> None:
        assert from_serialized
        self.momentum = list(data)


def test_a_state_goes_from_run_to_run() -> None:
    trainer = made(Optimizing)
    trainer.setup(RunContext())
    trainer.momentum[0] = 0.5  # type: ignore[attr-defined]
    trainer.teardown()
    assert trainer.backup() == [0.5]
    trainer.setup(RunContext())
    assert trainer.momentum == [0.5]  # type: ignore[attr-defined]


def test_a_state_survives_a_run_that_an_error_ended() -> None:
    trainer = made(Optimizing)
    trainer.setup(RunContext())
    trainer.momentum[0] = 0.5  # type: ignore[attr-defined]
    trainer.setup(RunContext())
    assert trainer.backup() == [0.5]


def test_a_restored_state_waits_for_the_next_run() -> None:
    trainer = made(Optimizing)
    trainer.restore([0.25])
    assert trainer.backup() == [0.25]
    trainer.setup(RunContext())
    assert trainer.momentum == [0.25]  # type: ignore[attr-defined]


def test_a_state_is_restored_at_once_during_a_run_and_none_changes_nothing() -> None:
    trainer = made(Optimizing)
    trainer.setup(RunContext())
    trainer.restore([0.75])
    trainer.restore(None)
    assert trainer.momentum == [0.75]  # type: ignore[attr-defined]


def test_without_the_hooks_there_is_no_state() -> None:
    trainer = made()
    assert trainer.backup() is None
    trainer.setup(RunContext())
    assert trainer.backup() is None
    trainer.restore({"of": "another version"})
