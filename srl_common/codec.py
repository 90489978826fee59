"""A Python value <-> frames: a small msgpack head, then the large buffers, each as it lies in memory.

What can travel: None, bool, int of any size, float, str, bytes, list, tuple, dict, and numpy arrays and
scalars of every dtype without Python objects; of exactly these types, and they come back as these.

The head is msgpack with extension types of our own (`_Ext`). Arrays and bytes of
`BUFFER_BYTES` or more are not in it: in their place stands an extension that takes the next frame.
"""

from __future__ import annotations

import enum
import itertools
import math
import struct
from dataclasses import dataclass
from functools import lru_cache
from gc import get_referents
from typing import TYPE_CHECKING, Any, TypeAlias

import msgpack
import numpy as np

from srl_common import dtypes
from srl_common.errors import DecodeError, EncodeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Frame: TypeAlias = bytes | memoryview

BUFFER_BYTES = 8 << 10
"""Buffers from this size on travel as a frame of their own, without a copy."""
LAYOUT_BYTES = 64 << 10
"""Most bytes that an array's dtype and shape may take."""
LAYOUTS_KEPT = 1024

_LENGTH = struct.Struct("<I")
_PLAIN = frozenset({type(None), bool, int, float, str, bytes, list, tuple, dict})
_CONTAINERS = frozenset({list, tuple, dict})
_BROKEN = (msgpack.UnpackException, ValueError, TypeError, OverflowError, RecursionError, MemoryError)
_ADVICE = (
    "use exactly None, bool, int, float, str, bytes, list, tuple, dict, numpy arrays or numpy scalars, "
    "or make bytes of it with a serializer of your own"
)


class _Ext(enum.IntEnum):
    """The extension types, and what their bytes are."""

    TUPLE = 1
    """Nothing: as the first entry of a list it makes it a tuple."""
    INT = 2
    """An int beyond 64 bits: two's complement, little endian."""
    ARRAY = 3
    """Length of the layout, layout, the array's bytes in C order."""
    ARRAY_FRAME = 4
    """Layout; the bytes are the next frame."""
    BYTES_FRAME = 5
    """Nothing; the bytes are the next frame."""
    SCALAR = 6
    """As ARRAY, of shape ()."""
    NUMPY_STR = 7
    """UTF-8."""
    NUMPY_BYTES = 8
    """The bytes."""


@dataclass(frozen=True)
class Limits:
    """What one message may cost its receiver."""

    head_bytes: int = 32 << 20
    frames: int = 1024
    """Frames of one message, the head included."""
    message_bytes: int = 256 << 20
    nesting: int = 100
    """Containers inside each other."""
    container_items: int = 4 << 20
    """Entries of all lists, tuples and dicts of the message together; a dict's entry counts as two."""


DEFAULT = Limits()
UNLIMITED = Limits(1 << 40, 1 << 31, 1 << 40, DEFAULT.nesting, 1 << 31)
"""For bytes that this machine wrote itself and whose checksum holds: journals, checkpoints, snapshots."""


# --- to frames


def encode(value: Any, limits: Limits = DEFAULT) -> list[Frame]:
    """Return the frames of `value`; large buffers share its memory, which must not change meanwhile.

    Raises EncodeError naming the part that cannot travel, or the limit that the receiver would enforce.
    """
    try:
        frames = _encode(value, limits)
    except (EncodeError, ValueError) as error:
        raise EncodeError(_locate(value, limits) or str(error)) from None
    _check_sizes(frames, limits, EncodeError)
    return frames


def pack(value: Any, limits: Limits = UNLIMITED) -> bytes:
    """Return `value` as one byte string, for files and stores. Raises EncodeError."""
    return join_frames(encode(value, limits))


