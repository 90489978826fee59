"""What can travel comes back as it was, what cannot is refused with its place, and so are foreign bytes."""

from __future__ import annotations

import math
import struct
import tracemalloc

import msgpack
import numpy as np
import pytest

from srl_common import codec
from srl_common.codec import BUFFER_BYTES, DEFAULT, Limits, decode, encode, pack, unpack
from srl_common.errors import DecodeError, EncodeError

STRUCTURED = np.dtype([("position", "<f4", (2,)), ("name", "U3"), ("when", "M8[ms]")])
OVERLAPPING = np.dtype({"names": ["a", "b"], "formats": ["<i4", ">i2"], "offsets": [0, 2], "itemsize": 9})
EMPTY_TEXT = np.zeros(3, [("f", "S0")])["f"]


def check_same(made, value):
    assert type(made) is type(value)
    if isinstance(value, np.ndarray):
        assert made.dtype == value.dtype
        assert made.dtype.type is value.dtype.type
        assert made.shape == value.shape
        assert content(made) == content(value)
    elif isinstance(value, np.generic):
        assert made.dtype.char == value.dtype.char
        assert content(made) == content(value)
    elif isinstance(value, dict):
        check_same(list(made.items()), list(value.items()))
    elif isinstance(value, list | tuple):
        assert len(made) == len(value)
        for one, other in zip(made, value, strict=True):
            check_same(one, other)
    elif isinstance(value, float):
        assert struct.pack("d", made) == struct.pack("d", value)
    else:
        assert made == value


def content(value):
    # Bytes between fields are nobody's.
    return value.tobytes() if value.dtype.names is None else repr(value.tolist())


PLAIN = [
    None, True, False, 0, -1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**400, -(10**400),
    0.0, -0.0, 1.5, math.inf, math.nan, "", "日本語", "\ud800lone", b"", b"bytes", b"x" * BUFFER_BYTES,
    [], (), {}, [[]], ((),), [(1, [2, (3,)])], (None,), ["", b""],
    {None: 1, False: 2, 7: 3, 1.5: 4, "s": 5, b"b": 6, np.int64(9): 7, np.float32(0.5): 8, 2**70: 9},
    {(1, (2, "x")): {(): [()]}, (np.int8(3), None): b"y" * 10_000},
    [b"z" * 20_000, {"deep": (b"w" * 9_000, "u" * 9_000)}],
]  # fmt: skip
SCALARS = [
    np.bool_(True), np.int8(-5), np.uint64(2**64 - 1), np.longlong(5), np.ulonglong(5),
    np.float16(0.5), np.float64(1.5), np.longdouble(1) / 3, np.complex64(1 + 2j), np.clongdouble(1j),
    np.str_("é"), np.str_("zero\0"), np.str_(""), np.bytes_(b"zero\0"), np.bytes_(b""),
    np.datetime64("2024-01-01", "ns"), np.datetime64("NaT"), np.timedelta64(3, "h"),
    np.void(b"abc"), np.void(b""), np.zeros(1, STRUCTURED)[0],
]  # fmt: skip
ARRAYS = [
    np.array(5), np.zeros(0), np.zeros((3, 0, 2), "i2"), np.arange(6).reshape(2, 3).T, np.arange(20)[::-3],
    np.arange(5, dtype=">f8"), np.array([1, 2], np.longlong), np.array(["a", "bcd"]), np.array([b"a", b"bc"]),
    np.array(["2024", "NaT"], "M8[Y]"), np.array([1], "m8[25s]"), np.array([1j], np.complex128),
    np.ones(2, np.longdouble), np.array([True, False]), np.float16([1.5]),
    np.zeros(4, "V3"), np.zeros((2, 5), "V0"), EMPTY_TEXT, np.zeros(2, np.dtype([])),
    np.zeros((2, 2), STRUCTURED), np.ones(3, OVERLAPPING), np.zeros(2, [(("title", "a"), "i1")]),
    np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    np.arange(10_000).reshape(100, 100), np.arange(10_000).reshape(100, 100).T, np.zeros((64, 64), ">f4"),
    np.zeros(5_000, "M8[s]"), np.zeros(1_000, STRUCTURED), np.arange(30_000, dtype="u1")[::2],
]  # fmt: skip


