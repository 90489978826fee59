"""Memory: what an algorithm keeps of experience, and by which functions others reach it."""

from __future__ import annotations

import inspect
import lzma
import pickle
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from srl.base.rl.config import DummyRLConfig, RLConfig
from srl.utils.files import load_file, save_file
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TConfig = TypeVar("TConfig", bound=RLConfig[Any, Any])


@dataclass(frozen=True)
class WorkerFunc:
    """A function that the Worker calls on the Memory.

    In one process it is a plain call. Across processes the caller's side runs `serialize` and the Memory's
    side `apply`.
    """

    func: Callable[..., None]
    serializer: Callable[..., Any] | None
    """None: the arguments travel as they are."""
    columns: Callable[[dict[str, Any], int], None] | None = None
    """Takes many items at once, as one array a field; None: items are given one by one."""

    def serialize(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """Return what travels. A serializer's result that is no tuple is wrapped in a tuple of one."""
        raw = cast("Callable[..., Any]", self.serializer)(*args, **kwargs)
        return raw if isinstance(raw, tuple) else (raw,)

    def apply(self, raw: tuple[Any, ...]) -> None:
        """Call the Memory's function with what `serialize` returned."""
        self.func(*raw, serialized=True)


@dataclass(frozen=True)
class RecvFunc:
    """A function that gives the Trainer a batch, or None when there is nothing yet."""

    func: Callable[[], Any]
    consumes: bool = True
    """Sampling takes items out (a queue) rather than copying them (a replay memory)."""
    encoded: Callable[[], Any] | None = None
    """Makes the batch in the form in which it travels to another process; None: as `func` makes it."""
    decode: Callable[[Any], Any] | None = None
    """Turns that form into a batch, in the Trainer's process."""


class RLMemory(Generic[TConfig]):
    """Base of memories. Override `setup`, and register there what Worker and Trainer may call.

    In distributed training `self.memory` of a Worker has exactly the registered worker functions and
    `length`, and `self.memory` of a Trainer the registered trainer functions and `length`.
    """

    def __init__(self, config: TConfig | None = None) -> None:
        self.config: TConfig = config if config is not None else cast("TConfig", DummyRLConfig())
        self._worker_funcs: dict[str, WorkerFunc] = {}
        self._trainer_recv_funcs: dict[str, RecvFunc] = {}
        self._trainer_send_funcs: dict[str, Callable[..., None]] = {}
        self.setup()

    def setup(self) -> None:
        """Prepare the memory and register its functions. `self.config` is set."""

    def length(self) -> int:
        """Return the number of items held, or -1 when unknown."""
        return -1

    def has_room(self) -> bool:
        """Return whether more may come. While it is False, Workers in other processes wait; nothing is dropped.

        It must be True whenever the Trainer gets nothing, or all would wait for ever. In one process it is not asked.
        """
        return True

    def priority_mass(self) -> float | None:
        """Return what the priorities of all items add up to, where items are sampled in proportion to them.

        With several memory services, batches come from each in proportion to it; None: to `length`.
        """
        return None

    def call_backup(self, **kwargs: Any) -> Any:
        """Return a picklable copy of the content, which `call_restore` takes."""
        raise NotImplementedError(f"{type(self).__name__}.call_backup is not defined, so it cannot be saved")

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        """Replace the content by what `call_backup` returned."""
        raise NotImplementedError(f"{type(self).__name__}.call_restore is not defined, so it cannot be loaded")

    def register_worker_func(
        self,
        func: Callable[..., None],
        serializer: Callable[..., Any] | None = None,
        columns: Callable[[dict[str, Any], int], None] | None = None,
    ) -> None:
        """Let the Worker call `func`.

        With a serializer, the sending process calls `serializer(*args)` and this memory receives
        `func(*raw, serialized=True)`. A result that is a tuple is taken as several arguments.

        With `columns`, items that are dicts of numbers and arrays, always of the same fields, types and shapes,
        travel together: this memory receives `columns({field: array of shape (count, ...)}, count)` instead, at a
        fraction of the cost. Items of another form still take the way of `func`.

        Raises UsageError when `func` has no usable name, or has a serializer but no parameter `serialized`.
        """
        name = _name_of(func)
        if serializer is not None and not _accepts(func, "serialized"):
            raise UsageError(
                f"{type(self).__name__}.{name} is registered with a serializer but has no parameter "
                f"'serialized'. Define it as `def {name}(self, ..., serialized: bool = False)`."
            )
        self._warn_if_known(name, self._worker_funcs)
        self._worker_funcs[name] = WorkerFunc(func, serializer, columns)

    def register_worker_func_custom(self, func: Callable[..., None], serializer: Callable[..., Any]) -> None:
        """Do as `register_worker_func` with a serializer."""
        self.register_worker_func(func, serializer)

    def register_trainer_recv_func(
        self,
        func: Callable[[], Any],
        consumes: bool = True,
        encoded: Callable[[], Any] | None = None,
        decode: Callable[[Any], Any] | None = None,
    ) -> None:
        """Let the Trainer take batches by calling `func`, which returns a batch, or None for "nothing yet".

        `consumes=False` says that `func` leaves the memory as it was, so that a batch need not be kept for a
        second delivery should the trainer's process die.

        `encoded` and `decode` take the place of `func` between two processes: the memory's calls `encoded()`, and
        the trainer's gives the result to `decode`, of a memory of its own that holds nothing.

        Raises UsageError when `func` has no usable name, or when only one of `encoded` and `decode` is given.
        """
        name = _name_of(func)
        if (encoded is None) != (decode is None):
            raise UsageError(
                f"{type(self).__name__}.{name} is registered with one of `encoded` and `decode`: give both"
            )
        self._warn_if_known(name, self._trainer_recv_funcs)
        self._trainer_recv_funcs[name] = RecvFunc(func, consumes, encoded, decode)

    def register_trainer_send_func(self, func: Callable[..., None]) -> None:
        """Let the Trainer call `func`, whose result is dropped. Raises UsageError without a usable name."""
        name = _name_of(func)
        self._warn_if_known(name, self._trainer_send_funcs)
        self._trainer_send_funcs[name] = func

    def get_worker_funcs(self) -> dict[str, WorkerFunc]:
        return self._worker_funcs

    def get_trainer_recv_funcs(self) -> dict[str, RecvFunc]:
        return self._trainer_recv_funcs

    def get_trainer_send_funcs(self) -> dict[str, Callable[..., None]]:
        return self._trainer_send_funcs

    def backup(self, compress: bool = False) -> Any:
        """Return a copy of the content; with `compress` the tuple (xz-compressed pickle: bytes, True)."""
        data = self.call_backup()
        return (lzma.compress(pickle.dumps(data)), True) if compress else data

    def restore(self, data: Any) -> None:
        """Replace the content by what `backup` returned."""
        self.call_restore(_unpacked(data) if _is_packed(data) else data)

    def save(self, path: str | Path, compress: bool = True) -> None:
        """Write the content to a file."""
        save_file(path, self.call_backup(), compress=compress)

    def load(self, path: str | Path) -> None:
        """Replace the content by that of a file. It unpickles: load only files that you trust as code."""
        self.call_restore(load_file(path))

    def _warn_if_known(self, name: str, known: dict[str, Any]) -> None:
        if name in known:
            warnings.warn(f"{type(self).__name__}.{name} is registered twice; the last one counts", stacklevel=3)


class DummyRLMemory(RLMemory[RLConfig[Any, Any]]):
    """The memory of an algorithm that has none."""

    def call_backup(self, **_kwargs: Any) -> Any:
        return None

    def call_restore(self, data: Any, **_kwargs: Any) -> None:
        pass


def _is_packed(data: Any) -> bool:
    return isinstance(data, tuple) and len(data) == 2 and data[1] is True and isinstance(data[0], bytes)


def _unpacked(data: tuple[bytes, bool]) -> Any:
    return pickle.loads(lzma.decompress(data[0]))  # noqa: S301  the caller's own backup


def _name_of(func: Callable[..., Any]) -> str:
    name = getattr(func, "__name__", "")
    if not name.isidentifier():
        raise UsageError(f"{func!r} has no name that others could call it by. Register a method of the memory.")
    return str(name)


def _accepts(func: Callable[..., Any], keyword: str) -> bool:
    parameters = inspect.signature(func).parameters.values()
    return any(p.name == keyword or p.kind is p.VAR_KEYWORD for p in parameters)