def _encode(value: Any, limits: Limits) -> list[Frame]:
    buffers = _Buffers(limits.frames - 1)
    head = _pack_head(value, buffers)
    # Packing came first: it ends where a value contains itself, looking through all levels would not.
    problem, kinds = _survey(value, limits)
    if problem:
        raise EncodeError(problem)
    if bytes in kinds and len(head) >= BUFFER_BYTES and _has_large_bytes(value):
        buffers = _Buffers(limits.frames - 1)
        head = _pack_head(_hoist(value), buffers)
    return [head, *buffers.frames]


def _pack_head(value: Any, buffers: _Buffers) -> bytes:
    try:
        head = msgpack.Packer(default=buffers.substitute, strict_types=True).pack(value)
    except UnicodeEncodeError:  # lone surrogates, which are rare: letting them pass costs twice the time
        buffers.frames.clear()
        packer = msgpack.Packer(default=buffers.substitute, strict_types=True, unicode_errors="surrogatepass")
        head = packer.pack(value)
    return bytes(head)


@dataclass(frozen=True)
class _LargeBytes:
    """Bytes that are to be a frame of their own."""

    data: bytes


class _Buffers:
    """Collects the frames after the head while msgpack asks what stands for what it does not know."""

    def __init__(self, room: int) -> None:
        self.frames: list[Frame] = []
        self._room = room

    def substitute(self, value: Any) -> Any:
        kind = type(value)
        if kind is tuple:
            return [_TUPLE_MARK, *value]
        if kind is int:
            return msgpack.ExtType(_Ext.INT, value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))
        if kind is np.ndarray:
            return self._array(value)
        if kind is _LargeBytes:
            return self._bytes(value.data)
        if isinstance(value, np.generic):
            return _scalar(value)
        raise EncodeError(_refuse(value))

    def _array(self, array: np.ndarray[Any, Any]) -> Any:
        layout = _layout(array.dtype, array.dtype.type.__name__, array.shape)
        if array.nbytes < BUFFER_BYTES or len(self.frames) >= self._room:
            return msgpack.ExtType(_Ext.ARRAY, _LENGTH.pack(len(layout)) + layout + array.tobytes())
        flat = np.asarray(array, order="C").reshape(-1)
        self.frames.append(flat.view(np.uint8).data)
        return msgpack.ExtType(_Ext.ARRAY_FRAME, layout)

    def _bytes(self, data: bytes) -> Any:
        if len(self.frames) >= self._room:
            return data
        self.frames.append(data)
        return msgpack.ExtType(_Ext.BYTES_FRAME, b"")


_TUPLE_MARK = msgpack.ExtType(_Ext.TUPLE, b"")


def _scalar(value: np.generic) -> Any:
    # As text and bytes, because an array of one would lose zeros at their end.
    if type(value) is np.str_:
        return msgpack.ExtType(_Ext.NUMPY_STR, value.encode("utf-8", "surrogatepass"))
    if type(value) is np.bytes_:
        return msgpack.ExtType(_Ext.NUMPY_BYTES, bytes(value))
    if type(value) is not value.dtype.type:
        raise EncodeError(_refuse(value))
    layout = _layout(value.dtype, type(value).__name__, ())
    return msgpack.ExtType(_Ext.SCALAR, _LENGTH.pack(len(layout)) + layout + value.tobytes())


@lru_cache(LAYOUTS_KEPT)
def _layout(dtype: np.dtype[Any], _type_name: str, shape: tuple[int, ...]) -> bytes:
    # Dtypes of different scalar types can be equal: the name tells their cache entries apart.
    try:
        layout = bytes(msgpack.packb([dtypes.describe(dtype), list(shape)]))
    except ValueError as error:
        raise EncodeError(f"cannot encode an array: {error}; convert it, e.g. with astype or tolist") from None
    if len(layout) > LAYOUT_BYTES:
        raise EncodeError(f"cannot encode an array: its dtype has {len(dtype.names or ())} fields; use several arrays")
    return layout


def _has_large_bytes(value: Any) -> bool:
    return any(type(each) is bytes and len(each) >= BUFFER_BYTES for level in _levels(value) for each in level)


