"""Golden vectors: the bytes of the wire change with the protocol's number, and not without it."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import make_vectors
from wire_examples import EXAMPLES

from srl_common import codec, messages

WRITTEN = make_vectors.read_vectors()


def key(value):
    """Return what tells two values apart: types, dtypes, bytes."""
    if isinstance(value, np.ndarray | np.generic):
        return type(value), value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, dict):
        return [(name, key(each)) for name, each in value.items()]
    if isinstance(value, list | tuple):
        return type(value), [key(each) for each in value]
    if isinstance(value, messages.Message):
        return type(value), key(vars(value))
    return type(value), value


def test_the_vectors_are_of_this_protocol():
    assert WRITTEN["protocol"] == messages.PROTOCOL, "run tests/wire/make_vectors.py"


def test_every_message_of_the_catalogue_has_a_vector():
    assert {type(each) for each in EXAMPLES.values()} == set(messages.CATALOGUE)
    assert WRITTEN["messages"].keys() == EXAMPLES.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_message_becomes_the_bytes_that_are_written(name):
    frames = [bytes(frame).hex() for frame in messages.encode(EXAMPLES[name])]
    assert frames == WRITTEN["messages"][name], "bytes on the wire changed: raise messages.PROTOCOL"


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_bytes_that_are_written_become_the_message(name):
    frames = [bytes.fromhex(frame) for frame in WRITTEN["messages"][name]]
    assert key(messages.decode(frames)) == key(EXAMPLES[name])


def test_some_vectors_have_more_than_a_head():
    assert max(len(frames) for frames in WRITTEN["messages"].values()) > 1


@pytest.fixture
def other_bytes(monkeypatch):
    """Numbers of kinds moved by one: what happens when somebody inserts a message in the catalogue."""
    monkeypatch.setattr(messages, "_KIND", {kind: number + 1 for kind, number in messages._KIND.items()})


def test_other_bytes_at_the_same_protocol_are_noticed(other_bytes):
    assert make_vectors.changed(WRITTEN, make_vectors.make_vectors()) == list(EXAMPLES)


@pytest.mark.usefixtures("other_bytes")
def test_the_generator_never_rewrites_a_protocol_that_is_out(tmp_path, monkeypatch, capsys):
    copy = tmp_path / "vectors.json"
    copy.write_text(json.dumps(WRITTEN))
    monkeypatch.setattr(make_vectors, "VECTORS", copy)
    assert make_vectors.main() == 1
    assert f"but PROTOCOL is still {messages.PROTOCOL}: raise it first" in capsys.readouterr().out
    assert json.loads(copy.read_text()) == WRITTEN
    monkeypatch.setattr(messages, "PROTOCOL", messages.PROTOCOL + 1)
    assert make_vectors.main() == 0
    assert json.loads(copy.read_text())["protocol"] == WRITTEN["protocol"] + 1


def test_a_vector_with_a_part_missing_is_refused():
    for frames in WRITTEN["messages"].values():
        with pytest.raises(messages.DecodeError):
            messages.decode([bytes.fromhex(frame) for frame in frames[:-1]])
    with pytest.raises(messages.DecodeError):
        messages.decode([*codec.encode([11]), b"one frame too many"])