@pytest.mark.parametrize("value", [*PLAIN, *SCALARS, *ARRAYS], ids=lambda value: repr(value)[:40])
def test_a_value_comes_back_as_it_was(value):
    check_same(decode(encode(value)), value)
    check_same(unpack(pack(value)), value)
    check_same(decode(encode([{"in": (value,)}]))[0]["in"][0], value)


@pytest.mark.parametrize("array", ARRAYS, ids=lambda value: repr(value)[:40])
def test_a_decoded_array_is_writable_and_owns_its_memory(array):
    made = decode(encode(array))
    assert made.flags.writeable
    assert made.flags.owndata


def test_equal_dtypes_of_different_types_do_not_meet_in_the_cache():
    for kind in (np.int64, np.longlong, np.int64):
        assert decode(encode(np.zeros(2, kind))).dtype.type is kind


def test_large_buffers_travel_as_frames_without_a_copy():
    array, data = np.zeros(BUFFER_BYTES, "u1"), b"x" * BUFFER_BYTES
    frames = encode({"array": array, "data": data, "small": array[:10]})
    assert len(frames) == 3
    assert np.shares_memory(np.frombuffer(frames[1], "u1"), array)
    assert frames[2] is data
    assert len(frames[0]) < 200


def test_buffers_beyond_the_number_of_frames_stay_in_the_head():
    value = [b"x" * BUFFER_BYTES] * 3 + [np.zeros(BUFFER_BYTES, "u1")] * 3
    frames = encode(value, Limits(frames=3))
    assert len(frames) == 3
    check_same(decode(frames, Limits(frames=3)), value)


class Author:
    pass


class AuthorList(list):
    pass


class AuthorFloat(np.float64):
    pass


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([0, 0, 0, {"state": (Author(),)}], r"cannot encode Author at \[3\]\['state'\]\[0\]; use exactly"),
        (Author(), r"cannot encode Author; use"),
        ({"a": {1}}, r"cannot encode set at \['a'\]"),
        ([AuthorList()], r"cannot encode AuthorList at \[0\]"),
        ([AuthorFloat(1)], r"cannot encode AuthorFloat at \[0\]"),
        ([bytearray(b"")], r"cannot encode bytearray at \[0\]"),
        ({"m": memoryview(b"")}, r"cannot encode memoryview at \['m'\]"),
        ([msgpack.ExtType(1, b"")], r"cannot encode ExtType at \[0\]"),
        ([[msgpack.Timestamp(1)]], r"cannot encode Timestamp at \[0\]\[0\]"),
        ({frozenset(): 1}, r"cannot encode frozenset at <key <frozenset>>"),
        ([np.array([None])], r"cannot encode an array: its dtype holds Python objects at \[0\]; convert"),
        ([np.zeros(1, [("a", "i1"), ("b", "O")])], r"holds Python objects at \[0\]"),
        ([np.zeros(2, np.dtype((np.record, [("a", "i1")])))], r"has no description at \[0\]"),
        ([np.ma.zeros(2)], r"cannot encode MaskedArray at \[0\]"),
        ([np.zeros(1, [(f"field{i}", "i1") for i in range(9000)])], r"its dtype has 9000 fields at \[0\]"),
    ],
)
def test_what_cannot_travel_is_named_with_its_place(value, message):
    with pytest.raises(EncodeError, match=message):
        encode(value)


def test_a_value_that_contains_itself_is_refused():
    value = [1]
    value.append({"again": [value, value]})
    with pytest.raises(EncodeError, match=r"contains itself at \[1\]\['again'\]\[0\]"):
        encode(value)


def nested(levels):
    value = 0
    for _ in range(levels):
        value = [value]
    return value


def test_nesting_is_limited_on_both_sides():
    assert decode(encode(nested(100))) == nested(100)
    with pytest.raises(EncodeError, match="nested deeper than 100 levels"):
        encode(nested(101))
    with pytest.raises(EncodeError, match="nested deeper than 100 levels"):
        encode(nested(5_000))
    with pytest.raises(DecodeError, match="nested deeper than 9 levels"):
        decode(encode(nested(10)), Limits(nesting=9))