def _hoist(value: Any) -> Any:
    """Return `value` with its large bytes marked to be frames; keys stay as they are."""
    kind = type(value)
    if kind is bytes:
        return _LargeBytes(value) if len(value) >= BUFFER_BYTES else value
    if kind is dict:
        return {key: _hoist(each) for key, each in value.items()}
    if kind is list or kind is tuple:
        return kind(_hoist(each) for each in value)
    return value


# --- what both sides hold a value to


def _levels(value: Any) -> Iterator[list[Any]]:
    """Yield [value], then all that it contains, then all that those contain: each step is one call into C."""
    level = [value]
    while level:
        yield level
        level = get_referents(*level)


def _survey(value: Any, limits: Limits) -> tuple[str, set[type]]:
    """Return (what is wrong with `value` or "", the types in it)."""
    kinds: set[type] = set()
    items = -1
    for depth, level in enumerate(_levels(value)):
        here = set(map(type, level))
        # Before anything is looked into: what a foreign object refers to may be the whole interpreter.
        for kind in here - _PLAIN:
            if kind is not np.ndarray and not issubclass(kind, np.generic):
                return f"cannot encode {kind.__name__}", kinds
        if depth >= limits.nesting and not here.isdisjoint(_CONTAINERS):
            return f"nested deeper than {limits.nesting} levels", kinds
        items += len(level)
        if items > limits.container_items:
            return f"more than {limits.container_items} entries in lists, tuples and dicts", kinds
        kinds |= here
    return "", kinds


def _check_sizes(frames: Sequence[Frame], limits: Limits, error: type[EncodeError | DecodeError]) -> None:
    sizes = [memoryview(frame).nbytes for frame in frames]
    if not 1 <= len(frames) <= limits.frames:
        raise error(f"a message has 1 to {limits.frames} frames, not {len(frames)}")
    if sizes[0] > limits.head_bytes:
        raise error(
            f"a message of {sizes[0]} bytes besides its large buffers, {limits.head_bytes} are allowed: "
            "send fewer items at a time, or numpy arrays instead of many small objects"
        )
    if sum(sizes) > limits.message_bytes:
        raise error(f"a message of {sum(sizes)} bytes, {limits.message_bytes} are allowed: send less at a time")


# --- why a value cannot travel: slow, and only after it failed


def _refuse(value: Any) -> str:
    return f"cannot encode {type(value).__name__}; {_ADVICE}"


def _locate(value: Any, limits: Limits) -> str:
    """Return what is wrong and where, "" when nothing is found."""
    return next(_problems(value, "", (), limits.nesting), "")


def _problems(value: Any, path: str, inside: tuple[int, ...], nesting: int) -> Iterator[str]:
    where = f" at {path}" if path else ""
    if type(value) not in _CONTAINERS:
        yield from _leaf_problems(value, where)
    elif id(value) in inside:
        yield f"cannot encode a {type(value).__name__} that contains itself{where}"
    elif len(inside) >= nesting:
        yield f"cannot encode a value that is nested deeper than {nesting} levels: {path[:60]}..."
    else:
        for step, each in _entries(value):
            yield from _problems(each, path + step, (*inside, id(value)), nesting)


def _entries(container: Any) -> Iterator[tuple[str, Any]]:
    if type(container) is dict:
        for key, each in container.items():
            yield f"<key {_short(key)}>", key
            yield f"[{_short(key)}]", each
    else:
        for index, each in enumerate(container):
            yield f"[{index}]", each


def _short(key: Any) -> str:
    plain = type(key) in _PLAIN - _CONTAINERS or isinstance(key, np.generic)
    return repr(key)[:60] if plain else f"<{type(key).__name__}>"


def _leaf_problems(value: Any, where: str) -> Iterator[str]:
    if type(value) in _PLAIN:
        return
    try:
        _pack_head(value, _Buffers(1))
    except EncodeError as error:
        what, _, advice = str(error).partition(";")
        yield f"{what}{where};{advice}"
        return
    if _survey(value, UNLIMITED)[0]:
        what, _, advice = _refuse(value).partition(";")
        yield f"{what}{where};{advice}"


