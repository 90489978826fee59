"""The registered functions of an author's Memory as endpoints: a `Call` from the wire becomes calls of the function.

What is not registered cannot be called: the tables of the Memory's own `register_...` calls are all there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from srl_common.columns import check_columns
from srl_common.errors import DecodeError, PeerError
from srl_common.messages import Call, Form, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from srl.base.rl.memory import RecvFunc, RLMemory, WorkerFunc


class Endpoints:
    """The functions that one Memory has registered, by name.

    Args:
        memory: the author's object, set up.
    """

    def __init__(self, memory: RLMemory[Any]) -> None:
        self._owner = type(memory).__name__
        self.worker: Mapping[str, WorkerFunc] = memory.get_worker_funcs()
        self.recv: Mapping[str, RecvFunc] = memory.get_trainer_recv_funcs()
        self.send: Mapping[str, Callable[..., None]] = memory.get_trainer_send_funcs()

    def check(self, role: Role, call: Call) -> None:
        """Raise PeerError unless a client of that role may make this call."""
        if role is Role.ACTOR:
            self._check_name(call.endpoint, self.worker, "register_worker_func")
        else:
            self._check_name(call.endpoint, self.send, "register_trainer_send_func")

    def check_recv(self, endpoint: str) -> None:
        """Raise PeerError unless batches may be asked for under that name."""
        self._check_name(endpoint, self.recv, "register_trainer_recv_func")

    def bind(self, role: Role, call: Call) -> Callable[[], None]:
        """Return what applies the chunk: the author's function called once for each item.

        The whole body is checked here, so that nothing malformed is ever written to a journal. Raises DecodeError.
        """
        if role is Role.LEARNER:
            return _bind_calls(self.send[call.endpoint], call)
        worker = self.worker[call.endpoint]
        match call.form:
            case Form.BLOBS:
                return _bind_blobs(worker.func, call)
            case Form.TUPLES:
                return _bind_tuples(worker, call)
            case Form.COLUMNS:
                return _bind_columns(worker, call)
            case _:
                return _bind_calls(worker.func, call)

    def _check_name(self, name: str, table: Mapping[str, Any], how: str) -> None:
        if name not in table:
            known = ", ".join(table) or "none"
            raise PeerError(
                f"'{name}' is not registered: call self.{how}(self.{name}) in {self._owner}.setup (registered: {known})"
            )


def blobs_body(blobs: list[bytes]) -> list[Any]:
    """Return the body of a chunk of byte strings: [lengths uint32 (count,), all bytes joined]."""
    return [np.fromiter(map(len, blobs), np.uint32, len(blobs)), b"".join(blobs)]


def _bind_blobs(func: Callable[..., None], call: Call) -> Callable[[], None]:
    match call.body:
        case [np.ndarray() as lengths, bytes() as joined] if lengths.dtype == np.uint32 and lengths.ndim == 1:
            ends = np.cumsum(lengths, dtype=np.uint64).tolist()
        case _:
            raise DecodeError(f"{call.endpoint}: a chunk of byte strings has lengths and bytes")
    if len(ends) != call.count or (ends[-1] if ends else 0) != len(joined):
        raise DecodeError(f"{call.endpoint}: the lengths of a chunk do not add up to its bytes")

    def apply() -> None:
        start = 0
        for end in ends:
            func(joined[start:end], serialized=True)
            start = end

    return apply


def _bind_tuples(worker: WorkerFunc, call: Call) -> Callable[[], None]:
    items = _items(call)

    def apply() -> None:
        for raw in items:
            worker.apply(raw)

    return apply


def _bind_columns(worker: WorkerFunc, call: Call) -> Callable[[], None]:
    columns = worker.columns
    if columns is None:
        raise DecodeError(f"{call.endpoint}: it is registered without `columns`, and got some")
    problem = check_columns(call.body, call.count)
    if problem:
        raise DecodeError(f"{call.endpoint}: {problem}")
    return lambda: columns(call.body, call.count)


def _bind_calls(func: Callable[..., None], call: Call) -> Callable[[], None]:
    if call.form != Form.CALLS:
        raise DecodeError(f"{call.endpoint}: a chunk of the form '{call.form}' is unknown here")
    items = _items(call)
    if not all(len(item) == 2 and type(item[0]) is tuple and type(item[1]) is dict for item in items):
        raise DecodeError(f"{call.endpoint}: an item of a chunk is not (args, kwargs)")
    if not all(type(name) is str for _, kwargs in items for name in kwargs):
        raise DecodeError(f"{call.endpoint}: the name of an argument is not a string")

    def apply() -> None:
        for args, kwargs in items:
            func(*args, **kwargs)

    return apply


def _items(call: Call) -> list[tuple[Any, ...]]:
    if not isinstance(call.body, list) or len(call.body) != call.count:
        raise DecodeError(f"{call.endpoint}: a chunk of {call.count} items has a body of another length")
    if not all(type(item) is tuple for item in call.body):
        raise DecodeError(f"{call.endpoint}: an item of a chunk is not a tuple")
    return call.body
