"""Messages: what one side says is what the other hears, and anything else is a DecodeError."""

import contextlib
import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srl_common import codec, messages
from srl_common.errors import DecodeError, EncodeError
from srl_common.messages import (
    CATALOGUE,
    MAY_SEND,
    Ack,
    Batch,
    Beat,
    Bye,
    Call,
    Form,
    Hello,
    Pull,
    Refuse,
    Role,
    Stranger,
    View,
    Watch,
    Welcome,
)

NUMBERS = st.integers(-(2**70), 2**70)
TEXTS = st.text(st.characters(exclude_categories=()), max_size=8)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, st.floats(allow_nan=False), TEXTS, st.binary(max_size=8))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.one_of(TEXTS, NUMBERS), inner, max_size=3),
    ),
    max_leaves=10,
)
FIELDS = {
    "int": NUMBERS,
    "bool": st.booleans(),
    "str": TEXTS,
    "bytes": st.binary(max_size=16),
    "tuple[int, int]": st.tuples(NUMBERS, NUMBERS),
    "dict[str, int]": st.dictionaries(TEXTS, NUMBERS, max_size=3),
    "dict[str, Any]": st.dictionaries(TEXTS, VALUES, max_size=3),
    "dict[str, dict[str, Any]]": st.dictionaries(TEXTS, st.dictionaries(TEXTS, VALUES, max_size=2), max_size=2),
    "Any": VALUES,
}
MESSAGES = st.one_of(
    [st.builds(kind, **{each.name: FIELDS[each.type] for each in dataclasses.fields(kind)}) for kind in CATALOGUE]
)
GOOD = {
    Hello: [1, "actor", "actor-0", b"i", "digest", 0, 0, {}, {}, -1, 0, 1],
    Welcome: [1, b"i", 0, 8, -1, 0],
    Refuse: ["reason", False],
    Stranger: [],
    Call: [1, "add", Form.CALLS, 0, [], (0, 0)],
    Ack: [0, 8],
    Pull: ["sample", 5, 0],
    Batch: ["sample", 1, None],
    Beat: [{}],
    Watch: [],
    View: [{}, {}],
    Bye: [],
}


def decode_value(value):
    return messages.decode(codec.encode(value))


@given(MESSAGES)
@settings(deadline=None)
def test_a_message_comes_back_the_same(message):
    assert messages.decode(messages.encode(message)) == message


@given(VALUES)
@settings(deadline=None)
def test_any_value_is_a_message_or_refused(value):
    with contextlib.suppress(DecodeError):
        assert type(decode_value(value)) in CATALOGUE


@given(st.integers(0, len(CATALOGUE) - 1), st.lists(VALUES, max_size=9))
@settings(deadline=None)
def test_a_known_kind_with_any_fields_is_a_message_or_refused(number, values):
    with contextlib.suppress(DecodeError):
        message = decode_value([number, *values])
        assert type(message) is CATALOGUE[number]


@given(st.data())
@settings(deadline=None)
def test_a_message_with_one_field_changed_is_a_message_or_refused(data):
    kind = data.draw(st.sampled_from([kind for kind in CATALOGUE if GOOD[kind]]))
    values = list(GOOD[kind])
    values[data.draw(st.integers(0, len(values) - 1))] = data.draw(VALUES)
    with contextlib.suppress(DecodeError):
        assert type(decode_value([CATALOGUE.index(kind), *values])) is kind


@pytest.mark.parametrize("kind", CATALOGUE)
def test_the_examples_here_are_good(kind):
    assert decode_value([CATALOGUE.index(kind), *GOOD[kind]]) == kind(*GOOD[kind])


@pytest.mark.parametrize("value", [None, {}, [], (), "Hello", 3, (3,), [None], ["Hello"], [True], [3.0]])
def test_what_does_not_begin_with_the_number_of_a_kind_is_no_message(value):
    with pytest.raises(DecodeError, match="not a message: a list that begins with the number of a kind"):
        decode_value(value)


@pytest.mark.parametrize("number", [-1, len(CATALOGUE), 2**70])
def test_an_unknown_kind_is_named_with_the_protocol(number):
    with pytest.raises(DecodeError, match=f"message kind {number} is unknown to protocol {messages.PROTOCOL}"):
        decode_value([number])


@pytest.mark.parametrize("kind", CATALOGUE)
def test_a_wrong_number_of_fields_is_refused(kind):
    number, wanted = CATALOGUE.index(kind), len(GOOD[kind])
    for values in [[*GOOD[kind], None], *([GOOD[kind][:-1]] if wanted else [])]:
        with pytest.raises(DecodeError, match=f"{kind.__name__} has {wanted} fields, not {len(values)}"):
            decode_value([number, *values])


TYPED = [(kind, each) for kind in CATALOGUE for each in dataclasses.fields(kind) if each.type != "Any"]
WRONG = [
    (kind, each, wrong)
    for kind, each in TYPED
    for wrong in (None, 1.5, True, [1])
    if not (each.type == "bool" and wrong is True)
]


@pytest.mark.parametrize(
    ("kind", "each", "wrong"), WRONG, ids=[f"{kind.__name__}.{each.name}-{wrong}" for kind, each, wrong in WRONG]
)
def test_a_field_of_another_type_is_refused_by_name(kind, each, wrong):
    names = [one.name for one in dataclasses.fields(kind)]
    values = list(GOOD[kind])
    values[names.index(each.name)] = wrong
    with pytest.raises(DecodeError, match=f"{kind.__name__}.{each.name} cannot be a {type(wrong).__name__}"):
        decode_value([CATALOGUE.index(kind), *values])


@pytest.mark.parametrize("version", [(), (1,), (1, 2, 3), (1, "2"), (1, True), (1.0, 2)])
def test_a_version_is_a_pair_of_whole_numbers(version):
    with pytest.raises(DecodeError, match=r"Call.version is not \(epoch, train_count\)"):
        decode_value([CATALOGUE.index(Call), *GOOD[Call][:-1], version])


@pytest.mark.parametrize("positions", [{1: 1}, {"sample": "1"}, {"sample": True}, {"sample": None}])
@pytest.mark.parametrize("which", ["released", "received"])
def test_the_positions_of_hello_are_names_and_numbers(which, positions):
    values = list(GOOD[Hello])
    values[[each.name for each in dataclasses.fields(Hello)].index(which)] = positions
    with pytest.raises(DecodeError, match="Hello names a batch position that is not a name and a number"):
        decode_value([CATALOGUE.index(Hello), *values])


def test_the_limits_of_the_receiver_hold():
    frames = messages.encode(Refuse("x" * 1000))
    assert messages.decode(frames) == Refuse("x" * 1000)
    with pytest.raises(DecodeError, match="1000 bytes|100 are allowed"):
        messages.decode(frames, codec.Limits(head_bytes=100))


def test_an_authors_value_that_cannot_travel_is_an_error_of_the_sender():
    with pytest.raises(EncodeError, match="set"):
        messages.encode(Batch("sample", 1, {1, 2}))


def test_every_client_says_hello_beats_and_says_bye():
    assert all({Hello, Beat, Bye} <= allowed for allowed in MAY_SEND.values())
    assert MAY_SEND.keys() == set(Role)


@pytest.mark.parametrize("kind", [Welcome, Refuse, Stranger, Ack, Batch, View])
def test_what_a_host_says_no_client_may_say(kind):
    assert not any(kind in allowed for allowed in MAY_SEND.values())