# --- from frames


def decode(frames: Sequence[Frame], limits: Limits = DEFAULT) -> Any:
    """Return the value in `frames`; its arrays are writable and own their memory.

    Raises DecodeError and nothing else, whatever the bytes are, within the memory that `limits` allow.
    """
    _check_sizes(frames, limits, DecodeError)
    reader = _Reader(frames[1:], limits)
    try:
        value = reader.read(frames[0])
    except _BROKEN as error:
        raise DecodeError(f"not a message: {type(error).__name__}: {str(error)[:200]}") from None
    problem, _ = _survey(value, limits)
    if problem:
        raise DecodeError(f"not a message: {problem}")
    return value


def unpack(data: Frame, limits: Limits = DEFAULT) -> Any:
    """Return the value that `pack` made `data` of. Raises DecodeError and nothing else."""
    return decode(split_frames(data), limits)


def _check_whole(data: Frame) -> None:
    # Looks through the bytes without making anything: a length that is a lie would be allocated otherwise.
    unpacker = msgpack.Unpacker(max_buffer_size=memoryview(data).nbytes)
    unpacker.feed(data)
    unpacker.skip()


class _Reader:
    """Reads one message; counts what it makes, so that a small message cannot become a large value."""

    def __init__(self, frames: Sequence[Frame], limits: Limits) -> None:
        self._frames = list(reversed(frames))
        self._limits = limits
        self._made = 0

    def read(self, head: Frame) -> Any:
        _check_whole(head)
        items = self._limits.container_items
        value = msgpack.unpackb(
            head,
            ext_hook=self._on_extension,
            list_hook=self._on_list,
            # A head has no more entries than bytes: counting them is for large ones.
            object_hook=self._on_dict if memoryview(head).nbytes > items else None,
            strict_map_key=False,
            unicode_errors="surrogatepass",
            max_array_len=items + 1,
            max_map_len=items,
        )
        if self._frames:
            raise DecodeError(f"not a message: {len(self._frames)} frames that nothing refers to")
        return value

    def _count(self) -> None:
        self._made += 1
        if self._made > self._limits.container_items:
            raise DecodeError(f"not a message: more than {self._limits.container_items} containers")

    def _on_list(self, items: list[Any]) -> list[Any] | tuple[Any, ...]:
        self._count()
        if items and items[0] is _TUPLE_MARK:
            del items[0]
            return tuple(items)
        return items

    def _on_dict(self, items: dict[Any, Any]) -> dict[Any, Any]:
        self._count()
        return items

    def _on_extension(self, code: int, data: bytes) -> Any:
        self._count()
        match code:
            case _Ext.TUPLE if not data:
                return _TUPLE_MARK
            case _Ext.ARRAY:
                return self._make_array(*_split_layout(data))
            case _Ext.ARRAY_FRAME:
                return self._make_array(_read_layout(data), self._next_frame())
            case _Ext.BYTES_FRAME if not data:
                return bytes(self._next_frame())
            case _Ext.SCALAR:
                return self._make_scalar(*_split_layout(data))
            case _:
                return _make_simple(code, data)

    def _next_frame(self) -> Frame:
        if not self._frames:
            raise DecodeError("not a message: a frame is missing")
        return self._frames.pop()

    def _make_array(self, layout: _Layout, data: Frame) -> np.ndarray[Any, Any]:
        if memoryview(data).nbytes != layout.nbytes:
            raise DecodeError(f"not a message: {layout} with {memoryview(data).nbytes} bytes")
        if layout.nbytes == 0:
            return self._make_empty(layout)
        array = np.ndarray(layout.shape, layout.dtype, data).copy()
        if layout.has_text:
            _check_text(array)
        return array

    def _make_empty(self, layout: _Layout) -> np.ndarray[Any, Any]:
        if math.prod(max(size, 1) for size in layout.shape) > self._limits.container_items:
            raise DecodeError(f"not a message: {layout} is too large for an array without bytes")
        if layout.dtype.itemsize > self._limits.message_bytes:
            raise DecodeError(f"not a message: {layout} has too large items")
        return np.ndarray(layout.shape, layout.dtype)

    def _make_scalar(self, layout: _Layout, data: Frame) -> Any:
        if layout.shape:
            raise DecodeError(f"not a message: {layout} for a scalar")
        return self._make_array(layout, data)[()]


