"""Items as columns: what fits comes back, what does not is left out and changes nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from srl_common.columns import ColumnBuffer, check_columns

ITEM = {"array": np.zeros(2, np.float32), "int": 1, "float": 0.5, "bool": True, "scalar": np.int8(3)}


def filled(items, capacity_items=100, capacity_bytes=1 << 20):
    buffer = ColumnBuffer(items[0], capacity_items, capacity_bytes)
    assert all(buffer.append(item) for item in items)
    return buffer


def test_each_field_is_an_array_of_its_values():
    columns = filled([ITEM, {**ITEM, "int": 7, "array": np.array([1, 2], np.float32)}]).columns()
    assert {name: (column.dtype.str, column.shape) for name, column in columns.items()} == {
        "array": ("<f4", (2, 2)),
        "int": ("<i8", (2,)),
        "float": ("<f8", (2,)),
        "bool": ("|b1", (2,)),
        "scalar": ("|i1", (2,)),
    }
    assert columns["int"].tolist() == [1, 7]
    assert columns["array"].tolist() == [[0, 0], [1, 2]]


@pytest.mark.parametrize(
    "item",
    [
        {**ITEM, "more": 1},
        {name: value for name, value in ITEM.items() if name != "int"},
        dict(reversed(ITEM.items())),
        {**ITEM, "int": 1.0},
        {**ITEM, "int": True},
        {**ITEM, "int": 1 << 63},
        {**ITEM, "array": np.zeros(2)},
        {**ITEM, "array": np.zeros(3, np.float32)},
        {**ITEM, "array": [0.0, 0.0]},
        {**ITEM, "scalar": np.int16(3)},
        [1],
    ],
)
def test_an_item_of_another_schema_changes_nothing(item):
    buffer = filled([ITEM])
    assert not buffer.append(item)
    assert buffer.count == 1
    assert buffer.append(ITEM)


@pytest.mark.parametrize(
    "first", [{}, [1], 1, {1: 2}, {"a": "text"}, {"a": None}, {"a": [1]}, {"a": np.array(["x"])}, {"a": np.array([{}])}]
)
def test_what_has_no_schema_is_refused(first):
    with pytest.raises(ValueError, match=r"schema|layout|name of a field"):
        ColumnBuffer(first, 10, 100)


def test_there_is_room_for_the_items_and_bytes_asked_for_and_for_one_at_least():
    item = {"a": np.zeros(100, np.uint8)}
    assert ColumnBuffer(item, 10, 350).item_bytes == 100
    for items, size, room in [(10, 350, 3), (2, 350, 2), (10, 1, 1)]:
        buffer = ColumnBuffer(item, items, size)
        assert [buffer.append(item) for _ in range(room + 1)] == [True] * room + [False]
        assert buffer.is_full


@given(hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(min_dims=0)), st.integers(-(2**63), 2**63 - 1), st.floats())
def test_any_numbers_come_back(array, integer, number):
    if array.dtype.kind not in "biufcmM":
        return
    columns = filled([{"array": array, "integer": integer, "number": number}] * 2).columns()
    for row in range(2):
        assert columns["array"][row : row + 1].tobytes() == array.tobytes()
        assert int(columns["integer"][row]) == integer
        assert columns["number"][row].tobytes() == np.float64(number).tobytes()


@pytest.mark.parametrize("columns", [[1], {1: np.zeros(2)}, {"a": [0, 0]}, {"a": np.zeros(3)}, {"a": np.array(0)}])
def test_columns_from_elsewhere_are_checked(columns):
    assert check_columns(columns, 2) != ""


def test_good_columns_pass():
    assert check_columns({"a": np.zeros((2, 3))}, 2) == ""
