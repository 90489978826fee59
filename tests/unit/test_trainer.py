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