def _check_text(array: np.ndarray[Any, Any]) -> None:
    try:
        array.tolist()
    except (ValueError, SystemError):  # the second is what CPython has for a character that does not exist
        raise DecodeError("not a message: an array of text that is no Unicode") from None


@dataclass(frozen=True)
class _Layout:
    """What turns bytes into an array."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    nbytes: int
    has_text: bool

    def __str__(self) -> str:
        return f"an array of shape {str(self.shape)[:60]}"


def _split_layout(data: bytes) -> tuple[_Layout, memoryview]:
    if len(data) < _LENGTH.size:
        raise DecodeError("not a message: an array without a layout")
    end = _LENGTH.size + _LENGTH.unpack_from(data)[0]
    return _read_layout(data[_LENGTH.size : end]), memoryview(data)[end:]


@lru_cache(LAYOUTS_KEPT)
def _read_layout(data: bytes) -> _Layout:
    if len(data) > LAYOUT_BYTES:
        raise DecodeError(f"not a message: {len(data)} bytes of dtype and shape")
    _check_whole(data)
    description, shape = msgpack.unpackb(data)
    dtype = dtypes.build(description)
    if type(shape) is not list or not all(type(size) is int and size >= 0 for size in shape):
        raise DecodeError("not a message: an array without a shape")
    if dtype.subdtype is not None:
        raise DecodeError("not a message: an array of a sub-array dtype")
    return _Layout(dtype, tuple(shape), math.prod(shape) * dtype.itemsize, "U" in str(dtype))


def _make_simple(code: int, data: bytes) -> Any:
    match code:
        case _Ext.INT:
            return int.from_bytes(data, "little", signed=True)
        case _Ext.NUMPY_STR:
            return np.str_(data.decode("utf-8", "surrogatepass"))
        case _Ext.NUMPY_BYTES:
            return np.bytes_(data)
        case _:
            raise DecodeError(f"not a message: extension type {code} of {len(data)} bytes is unknown")


# --- frames as one byte string: their number, their lengths, themselves

_COUNT = struct.Struct("<I")
_SIZE_BYTES = 8


def frame_table(frames: Sequence[Frame]) -> bytes:
    """Return what stands before the frames where they are one byte string."""
    sizes = [memoryview(frame).nbytes for frame in frames]
    return struct.pack(f"<I{len(sizes)}Q", len(sizes), *sizes)


def join_frames(frames: Sequence[Frame]) -> bytes:
    """Return `frames` as one byte string."""
    return b"".join([frame_table(frames), *frames])


def split_frames(data: Frame) -> list[Frame]:
    """Return the frames that `join_frames` made `data` of, without a copy. Raises DecodeError."""
    view = memoryview(data)
    if view.nbytes < _COUNT.size:
        raise DecodeError(f"not a table of frames: {view.nbytes} bytes")
    (count,) = _COUNT.unpack_from(view)
    start = _COUNT.size + count * _SIZE_BYTES
    if start > view.nbytes:
        raise DecodeError(f"not a table of frames: {count} frames in {view.nbytes} bytes")
    sizes = struct.unpack_from(f"<{count}Q", view, _COUNT.size)
    if start + sum(sizes) != view.nbytes:
        raise DecodeError(f"not a table of frames: {start + sum(sizes)} bytes wanted, there are {view.nbytes}")
    ends = list(itertools.accumulate(sizes, initial=start))
    return [view[begin:end] for begin, end in itertools.pairwise(ends)]