@pytest.mark.parametrize(
    ("value", "limits", "message"),
    [
        ("x" * 100, Limits(head_bytes=50), "102 bytes besides its large buffers, 50 are allowed"),
        ([np.zeros(10_000)] * 2, Limits(message_bytes=100_000), "bytes, 100000 are allowed"),
        ([0] * 11, Limits(container_items=10), "more than 10 entries"),
        ({i: i for i in range(6)}, Limits(container_items=10), "more than 10 entries"),
        ([[0] * 4] * 4, Limits(container_items=19), "more than 19 entries"),
    ],
)
def test_limits_hold_on_both_sides(value, limits, message):
    with pytest.raises(EncodeError, match=message):
        encode(value, limits)
    with pytest.raises(DecodeError):
        decode(encode(value), limits)


def test_too_many_frames_are_refused():
    frames = encode([np.zeros(10_000)] * 4)
    assert len(frames) == 5
    with pytest.raises(DecodeError, match="1 to 4 frames, not 5"):
        decode(frames, Limits(frames=4))
    with pytest.raises(DecodeError, match="not 0"):
        decode([])


def extension(code, data=b""):
    return bytes(msgpack.packb(msgpack.ExtType(code, data)))


def array(description, shape, data=b"", code=codec._Ext.ARRAY):
    layout = msgpack.packb([description, shape])
    return extension(code, len(layout).to_bytes(4, "little") + layout + data)


FIELDS = {"names": ["a"], "formats": ["<i4"], "offsets": [0], "itemsize": 4, "titles": None, "aligned": False}
DEEP_DTYPE = "<i4"
for _ in range(20):
    DEEP_DTYPE = {"base": DEEP_DTYPE, "shape": [1]}

BOMBS = {
    "nothing": b"",
    "reserved byte": b"\xc1",
    "cut": b"\x92\x01",
    "more than one value": b"\x01\x02",
    "array of 4 G": b"\xdd\xff\xff\xff\xff",
    "map of 4 G": b"\xdf\xff\xff\xff\xff",
    "text of 4 G": b"\xdb\xff\xff\xff\xff",
    "nested lengths": b"\xdd\x00\x20\x00\x00" * 1_000,
    "nesting 10,000": b"\x91" * 10_000 + b"\x90",
    "nesting of maps": b"\x81\x01" * 10_000 + b"\x80",
    "not UTF-8": b"\xa1\xff",
    "list as key": b"\x81\x90\x01",
    "array as key": b"\x81" + array("|i1", [1], b"x") + b"\x01",
    "timestamp": b"\xd6\xff\x00\x00\x00\x00",
    "damaged timestamp": b"\xd7\xff" + b"\xff" * 8,
    "unknown extension": extension(99, b"abc"),
    "tuple mark alone": extension(codec._Ext.TUPLE),
    "tuple mark in the middle": b"\x92\x01" + extension(codec._Ext.TUPLE),
    "tuple mark with bytes": b"\x91" + extension(codec._Ext.TUPLE, b"x"),
    "frame missing": extension(codec._Ext.BYTES_FRAME),
    "no layout": extension(codec._Ext.ARRAY, b"\x01"),
    "cut layout": extension(codec._Ext.ARRAY, b"\xff\xff\xff\xff\x90"),
    "long layout": extension(codec._Ext.ARRAY_FRAME, bytes(100_000)),
    "layout of nested lengths": extension(codec._Ext.ARRAY_FRAME, b"\xdd\x00\x00\xff\xff" * 1_000),
    "layout of three": extension(codec._Ext.ARRAY_FRAME, msgpack.packb(["|i1", [1], 1])),
    "layout of no list": extension(codec._Ext.ARRAY_FRAME, msgpack.packb(1)),
    "object dtype": array("|O", [1], bytes(8)),
    "named dtype": array("object", [1], bytes(8)),
    "dtype with commas": array("i4,i4", [1], bytes(8)),
    "dtype of no size": array("<f5", [1], bytes(5)),
    "dtype of a huge size": array("<U4000000000", [1]),
    "dtype of large items, no entry": array("|V2000000000", [0]),
    "dtype of a number": array(4, [1]),
    "dtype unit": array("<M8[abc]", [1], bytes(8)),
    "dtype without fields": array({}, [1], bytes(8)),
    "nested dtype": array(DEEP_DTYPE, [1], bytes(4)),
    "sub-array dtype": array({"base": "<i4", "shape": [2]}, [1], bytes(8)),
    "sub-array without shape": array({"base": "<i4", "shape": []}, [1], bytes(8)),
    "field beyond the item": array(FIELDS | {"offsets": [2]}, [1], bytes(4)),
    "negative offset": array(FIELDS | {"offsets": [-1]}, [1], bytes(4)),
    "field without name": array(FIELDS | {"names": [1]}, [1], bytes(4)),
    "title of no text": array(FIELDS | {"titles": [[]]}, [1], bytes(4)),
    "formats of no list": array(FIELDS | {"formats": 1}, [1], bytes(4)),
    "too few bytes": array("<i4", [2], bytes(7)),
    "too many bytes": array("<i4", [2], bytes(9)),
    "negative shape": array("<i4", [-1], bytes(4)),
    "shape of floats": array("<i4", [1.0], bytes(4)),
    "shape of no list": array("<i4", 1, bytes(4)),
    "shape of 100 axes": array("<i4", [1] * 100, bytes(4)),
    "huge shape of nothing": array("|V0", [2**40]),
    "huge shape with a zero": array("<i4", [0, 2**40]),
    "overflowing shape": array("<i4", [0, 2**62, 2**62]),
    "no character": array("<U1", [1], b"\xff\xff\xff\xff"),
    "no character in a scalar": array("<U1", [], b"\xff\xff\xff\xff", codec._Ext.SCALAR),
    "scalar with a shape": array("<i4", [1], bytes(4), codec._Ext.SCALAR),
}


