"""What can travel comes back the same; any bytes are a value or a DecodeError, never another error."""

from __future__ import annotations

import contextlib

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from srl_common.codec import DEFAULT, Limits, decode, encode, pack, unpack
from srl_common.errors import DecodeError

DTYPES = st.one_of(
    st_numpy.scalar_dtypes(),
    st_numpy.array_dtypes(max_size=3, allow_subarrays=True),
    st_numpy.byte_string_dtypes(),
    st_numpy.unicode_string_dtypes(),
)
ARRAYS = st_numpy.arrays(DTYPES, st_numpy.array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=4))
SCALARS = st_numpy.scalar_dtypes().flatmap(st_numpy.from_dtype)
TEXTS = st.text(st.characters(exclude_categories=()))
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.binary(), SCALARS)
HASHABLE = st.one_of(LEAVES, st.tuples(LEAVES, st.tuples(LEAVES)))
VALUES = st.recursive(
    st.one_of(LEAVES, ARRAYS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(HASHABLE, inner, max_size=4),
    ),
    max_leaves=12,
)


def key(value):
    """Return what tells two values apart: types, dtypes, and every bit."""
    if isinstance(value, np.ndarray):
        return "array", repr(value.dtype), value.shape, [key(each) for each in value.ravel()]
    if isinstance(value, np.void) and value.dtype.names is not None:
        return "void", [key(value[name]) for name in value.dtype.names]
    if isinstance(value, np.generic):
        return type(value), repr(value.dtype), value.tobytes()
    if isinstance(value, dict):
        return "dict", [(key(name), key(each)) for name, each in value.items()]
    if isinstance(value, list | tuple):
        return type(value), [key(each) for each in value]
    return type(value), repr(value)


@given(VALUES)
@settings(deadline=None)
def test_a_value_comes_back_the_same(value):
    assert key(decode(encode(value))) == key(value)
    assert key(unpack(pack(value))) == key(value)


def decode_or_refuse(frames, limits=DEFAULT):
    with contextlib.suppress(DecodeError):
        decode(frames, limits)


@given(st.lists(st.binary(max_size=64), max_size=3))
@settings(deadline=None)
def test_random_bytes_are_a_value_or_refused(frames):
    decode_or_refuse(frames)


@given(VALUES, st.data())
@settings(deadline=None)
def test_a_damaged_message_is_a_value_or_refused(value, data):
    frames = [bytearray(frame) for frame in encode(value)]
    damaged = data.draw(st.sampled_from(frames))
    for _ in range(data.draw(st.integers(1, 4))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    decode_or_refuse([memoryview(frame) for frame in frames])


@given(VALUES, st.integers(0, 200), st.integers(0, 5), st.integers(0, 20))
@settings(deadline=None)
def test_limits_refuse_and_raise_nothing_else(value, head_bytes, nesting, container_items):
    limits = Limits(head_bytes=head_bytes, nesting=nesting, container_items=container_items)
    decode_or_refuse(encode(value), limits)


@given(st.binary(max_size=200))
def test_random_bytes_of_a_file_are_a_value_or_refused(data):
    with contextlib.suppress(DecodeError):
        unpack(data)
