"""Items as columns: what fits comes back, what does not is left out and changes nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from services.actor.chunk import ColumnChunk
from srl.rl.memories.rows import RowBuffer, stack
from srl.rl.memories.schema import SchemaError, schema_of
from srl_common.columns import check_columns
from srl_common.messages import Form

ITEM = {"array": np.zeros(2, np.float32), "int": 1, "float": 0.5, "bool": True, "scalar": np.int8(3)}


def filled(items):
    rows = RowBuffer(schema_of(items[0]), 100)
    assert all(rows.append(item) for item in items)
    return rows


def columns_of(items):
    return dict(zip(items[0], filled(items).columns(), strict=True))


def test_each_field_is_an_array_of_its_values():
    columns = columns_of([ITEM, {**ITEM, "int": 7, "array": np.array([1, 2], np.float32)}])
    assert {name: (column.dtype.str, column.shape) for name, column in columns.items()} == {
        "array": ("<f4", (2, 2)),
        "int": ("<i8", (2,)),
        "float": ("<f8", (2,)),
        "bool": ("|b1", (2,)),
        "scalar": ("|i1", (2,)),
    }
    assert columns["int"].tolist() == [1, 7]
    assert columns["array"].tolist() == [[0, 0], [1, 2]]


def test_what_was_appended_may_be_changed_afterwards():
    state = np.zeros(2)
    rows = filled([{"state": state}])
    state[:] = 9
    assert rows.columns()[0].tolist() == [[0, 0]]


@pytest.mark.parametrize(
    "item",
    [
        {**ITEM, "more": 1},
        {name: value for name, value in ITEM.items() if name != "int"},
        dict(reversed(ITEM.items())),
        {**ITEM, "int": 1.0},
        {**ITEM, "int": True},
        {**ITEM, "int": 1 << 63},
        {**ITEM, "float": (1 << 53) + 1},
        {**ITEM, "float": True},
        {**ITEM, "bool": 1},
        {**ITEM, "array": np.zeros(2)},
        {**ITEM, "array": np.zeros(3, np.float32)},
        {**ITEM, "array": [0.0, 0.0]},
        {**ITEM, "array": np.ma.masked_array(np.zeros(2, np.float32))},
        {**ITEM, "scalar": np.int16(3)},
        {**ITEM, "scalar": 3},
        [1],
    ],
)
def test_an_item_of_another_schema_changes_nothing(item):
    rows = filled([ITEM])
    assert not rows.append(item)
    assert len(rows.columns()[0]) == 1
    assert rows.append(ITEM)


@pytest.mark.parametrize(
    ("name", "value"), [("int", np.int64(4)), ("float", np.float64(4)), ("float", 4), ("bool", np.bool_(False))]
)
def test_numbers_of_another_type_without_loss_fit(name, value):
    columns = columns_of([ITEM, {**ITEM, name: value}, ITEM])
    assert columns[name].tolist() == [ITEM[name], value, ITEM[name]]
    assert columns[name].dtype == np.array(ITEM[name]).dtype


@pytest.mark.parametrize(
    "first", [{}, [], {1: 2}, {"a": "text"}, {"a": None}, {"a": [1]}, {"a": np.array(["x"])}, {"a": np.array([{}])}]
)
def test_what_has_no_schema_is_refused(first):
    with pytest.raises(SchemaError, match="schema"):
        schema_of(first)


def test_there_is_room_for_the_items_and_bytes_asked_for_and_for_one_at_least():
    item = {"a": np.zeros(100, np.uint8)}
    for items, size, room in [(10, 350, 3), (2, 350, 2), (10, 1, 1)]:
        chunk = ColumnChunk("add", item, items, size)
        assert [chunk.add(Form.COLUMNS, item) for _ in range(room + 1)] == [True] * room + [False]
        assert (chunk.count, chunk.bytes) == (room, room * 100)
        assert chunk.body()["a"].shape == (room, 100)


def test_a_chunk_of_columns_is_of_dicts():
    with pytest.raises(SchemaError, match="dict"):
        ColumnChunk("add", [1], 10, 100)


@given(hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(min_side=0)), st.integers(-(2**63), 2**63 - 1), st.floats())
def test_any_numbers_come_back(array, integer, number):
    if array.dtype.kind not in "biufcmM":
        return
    columns = columns_of([{"array": array, "integer": integer, "number": number}] * 2)
    assert columns["array"].shape == (2, *array.shape)
    for row in range(2):
        assert columns["array"][row].tobytes() == array.tobytes()
        assert int(columns["integer"][row]) == integer
        assert columns["number"][row].tobytes() == np.float64(number).tobytes()


@pytest.mark.parametrize("items", [[1, "x"], [1, (1,)], [0.5, (1 << 53) + 1], [np.zeros(2), np.zeros(3)]])
def test_items_that_differ_have_no_columns(items):
    with pytest.raises(SchemaError):
        stack(items)


def test_ints_and_floats_together_are_floats():
    assert [column.tolist() for column in stack([(1, 2), (0.5, 3)])[1]] == [[1.0, 0.5], [2, 3]]


@pytest.mark.parametrize("columns", [[1], {}, {1: np.zeros(2)}, {"a": [0, 0]}, {"a": np.zeros(3)}, {"a": np.array(0)}])
def test_columns_from_elsewhere_are_checked(columns):
    assert check_columns(columns, 2) != ""


def test_good_columns_pass():
    assert check_columns({"a": np.zeros((2, 3))}, 2) == ""