@pytest.mark.parametrize("head", BOMBS.values(), ids=BOMBS.keys())
def test_bytes_that_are_no_message_raise_a_decode_error(head):
    with pytest.raises(DecodeError):
        decode([head])


@pytest.mark.parametrize(
    "name", ["array of 4 G", "map of 4 G", "nested lengths", "nesting 10,000", "layout of nested lengths"]
)
def test_a_lie_about_a_length_costs_no_memory(name):
    tracemalloc.start()
    with pytest.raises(DecodeError):
        decode([BOMBS[name]])
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 4 << 20


@pytest.mark.parametrize("empty", [b"\x80", b"\x90", extension(codec._Ext.NUMPY_STR)])
def test_many_small_things_in_few_bytes_are_refused_early(empty):
    # Sixteen lists of empty containers: no single one is too long.
    count = 20_000
    head = b"\xdc\x00\x10" + (b"\xdd" + count.to_bytes(4, "big") + empty * count) * 16
    limits = Limits(container_items=40_000)
    tracemalloc.start()
    with pytest.raises(DecodeError, match="more than 40000"):
        decode([head], limits)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 12 << 20


def test_a_hashing_recursion_is_refused():
    deep_key = (b"\x92" + extension(codec._Ext.TUPLE)) * 1_010 + b"\x01"
    with pytest.raises(DecodeError):
        decode([b"\x82" + (deep_key + b"\x01") * 2])


def test_frames_that_nothing_refers_to_are_refused():
    with pytest.raises(DecodeError, match="1 frames that nothing refers to"):
        decode([b"\x01", b"extra"])


def test_a_frame_of_another_size_is_refused():
    head, data = encode(np.zeros(10_000))
    with pytest.raises(DecodeError, match="with 79999 bytes"):
        decode([head, memoryview(data)[:-1]])


def test_frames_join_and_split():
    frames = [b"", b"abc", np.zeros(3).data]
    joined = codec.join_frames(frames)
    assert [bytes(frame) for frame in codec.split_frames(joined)] == [b"", b"abc", bytes(24)]
    assert codec.split_frames(codec.join_frames([])) == []


@pytest.mark.parametrize(
    "data", [b"", b"\x01", b"\xff\xff\xff\xff", b"\x01\x00\x00\x00" + b"\xff" * 8, b"\x00\x00\x00\x00x"]
)
def test_damaged_tables_of_frames_are_refused(data):
    with pytest.raises(DecodeError, match="not a table of frames"):
        codec.split_frames(data)


def test_a_checkpoint_may_be_larger_than_a_message():
    value = [0] * (DEFAULT.container_items + 1)
    data = pack(value)
    with pytest.raises(DecodeError):
        unpack(data)
    assert unpack(data, codec.UNLIMITED) == value
