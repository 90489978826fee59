from __future__ import annotations

from typing import Any

import pytest

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


def test_items_from_another_process_stay_as_they_came_until_the_trainer_has_them():
    memory, of_trainer = RLSingleUseBuffer(), RLSingleUseBuffer()
    for item in ({1, 2}, "x"):
        memory.add(memory.serialize(item), serialized=True)
    encoded = memory.sample_encoded()
    assert [type(each) for each in encoded] == [bytes, bytes]
    assert of_trainer.decode(encoded) == [{1, 2}, "x"]
    assert memory.sample_encoded() is None


def test_a_backup_of_items_that_came_as_bytes_can_travel_and_be_restored():
    memory, other = RLSingleUseBuffer(), RLSingleUseBuffer()
    memory.add(memory.serialize({1}), serialized=True)
    memory.add({2})
    kind, items = memory.backup()
    assert kind == "opaque"
    assert all(type(item) is bytes for item in items)
    other.restore((kind, items))
    assert other.sample() == [{1}, {2}]


def test_one_of_encoded_and_decode_is_refused():
    class Half(RLSingleUseBuffer):
        def setup(self):
            self.register_trainer_recv_func(self.sample, encoded=self.sample_encoded)

    with pytest.raises(AssertionError, match="Half.sample is registered with one of `encoded` and `decode`"):
        Half()
