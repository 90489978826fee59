from __future__ import annotations

from typing import Any

from srl.base.rl.config import DummyRLConfig
from srl.rl.memories.single_use_buffer import RLSingleUseBuffer


class Memory(RLSingleUseBuffer[Any]):
    pass


def test_everything_once_in_the_order_of_arrival() -> None:
    memory = Memory(DummyRLConfig())
    for item in ([1, 2], [2, 3], [3, 4]):
        memory.add(item)
    assert memory.length() == 3
    assert memory.sample() == [[1, 2], [2, 3], [3, 4]]
    assert memory.length() == 0
    assert memory.sample() is None


def test_the_way_through_the_serializer() -> None:
    memory = Memory()
    add = memory.get_worker_funcs()["add"]
    add.apply(add.serialize(((1, 2),), {}))
    assert memory.sample() == [(1, 2)]


def test_backup_is_a_copy() -> None:
    memory = Memory()
    memory.add(1)
    backup = memory.backup()
    memory.add(2)
    memory.restore(backup)
    assert memory.sample() == [1]
    assert backup == [1]


def test_functions_may_be_left_out() -> None:
    class Silent(RLSingleUseBuffer[Any]):
        def setup(self) -> None:
            super().setup(register_add=False, register_sample=False)

    memory = Silent()
    assert (memory.get_worker_funcs(), memory.get_trainer_recv_funcs()) == ({}, {})
    assert memory.length() == 0


def test_sampling_consumes() -> None:
    assert Memory().get_trainer_recv_funcs()["sample"].consumes
