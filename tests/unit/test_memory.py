from __future__ import annotations

import pickle
from typing import Any

import pytest

from srl.base.rl.config import DummyRLConfig
from srl.base.rl.memory import DummyRLMemory, RecvFunc, RLMemory, WorkerFunc
from srl.utils.usage import UsageError


class Memory(RLMemory[Any]):
    def setup(self) -> None:
        self.items: list[Any] = []
        self.register_worker_func(self.add, pickle.dumps)
        self.register_worker_func_custom(self.add_pair, lambda a, b=0: (a, b))
        self.register_worker_func(self.add_plain)
        self.register_trainer_recv_func(self.sample, consumes=False)
        self.register_trainer_recv_func(self.pop)
        self.register_trainer_send_func(self.update)

    def add(self, item: Any, serialized: bool = False) -> None:
        self.items.append(pickle.loads(item) if serialized else item)

    def add_pair(self, a: Any, b: Any, serialized: bool = False) -> None:
        self.items.append((a, b, serialized))

    def add_plain(self, item: Any) -> None:
        self.items.append(item)

    def sample(self) -> Any:
        return self.items

    def pop(self) -> Any:
        return self.items.pop()

    def update(self, items: Any) -> None:
        self.items = items

    def call_backup(self, **kwargs: Any) -> Any:
        return list(self.items)

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        self.items = data


def test_registered_functions_by_name() -> None:
    memory = Memory()
    assert list(memory.get_worker_funcs()) == ["add", "add_pair", "add_plain"]
    assert memory.get_worker_funcs()["add_plain"] == WorkerFunc(memory.add_plain, None)
    assert memory.get_trainer_recv_funcs() == {
        "sample": RecvFunc(memory.sample, consumes=False),
        "pop": RecvFunc(memory.pop, consumes=True),
    }
    assert memory.get_trainer_send_funcs() == {"update": memory.update}
    assert memory.length() == -1
    assert isinstance(memory.config, DummyRLConfig)


def test_a_call_through_the_serializer_is_the_same_as_a_plain_one() -> None:
    memory = Memory()
    add = memory.get_worker_funcs()["add"]
    raw = add.serialize(([1, 2],), {})
    assert raw == (pickle.dumps([1, 2]),)
    add.apply(raw)
    memory.add([1, 2])
    assert memory.items == [[1, 2], [1, 2]]


def test_a_serializers_tuple_is_several_arguments() -> None:
    memory = Memory()
    add_pair = memory.get_worker_funcs()["add_pair"]
    add_pair.apply(add_pair.serialize((1,), {"b": 2}))
    assert memory.items == [(1, 2, True)]


def test_a_serializer_needs_a_parameter_serialized() -> None:
    memory = Memory()
    with pytest.raises(UsageError, match="add_plain is registered with a serializer but has no parameter 'serialized'"):
        memory.register_worker_func(memory.add_plain, pickle.dumps)


def test_keyword_arguments_take_serialized_too() -> None:
    memory = Memory()

    def put(item: Any, **kwargs: Any) -> None:
        memory.items.append((item, kwargs))

    memory.register_worker_func(put, lambda item: item)
    memory.get_worker_funcs()["put"].apply((1,))
    assert memory.items == [(1, {"serialized": True})]


@pytest.mark.parametrize(
    "register",
    [Memory.register_worker_func, Memory.register_trainer_recv_func, Memory.register_trainer_send_func],
)
def test_a_lambda_has_no_name_to_call_it_by(register: Any) -> None:
    with pytest.raises(UsageError, match="has no name"):
        register(Memory(), lambda: None)


@pytest.mark.parametrize(
    ("register", "name"),
    [
        ("register_worker_func", "add"),
        ("register_trainer_recv_func", "pop"),
        ("register_trainer_send_func", "update"),
    ],
)
def test_registering_twice_warns(register: str, name: str) -> None:
    memory = Memory()
    with pytest.warns(UserWarning, match=f"{name} is registered twice"):
        getattr(memory, register)(getattr(memory, name))


@pytest.mark.parametrize("compress", [False, True])
def test_backup_and_restore(compress: bool) -> None:
    memory, other = Memory(), Memory()
    memory.items = [1, 2]
    other.restore(memory.backup(compress))
    assert other.items == [1, 2]
    assert isinstance(memory.backup(compress), tuple) == compress


def test_an_authors_tuple_is_no_compressed_backup() -> None:
    memory = Memory()
    memory.restore((b"bytes", 1))
    assert memory.items == (b"bytes", 1)


@pytest.mark.parametrize("compress", [False, True])
def test_save_and_load(tmp_path: Any, compress: bool) -> None:
    memory, other = Memory(), Memory()
    memory.items = [1, 2]
    memory.save(tmp_path / "new" / "memory", compress)
    other.load(tmp_path / "new" / "memory")
    assert other.items == [1, 2]
    assert (tmp_path / "new" / "memory").read_bytes().startswith(b"\xfd7zXZ") == compress


def test_without_backup_hooks_the_error_names_the_class() -> None:
    class Bare(RLMemory[Any]):
        pass

    with pytest.raises(NotImplementedError, match=r"Bare\.call_backup"):
        Bare().backup()
    with pytest.raises(NotImplementedError, match=r"Bare\.call_restore"):
        Bare().restore(1)


def test_dummy_memory_can_be_saved() -> None:
    memory = DummyRLMemory()
    memory.restore(memory.backup())
    assert memory.get_worker_funcs() == {}
